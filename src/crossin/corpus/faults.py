"""Rows of a corpus that are left out: listed one by one, counted by file, and refused where they are many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.reasons import fix_of, sentence_of
from crossin.core.skipping import MOST_SKIPPED, FileFaults
from crossin.corpus.parallel import ParallelCorpus
from crossin.corpus.reasons import WANTED, CorpusReason

_COLUMNS = ("corpus", "id", "reason", "detail")


def is_fault(code: str) -> bool:
    """Whether a row is left out for what is wrong with it, not because the recipe asks for it."""
    return code.partition(":")[0] not in WANTED


def rejects(corpus: ParallelCorpus) -> pa.Table:
    """Every row that is left out: corpus, id (empty where it has none), reason code, and a detail where there
    is one. Rows without an id of their own come last; their detail is their place.
    """
    rows = np.flatnonzero(~corpus.kept)
    tables = [
        _table(
            corpus.name,
            corpus.ids.take(pa.array(rows)),
            pa.array(corpus.reasons, pa.string()).take(pa.array(corpus.status[rows] - 1)),
            pa.array([corpus.details.get(row, "") for row in rows.tolist()], pa.string()),
        )
    ]
    for code, indices in corpus.without_id.items():
        language = code.rpartition(":")[2]
        own = corpus.own_ids[language].take(indices).to_pylist()
        ids = [corpus.id_prefix + one if one else "" for one in own]
        # Without its folder: the same data elsewhere gives the same bytes.
        places = [f"row {row} of {Path(file).name}" for file, row in corpus.origins[language].places(indices)]
        tables.append(_table(corpus.name, pa.array(ids), pa.repeat(code, len(ids)), pa.array(places)))
    return pa.concat_tables(tables).combine_chunks()


def _table(name: str, ids: pa.Array, reasons: pa.Array, details: pa.Array) -> pa.Table:
    columns = (pa.repeat(name, len(ids)), ids, reasons, details)
    return pa.table({key: one.cast(pa.large_string()) for key, one in zip(_COLUMNS, columns, strict=True)})


def file_faults(corpus: ParallelCorpus) -> list[FileFaults]:
    """What is wrong with the rows of each file, in each language; a row's fault is that of the language that
    its reason names.
    """
    found: dict[tuple[str, str], FileFaults] = {}
    for language, origins in corpus.origins.items():
        for file, count in origins.rows_by_file().items():
            found[language, file] = FileFaults(file, count, language)
    for code, language, indices in _indices(corpus):
        for file, (count, first) in corpus.origins[language].by_file(indices).items():
            found[language, file].add(code, count, first)
    return list(found.values())


def _indices(corpus: ParallelCorpus) -> list[tuple[str, str, npt.NDArray[np.int64]]]:
    """For each reason that is a fault: its code, its language, and the rows in the language's texts."""
    faulty = []
    for number, code in enumerate(corpus.reasons, 1):
        language = code.rpartition(":")[2]
        if is_fault(code) and language in corpus.place:
            places = corpus.place[language][corpus.status == number]
            faulty.append((code, language, places[places >= 0].astype(np.int64)))
    return faulty + [(code, code.rpartition(":")[2], rows) for code, rows in corpus.without_id.items()]


def missing_notes(corpus: ParallelCorpus) -> list[str]:
    """Notes on the languages that more than a tenth of the rows are missing in, and left out for it."""
    notes = []
    for code, count in corpus.rejected().items():
        if code.startswith(CorpusReason.MISSING_TRANSLATION) and count > MOST_SKIPPED * len(corpus):
            notes.append(
                f"{count:,} of {len(corpus):,} rows are left out, {sentence_of(code)}: "
                f"where its ids are right, {fix_of(code)}"
            )
    return notes


def refuse_faults(name: str, left_out: pa.Table) -> None:
    """Turn the first kind of fault in a corpus's table of rejects into an error, as `--strict` asks."""
    for code in left_out["reason"].unique().to_pylist():
        if not is_fault(code) and not code.startswith(CorpusReason.MISSING_TRANSLATION):
            continue
        rows = left_out.filter(pc.equal(left_out["reason"], code))
        first, place = rows["id"][0].as_py(), rows["detail"][0].as_py()
        raise CrossinError(
            f"{len(rows):,} rows of the corpus '{name}' are rejected: {sentence_of(code)}; the first is "
            + (f"id '{first}'" if first else place),
            hint="fix the rows, or compose without --strict",
        )
