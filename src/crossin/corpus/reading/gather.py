"""The rows of each language of a corpus, gathered from its source into files of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.columns import is_blank, join_extras
from crossin.corpus.reading.records import read_records
from crossin.corpus.reading.shapes import Rows, columns_read, language_column, to_rows
from crossin.corpus.spec import CorpusSpec, Source
from crossin.corpus.texts import Texts, TextsWriter
from crossin.languages.codes import parse_language

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LanguageRows:
    """All rows of one language in the order of its file.

    `ids` are empty where `has_id` is False; `blank` says where the instruction is empty; `rejected` is 0 for
    a row of a usable shape, else 1 + index into `reasons`; `extras` are columns with a value somewhere.
    """

    language: str
    file: str
    ids: Texts
    texts: dict[str, Texts]
    has_id: Bools
    blank: Bools
    rejected: npt.NDArray[np.uint8]
    reasons: list[str]
    extras: dict[str, pa.Array]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class _Gatherer:
    """One language while its rows come in."""

    language: str
    file: str
    work: Path
    rows: int = 0
    has_id: list[Bools] = field(default_factory=list)
    blank: list[Bools] = field(default_factory=list)
    rejected: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    extras: dict[str, list[pa.Array]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.writers = {name: TextsWriter(self.work, f"{self.language}.{name}") for name in ("id", *FIELDS)}

    def add(self, rows: Rows) -> None:
        """Add rows at the end."""
        self.writers["id"].append(rows.ids.fill_null("") if rows.ids.null_count else rows.ids)
        for name in FIELDS:
            self.writers[name].append(rows.texts[name])
        self.has_id.append(rows.ids.is_valid().to_numpy(zero_copy_only=False))
        self.blank.append(is_blank(rows.texts["instruction"]))
        rejected = np.zeros(len(rows.ids), np.uint8)
        for index, reason in rows.rejected.items():
            if reason not in self.reasons:
                self.reasons.append(reason)
            rejected[index] = 1 + self.reasons.index(reason)
        self.rejected.append(rejected)
        for name, values in rows.extras.items():
            parts = self.extras.setdefault(name, [])
            # A column that comes up late is absent before.
            missing = self.rows - sum(map(len, parts))
            self.extras[name] = [*parts, pa.nulls(missing), values] if missing else [*parts, values]
        self.rows += len(rows.ids)

    def close(self) -> LanguageRows:
        """The language as a whole."""
        closed = {name: writer.close() for name, writer in self.writers.items()}
        extras = {}
        for name, parts in self.extras.items():
            whole = join_extras([*parts, pa.nulls(self.rows - sum(map(len, parts)))], self.file, name)
            if whole.null_count < len(whole):
                extras[name] = whole
        return LanguageRows(
            self.language,
            self.file,
            closed.pop("id"),
            closed,
            np.concatenate([*self.has_id, np.zeros(0, np.bool_)]),
            np.concatenate([*self.blank, np.zeros(0, np.bool_)]),
            np.concatenate([*self.rejected, np.zeros(0, np.uint8)]),
            self.reasons,
            extras,
        )

    def abandon(self) -> None:
        """Leave nothing behind."""
        for writer in self.writers.values():
            writer.abandon()


def gather(
    name: str,
    spec: CorpusSpec,
    data: Path,
    languages: Sequence[str] | None,
    columns: Set[str],
    work: Path,
    progress: Progress,
) -> tuple[list[LanguageRows], set[str]]:
    """The rows of each of `languages` that the corpus has (None: of all), and the names of all columns seen.

    Raises CrossinError for a source without any rows, and for whatever reading and shaping find.
    """
    seen: set[str] = set()
    if spec.source is not None:
        return _gather_mixed(name, spec, spec.source, data, languages, columns, work, progress, seen), seen
    chosen = [language for language in languages if language in spec.files] if languages else []
    chosen = list(dict.fromkeys(chosen)) if languages is not None else list(spec.files)
    found = []
    for done, language in enumerate(chosen):
        source = spec.files[language]
        gatherer = _Gatherer(language, _shown(source, data), work)
        with _abandoned_on_error([gatherer]):
            for batch in read_records(source, data, columns_read(source, columns)):
                seen.update(batch.names)
                gatherer.add(to_rows(batch, source, spec.longest_field, columns))
                progress(f"reading {name}", done, len(chosen), "files", f"{language}: {gatherer.rows:,} rows")
            _check_not_empty(gatherer.rows, gatherer.file)
        found.append(gatherer.close())
    progress(f"reading {name}", len(chosen), len(chosen), "files")
    return found, seen


def _gather_mixed(
    name: str,
    spec: CorpusSpec,
    source: Source,
    data: Path,
    languages: Sequence[str] | None,
    columns: Set[str],
    work: Path,
    progress: Progress,
    seen: set[str],
) -> list[LanguageRows]:
    """Rows of all languages from one source, told apart by its column `language`."""
    gatherers: dict[str, _Gatherer] = {}
    codes: dict[str, str] = {}
    rows = 0
    with _abandoned_on_error(gatherers.values()):
        for batch in read_records(source, data, columns_read(source, columns)):
            rows += len(batch)
            seen.update(batch.names)
            for language, part in _by_language(batch, spec, source, languages, columns, codes):
                if language not in gatherers:
                    gatherers[language] = _Gatherer(language, _shown(source, data), work)
                gatherers[language].add(part)
            progress(f"reading {name}", 0, 1, "files", f"{rows:,} rows")
        _check_not_empty(rows, _shown(source, data))
    progress(f"reading {name}", 1, 1, "files")
    order = list(gatherers) if languages is None else dict.fromkeys(languages)
    return [gatherers[language].close() for language in order if language in gatherers]


def _by_language(
    batch: Batch,
    spec: CorpusSpec,
    source: Source,
    languages: Sequence[str] | None,
    columns: Set[str],
    codes: dict[str, str],
) -> Iterator[tuple[str, Rows]]:
    """The batch's rows, a language at a time as they come up, those of each in the batch's order."""
    column = source.columns.get("language", "language")
    spelled = pc.dictionary_encode(language_column(batch, source, spec.longest_field))
    numbers = spelled.indices.to_numpy()
    for number, spelling in enumerate(spelled.dictionary.to_pylist()):
        if spelling not in codes:
            try:
                codes[spelling] = parse_language(spelling)
            except CrossinError as error:
                index = int(np.argmax(numbers == number))
                message = error.message if spelling.strip() else "the row names no language"
                raise batch.error(
                    index, message, field=column, hint=error.hint or "write a BCP-47 code"
                ) from error
    found = [codes[spelling] for spelling in spelled.dictionary.to_pylist()]
    wanted = [code for code in dict.fromkeys(found) if languages is None or code in languages]
    # Each row's language as its place in `wanted`; len(wanted) for one that is not asked for.
    places = np.array([wanted.index(code) if code in wanted else len(wanted) for code in found])[numbers]
    order = np.argsort(places, kind="stable")
    sizes = np.bincount(places, minlength=len(wanted) + 1)
    order = order[: sizes[:-1].sum()]
    if not len(order):
        return
    rows = to_rows(batch.select(order), source, spec.longest_field, columns)
    start = 0
    for code, size in zip(wanted, sizes[:-1].tolist(), strict=True):
        yield code, rows.slice(start, size)
        start += size


def _check_not_empty(rows: int, file: str) -> None:
    if not rows:
        raise CrossinError("holds no rows", file=file, hint="check the path")


def _shown(source: Source, data: Path) -> str:
    return str(data / source.path) if source.path is not None else str(source.dataset)


@contextmanager
def _abandoned_on_error(gatherers: Iterable[_Gatherer]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for gatherer in gatherers:
            gatherer.abandon()
        raise
