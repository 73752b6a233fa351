"""From a corpus as it lies on disk to the rows that may be drawn: read, joined, filtered, checked, without
repetitions and without what a benchmark asks. What falls out on the way is counted by its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossin.alignment.check import check_alignment
from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress, silent
from crossin.corpus.contamination import bench_ngrams, contaminated
from crossin.corpus.duplicates import exact_duplicates, near_duplicates
from crossin.corpus.filters import apply_filters
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.spec import CorpusSpec, Filters
from crossin.languages.detection import file_language_notes


@dataclass(frozen=True)
class Prepared:
    """A corpus ready to be drawn from; `notes` on its files as a whole; `details` on why a row was rejected,
    by its number, where the reason alone does not say all.
    """

    corpus: ParallelCorpus
    notes: list[str]
    details: dict[int, str]


def prepare(
    name: str,
    spec: CorpusSpec,
    data: Path,
    languages: Sequence[str] | None,
    pivot: str,
    work: Path,
    *,
    filters: Sequence[Filters] = (),
    strict: bool = False,
    progress: Progress = silent,
) -> Prepared:
    """A corpus ready to be drawn from.

    languages: those that the mixture uses; None for all that the corpus has. filters: further filters whose
    columns will be asked for later. work: a folder for its texts. With `strict`, a row that fails the join or
    the alignment check is an error instead of a rejection.
    """
    columns = {column for wanted in (spec.filter, *filters) for column in wanted} - {"characters"}
    corpus = read_corpus(name, spec, data, languages, columns, work, progress=progress)
    if strict:
        _refuse_rejected(corpus)
    for column, wanted in spec.filter.items():
        for language, passing in apply_filters(corpus, {column: wanted}).items():
            corpus.reject(corpus.present(language) & ~passing, f"filter: {column}")
    notes = _check(corpus, pivot, progress) if spec.check == "scan" else []
    if strict:
        _refuse_rejected(corpus, but="filter: ")
    if spec.deduplicate != "no":
        _deduplicate(corpus, spec, pivot)
    details = _decontaminate(corpus, spec, data, progress) if spec.decontaminate else {}
    return Prepared(corpus, notes, details)


def _check(corpus: ParallelCorpus, pivot: str, progress: Progress) -> list[str]:
    """Hold every language against the pivot's (or, where the corpus lacks it, the first's) and reject what
    does not look like a translation.
    """
    notes: list[str] = []
    for language in corpus.languages:
        instructions = corpus.texts[language, "instruction"]
        notes += file_language_notes(instructions.all, language)
        instructions.release()
    against = pivot if pivot in corpus.languages else corpus.languages[0]
    for language in corpus.languages:
        if language == against:
            continue
        both = np.flatnonzero(corpus.kept & corpus.present(against) & corpus.present(language))
        one, other = (
            {field: corpus.text(side, field, both) for field in FIELDS} for side in (against, language)
        )
        places = corpus.place[language][both]
        findings = check_alignment(one, other, against, language, places, progress=progress)
        for number, reason in enumerate(findings.reasons):
            mask = np.zeros(len(corpus.fate), dtype=bool)
            mask[both[findings.reason == number + 1]] = True
            corpus.reject(mask, reason)
        notes += findings.notes
    return notes


def _deduplicate(corpus: ParallelCorpus, spec: CorpusSpec, pivot: str) -> None:
    """Reject what repeats an earlier row, as read in the pivot (or the corpus' first language)."""
    language = pivot if pivot in corpus.languages else corpus.languages[0]
    rows = np.flatnonzero(corpus.kept & corpus.present(language))
    columns = [corpus.text(language, field, rows) for field in FIELDS]
    find = near_duplicates if spec.deduplicate == "near" else exact_duplicates
    mask = np.zeros(len(corpus.fate), dtype=bool)
    mask[rows[find(columns)]] = True
    corpus.reject(mask, f"{spec.deduplicate} duplicate of an earlier row")


def _decontaminate(
    corpus: ParallelCorpus, spec: CorpusSpec, data: Path, progress: Progress
) -> dict[int, str]:
    """Reject a row, in all languages, that comes too near a benchmark's item in one of them; says what each
    shares with which item.
    """
    assert spec.decontaminate is not None
    details: dict[int, str] = {}
    folder = data / spec.decontaminate.bench
    ngrams = bench_ngrams(folder, spec.decontaminate.ngram)
    for number, language in enumerate(corpus.languages):
        progress("looking for benchmark items", number, len(corpus.languages), "languages")
        rows = np.flatnonzero(corpus.kept & corpus.present(language))
        columns = [corpus.text(language, field, rows) for field in FIELDS]
        found, matches = contaminated(columns, ngrams.get(language, {}))
        mask = np.zeros(len(corpus.fate), dtype=bool)
        mask[rows[found]] = True
        corpus.reject(mask, f"overlaps the benchmark {folder.name} in {language}")
        for row, item, words in matches:
            details.setdefault(int(rows[row]), f"item {item}: {words}")
    progress("looking for benchmark items", len(corpus.languages), len(corpus.languages), "languages")
    return details


def _refuse_rejected(corpus: ParallelCorpus, but: str = "\0") -> None:
    """Turn the first rejection into an error."""
    for number, reason in enumerate(corpus.reasons):
        rows = np.flatnonzero(corpus.fate == number + 1)
        if len(rows) and not reason.startswith(but):
            raise CrossinError(
                f"{len(rows):,} rows of the corpus '{corpus.name}' are rejected: {reason}; the first is id "
                f"'{corpus.ids[int(rows[0])]}'",
                hint="mend the rows, or compose without --strict",
            )
    for reason, count in corpus.unjoined.items():
        raise CrossinError(
            f"{count:,} rows of the corpus '{corpus.name}' are rejected: {reason}",
            hint="mend the rows, or compose without --strict",
        )
