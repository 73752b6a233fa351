"""The settings of a corpus: where its files are, and which rows may be drawn."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from crossin.core.paths import from_home, is_path
from crossin.core.settings import Settings, setting
from crossin.languages.codes import ByLanguage

_Place = Annotated[str, AfterValidator(from_home)]


class Source(Settings):
    """One place that rows are read from: a file (`path`), or a dataset of the hub or in a folder (`dataset`).

    `path` is relative to the data folder. JSON arrays, JSON lines, CSV and Parquet are read, plain or as
    `.gz` or `.zst`; rows in the Alpaca form, as `messages`, or as prompt and completion. `columns` gives
    other names of columns: with `{output: response}`, the output is in the column `response`.
    """

    path: _Place | None = None
    dataset: _Place | None = None
    config: str | None = None
    split: str = "train"
    columns: dict[Literal["id", "language", "instruction", "input", "output"], str] = setting({})

    @model_validator(mode="before")
    @classmethod
    def _bare_path(cls, value: Any) -> Any:
        return {"path": os.fspath(value)} if is_path(value) else value

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if (self.path is None) == (self.dataset is None):
            raise ValueError("needs either `path` (a file) or `dataset` (of the hub, or a folder)")
        return self


class Range(Settings):
    """A filter on a number: at least `min`, at most `max`."""

    min: float | None = None
    max: float | None = None


# A column's name, or `characters` (of instruction, input and output together), and the values that pass: a
# range of numbers, or a list. A filter applies in every language that has the column.
Filters = dict[str, Range | list[str | int | float | bool]]


class Decontaminate(Settings):
    """Reject rows that share `ngram` consecutive words with an item of the benchmark `bench` (a folder)."""

    bench: _Place
    ngram: int = setting(8, ge=3)


class CorpusSpec(Settings):
    """One corpus: the same rows in one or more languages.

    Either `files` names a source for each language, or `source` one file with a column `language`. Rows are
    joined by `id`, or by their `position` in the files. A row that is not in all languages of the mixture is
    left out (`incomplete: drop`), or drawn only in the languages that it has (`keep`). `check: scan` compares
    the languages row by row; `check_language` refuses a file whose rows are mostly in another language.
    """

    files: ByLanguage[Source] = setting({})
    source: Source | None = None
    join: Literal["id", "position"] = "id"
    id_prefix: str = ""
    incomplete: Literal["drop", "keep"] = "drop"
    check: Literal["scan", "none"] = "scan"
    check_language: bool = True
    filter: Filters = setting({})
    deduplicate: Literal["no", "exact", "near"] = "no"
    decontaminate: Decontaminate | None = None
    longest_field: int = setting(1_000_000, gt=0)
    licence: str = "unknown"

    @model_validator(mode="after")
    def _one_form(self) -> CorpusSpec:
        if bool(self.files) == (self.source is not None):
            raise ValueError(
                "needs either `files` (one a language) or `source` (one with a column `language`)"
            )
        return self
