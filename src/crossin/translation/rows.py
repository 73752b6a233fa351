"""The rows that are to be translated, read from any file that `compose` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import ValidationError

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.spec import CorpusSpec, Source
from crossin.languages.detection import file_language_notes


@dataclass(frozen=True)
class Row:
    """One row in the source language; `texts` are its instruction, input and output, '' where it has none."""

    id: str
    texts: Mapping[str, str]


@dataclass(frozen=True)
class SourceRows:
    """The rows of a file in their order; its texts stay on the disk. `skipped` counts those left out."""

    corpus: ParallelCorpus
    language: str
    kept: np.typing.NDArray[np.int64]
    skipped: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.kept)

    def take(self, start: int, end: int) -> list[Row]:
        """The rows from `start` up to `end`."""
        chosen = self.kept[start:end]
        columns = [self.corpus.text(self.language, field, chosen).to_pylist() for field in FIELDS]
        ids = self.corpus.ids.take(chosen).to_pylist()
        return [
            Row(str(name), dict(zip(FIELDS, texts, strict=True)))
            for name, *texts in zip(ids, *columns, strict=True)
        ]


def read_rows(
    path: Path,
    language: str,
    work: Path,
    progress: Progress,
    *,
    columns: Mapping[str, str] | None = None,
    limit: int | None = None,
    check: bool = True,
) -> SourceRows:
    """The first `limit` usable rows of a file or a folder of files; `columns` tells names of columns that
    differ, as in a recipe. `work` takes the texts.

    Raises CrossinError for what cannot be read, and with `check` where the texts are in another language than
    they are said to be.
    """
    spec = _spec(path, language, columns or {})
    corpus = read_corpus(path.stem, spec, path.parent, [language], set(), work, progress=progress)
    skipped = {**corpus.unjoined, **corpus.rejected()}
    kept = np.flatnonzero(corpus.kept & corpus.present(language))[:limit]
    if not len(kept):
        raise CrossinError("holds no row that could be translated", file=path, hint="look at its columns")
    if check:
        for note in file_language_notes(corpus.texts[language, "instruction"].all, language):
            raise CrossinError(
                f"is not what --from says: {note}",
                file=path,
                hint="name the language that its rows are in with --from, or leave out this check with "
                "--any-language",
            )
    return SourceRows(corpus, language, kept, {reason: count for reason, count in skipped.items() if count})


def _spec(path: Path, language: str, columns: Mapping[str, str]) -> CorpusSpec:
    try:
        source = Source(path=path.name, columns=cast("dict[str, str]", dict(columns)))  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][-2]) for one in error.errors())
        raise CrossinError(
            f"rows have no field '{wrong}'", field="columns", hint=f"use one of: id, {', '.join(FIELDS)}"
        ) from error
    return CorpusSpec(files={language: source}, check="none")
