"""A recipe: which components a mixture has, from which corpora, how many rows of each, in which languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from crossin.core import settings
from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_yaml
from crossin.corpus.spec import CorpusSpec, Filters
from crossin.languages.codes import Language

Kind = Literal["base", "mono", "x2en", "en2x", "x2x", "trans"]
# Kinds whose direction is decided by one language beside the pivot.
PIVOT_KINDS = ("mono", "x2en", "en2x")
# Entries whose keys are names of the user's choice.
_NAMED = ("columns", "corpora", "files", "filter", "weights")


class Component(BaseModel):
    """One ingredient.

    kind: `base` (all in the pivot language), `mono` (all in another), `x2en` (asked in another, answered in
    the pivot), `en2x` (the reverse), `x2x` (two different languages), `trans` (translate a row's `side`).
    rows, tokens, share: the size; exactly one. `rows: all` is as many as the corpus has; `tokens` are those
    of prompt and completion, estimated or counted by the recipe's tokenizer; `share` is of the recipe's
    `rows`.
    languages: where not all of the recipe's; for x2x and trans, `pairs` may name the directions themselves.
    sampler: how often each language (or pair) is drawn. `uniform`: equally; `proportional`: as it has rows;
    `temperature`: p ~ n^(1/temperature); `unimax`: equally until a language has gone round `epochs` times
    (Chung et al., arXiv 2304.09151); `weights`: as `weights` say.
    replacement: whether each row is drawn for itself, as the authors' code does. Without it, no row comes
    again in the same direction before all have come, and at most `epochs` times in all.
    draw: components that name the same draw get the same rows and languages, slot by slot.
    stage: components of a lower stage come first (a curriculum); those of one stage are mixed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    name: str = ""
    corpus: str = "questions"
    rows: int | Literal["all"] | None = None
    tokens: int | None = Field(default=None, gt=0)
    share: float | None = Field(default=None, gt=0, le=1)
    languages: list[Language] | None = Field(default=None, min_length=1)
    pairs: list[tuple[Language, Language]] | None = Field(default=None, min_length=1)
    side: Literal["instruction", "output"] = "instruction"
    direction: Literal["any", "to-pivot", "from-pivot"] = "any"
    sampler: Literal["uniform", "proportional", "temperature", "unimax", "weights"] = "uniform"
    temperature: float = Field(default=1.0, gt=0)
    weights: dict[Language, float] = {}
    replacement: bool = False
    epochs: int = Field(default=1, gt=0)
    draw: str | None = None
    stage: int = 0
    filter: Filters = {}

    @model_validator(mode="after")
    def _consistent(self) -> Component:
        sizes = [size for size in ("rows", "tokens", "share") if getattr(self, size) is not None]
        if len(sizes) != 1:
            raise ValueError("needs exactly one of `rows`, `tokens`, `share`")
        if isinstance(self.rows, int) and self.rows < 1:
            raise ValueError("`rows` must be at least 1, or `all`")
        if bool(self.weights) != (self.sampler == "weights"):
            raise ValueError("`weights` and `sampler: weights` go together")
        if any(weight < 0 for weight in self.weights.values()) or (
            self.weights and not sum(self.weights.values())
        ):
            raise ValueError("`weights` must not be negative, and not all zero")
        if self.pairs and (self.kind not in ("x2x", "trans") or self.languages):
            raise ValueError("`pairs` goes with x2x and trans, in place of `languages`")
        if self.pairs and any(one == other for one, other in self.pairs):
            raise ValueError("`pairs` must be of two different languages")
        if self.direction != "any" and (self.kind != "trans" or self.pairs):
            raise ValueError("`direction` goes with trans, in place of `pairs`")
        return self

    @property
    def by_pivot(self) -> bool:
        """Whether one language beside the pivot decides the direction."""
        return self.kind in PIVOT_KINDS or self.direction != "any"

    @property
    def fields(self) -> tuple[str, str]:
        """The fields that the prompt and the completion come from; neither may be empty."""
        return (self.side, self.side) if self.kind == "trans" else ("instruction", "output")


class Recipe(BaseModel):
    """Components, and how a mixture's rows are worded.

    tag: how a cross-lingual row says which language it wants. `sentence` asks in the wanted language's own
    words ("Answer in English."), behind the instruction; `code` puts `[en]` behind the input on a new line,
    as the authors' released code does; `none` says nothing.
    template: `question` (each language's own words for question and answer), one of the paper's (`alpaca`,
    `cl_boost`, `llama`, `gemma`), a YAML file such as theirs, or `chat`: that of `tokenizer`.
    format: `prompt-completion` (Parquet), or `messages` (JSON lines, for a trainer that applies its own
    template).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    pivot: Language = "en"
    languages: list[Language] | None = Field(default=None, min_length=1)
    seed: int = 0
    rows: int | None = Field(default=None, gt=0)
    tag: Literal["sentence", "code", "none"] = "sentence"
    template: str = "alpaca"
    tokenizer: str | None = None
    format: Literal["prompt-completion", "messages"] = "prompt-completion"
    shard_rows: int = Field(default=50_000, gt=0)
    corpora: dict[str, CorpusSpec] = {}
    components: list[Component] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if any(component.share for component in self.components) and self.rows is None:
            raise ValueError("a component with a `share` needs the recipe's `rows` in all")
        if self.template == "chat" and not self.tokenizer:
            raise ValueError("`template: chat` needs a `tokenizer`")
        return self

    def named(self) -> list[tuple[str, Component]]:
        """The components by name; one without a name is called by its kind and corpus.

        A component's name, with the seed, decides its draws: beside others it stays what it is.
        """
        named = [
            (component.name or f"{component.kind}/{component.corpus}", component)
            for component in self.components
        ]
        seen: dict[str, int] = {}
        for number, (name, _) in enumerate(named):
            if name in seen:
                raise CrossinError(
                    f"components {seen[name] + 1} and {number + 1} are both called '{name}'",
                    field=f"components.{number}",
                    hint="give them a `name` each",
                )
            seen[name] = number
        return named


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file, or the one that the manifest of a mixture holds (`manifest.json`); a wrong
    entry is an error that names it.
    """
    if path.suffix == ".json":
        manifest = read_json(path)
        entries = manifest.get("settings") if isinstance(manifest, dict) else None
        if entries is None or manifest.get("stage") != "compose":
            raise CrossinError(
                "is no mixture's manifest", file=path, hint="give a recipe, or a mixture's manifest.json"
            )
    else:
        entries = read_yaml(path)
    return validated(entries, path)


def validated(entries: Any, path: Path | None = None) -> Recipe:
    """The recipe that `entries` make; a wrong one is an error that names it, and the file that it is from."""
    recipe = settings.validated(Recipe, entries, path, "see examples/ for recipes")
    try:
        recipe.named()
    except CrossinError as error:
        raise CrossinError(error.message, file=path, field=error.field, hint=error.hint) from error
    return recipe


def as_yaml(recipe: Recipe) -> str:
    """The recipe as a file that reads back to itself; what is left to its default is left out."""
    import yaml

    entries = _in_order(recipe.model_dump(mode="json", exclude_defaults=True))
    return str(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))


def _in_order(value: Any, named: bool = False) -> Any:
    """Entries in the order of the models, and what the user names in the order of names: the order in which a
    file happens to list its languages says nothing.
    """
    if isinstance(value, dict):
        keys = sorted(value) if named else list(value)
        return {key: _in_order(value[key], not named and key in _NAMED) for key in keys}
    return [_in_order(part) for part in value] if isinstance(value, list) else value
