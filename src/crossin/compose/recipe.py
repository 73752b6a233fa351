"""A recipe: which components a mixture has, from which corpus, how many rows of each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossin.errors import CrossinError
from crossin.files import read_yaml

Kind = Literal["base", "mono", "x2en", "en2x", "x2x", "trans"]


class Component(BaseModel):
    """One ingredient.

    `corpus` names a Parquet file of rows, without its ending, in the corpus folder. `trans` translates the
    instruction or the output of a row, as `side` says; the other kinds ignore `side`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    corpus: str = "questions"
    rows: int = Field(gt=0)
    side: Literal["instruction", "output"] = "instruction"


class Recipe(BaseModel):
    """Components, and how a cross-lingual row says which language it wants.

    `tag`: `sentence` asks in the wanted language's own words ("Answer in English."); `code` appends `[en]` to
    the input on a new line, as the authors' released code does; `none` says nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    pivot: str = "en"
    tag: Literal["sentence", "code", "none"] = "sentence"
    components: list[Component] = Field(min_length=1)

    @property
    def rows(self) -> int:
        """How many rows the mixture has in all."""
        return sum(component.rows for component in self.components)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file; a wrong entry is an error that names it."""
    entries = read_yaml(path)
    try:
        return Recipe.model_validate(entries)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CrossinError(
            first["msg"], file=path, field=place or None, fix="see examples/ for recipes"
        ) from error
