"""Which rows of two files that claim to be translations of each other look wrong, and why.

Every statistic is learned from the pair of files itself, on a sample; then both files are read piece by
piece, so time grows with the rows and memory stays bounded. The same files and seed give the same findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.characters import Flags, Ints, pieces
from crossin.alignment.digits import DigitRule
from crossin.alignment.evidence import Content, Floats
from crossin.alignment.lengths import LengthBands
from crossin.alignment.measures import Columns, Measures, join_measures, measure
from crossin.alignment.untranslated import copied
from crossin.alignment.wrong_language import Profiles, foreign_script, own_scripts
from crossin.core.errors import CrossinError
from crossin.core.formats import FIELDS
from crossin.core.progress import Progress, silent

# Rows that statistics are learned from; fewer than _ENOUGH are too few to learn words from.
_SAMPLE, _ENOUGH = 20_000, 500
# Below this chance of telling a claimed pair from a shifted one, the files are hardly parallel.
_TELLING = 0.7
# Where the reason about the content stands among the others.
CONTENT = 7


@dataclass(frozen=True)
class Findings:
    """What is wrong with each row: `reason` is 0 for nothing, else 1 + its index in `reasons`."""

    reason: npt.NDArray[np.uint8]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """How many rows each reason was found in, for the reasons that were."""
        held = np.bincount(self.reason, minlength=len(self.reasons) + 1)[1:]
        return {reason: int(count) for reason, count in zip(self.reasons, held, strict=True) if count}


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
    """Look at row i of `pivot` and row i of `other`, which claim to be the same row, for all i.

    `place` is each row's position in the other language's file: rows slip in runs of neighbours.
    """
    count = len(place)
    for columns, name in ((pivot, pivot_language), (other, language)):
        for field in FIELDS:
            if len(columns[field]) != count:
                raise CrossinError(
                    f"{name} has {len(columns[field])} rows, {count} were expected",
                    field=field,
                    hint="give both languages the same rows in the same order",
                )
    reasons = reasons_of(pivot_language, language)
    if not count:
        return Findings(np.zeros(0, np.uint8), reasons, ())

    def heard(done: int) -> None:
        progress(f"checking {language} against {pivot_language}", done, count, "rows")

    learned = Learned.learn(pivot, other, (pivot_language, language), seed)
    found, odds = learned.read(pivot, other, heard)
    if learned.content is not None:
        found[CONTENT] = learned.content.mismatched(odds, place.astype(np.int64))
    heard(count)
    reason = np.where(found.any(0), found.argmax(0) + 1, 0).astype(np.uint8)
    return Findings(reason, reasons, learned.notes)


def reasons_of(pivot: str, other: str) -> tuple[str, ...]:
    """Why a row may be wrong; where several hold, the first is told. That of the content is at CONTENT."""
    empty = [
        f"{field} is empty in {name} only" for field in ("instruction", "output") for name in (pivot, other)
    ]
    return (
        *empty,
        f"{other} is an untranslated copy of {pivot}",
        f"wrong language in {pivot}",
        f"wrong language in {other}",
        f"not the same content in {pivot} and {other}",
        f"input is empty in {pivot} only",
        f"input is empty in {other} only",
        f"digits differ between {pivot} and {other}",
        *(f"{field} is too long or too short in {other} for {pivot}" for field in FIELDS),
    )


@dataclass(frozen=True)
class Learned:
    """What a sample of the pair taught; `profiles` and `content` are None where it was too small."""

    scripts: tuple[Flags, Flags]
    bands: list[LengthBands]
    digits: DigitRule
    profiles: Profiles | None
    content: Content | None
    notes: tuple[str, ...]

    @classmethod
    def learn(cls, pivot: Columns, other: Columns, names: tuple[str, str], seed: int) -> Learned:
        """From at most 20,000 rows of the pair of files, drawn by `seed`; `names` are the languages."""
        random = np.random.default_rng(seed)
        chosen = np.sort(random.permutation(len(pivot["instruction"]))[:_SAMPLE])
        taken = _take(pivot, chosen), _take(other, chosen)
        one, two = _measure_rows(taken[0]), _measure_rows(taken[1])
        scripts = own_scripts(one.scripts), own_scripts(two.scripts)
        bands = [LengthBands.learn(one.sizes[:, field], two.sizes[:, field]) for field in range(len(FIELDS))]
        if len(chosen) < _ENOUGH:
            note = f"{names[1]}: the content was not compared with {names[0]}: {len(chosen)} rows are too few"
            return cls(scripts, bands, DigitRule.strict(), None, None, (note,))
        profiles = Profiles.learn(one.grams, two.grams)
        # What is plainly wrong teaches nothing of how true pairs correspond.
        clean = cls(scripts, bands, DigitRule.strict(), profiles, None, ())
        sound = np.flatnonzero(~clean.plainly_wrong(taken[0], taken[1], one, two).any(0))
        one, two = one.take(sound), two.take(sound)
        content, notes = Content.learn(one, two, bands, seed), []
        if content is None:
            notes.append(f"{names[1]}: the content was not compared with {names[0]}: it has too few words")
        elif content.telling < _TELLING:
            notes.append(f"{names[1]}: the rows look unaligned with {names[0]} as a whole")
            content = None
        return cls(scripts, bands, DigitRule.learn(one, two), profiles, content, tuple(notes))

    def plainly_wrong(self, pivot: Columns, other: Columns, one: Measures, two: Measures) -> Flags:
        """The flags that need no content: texts missing, copied, or in a wrong language."""
        empty = one.sizes == 0, two.sizes == 0
        only = empty[0] & ~empty[1], empty[1] & ~empty[0]
        foreign = [
            foreign_script(one.scripts, self.scripts[0], self.scripts[1]),
            foreign_script(two.scripts, self.scripts[1], self.scripts[0]),
        ]
        if self.profiles is not None:
            for side, strange in enumerate(self.profiles.foreign(one.grams, two.grams)):
                foreign[side] |= strange
        missing = [only[side][:, field] for field in (0, 2) for side in (0, 1)]
        return np.stack([*missing, copied(pivot, other, one), *foreign])

    def read(
        self, pivot: Columns, other: Columns, heard: Callable[[int], None] = lambda _done: None
    ) -> tuple[Flags, Floats]:
        """One row of flags a reason (that of the content is not decided here: all False), and each row's
        log-odds of being mismatched; there must be rows. Texts are read piece by piece; `heard` is told how
        many rows are done.
        """
        texts = [columns[field] for columns in (pivot, other) for field in FIELDS]
        found: list[tuple[Flags, Floats]] = []
        for span in pieces(texts, len(texts[0])):
            heard(span.start)
            found.append(self._judge(_cut(pivot, span), _cut(other, span)))
        return np.concatenate([flags for flags, _ in found], 1), np.concatenate([odds for _, odds in found])

    def _judge(self, pivot: Columns, other: Columns) -> tuple[Flags, Floats]:
        one, two = measure(pivot), measure(other)
        inputs = one.sizes[:, 1] == 0, two.sizes[:, 1] == 0
        flags = [
            *self.plainly_wrong(pivot, other, one, two),
            np.zeros(one.count, bool),
            inputs[0] & ~inputs[1],
            inputs[1] & ~inputs[0],
            self.digits.lost(one, two) | self.digits.gained(one, two),
            *(band.out(one.sizes[:, field], two.sizes[:, field]) for field, band in enumerate(self.bands)),
        ]
        odds = np.zeros(one.count) if self.content is None else self.content.log_odds(one, two)
        return np.stack(flags), odds


def _cut(columns: Columns, span: slice) -> Columns:
    return {field: columns[field].slice(span.start, span.stop - span.start) for field in FIELDS}


def _take(columns: Columns, chosen: Ints) -> Columns:
    return {field: columns[field].take(pa.array(chosen)) for field in FIELDS}


def _measure_rows(columns: Columns) -> Measures:
    """Measures of a sample, read piece by piece."""
    texts = [columns[field] for field in FIELDS]
    return join_measures([measure(_cut(columns, span)) for span in pieces(texts, len(texts[0]))])
