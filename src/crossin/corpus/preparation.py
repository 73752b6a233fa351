"""From a corpus on disk to the rows that may be drawn: read, joined, filtered, checked, without duplicates
and without a benchmark's items. Rows that are left out are counted by reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress, silent
from crossin.core.skipping import check_faults
from crossin.corpus.alignment_cache import checked
from crossin.corpus.contamination import bench_ngrams, contaminated
from crossin.corpus.conversations import by_exchange
from crossin.corpus.duplicates import exact_duplicates, near_duplicates
from crossin.corpus.faults import file_faults, missing_notes, refuse_faults, rejects
from crossin.corpus.filters import CHARACTERS, apply_filters
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import CorpusSpec, Decontaminate, Filters
from crossin.languages.codes import language_name
from crossin.languages.file_language import unchecked_notes, wrong_language

# How a recipe goes on without the rows of a file that cannot be used.
OVERRIDE = "set `max_skipped: 1` in the recipe, or --max-skipped 1"


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
    max_skipped: float = 1.0,
    several: bool = False,
    progress: Progress = silent,
) -> ParallelCorpus:
    """A corpus ready to be drawn from.

    languages: those of the mixture; None for all that the corpus has. filters: filters that are applied
    later, whose columns must be read. work: a folder for its texts. strict: a row that fails the join or the
    alignment check is an error instead of a rejection. max_skipped: the largest share of a file's rows that
    may be left out for what is wrong with them; more is an error. several: whether rows may be conversations
    of more than one exchange.

    Raises CrossinError where most rows of a language are in another one.
    """
    columns = {column for wanted in (spec.filter, *filters) for column in wanted} - {CHARACTERS}
    corpus = read_corpus(name, spec, data, languages, columns, work, several=several, progress=progress)
    if strict:
        refuse_faults(name, rejects(corpus))
    check_faults(file_faults(corpus), max_skipped, OVERRIDE)
    for column, wanted in spec.filter.items():
        for language, passing in apply_filters(corpus, {column: wanted}).items():
            failing = corpus.present(language) & ~passing
            corpus.reject(failing, CorpusReason.FILTERED.about(column, language))
    reference = pivot if pivot in corpus.languages else next(iter(corpus.languages), pivot)
    if spec.check == "scan":
        if spec.check_language:
            _check_languages(corpus, spec, data)
        _check(corpus, reference, progress)
        if strict:
            refuse_faults(name, rejects(corpus))
    corpus.notes += check_faults(file_faults(corpus), max_skipped, OVERRIDE) + missing_notes(corpus)
    if spec.deduplicate != "no":
        _deduplicate(corpus, reference, near=spec.deduplicate == "near")
    if spec.decontaminate:
        _decontaminate(corpus, spec.decontaminate, data, progress)
    return corpus


def _check_languages(corpus: ParallelCorpus, spec: CorpusSpec, data: Path) -> None:
    """Refuse a language whose instructions are mostly in another one: outputs may be in any."""
    for language in corpus.languages:
        instructions = corpus.texts[language, "instruction"]
        wrong = wrong_language(instructions.all, language)
        instructions.release()
        if wrong:
            source = spec.files.get(language, spec.source)
            place = None if source is None else data / (source.path or source.dataset or "")
            raise CrossinError(
                f"the rows are not in {language_name(language)}: {wrong}",
                file=place,
                field=f"corpora.{corpus.name}.{f'files.{language}' if spec.files else 'source'}",
                hint="name the language that they are in, or skip this check with --no-check-language (in the"
                " recipe, `check_language: false` in the corpus)",
            )
    corpus.notes += unchecked_notes(corpus.languages)


def _check(corpus: ParallelCorpus, against: str, progress: Progress) -> None:
    """Compare every language with one of them, and reject what does not look like a translation."""
    for language in corpus.languages:
        if language == against:
            continue
        both = np.flatnonzero(corpus.kept & corpus.present(against) & corpus.present(language))
        one, other = (
            {field: corpus.text(side, field, both) for field in FIELDS} for side in (against, language)
        )
        places: npt.NDArray[np.integer] = corpus.place[language][both]
        if corpus.turns:
            one, rows = by_exchange(one, corpus.places_of_turns(against, both))
            other, rows = by_exchange(other, corpus.places_of_turns(language, both))
            places, both = _places_of_exchanges(places, rows), both[rows]
        findings = checked(one, other, against, language, places, progress=progress)
        if corpus.turns:
            _name_exchanges(corpus, both, np.flatnonzero(findings.reason))
        for number, reason in enumerate(findings.reasons, 1):
            corpus.reject(both[findings.reason == number], reason)
        corpus.notes += findings.notes


def _places_of_exchanges(
    places: npt.NDArray[np.integer], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The position of each exchange among all of its language's, from each row's among the rows (n,) and the
    row of each exchange.
    """
    order = np.argsort(places[rows], kind="stable")
    found = np.empty(len(rows), np.int64)
    found[order] = np.arange(len(rows))
    return found


def _name_exchanges(
    corpus: ParallelCorpus, rows: npt.NDArray[np.int64], faulty: npt.NDArray[np.int64]
) -> None:
    """Write which exchange is at fault into the details of rows that are still kept. rows: that of each."""
    for index in faulty.tolist():
        row = int(rows[index])
        if not corpus.status[row]:
            corpus.details.setdefault(row, f"exchange {1 + index - int(np.searchsorted(rows, row))}")


def _deduplicate(corpus: ParallelCorpus, language: str, near: bool) -> None:
    """Reject what repeats an earlier row in one language."""
    rows = np.flatnonzero(corpus.kept & corpus.present(language))
    columns = [corpus.text(language, field, rows) for field in FIELDS]
    found = near_duplicates(columns) if near else exact_duplicates(columns)
    reason = CorpusReason.NEAR_DUPLICATE if near else CorpusReason.DUPLICATE
    corpus.reject(rows[found], reason.value)


def _decontaminate(corpus: ParallelCorpus, spec: Decontaminate, data: Path, progress: Progress) -> None:
    """Reject a row, in all languages, that is too near a benchmark's item in one of them. The row's details
    are the item and the words that they share.
    """
    folder = data / spec.bench
    ngrams = bench_ngrams(folder, spec.ngram)
    for number, language in enumerate(corpus.languages):
        progress("looking for benchmark items", number, len(corpus.languages), "languages")
        rows = np.flatnonzero(corpus.kept & corpus.present(language))
        columns = [corpus.text(language, field, rows) for field in FIELDS]
        found, matches = contaminated(columns, ngrams.get(language, {}))
        corpus.reject(rows[found], CorpusReason.CONTAMINATED.about(folder.name, language))
        for row, item, words in matches:
            corpus.details.setdefault(int(rows[row]), f"item {item}: {words}")
    progress("looking for benchmark items", len(corpus.languages), len(corpus.languages), "languages")
