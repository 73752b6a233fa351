"""How a recipe says where its corpora are, and what a row must pass to be drawn from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crossin.languages.codes import Language, parse_language


class Source(BaseModel):
    """One place that rows are read from: a file (`path`), or a dataset of the hub or in a folder (`dataset`).

    `path` is relative to the data folder. JSON arrays, JSON lines and Parquet are read, plain or as `.gz` or
    `.zst`; rows in the Alpaca form, as `messages`, or as prompt and completion. `columns` tells where the
    names differ: `{output: response}` says that the output stands in the column `response`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = None
    dataset: str | None = None
    config: str | None = None
    split: str = "train"
    columns: dict[Literal["id", "language", "instruction", "input", "output"], str] = {}

    @model_validator(mode="before")
    @classmethod
    def _bare_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.path is None) == (self.dataset is None):
            raise ValueError("needs either `path` (a file) or `dataset` (of the hub, or a folder)")
        return self


class Range(BaseModel):
    """A filter on a number: at least `min`, at most `max`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: float | None = None
    max: float | None = None


# A column's name, or `characters` (of instruction, input and output together), and what it may be: a range of
# numbers, or a list of values. It is asked in every language that has the column.
Filters = dict[str, Range | list[str | int | float | bool]]


class Decontaminate(BaseModel):
    """Which rows are too near a benchmark: those that share `ngram` words in a row with one of its items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bench: str
    ngram: int = Field(default=8, ge=3)


class CorpusSpec(BaseModel):
    """One corpus: the same rows in one or more languages.

    Either `files` names a source for each language, or `source` one file with a column `language`. Rows are
    joined by `id`, or by their `position` in the files. A row that is not in all the languages asked for is
    left out (`incomplete: drop`), or drawn only in the languages that it has (`keep`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[Language, Source] = {}
    source: Source | None = None
    join: Literal["id", "position"] = "id"
    id_prefix: str = ""
    incomplete: Literal["drop", "keep"] = "drop"
    check: Literal["scan", "none"] = "scan"
    filter: Filters = {}
    deduplicate: Literal["no", "exact", "near"] = "no"
    decontaminate: Decontaminate | None = None
    longest_field: int = Field(default=1_000_000, gt=0)
    licence: str = "unknown"

    @field_validator("files", mode="before")
    @classmethod
    def _each_language_once(cls, value: Any) -> Any:
        if isinstance(value, dict):
            codes = [parse_language(name) for name in value]
            for code in codes:
                if codes.count(code) > 1:
                    raise ValueError(f"names {code} twice, in different spellings")
        return value

    @model_validator(mode="after")
    def _one_form(self) -> CorpusSpec:
        if bool(self.files) == (self.source is not None):
            raise ValueError(
                "needs either `files` (one a language) or `source` (one with a column `language`)"
            )
        return self
