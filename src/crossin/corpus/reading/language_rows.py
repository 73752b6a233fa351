"""The rows of each language of a corpus, read from its sources into files of texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress
from crossin.corpus.conversations import exchanges
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.origins import Origins
from crossin.corpus.reading.records import read_source
from crossin.corpus.reading.rows import Rows, columns_read, language_column, to_rows
from crossin.corpus.reading.text_columns import mark
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import CorpusSpec, Source
from crossin.corpus.texts import Texts, TextsWriter
from crossin.languages.codes import names_none, parse_language


@dataclass(frozen=True)
class LanguageRows:
    """All rows of one language in the order of its file: ids (empty where a row has none), texts by field,
    status and changed as in `Rows`, the extra columns that have a value somewhere, and where the rows come
    from. turns: where each turn of a conversation is ('' for one exchange without a system turn); None where
    no row has such. several: whether a row has more than one exchange.
    """

    language: str
    file: str
    ids: Texts
    texts: dict[str, Texts]
    status: npt.NDArray[np.uint8]
    extras: dict[str, pa.Array]
    origins: Origins
    turns: Texts | None = None
    several: bool = False
    changed: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class _Collector:
    """One language while its rows are read."""

    language: str
    file: str
    work: Path
    rows: int = 0
    status: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    extras: dict[str, list[pa.Array]] = field(default_factory=dict)
    origins: Origins = field(default_factory=Origins)
    changed: Counter[str] = field(default_factory=Counter)
    turns: TextsWriter | None = None
    several: bool = False

    def __post_init__(self) -> None:
        self.writers = {name: TextsWriter(self.work, f"{self.language}.{name}") for name in ("id", *FIELDS)}

    def add(self, rows: Rows, file: str | Path, numbers: npt.NDArray[np.int64]) -> None:
        """Add rows of a file, by their numbers in it, at the end."""
        self.origins.add(file, numbers)
        self.writers["id"].append(rows.ids.fill_null("") if rows.ids.null_count else rows.ids)
        for name in FIELDS:
            self.writers[name].append(rows.texts[name])
        self._add_turns(rows)
        self.status.append(rows.status)
        for name, values in rows.extras.items():
            parts = self.extras.setdefault(name, [])
            # A column that appears late is absent before.
            missing = self.rows - sum(map(len, parts))
            parts += [pa.nulls(missing), values] if missing else [values]
        self.rows += len(rows.ids)

    def _add_turns(self, rows: Rows) -> None:
        if rows.turns is None:
            turns = pa.repeat(pa.scalar("", pa.large_string()), len(rows.ids))
        else:
            turns = rows.turns
            self.several = self.several or bool((exchanges(turns) > 1).any())
            if self.turns is None:
                self.turns = TextsWriter(self.work, f"{self.language}.turns")
                self.turns.append(pa.repeat(pa.scalar("", pa.large_string()), self.rows))
        if self.turns is not None:
            self.turns.append(turns)
        if rows.changed is not None:
            for number in rows.changed[(rows.status == 0) & (rows.changed > 0)].tolist():
                self.changed[list(CorpusReason)[number - 1].about(self.language)] += 1

    def close(self) -> LanguageRows:
        """The language as a whole."""
        closed = {name: writer.close() for name, writer in self.writers.items()}
        extras = {}
        for name, parts in self.extras.items():
            whole = _joined([*parts, pa.nulls(self.rows - sum(map(len, parts)))], self.file, name)
            if whole.null_count < len(whole):
                extras[name] = whole
        ids = closed.pop("id")
        status = np.concatenate(self.status)
        turns = self.turns.close() if self.turns is not None else None
        found = (self.language, self.file, ids, closed, status, extras, self.origins)
        return LanguageRows(*found, turns, self.several, +self.changed)


def read_languages(
    name: str,
    spec: CorpusSpec,
    data: Path,
    languages: Sequence[str] | None,
    columns: Set[str],
    work: Path,
    progress: Progress,
    *,
    several: bool = False,
) -> tuple[list[LanguageRows], set[str]]:
    """The rows of each of `languages` that the corpus `name` has (None: of all), and all columns' names.

    several: whether rows may be conversations of more than one exchange.
    Raises CrossinError for a source without any rows, and for what cannot be read.
    """
    order = None if languages is None else list(dict.fromkeys(languages))
    # A source of its own for each language, or one of all languages.
    sources: list[tuple[str | None, Source]] = [(None, spec.source)] if spec.source else []
    chosen = list(spec.files) if order is None else order
    sources += [(language, spec.files[language]) for language in chosen if language in spec.files]
    found: dict[str, LanguageRows] = {}
    seen: set[str] = set()
    codes: dict[str, str] = {}
    for done, (language, source) in enumerate(sources):
        collectors: dict[str, _Collector] = {}
        file, rows = str(data / source.path if source.path is not None else source.dataset), 0
        for batch in read_source(source, data, columns_read(source, columns), columns):
            rows += len(batch)
            seen.update(batch.names)
            for code, part, numbers in _parts(batch, spec, source, language, order, columns, codes, several):
                if code not in collectors:
                    collectors[code] = _Collector(code, file, work)
                collectors[code].add(part, batch.file, numbers)
            note = f"{language}: {rows:,} rows" if language else f"{rows:,} rows"
            progress(f"reading {name}", done, len(sources), "files", note)
        if not rows:
            raise CrossinError("holds no rows", file=file, hint="check the path")
        found |= {code: collector.close() for code, collector in collectors.items()}
    progress(f"reading {name}", len(sources), len(sources), "files")
    return [found[code] for code in (found if order is None else order) if code in found], seen


def _parts(
    batch: Batch,
    spec: CorpusSpec,
    source: Source,
    language: str | None,
    languages: Sequence[str] | None,
    columns: Set[str],
    codes: dict[str, str],
    several: bool,
) -> Iterator[tuple[str, Rows, npt.NDArray[np.int64]]]:
    """The batch's rows with their numbers in the file: all of `language`, or by their column `language`, in
    order of its first row; those of each language in the batch's order. codes: the languages by their
    spellings so far.
    """
    if language is not None:
        yield language, to_rows(batch, source, spec.longest_field, columns, several=several), batch.rows
        return
    column, spellings = language_column(batch, source, spec.longest_field)
    spelled = pc.dictionary_encode(spellings)
    numbers = spelled.indices.to_numpy()
    unnamed = np.array([names_none(one) for one in spelled.dictionary.to_pylist()], np.bool_)[numbers]
    if unnamed.any() and not unnamed.all():
        # What names no language is counted with the rows around it.
        named = np.flatnonzero(~unnamed)
        near = np.searchsorted(named, np.arange(len(batch))).clip(max=len(named) - 1)
        spelled = pc.dictionary_encode(spellings.take(pa.array(named[near])))
        numbers = spelled.indices.to_numpy()
    for number, spelling in enumerate(spelled.dictionary.to_pylist()):
        if spelling not in codes:
            try:
                codes[spelling] = parse_language(spelling)
            except CrossinError as error:
                index = int(np.argmax(numbers == number))
                message = error.message if spelling.strip() else "the row names no language"
                hint = error.hint or "write a BCP-47 code"
                raise batch.error(index, message, field=column, hint=hint) from error
    found = [codes[spelling] for spelling in spelled.dictionary.to_pylist()]
    wanted = [code for code in dict.fromkeys(found) if languages is None or code in languages]
    # Each row's language as its place in `wanted`; len(wanted) for one that is not wanted.
    places = np.array([wanted.index(code) if code in wanted else len(wanted) for code in found])[numbers]
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(len(wanted)), side="right").tolist()
    if wanted:
        chosen = batch.select(order[: ends[-1]])
        rows = to_rows(chosen, source, spec.longest_field, columns, several=several)
        mark(rows.status, unnamed[order[: ends[-1]]], CorpusReason.NO_LANGUAGE)
        for code, start, end in zip(wanted, [0, *ends], ends, strict=False):
            yield code, rows.slice(start, end - start), chosen.rows[start:end]


def _joined(parts: Sequence[pa.Array], file: str, name: str) -> pa.Array:
    """One array from the parts of a column; whole numbers become floats where some part has floats."""
    kinds = {part.type for part in parts if not pa.types.is_null(part.type)}
    if kinds == {pa.int64(), pa.float64()}:
        kinds = {pa.float64()}
    if len(kinds) > 1:
        raise CrossinError(
            f"the column holds values of different types ({', '.join(sorted(map(str, kinds)))})",
            file=file,
            field=name,
            hint="make the column all numbers or all text",
        )
    kind = kinds.pop() if kinds else pa.null()
    return pa.chunked_array([part.cast(kind, safe=False) for part in parts], kind).combine_chunks()
