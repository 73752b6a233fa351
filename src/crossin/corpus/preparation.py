"""From a corpus on disk to the rows that may be drawn: read, joined, filtered, checked, without duplicates
and without a benchmark's items. Rows that are left out are counted by reason.
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
from crossin.core.reasons import sentence_of
from crossin.corpus.contamination import bench_ngrams, contaminated
from crossin.corpus.duplicates import exact_duplicates, near_duplicates
from crossin.corpus.filters import CHARACTERS, apply_filters
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import CorpusSpec, Decontaminate, Filters
from crossin.languages.detection import file_language_notes


@dataclass(frozen=True)
class PreparedCorpus:
    """A corpus ready to be drawn from.

    notes: on its files as a whole. details: more on the reason of a rejected row, by the row's number.
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
) -> PreparedCorpus:
    """A corpus ready to be drawn from.

    languages: those of the mixture; None for all that the corpus has. filters: filters that are applied
    later, whose columns must be read. work: a folder for its texts. strict: a row that fails the join or the
    alignment check is an error instead of a rejection.
    """
    columns = {column for wanted in (spec.filter, *filters) for column in wanted} - {CHARACTERS}
    corpus = read_corpus(name, spec, data, languages, columns, work, progress=progress)
    if strict:
        _refuse(corpus, corpus.rejected() | corpus.unjoined)
    for column, wanted in spec.filter.items():
        for language, passing in apply_filters(corpus, {column: wanted}).items():
            failing = corpus.present(language) & ~passing
            corpus.reject(failing, CorpusReason.FILTERED.about(column, language))
    notes: list[str] = []
    if spec.check == "scan":
        notes, misaligned = _check(corpus, pivot, progress)
        if strict:
            _refuse(corpus, misaligned)
    if spec.deduplicate != "no":
        _deduplicate(corpus, pivot, near=spec.deduplicate == "near")
    details = _decontaminate(corpus, spec.decontaminate, data, progress) if spec.decontaminate else {}
    return PreparedCorpus(corpus, notes, details)


def _check(corpus: ParallelCorpus, pivot: str, progress: Progress) -> tuple[list[str], dict[str, int]]:
    """Compare every language with the pivot (or, where the corpus lacks it, the first) and reject what does
    not look like a translation. Returns notes on the files and the number of rejected rows by reason.
    """
    notes: list[str] = []
    misaligned: dict[str, int] = {}
    for language in corpus.languages:
        instructions = corpus.texts[language, "instruction"]
        notes += file_language_notes(instructions.all, language)
        instructions.release()
    against = _reference(corpus, pivot)
    for language in corpus.languages:
        if language == against:
            continue
        both = np.flatnonzero(corpus.kept & corpus.present(against) & corpus.present(language))
        one, other = (
            {field: corpus.text(side, field, both) for field in FIELDS} for side in (against, language)
        )
        places = corpus.place[language][both]
        findings = check_alignment(one, other, against, language, places, progress=progress)
        for number, reason in enumerate(findings.reasons, 1):
            count = corpus.reject(corpus.mask(both[findings.reason == number]), reason)
            misaligned[reason] = misaligned.get(reason, 0) + count
        notes += findings.notes
    return notes, misaligned


def _reference(corpus: ParallelCorpus, pivot: str) -> str:
    """The language that the others are compared with."""
    return pivot if pivot in corpus.languages else corpus.languages[0]


def _deduplicate(corpus: ParallelCorpus, pivot: str, near: bool) -> None:
    """Reject what repeats an earlier row in the reference language."""
    language = _reference(corpus, pivot)
    rows = np.flatnonzero(corpus.kept & corpus.present(language))
    columns = [corpus.text(language, field, rows) for field in FIELDS]
    found = near_duplicates(columns) if near else exact_duplicates(columns)
    reason = CorpusReason.NEAR_DUPLICATE if near else CorpusReason.DUPLICATE
    corpus.reject(corpus.mask(rows[found]), reason.value)


def _decontaminate(
    corpus: ParallelCorpus, spec: Decontaminate, data: Path, progress: Progress
) -> dict[int, str]:
    """Reject a row, in all languages, that is too near a benchmark's item in one of them. Returns for each
    row the item and the words that they share.
    """
    details: dict[int, str] = {}
    folder = data / spec.bench
    ngrams = bench_ngrams(folder, spec.ngram)
    for number, language in enumerate(corpus.languages):
        progress("looking for benchmark items", number, len(corpus.languages), "languages")
        rows = np.flatnonzero(corpus.kept & corpus.present(language))
        columns = [corpus.text(language, field, rows) for field in FIELDS]
        found, matches = contaminated(columns, ngrams.get(language, {}))
        corpus.reject(corpus.mask(rows[found]), CorpusReason.CONTAMINATED.about(folder.name, language))
        for row, item, words in matches:
            details.setdefault(int(rows[row]), f"item {item}: {words}")
    progress("looking for benchmark items", len(corpus.languages), len(corpus.languages), "languages")
    return details


def _refuse(corpus: ParallelCorpus, rejected: dict[str, int]) -> None:
    """Turn the first of these rejections (reason code -> rows) into an error."""
    for reason, count in rejected.items():
        if count:
            first = ""
            if reason in corpus.reasons:
                row = int(np.argmax(corpus.status == 1 + corpus.reasons.index(reason)))
                first = f"; the first is id '{corpus.ids[row]}'"
            raise CrossinError(
                f"{count:,} rows of the corpus '{corpus.name}' are rejected: {sentence_of(reason)}{first}",
                hint="fix the rows, or compose without --strict",
            )
