"""The verdicts on a shard's translations. What is usual for a pair of languages, its rows show themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.check import Findings, FittedCheck
from crossin.alignment.lengths import LengthBands
from crossin.alignment.measures import Columns
from crossin.core.formats import FIELDS
from crossin.languages.codes import script_of
from crossin.translation.filters.look import FieldLook, Look
from crossin.translation.filters.pair import Verdict

# So many rows are needed to learn lengths.
_SOME = 60
# Log of the length of a text in a script of syllables or words to one in an alphabet, and its noise, where
# there are too few rows to learn from.
_DENSE, _NOISE = -1.0, 0.35
_DENSE_SCRIPTS = {"Hans", "Hant", "Jpan", "Kore"}
# Widths of the noise beyond which a length alone is out, and beside another sign.
_OUT, _BESIDE = 6.0, 1.5
_LEFT, _FOREIGN, _REPEATED = 0.3, 0.1, 0.2
# A share of rows that is no exception any more: of those with fewer sentences, of those with other lines.
_USUAL, _OFTEN = 0.15, 0.05
# Texts with more sentences are counted as one kind.
_MANY = 12
# A text shorter than this (characters, both sides) has no usual length.
_SHORT = 16


def learn(looks: Sequence[Look], source: str, target: str) -> Standard:
    """What is usual for a pair of languages, from translations of which some are faulty."""
    bands = {field: _bands([one.fields[field] for one in looks], source, target) for field in FIELDS}
    # What is usual is learned from rows without a grosser fault.
    aways = _distances(looks, bands)
    sound = [one for one, away in zip(looks, aways, strict=True) if not _fault(one, away, _UNKNOWN)]
    usual = Usual.learn([field for one in sound for field in one.fields.values()])
    if not looks:
        return Standard(0, bands, usual, None, 0.0)
    ours, theirs = _columns(looks)
    alignment = FittedCheck.fit(ours, theirs, (source, target), 0)
    bar = alignment.content.threshold(alignment.evaluate(ours, theirs)[1]) if alignment.content else 0.0
    return Standard(len(looks), bands, usual, alignment, bar)


def judge(looks: Sequence[Look], standard: Standard) -> list[Verdict]:
    """A verdict on each look, in their order, each by itself."""
    aways = _distances(looks, standard.bands)
    aligned = _aligned(looks, standard)
    verdicts: list[Verdict] = []
    for number, (one, away) in enumerate(zip(looks, aways, strict=True)):
        found = _fault(one, away, standard.usual) or aligned.get(number)
        verdicts.append(Verdict(*(found or ("", "", "")), _figures(one, away)))
    return verdicts


Fault = tuple[str, str, str]


@dataclass(frozen=True)
class Usual:
    """What is usual for the pair of languages: the share of fields with fewer sentences than their source, by
    the source's number of sentences up to the last, and of fields of several lines that do not keep them.
    """

    fewer: npt.NDArray[np.float64]
    lines: float

    @classmethod
    def learn(cls, looks: Sequence[FieldLook]) -> Usual:
        """From fields; where there are few of a kind, losing sentences is taken to be usual, and keeping the
        lines too.
        """
        counts = np.array([look.sentences for look in looks], np.int64).reshape(-1, 2)
        fewer = np.full(_MANY + 1, _USUAL)
        for number in range(_MANY + 1):
            alike = counts[np.minimum(counts[:, 0], _MANY) == number]
            if len(alike) >= _SOME:
                fewer[number] = float((alike[:, 1] < alike[:, 0]).mean())
        several = [look.lines for look in looks if look.lines[0] > 1]
        differ = [one != other for one, other in several]
        return cls(fewer, float(np.mean(differ)) if len(differ) >= _SOME else 0.0)

    def shortfall(self, sentences: int) -> float:
        """How many widths too short a text with fewer sentences must be to have lost one: hardly any where
        that is rare, more where sentences are often joined.
        """
        return _BESIDE * min(1.0, float(self.fewer[min(sentences, _MANY)]) / _USUAL)


@dataclass(frozen=True)
class Standard:
    """What translations are held against: learned from so many `rows`.

    `bands` are the usual lengths by field; `alignment` is what the check that `compose` makes of parallel
    files has learned (None without rows), `bar` the log-odds from which on the content is another.
    """

    rows: int
    bands: Mapping[str, LengthBands]
    usual: Usual
    alignment: FittedCheck | None
    bar: float


_UNKNOWN = Usual(np.full(_MANY + 1, _USUAL), 1.0)


def _fault(one: Look, away: dict[str, float], usual: Usual) -> Fault | None:
    """Reason, field and detail of the first fault of a row; None where it has none of its own."""
    if one.pair.cut:
        return "cut at the limit of tokens", "", ""
    for field in FIELDS:
        source, target = one.pair.source[field].strip(), one.pair.target[field].strip()
        if bool(source) != bool(target):
            return "empty" if source else "text out of nothing", field, ""
    for field in FIELDS:
        if reason := _of_field(one.fields[field], away[field], usual):
            return reason[0], field, reason[1]
    return None


def _of_field(look: FieldLook, away: float, usual: Usual) -> tuple[str, str] | None:
    fewer = look.sentences[1] - look.sentences[0]
    told = f"{look.sentences[1]} for {look.sentences[0]}"
    if look.remark:
        return look.remark, ""
    if look.copied > _LEFT:
        return "left untranslated", f"{look.copied:.0%}"
    if look.language < _FOREIGN:
        return "wrong language", ""
    if look.repeated > _REPEATED:
        return "says the same again", f"{look.repeated:.0%} more than the source"
    if fewer < 0 and away < -usual.shortfall(look.sentences[0]):
        return "sentences are missing", told
    if fewer > 0 and away > 2 * _BESIDE:
        return "sentences were added", told
    if look.open and (away < -_BESIDE or fewer < 0):
        return "breaks off", ""
    if abs(away) > _OUT:
        return ("too short" if away < 0 else "too long"), f"{look.sizes[1]} for {look.sizes[0]} characters"
    if not _keeps_lines(*look.lines, strict=usual.lines < _OFTEN):
        return "line breaks differ", f"{look.lines[1]} for {look.lines[0]}"
    return None


def _keeps_lines(source: int, target: int, strict: bool) -> bool:
    if strict and source > 2:
        return source == target
    return abs(source - target) < 2 or (0.6 <= (target + 1) / (source + 1) <= 1.7)


def _figures(one: Look, away: dict[str, float]) -> dict[str, float]:
    looks = list(one.fields.values())
    return {
        "language": min(look.language for look in looks),
        "length": max(away.values(), key=abs),
        "sentences": float(sum(look.sentences[1] - look.sentences[0] for look in looks)),
        "lines": float(sum(look.lines[1] - look.lines[0] for look in looks)),
        "untranslated": max(look.copied for look in looks),
        "repetition": max(look.repeated for look in looks),
    }


def _bands(looks: Sequence[FieldLook], source: str, target: str) -> LengthBands:
    sizes = _sizes(looks)
    if (sizes > 0).all(1).sum() >= _SOME:
        return LengthBands.fit(sizes[:, 0], sizes[:, 1])
    dense = [float(script_of(language) in _DENSE_SCRIPTS) for language in (source, target)]
    shape = LengthBands.fit(sizes[:0, 0], sizes[:0, 1]).centre.shape
    return LengthBands(np.full(shape, _DENSE * (dense[1] - dense[0])), np.full(shape, _NOISE))


def _sizes(looks: Sequence[FieldLook]) -> npt.NDArray[np.int64]:
    return np.array([look.sizes for look in looks], np.int64).reshape(-1, 2)


def _distances(looks: Sequence[Look], bands: Mapping[str, LengthBands]) -> list[dict[str, float]]:
    """How many widths of noise each length is from the middle of its band, signed; 0 for short texts."""
    found: dict[str, list[float]] = {}
    for field in FIELDS:
        sizes = _sizes([one.fields[field] for one in looks])
        away = bands[field].distance(sizes[:, 0], sizes[:, 1])
        found[field] = np.where(sizes.max(1, initial=0) < _SHORT, 0.0, away).tolist()
    return [{field: found[field][number] for field in FIELDS} for number in range(len(looks))]


def _columns(looks: Sequence[Look]) -> tuple[Columns, Columns]:
    ours, theirs = (
        {
            field: pa.array([getattr(one.pair, side)[field] for one in looks], pa.large_string())
            for field in FIELDS
        }
        for side in ("source", "target")
    )
    return ours, theirs


def _aligned(looks: Sequence[Look], standard: Standard) -> dict[int, Fault]:
    """What the check that `compose` makes of parallel files finds, by row. Rows that were translated one by
    one do not slip in runs: neighbours say nothing here.
    """
    if standard.alignment is None or not looks:
        return {}
    flags, odds = standard.alignment.evaluate(*_columns(looks))
    if standard.alignment.content is not None:
        flags[standard.alignment.content_check] = odds > standard.bar
    findings = Findings.of(flags, odds)
    faults: dict[int, Fault] = {}
    for number in range(len(looks)):
        if (check := findings.check_of(number)) is not None:
            faults[number] = (check.reason.sentence, check.field, "")
    return faults
