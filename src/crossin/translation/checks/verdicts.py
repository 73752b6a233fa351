"""The verdicts on a shard's translations, by thresholds that are fitted to its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.check import Findings, FittedCheck
from crossin.alignment.lengths import LengthBands
from crossin.alignment.measures import Columns
from crossin.alignment.reasons import AlignmentReason
from crossin.core.formats import FIELDS
from crossin.languages.codes import script_of
from crossin.translation.checks.characters import character_fault
from crossin.translation.checks.features import FieldFeatures, RowFeatures
from crossin.translation.reasons import Rejection, TranslationReason

# Rows of a kind that are enough to fit a threshold.
_ENOUGH = 60
# Where there are fewer: log of the length of a text in a script of syllables or words to one in an alphabet,
# and its noise.
_DENSE, _NOISE = -1.0, 0.35
_DENSE_SCRIPTS = {"Hans", "Hant", "Jpan", "Kore"}
# Widths of the noise beyond which a length alone rejects, and next to another sign.
_ALONE, _WITH_OTHERS = 6.0, 1.5
_COPIED, _FOREIGN, _REPEATED = 0.3, 0.1, 0.2
# A share of rows that is not an exception: of those with fewer sentences, of those with other lines.
_COMMON_FEWER, _COMMON_LINES = 0.15, 0.05
# Texts with more sentences count as one kind.
_MANY = 12
# A text shorter than this (characters, both sides) has no expected length.
_SHORT = 16


@dataclass(frozen=True)
class Verdict:
    """Why a translation is rejected, None where it passes, and its figures: the same names for every row."""

    rejection: Rejection | None
    figures: Mapping[str, float]


@dataclass(frozen=True)
class StructureRates:
    """How often the structure of a text changes in a pair of languages.

    fewer: the share of fields with fewer sentences than their source, by the source's number of sentences.
    lines: the share of fields of several lines that do not keep them.
    """

    fewer: npt.NDArray[np.float64]
    lines: float

    @classmethod
    def fit(cls, features: Sequence[FieldFeatures]) -> StructureRates:
        """From fields; where a kind has few, fewer sentences count as common, and so do kept lines."""
        counts = np.array([one.sentences for one in features], np.int64).reshape(-1, 2)
        fewer = np.full(_MANY + 1, _COMMON_FEWER)
        for number in range(_MANY + 1):
            alike = counts[np.minimum(counts[:, 0], _MANY) == number]
            if len(alike) >= _ENOUGH:
                fewer[number] = float((alike[:, 1] < alike[:, 0]).mean())
        differ = [one.lines[0] != one.lines[1] for one in features if one.lines[0] > 1]
        return cls(fewer, float(np.mean(differ)) if len(differ) >= _ENOUGH else 0.0)

    def shortfall(self, sentences: int) -> float:
        """How many widths too short a text with fewer sentences must be to have lost one: hardly any where
        that is rare, more where sentences are often joined.
        """
        return _WITH_OTHERS * min(1.0, float(self.fewer[min(sentences, _MANY)]) / _COMMON_FEWER)


_UNKNOWN = StructureRates(np.full(_MANY + 1, _COMMON_FEWER), 1.0)


@dataclass(frozen=True)
class Thresholds:
    """What translations are checked against, fitted to so many `rows`.

    bands: the expected lengths by field. alignment: the alignment check of `compose`, None without rows.
    content: the log-odds above which the content is another.
    """

    rows: int
    bands: Mapping[str, LengthBands]
    structure: StructureRates
    alignment: FittedCheck | None
    content: float


def fit_thresholds(features: Sequence[RowFeatures], source: str, target: str) -> Thresholds:
    """Fit the thresholds of a pair of languages to translations, some of which are faulty."""
    bands = {field: _bands([one.fields[field] for one in features], source, target) for field in FIELDS}
    # Only rows without a plain fault show what is common.
    distances = _distances(features, bands)
    sound = [
        one
        for one, distance in zip(features, distances, strict=True)
        if _rejection(one, distance, _UNKNOWN) is None
    ]
    structure = StructureRates.fit([field for one in sound for field in one.fields.values()])
    if not features:
        return Thresholds(0, bands, structure, None, 0.0)
    ours, theirs = _columns(features)
    alignment = FittedCheck.fit(ours, theirs, (source, target), 0)
    odds = alignment.evaluate(ours, theirs)[1]
    content = alignment.content.threshold(odds) if alignment.content else 0.0
    return Thresholds(len(features), bands, structure, alignment, content)


def verdicts_on(features: Sequence[RowFeatures], thresholds: Thresholds) -> list[Verdict]:
    """A verdict on each row, in their order; it depends on the row and the thresholds alone."""
    distances = _distances(features, thresholds.bands)
    misaligned = _misaligned(features, thresholds)
    return [
        Verdict(
            _rejection(one, distance, thresholds.structure) or misaligned.get(number), _figures(one, distance)
        )
        for number, (one, distance) in enumerate(zip(features, distances, strict=True))
    ]


def _rejection(one: RowFeatures, distances: dict[str, float], structure: StructureRates) -> Rejection | None:
    """The first reason against a row by itself."""
    if one.pair.cut:
        return Rejection(TranslationReason.TOKEN_LIMIT)
    for field in FIELDS:
        source, target = one.pair.source[field].strip(), one.pair.target[field].strip()
        if bool(source) != bool(target):
            return Rejection(AlignmentReason.EMPTY if source else TranslationReason.ADDED_TEXT, field)
    for field in FIELDS:
        if (fault := character_fault(one.pair.source[field], one.pair.target[field])) is not None:
            return Rejection(fault[0], field, fault[1])
    for field in FIELDS:
        if (found := _of_field(one.fields[field], distances[field], structure)) is not None:
            return Rejection(found[0], field, found[1])
    return None


def _of_field(one: FieldFeatures, distance: float, structure: StructureRates) -> tuple[str, str] | None:
    """The first reason against a field, with a detail. distance: of its length, from the expected one."""
    more = one.sentences[1] - one.sentences[0]
    sentences = f"{one.sentences[1]} for {one.sentences[0]}"
    if one.comment:
        return one.comment, ""
    if one.copied > _COPIED:
        return AlignmentReason.UNTRANSLATED, f"{one.copied:.0%}"
    if one.language < _FOREIGN:
        return AlignmentReason.WRONG_LANGUAGE, ""
    if one.repeated > _REPEATED:
        return TranslationReason.REPETITION, f"{one.repeated:.0%} more than the source"
    if more < 0 and distance < -structure.shortfall(one.sentences[0]):
        return TranslationReason.MISSING_SENTENCES, sentences
    if more > 0 and distance > 2 * _WITH_OTHERS:
        return TranslationReason.ADDED_SENTENCES, sentences
    if one.unfinished and (distance < -_WITH_OTHERS or more < 0):
        return TranslationReason.UNFINISHED, ""
    if abs(distance) > _ALONE:
        reason = TranslationReason.TOO_SHORT if distance < 0 else TranslationReason.TOO_LONG
        return reason, f"{one.sizes[1]} for {one.sizes[0]} characters"
    if not _keeps_lines(*one.lines, strict=structure.lines < _COMMON_LINES):
        return TranslationReason.LINE_BREAKS, f"{one.lines[1]} for {one.lines[0]}"
    return None


def _keeps_lines(source: int, target: int, strict: bool) -> bool:
    if strict and source > 2:
        return source == target
    return abs(source - target) < 2 or (0.6 <= (target + 1) / (source + 1) <= 1.7)


def _figures(one: RowFeatures, distances: dict[str, float]) -> dict[str, float]:
    fields = list(one.fields.values())
    return {
        "language": min(field.language for field in fields),
        "length": max(distances.values(), key=abs),
        "sentences": float(sum(field.sentences[1] - field.sentences[0] for field in fields)),
        "lines": float(sum(field.lines[1] - field.lines[0] for field in fields)),
        "untranslated": max(field.copied for field in fields),
        "repetition": max(field.repeated for field in fields),
    }


def _bands(features: Sequence[FieldFeatures], source: str, target: str) -> LengthBands:
    sizes = _sizes(features)
    if (sizes > 0).all(1).sum() >= _ENOUGH:
        return LengthBands.fit(sizes[:, 0], sizes[:, 1])
    dense = [float(script_of(language) in _DENSE_SCRIPTS) for language in (source, target)]
    shape = LengthBands.fit(sizes[:0, 0], sizes[:0, 1]).centre.shape
    return LengthBands(np.full(shape, _DENSE * (dense[1] - dense[0])), np.full(shape, _NOISE))


def _sizes(features: Sequence[FieldFeatures]) -> npt.NDArray[np.int64]:
    return np.array([one.sizes for one in features], np.int64).reshape(-1, 2)


def _distances(features: Sequence[RowFeatures], bands: Mapping[str, LengthBands]) -> list[dict[str, float]]:
    """How many widths of noise each length is from the middle of its band, signed; 0 for short texts."""
    found: dict[str, list[float]] = {}
    for field in FIELDS:
        sizes = _sizes([one.fields[field] for one in features])
        distance = bands[field].distance(sizes[:, 0], sizes[:, 1])
        found[field] = np.where(sizes.max(1, initial=0) < _SHORT, 0.0, distance).tolist()
    return [{field: found[field][number] for field in FIELDS} for number in range(len(features))]


def _columns(features: Sequence[RowFeatures]) -> tuple[Columns, Columns]:
    ours, theirs = (
        {
            field: pa.array([getattr(one.pair, side)[field] for one in features], pa.large_string())
            for field in FIELDS
        }
        for side in ("source", "target")
    )
    return ours, theirs


def _misaligned(features: Sequence[RowFeatures], thresholds: Thresholds) -> dict[int, Rejection]:
    """What the alignment check of `compose` rejects, by row. Rows that were translated one by one do not slip
    in runs: neighbours say nothing here.
    """
    check = thresholds.alignment
    if check is None or not features:
        return {}
    flags, odds = check.evaluate(*_columns(features))
    if check.content is not None:
        flags[check.content_check] = odds > thresholds.content
    found = Findings.of(flags, odds)
    checks = {int(row): found.check_of(int(row)) for row in np.flatnonzero(found.reason)}
    return {row: Rejection(one.reason, one.field) for row, one in checks.items() if one is not None}
