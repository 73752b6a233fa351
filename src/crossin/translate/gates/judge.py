"""The verdicts on a shard's translations. What is usual for a pair of languages, its rows show themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.corpus.alignment.check import check_alignment
from crossin.corpus.alignment.lengths import LengthBands
from crossin.corpus.spec import FIELDS
from crossin.languages.codes import script_of
from crossin.translate.gates.look import FieldLook, Look
from crossin.translate.gates.pair import Verdict

# So many rows are needed to learn lengths, and to learn which words keep each other company.
_SOME, _LEARNED = 60, 2000
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


def judge(
    looks: Sequence[Look], source: str, target: str, *, only: Collection[int] | None = None
) -> list[Verdict]:
    """A verdict on each look, in their order; those not in `only` pass, but are learned from all the same."""
    distances = {field: _distances([one.fields[field] for one in looks], source, target) for field in FIELDS}
    aways = [{field: float(distances[field][number]) for field in FIELDS} for number in range(len(looks))]
    # What is usual is learned from rows without a grosser fault.
    sound = [one for one, away in zip(looks, aways, strict=True) if not _fault(one, away, _UNKNOWN)]
    usual = Usual.learn([field for one in sound for field in one.fields.values()])
    aligned = _aligned(looks, source, target, only)
    verdicts: list[Verdict] = []
    for number, (one, away) in enumerate(zip(looks, aways, strict=True)):
        found = None
        if only is None or number in only:
            found = _fault(one, away, usual) or aligned.get(number)
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


def _distances(looks: Sequence[FieldLook], source: str, target: str) -> npt.NDArray[np.float64]:
    """How many widths of noise each length is from the middle of its band, signed; 0 for short texts."""
    sizes = np.array([look.sizes for look in looks], np.int64).reshape(-1, 2)
    one, two = sizes[:, 0], sizes[:, 1]
    if ((one > 0) & (two > 0)).sum() >= _SOME:
        bands = LengthBands.learn(one, two)
    else:
        dense = [float(script_of(language) in _DENSE_SCRIPTS) for language in (source, target)]
        shape = LengthBands.learn(one[:0], two[:0]).centre.shape
        bands = LengthBands(np.full(shape, _DENSE * (dense[1] - dense[0])), np.full(shape, _NOISE))
    return np.where(np.maximum(one, two) < _SHORT, 0.0, bands.distance(one, two))


def _aligned(
    looks: Sequence[Look], source: str, target: str, only: Collection[int] | None
) -> dict[int, Fault]:
    """What the check that `compose` makes of parallel files finds, by row."""
    chosen = list(range(len(looks)))
    if only is not None and len(only) < len(looks):
        # Beside those that are judged some others, to learn from.
        chosen = sorted({*only, *[number for number in chosen if number not in only][:_LEARNED]})
    ours, theirs = (
        {
            field: pa.array(
                [getattr(looks[number].pair, side)[field] for number in chosen], pa.large_string()
            )
            for field in FIELDS
        }
        for side in ("source", "target")
    )
    findings = check_alignment(ours, theirs, source, target, np.arange(len(chosen)))
    return {
        chosen[place]: (_plain(findings.reasons[findings.reason[place] - 1], source, target), "", "")
        for place in np.flatnonzero(findings.reason)
    }


def _plain(reason: str, source: str, target: str) -> str:
    """The check's reason without the languages, which are the same for all rows of a shard."""
    if reason.startswith("digits"):
        return "a number differs"
    return (
        reason.replace(f" in {source} and {target}", "")
        .replace(f" for {source}", "")
        .replace(f" in {target}", "")
    )
