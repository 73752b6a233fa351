"""A recipe: the components of a mixture, their corpora, sizes and languages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, field_validator, model_validator

from crossin.core.entries import changed
from crossin.core.errors import CrossinError
from crossin.core.examples import named_file
from crossin.core.files import read_json
from crossin.core.settings import Settings, read_settings, setting, validated
from crossin.core.skipping import MOST_SKIPPED
from crossin.corpus.spec import CorpusSpec, Filters
from crossin.languages.codes import ByLanguage, Language, Languages
from crossin.models.chat import TemplateArguments

Kind = Literal["base", "mono", "x2en", "en2x", "x2x", "switch", "trans"]
# Kinds whose direction is decided by one language other than the pivot.
PIVOT_KINDS = ("mono", "x2en", "en2x")
_HINT = "for examples of recipes: crossin examples"


class Component(Settings):
    """One ingredient.

    kind: `base` (all in the pivot language), `mono` (all in another), `x2en` (asked in another, answered in
    the pivot), `en2x` (the reverse), `x2x` (two different languages), `switch` (a conversation that changes
    its language with every exchange), `trans` (translate a row's `side`).
    corpus: by default the recipe's, where it describes a single one, else `questions`.
    rows, tokens, share: the size; exactly one. `rows: all` is as many as the corpus has; `tokens` are those
    of prompt and completion, estimated or counted by the recipe's tokenizer; `share` is of the recipe's
    `rows`, which all components together must make.
    languages: where not all of the recipe's; for x2x, switch and trans, `pairs` may name the directions.
    turns: of a conversation, `all` exchanges, the `first` alone, or all of which only the `last` answer is
    learned. trans takes one exchange: one that the draw decides, the first, or the last.
    sampler: how often each language (or pair) is drawn. `uniform`: equally; `proportional`: by its rows;
    `temperature`: p ~ n^(1/temperature); `unimax`: equally until a language has had `epochs` epochs (Chung
    et al., arXiv 2304.09151); `weights`: by the weights.
    replacement: whether each row is drawn independently, as the authors' code does. Without it, no row is
    repeated in the same direction before all are drawn, and each is drawn at most `epochs` times.
    corpus: by default the recipe's, where it describes one, else `questions`.
    draw: components that name the same draw get the same rows and languages, slot by slot.
    stage: components of a lower stage come first (a curriculum); those of one stage are mixed.
    """

    kind: Kind
    name: str = ""
    corpus: str = "questions"
    rows: int | Literal["all"] | None = None
    tokens: int | None = setting(None, gt=0)
    share: float | None = setting(None, gt=0, le=1)
    languages: Languages[list[Language]] | None = setting(None, min_length=1)
    pairs: list[tuple[Language, Language]] | None = setting(None, min_length=1)
    side: Literal["instruction", "output"] = "instruction"
    direction: Literal["any", "to-pivot", "from-pivot"] = "any"
    turns: Literal["all", "first", "last"] = "all"
    sampler: Literal["uniform", "proportional", "temperature", "unimax", "weights"] = "uniform"
    temperature: float = setting(1.0, gt=0)
    weights: ByLanguage[float] = setting({})
    replacement: bool = False
    epochs: int = setting(1, gt=0)
    draw: str | None = None
    stage: int = 0
    filter: Filters = setting({})

    @field_validator("share", mode="before")
    @classmethod
    def _no_per_cent(cls, share: Any) -> Any:
        if isinstance(share, str) and share.strip().endswith("%"):
            raise ValueError(f"expected a number up to 1, got '{share}': 80% is 0.8")
        return share

    @model_validator(mode="after")
    def _consistent(self) -> Component:
        sizes = [size for size in ("rows", "tokens", "share") if getattr(self, size) is not None]
        if len(sizes) != 1:
            raise ValueError("needs exactly one of `rows`, `tokens`, `share`")
        if isinstance(self.rows, int) and self.rows < 1:
            raise ValueError("`rows` must be at least 1, or `all`")
        if bool(self.weights) != (self.sampler == "weights"):
            raise ValueError("`weights` and `sampler: weights` go together")
        if self.weights and (min(self.weights.values()) < 0 or not sum(self.weights.values())):
            raise ValueError("`weights` must not be negative, and not all zero")
        if self.pairs and (self.kind not in ("x2x", "switch", "trans") or self.languages):
            raise ValueError("`pairs` goes with x2x, switch and trans, in place of `languages`")
        if self.kind == "switch" and self.turns == "first":
            raise ValueError("`switch` needs more than the first exchange")
        if self.pairs and any(one == other for one, other in self.pairs):
            raise ValueError("`pairs` must be of two different languages")
        if self.direction != "any" and (self.kind != "trans" or self.pairs):
            raise ValueError("`direction` goes with trans, in place of `pairs`")
        return self

    @property
    def full_name(self) -> str:
        """The component's name, or its kind and corpus."""
        return self.name or f"{self.kind}/{self.corpus}"

    @property
    def by_pivot(self) -> bool:
        """Whether one language other than the pivot decides the direction."""
        return self.kind in PIVOT_KINDS or self.direction != "any"

    @property
    def fields(self) -> tuple[str, str]:
        """The fields that the prompt and the completion come from; neither may be empty."""
        return (self.side, self.side) if self.kind == "trans" else ("instruction", "output")


class Recipe(Settings):
    """Components, and the form of a mixture's rows.

    tag: how a cross-lingual row names the language of the answer. `sentence`: in the words of that language
    ("Answer in English."), after the instruction; `code`: `[en]` on a new line after the input, as in the
    authors' released code; `none`: not at all. place: where in a conversation, in the user's `first` turn, in
    `every` one, or in the `system` turn.
    template: `question` (each language's own words for question and answer), `plain` (no words: the answer
    continues the instruction), one of the paper's (`alpaca`, `cl_boost`, `llama`, `gemma`), a YAML file such
    as theirs, or `chat`: that of `tokenizer`, with `chat_template_kwargs` as its arguments.
    format: `prompt-completion` (Parquet), or `messages` (JSON lines, for a trainer that applies its own
    template).
    max_skipped: the largest share of a file's rows that may be left out for what is wrong with them.
    """

    name: str
    pivot: Language = "en"
    languages: Languages[list[Language]] | None = setting(None, min_length=1)
    seed: int = 0
    rows: int | None = setting(None, gt=0)
    tag: Literal["sentence", "code", "none"] = "sentence"
    place: Literal["first", "every", "system"] = "first"
    template: str = "alpaca"
    tokenizer: str | None = None
    chat_template_kwargs: TemplateArguments = setting({})
    format: Literal["prompt-completion", "messages"] = "prompt-completion"
    shard_rows: int = setting(50_000, gt=0)
    max_skipped: float = setting(MOST_SKIPPED, ge=0, le=1)
    corpora: dict[str, CorpusSpec] = setting({})
    components: list[Component] = setting(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _only_corpus(cls, entries: Any) -> Any:
        """A recipe that describes one corpus draws from it, where a component names none."""
        corpora = entries.get("corpora") if isinstance(entries, dict) else None
        components = entries.get("components") if isinstance(entries, dict) else None
        if not (isinstance(corpora, dict) and len(corpora) == 1 and isinstance(components, list)):
            return entries
        [corpus] = corpora
        filled = [{"corpus": corpus} | one if isinstance(one, dict) else one for one in components]
        return {**entries, "components": filled}

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if any(component.share for component in self.components) and self.rows is None:
            raise ValueError("a component with a `share` needs the recipe's `rows` in all")
        if self.template == "chat" and not self.tokenizer:
            raise ValueError("`template: chat` needs a `tokenizer`")
        if self.chat_template_kwargs and (self.template != "chat" or self.format == "messages"):
            raise ValueError("`chat_template_kwargs` goes with `template: chat`")
        if not self.has_turns:
            self._check_single()
        return self

    def _check_single(self) -> None:
        """Refuse what needs conversations where the template writes one exchange."""
        fix = "needs `format: messages`, or `template: chat`"
        if self.place != "first":
            raise ValueError(f"`place: {self.place}` {fix}")
        first = {one.corpus for one in self.components if one.turns == "first"}
        for component in self.components:
            if component.kind == "switch" or (component.turns == "last" and component.kind != "trans"):
                what = "`switch`" if component.kind == "switch" else "`turns: last`"
                raise ValueError(f"{what} {fix}")
            if component.corpus in first and component.turns == "all" and component.kind != "trans":
                raise ValueError(f"`turns: all` beside `turns: first` of the same corpus {fix}")

    @property
    def has_turns(self) -> bool:
        """Whether the mixture's rows can be conversations of several exchanges."""
        return self.format == "messages" or self.template == "chat"

    def reads_conversations(self, corpus: str) -> bool:
        """Whether a corpus's conversations of several exchanges can be drawn."""
        mine = (one for one in self.components if one.corpus == corpus)
        return self.has_turns or any(one.turns != "all" for one in mine)

    @field_validator("components")
    @classmethod
    def _distinct_names(cls, components: list[Component]) -> list[Component]:
        names = [component.full_name for component in components]
        for number, name in enumerate(names):
            if (first := names.index(name)) < number:
                raise ValueError(
                    f"components {first + 1} and {number + 1} are both called '{name}': give each a `name`"
                )
        return components

    def named(self) -> list[tuple[str, Component]]:
        """The components by name. The name, with the seed, decides a component's draws."""
        return [(component.full_name, component) for component in self.components]


def read_recipe(
    recipe: Recipe | Mapping[str, Any] | Path | str, given: Mapping[str, Any] | None = None
) -> Recipe:
    """A recipe from a YAML file, an example's name, the manifest of a mixture (`manifest.json`), or its
    entries, with what is `given` in place of its entries.

    Raises CrossinError that names the wrong entry.
    """
    given = given or {}
    if isinstance(recipe, Recipe):
        if not given:
            return recipe
        recipe = recipe.model_dump(exclude_unset=True)
    if isinstance(recipe, Mapping):
        return validated(Recipe, changed(recipe, given), None, _HINT)
    path = named_file("compose", recipe)
    if path.suffix != ".json":
        return read_settings(Recipe, path, given, hint=_HINT)
    manifest = read_json(path)
    if not isinstance(manifest, dict) or manifest.get("stage") != "compose":
        raise CrossinError(
            "not a mixture's manifest", file=path, hint="give a recipe, or a mixture's manifest.json"
        )
    return validated(Recipe, changed(manifest["settings"], given), path, _HINT)


def as_yaml(recipe: Recipe) -> str:
    """The recipe as a file that reads back to itself, without entries that have their defaults."""
    import yaml

    return str(yaml.safe_dump(_entries(recipe), sort_keys=False, allow_unicode=True))


def _entries(value: Any) -> Any:
    """Entries in the order of the models, and names of the user's choice in alphabetical order: the order of
    languages in a file has no meaning.
    """
    if isinstance(value, BaseModel):
        entries = {name: getattr(value, name) for name in type(value).model_fields}
        return {
            name: _entries(entry)
            for name, entry in entries.items()
            if entry != type(value).model_fields[name].default
        }
    if isinstance(value, dict):
        return {key: _entries(value[key]) for key in sorted(value)}
    return [_entries(part) for part in value] if isinstance(value, list | tuple) else value
