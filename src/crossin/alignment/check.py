"""Which rows of two files that claim to be translations of each other look wrong, and why.

All statistics are fitted to the pair of files itself, on a sample. Then both files are read piece by piece,
so time grows with the rows and memory stays bounded. The same files and seed give the same findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.characters import Flags, Floats, Ints, pieces
from crossin.alignment.digits import GAINED, LOST, DigitRule
from crossin.alignment.evidence import Content
from crossin.alignment.lengths import LengthBands
from crossin.alignment.measures import Columns, Measures, join_measures, measure
from crossin.alignment.reasons import AlignmentCheck, AlignmentReason
from crossin.alignment.wrong_language import Profiles, copied, foreign_script, own_scripts
from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress, silent

# Rows of a sample; with fewer than _ENOUGH, words cannot be compared.
_SAMPLE, _ENOUGH = 20_000, 500
# Below this chance of ranking a shifted pair above a claimed one, the files are hardly parallel.
_SEPARABLE = 0.7
_NO_NUMBER_WORDS = DigitRule(LOST), DigitRule(GAINED)

# The rows that each check flags, in order of priority.
CheckFlags = dict[AlignmentCheck, Flags]


@dataclass(frozen=True)
class Findings:
    """What is wrong with each of n rows.

    `reason` (n,) is 0 for nothing, else 1 + an index into `checks`: the first check that flags the row.
    `odds` (n,) are the log-odds that the content is mismatched, 0 where it was not compared.
    """

    reason: npt.NDArray[np.uint8]
    checks: tuple[AlignmentCheck, ...]
    odds: Floats
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, flags: CheckFlags, odds: Floats, notes: tuple[str, ...] = ()) -> Findings:
        """The first check that flags each row."""
        stacked = np.stack(list(flags.values()))
        reason = np.where(stacked.any(0), stacked.argmax(0) + 1, 0).astype(np.uint8)
        return cls(reason, tuple(flags), odds, notes)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The code of each check."""
        return tuple(check.code for check in self.checks)

    def check_of(self, row: int) -> AlignmentCheck | None:
        """The check that flags a row; None for nothing."""
        return self.checks[self.reason[row] - 1] if self.reason[row] else None

    def counts(self) -> dict[str, int]:
        """The number of flagged rows by code."""
        held = np.bincount(self.reason, minlength=len(self.checks) + 1)[1:]
        return {code: int(count) for code, count in zip(self.reasons, held, strict=True) if count}


def check_alignment(
    pivot: Columns,
    other: Columns,
    pivot_language: str,
    language: str,
    place: npt.NDArray[np.integer],
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Findings:
    """Check row i of `pivot` against row i of `other`, which claim to be translations, for all i.

    `place` is each row's position in the other language's file: rows slip in runs of neighbours.
    """
    count = len(place)
    for columns, name in ((pivot, pivot_language), (other, language)):
        for field in FIELDS:
            if (rows := len(columns[field])) != count:
                hint = "give both languages the same rows in the same order"
                raise CrossinError(f"{name} has {rows} rows, expected {count}", field=field, hint=hint)
    if not count:
        return Findings(np.zeros(0, np.uint8), (), np.zeros(0))

    def report(done: int) -> None:
        progress(f"checking {language} against {pivot_language}", done, count, "rows")

    fitted = FittedCheck.fit(pivot, other, (pivot_language, language), seed)
    flags, odds = fitted.evaluate(pivot, other, report)
    if fitted.content is not None:
        flags[fitted.content_check] = fitted.content.mismatched(odds, place.astype(np.int64))
    report(count)
    return Findings.of(flags, odds, fitted.notes)


@dataclass(frozen=True)
class FittedCheck:
    """The check with all that is fitted to a sample of the pair; `profiles` and `content` are None where the
    sample is too small. `languages` are the pivot's and the other's.
    """

    languages: tuple[str, str]
    scripts: tuple[Flags, Flags]
    bands: list[LengthBands]
    digits: tuple[DigitRule, DigitRule] = _NO_NUMBER_WORDS
    profiles: Profiles | None = None
    content: Content | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(cls, pivot: Columns, other: Columns, languages: tuple[str, str], seed: int) -> FittedCheck:
        """Fit to at most 20,000 rows of the pair of files, drawn by `seed`."""
        random = np.random.default_rng(seed)
        chosen = np.sort(random.permutation(len(pivot["instruction"]))[:_SAMPLE])
        sample = _take(pivot, chosen), _take(other, chosen)
        one, two = _measure_rows(sample[0]), _measure_rows(sample[1])
        scripts = own_scripts(one.scripts), own_scripts(two.scripts)
        bands = [LengthBands.fit(one.sizes[:, field], two.sizes[:, field]) for field in range(len(FIELDS))]
        not_compared = f"{languages[1]}: the content was not compared with {languages[0]}"
        if len(chosen) < _ENOUGH:
            return cls(languages, scripts, bands, notes=(f"{not_compared}: too few rows",))
        profiles = Profiles.fit(one.grams, two.grams)
        # Rows that are plainly wrong do not show how true pairs correspond.
        wrong = cls(languages, scripts, bands, profiles=profiles).plain_flags(*sample, one, two)
        sound = np.flatnonzero(~np.any(list(wrong.values()), axis=0))
        one, two = one.take(sound), two.take(sound)
        content = Content.fit(one, two, bands, seed)
        notes: tuple[str, ...] = ()
        if content is None:
            notes = (f"{not_compared}: too few words",)
        elif content.separability < _SEPARABLE:
            content = None
            notes = (f"{languages[1]}: the rows look unaligned with {languages[0]} as a whole",)
        digits = DigitRule.fit(one, two, LOST), DigitRule.fit(two, one, GAINED)
        return cls(languages, scripts, bands, digits, profiles, content, notes)

    @property
    def content_check(self) -> AlignmentCheck:
        """The check that `evaluate` leaves to the caller."""
        return AlignmentCheck(AlignmentReason.CONTENT, self.languages[1])

    def plain_flags(self, pivot: Columns, other: Columns, one: Measures, two: Measures) -> CheckFlags:
        """The flags that need no content: texts empty, copied, or in a wrong language."""
        ours, theirs = self.scripts
        foreign = [foreign_script(one.scripts, ours, theirs), foreign_script(two.scripts, theirs, ours)]
        if self.profiles is not None:
            for side, strange in enumerate(self.profiles.foreign(one.grams, two.grams)):
                foreign[side] |= strange
        wrong = [AlignmentCheck(AlignmentReason.WRONG_LANGUAGE, language) for language in self.languages]
        return {
            **self._empty("instruction", one, two),
            **self._empty("output", one, two),
            AlignmentCheck(AlignmentReason.UNTRANSLATED, self.languages[1]): copied(pivot, other, one),
            **dict(zip(wrong, foreign, strict=True)),
        }

    def evaluate(
        self, pivot: Columns, other: Columns, report: Callable[[int], None] = lambda _done: None
    ) -> tuple[CheckFlags, Floats]:
        """The rows that each check flags (that of the content is all False), and each row's log-odds of being
        mismatched; there must be rows. `report` is called with the number of rows done.
        """
        texts = [columns[field] for columns in (pivot, other) for field in FIELDS]
        parts: list[tuple[CheckFlags, Floats]] = []
        for span in pieces(texts, len(texts[0])):
            report(span.start)
            parts.append(self._evaluate(_cut(pivot, span), _cut(other, span)))
        flags = {check: np.concatenate([found[check] for found, _ in parts]) for check in parts[0][0]}
        return flags, np.concatenate([odds for _, odds in parts])

    def _evaluate(self, pivot: Columns, other: Columns) -> tuple[CheckFlags, Floats]:
        one, two = measure(pivot), measure(other)
        count, language = len(one.lines), self.languages[1]
        numbers = self.digits[0].lacking(one, two) | self.digits[1].lacking(two, one)
        flags = {
            **self.plain_flags(pivot, other, one, two),
            self.content_check: np.zeros(count, bool),
            **self._empty("input", one, two),
            AlignmentCheck(AlignmentReason.NUMBERS, language): numbers,
        }
        for number, (field, band) in enumerate(zip(FIELDS, self.bands, strict=True)):
            check = AlignmentCheck(AlignmentReason.LENGTH, language, field)
            flags[check] = band.out(one.sizes[:, number], two.sizes[:, number])
        return flags, np.zeros(count) if self.content is None else self.content.log_odds(one, two)

    def _empty(self, field: str, one: Measures, two: Measures) -> CheckFlags:
        """Rows with a field that is empty on one side only, by side."""
        empty = [side.sizes[:, FIELDS.index(field)] == 0 for side in (one, two)]
        checks = [AlignmentCheck(AlignmentReason.EMPTY, language, field) for language in self.languages]
        return {checks[0]: empty[0] & ~empty[1], checks[1]: empty[1] & ~empty[0]}


def _cut(columns: Columns, span: slice) -> Columns:
    return {field: columns[field].slice(span.start, span.stop - span.start) for field in FIELDS}


def _take(columns: Columns, chosen: Ints) -> Columns:
    return {field: columns[field].take(pa.array(chosen)) for field in FIELDS}


def _measure_rows(columns: Columns) -> Measures:
    """Measures of a sample, read piece by piece."""
    texts = [columns[field] for field in FIELDS]
    return join_measures([measure(_cut(columns, span)) for span in pieces(texts, len(texts[0]))])
