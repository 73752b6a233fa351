"""Which rows of two files that claim to be translations of each other look wrong, and why.

Every statistic is learned from the pair of files itself, on a sample; then both files are read piece by piece, so time
grows with the rows and memory stays bounded. The same files and seed give the same findings.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.corpus.characters import SCRIPT_NAMES, Flags, Ints, pieces
from crossin.corpus.content import LatentSpace
from crossin.corpus.digits import DigitRule
from crossin.corpus.evidence import Floats, Weights, features, mismatched, separation
from crossin.corpus.lengths import LengthBands
from crossin.corpus.measures import FIELDS, Columns, Measures, join_measures, measure
from crossin.corpus.untranslated import copied
from crossin.corpus.wrong_language import Profiles, foreign_script, own_scripts
from crossin.errors import CrossinError
from crossin.progress import Progress, silent

# Rows that statistics are learned from; fewer than _ENOUGH are too few to learn words from.
_SAMPLE, _ENOUGH = 20_000, 500
# A claimed pair that looks worse than this share of the pairs made wrong on purpose is not learned from again.
_APART = 0.1
# Rows whose language is identified for a note on the whole file.
_LOOK = 200
# Below this chance of telling a claimed pair from a shifted one, the files are hardly parallel.
_TELLING = 0.7


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
    place: Ints,
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
                    fix="give both languages the same rows in the same order",
                )
    reasons = _reasons(pivot_language, language)
    found = np.zeros((len(reasons), count), bool)
    odds = np.zeros(count)
    if not count:
        return Findings(np.zeros(0, np.uint8), reasons, ())
    learned = _Learned.learn(pivot, other, seed)
    for span in pieces([columns[field] for columns in (pivot, other) for field in FIELDS], count):
        progress(f"checking {language} against {pivot_language}", span.start, count, "rows")
        piece = _cut(pivot, span), _cut(other, span)
        found[:, span], odds[span] = learned.judge(*piece)
    if learned.weights is not None:
        found[_CONTENT] = mismatched(odds, place, learned.middle)
    progress(f"checking {language} against {pivot_language}", count, count, "rows")
    reason = np.where(found.any(0), found.argmax(0) + 1, 0).astype(np.uint8)
    notes = [*learned.notes(pivot_language, language)]
    for columns, name in ((pivot, pivot_language), (other, language)):
        notes += _look(columns["instruction"], name, seed)
    return Findings(reason, reasons, tuple(notes))


_CONTENT = 7


def _reasons(pivot: str, other: str) -> tuple[str, ...]:
    """Why a row may be wrong; where several hold, the first is told."""
    empty = [f"{field} is empty in {name} only" for field in ("instruction", "output") for name in (pivot, other)]
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
class _Learned:
    """What a sample of the pair of files taught; `weights` is None where it was too small to learn words from."""

    rows: int
    scripts: tuple[Flags, Flags]
    bands: list[LengthBands]
    digits: DigitRule
    profiles: Profiles | None
    space: LatentSpace | None
    weights: Weights | None
    middle: float
    telling: float

    @classmethod
    def learn(cls, pivot: Columns, other: Columns, seed: int) -> _Learned:
        count = len(pivot["instruction"])
        random = np.random.default_rng(seed)
        chosen = np.sort(random.permutation(count)[:_SAMPLE])
        one, two = _measure_rows(pivot, chosen), _measure_rows(other, chosen)
        scripts = own_scripts(one.scripts), own_scripts(two.scripts)
        bands = [LengthBands.learn(one.sizes[:, field], two.sizes[:, field]) for field in range(len(FIELDS))]
        if len(chosen) < _ENOUGH:
            return cls(len(chosen), scripts, bands, DigitRule.strict(), None, None, None, 0.0, 1.0)
        digits = DigitRule.learn(one.digits, two.digits, one.words, two.words)
        profiles = Profiles.learn(one.grams, two.grams)
        # The space is learned on some rows and weighed on others: it knows its own rows too well.
        part = random.random(len(chosen)) < 0.6
        own, rest = np.flatnonzero(part), np.flatnonzero(~part)
        space = LatentSpace.learn(one.words.take(own), two.words.take(own), seed)
        if space is None:
            return cls(len(chosen), scripts, bands, digits, profiles, None, None, 0.0, 1.0)
        one, two = one.take(rest), two.take(rest)
        places = space.place(0, one.words), space.place(1, two.words)
        good = features(one, two, places, space, bands)
        bad = []
        for turn in (1, len(rest) // 2):
            order = np.roll(np.arange(len(rest)), turn)
            bad.append(features(one, two.take(order), (places[0], places[1][order]), space, bands))
        wrong = np.concatenate(bad)
        weights = Weights.learn(good, wrong)
        # Claimed pairs that look like strangers are left out of a second weighing: they blunt the first.
        apart = float(np.quantile(weights.log_odds(wrong), _APART))
        weights = Weights.learn(good[weights.log_odds(good) < apart], wrong)
        odds = weights.log_odds(good), weights.log_odds(wrong)
        telling = separation(*odds)
        return cls(
            len(chosen), scripts, bands, digits, profiles, space, weights, float(np.median(odds[1])), telling
        )

    def judge(self, pivot: Columns, other: Columns) -> tuple[Flags, Floats]:
        """One row of flags a reason, and each row's log-odds of being mismatched."""
        one, two = measure(pivot), measure(other)
        empty = one.sizes == 0, two.sizes == 0
        only = empty[0] & ~empty[1], empty[1] & ~empty[0]
        foreign = [
            foreign_script(one.scripts, self.scripts[0], self.scripts[1]),
            foreign_script(two.scripts, self.scripts[1], self.scripts[0]),
        ]
        if self.profiles is not None:
            for side, strange in enumerate(self.profiles.foreign(one.grams, two.grams)):
                foreign[side] |= strange
        lost, gained = self.digits.differ(one.digits, two.digits, one.numerals, two.numerals, one.words, two.words)
        odds = np.zeros(one.count)
        if self.space is not None and self.weights is not None:
            places = self.space.place(0, one.words), self.space.place(1, two.words)
            odds = self.weights.log_odds(features(one, two, places, self.space, self.bands))
        flags = [
            *(only[side][:, field] for field in (0, 2) for side in (0, 1)),
            copied(pivot, other, one),
            *foreign,
            np.zeros(one.count, bool),
            only[0][:, 1],
            only[1][:, 1],
            lost | gained,
            *(band.out(one.sizes[:, field], two.sizes[:, field]) for field, band in enumerate(self.bands)),
        ]
        return np.stack(flags), odds

    def notes(self, pivot: str, other: str) -> list[str]:
        """What is to be said of the files as a whole."""
        found = []
        if self.weights is None:
            found.append(
                f"{other}: {self.rows} rows are too few to learn how {pivot} and {other} correspond; "
                "the content was not compared"
            )
        elif self.telling < _TELLING:
            found.append(f"{other}: the rows look unaligned with {pivot} as a whole")
        return found


def _cut(columns: Columns, span: slice) -> Columns:
    return {field: columns[field].slice(span.start, span.stop - span.start) for field in FIELDS}


def _measure_rows(columns: Columns, chosen: Ints) -> Measures:
    """Measures of the chosen rows, read piece by piece."""
    taken = {field: columns[field].take(pa.array(chosen)) for field in FIELDS}
    return join_measures([measure(_cut(taken, span)) for span in pieces(list(taken.values()), len(chosen))])


def _look(column: pa.LargeStringArray, language: str, seed: int) -> list[str]:
    """What lingua, where it is installed, takes a sample of the instructions for, if not for `language`."""
    if find_spec("lingua") is None or len(column) < _LOOK:
        return []
    from lingua import Language, LanguageDetectorBuilder

    known = {known.iso_code_639_1.name.lower() for known in Language.all()}
    if language.split("-")[0] not in known:
        return []
    chosen = np.sort(np.random.default_rng(seed).permutation(len(column))[:_LOOK])
    detector = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode().build()
    seen: dict[str, int] = {}
    for text in column.take(pa.array(chosen)).to_pylist():
        guess = detector.detect_language_of(text or "")
        if guess is not None:
            code = guess.iso_code_639_1.name.lower()
            seen[code] = seen.get(code, 0) + 1
    if not seen:
        return []
    code = max(sorted(seen), key=lambda name: seen[name])
    if code == language.split("-")[0]:
        return []
    return [f"{language}: {seen[code]} of {_LOOK} sampled rows look like {code}"]


__all__ = ["SCRIPT_NAMES", "Columns", "Findings", "check_alignment"]
