"""A figure as people read it: two digits, its interval, and a mark where a difference is significant."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from crossin.languages.codes import language_name
from crossin.metrics.bootstrap import Figure
from crossin.metrics.significance import LEVEL

NONE = "–"
# What a mark says, for the captions of tables.
MARKS = (
    "▲ and ▼ mark differences with p ≤ .05 after Holm's correction and an interval that excludes 0 as shown. "
    "The correction is over the languages of a figure, and over the other figures of a column; p is "
    "McNemar's for accuracy in a language, else the bootstrap's. Intervals are not corrected."
)
# The colours of tones in a terminal.
TONE_COLOURS = {"better": "green", "worse": "red", "": ""}
# Names for people, where they differ from the key.
_NAMES = {
    "exact_match": "exact match",
    "f1": "F1",
    "ac3": "AC3",
    "chrf": "chrF",
    "bleu": "BLEU",
    "rankc": "RankC",
    "no_reply": "no reply",
    "in_language": "in language asked",
}
# Figures from 0 to 100; all others are shares.
_OF_100 = ("chrf", "bleu")
# More of these is worse.
_BAD = ("wrong", "missing", "no_reply")
_ZERO = ".00"


@dataclass(frozen=True)
class Cell:
    """Value and interval; a significant difference has a `mark` (▲ ▼) and a `tone` (better, worse)."""

    value: str
    interval: str
    mark: str = ""
    tone: str = ""

    def __str__(self) -> str:
        return f"{self.value} {self.interval}".strip()

    def text(self, joint: str) -> str:
        """Value with mark, and interval, with `joint` between them."""
        return joint.join(part for part in (self.value + self.mark, self.interval) if part)


def label(key: str) -> str:
    """The name of a figure for people."""
    if key == "accuracy":
        return "accuracy, mean"
    figure, slash, of = key.partition("/")
    return _NAMES.get(figure, figure).replace("ac3_", "AC3_") + slash.replace("/", " ") + of


def scale(key: str) -> int:
    """What turns a figure into points, hundredths of its range."""
    return 1 if key.partition("/")[0] in _OF_100 else 100


def row_label(key: str) -> str:
    """The name of a figure with its language's name: `accuracy th Thai`; two languages stay codes."""
    figure, slash, of = key.partition("/")
    return label(f"{figure}/{language_name(of)}") if slash and "+" not in of else label(key)


def value_cell(figure: Figure | None) -> Cell:
    """A value and its interval; a dash where it is undefined."""
    if figure is None or math.isnan(figure.value):
        return Cell(NONE, "")
    return Cell(short(figure.value), _interval(figure, short))


def signed_cell(figure: Figure | None) -> Cell:
    """A signed value and its interval, without a mark."""
    if figure is None or math.isnan(figure.value):
        return Cell(NONE, "")
    return Cell(_signed(figure.value), _interval(figure, _signed))


def difference_cell(key: str, figure: Figure | None, p: float | None = None) -> Cell:
    """A difference in the figure `key`, signed, marked where it `is_significant` by its corrected `p`."""
    cell = signed_cell(figure)
    if figure is None or cell.value == NONE or not is_significant(figure, p):
        return cell
    rises = figure.low > 0
    tone = "better" if rises != key.startswith(_BAD) else "worse"
    tone = "" if key.startswith("undecided") else tone
    return replace(cell, mark="▲" if rises else "▼", tone=tone)


def is_significant(difference: Figure, p: float | None) -> bool:
    """Whether a difference has a mark: its interval excludes 0 with the digits shown, so that no mark stands
    beside an interval that includes 0 or touches it, and its corrected `p`, if any, is at most LEVEL.
    """
    return excludes_zero(difference) and (p is None or p <= LEVEL)


def excludes_zero(difference: Figure) -> bool:
    """Whether the interval of a difference excludes 0 with the digits shown (`short`)."""
    return bool(
        (difference.low > 0 and short(difference.low) != _ZERO)
        or (difference.high < 0 and short(difference.high) != _ZERO)
    )


def figures_json(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
    """Figures as JSON values."""
    return {
        key: {"value": number(figure.value), "low": number(figure.low), "high": number(figure.high)}
        for key, figure in figures.items()
    }


def number(value: float) -> float | None:
    """A figure as JSON can hold it: rounded, and null where it is undefined."""
    return None if math.isnan(value) else round(float(value), 6)


def digits(value: float | None) -> str:
    """Three digits, a fourth where they read 0, or a dash where the value is undefined."""
    return NONE if value is None or math.isnan(value) else rounded(value, 3)


def rounded(value: float, places: int) -> str:
    """A number with so many decimals, one more where they read 0 and it is not; never -0."""
    for more in (0, 1):
        text = f"{value:.{places + more}f}"
        if float(text):
            return text
    return f"{0:.{places}f}"


def p_value(p: float) -> str:
    """A p-value with three digits; never 0."""
    return "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def short(value: float) -> str:
    """Two digits without the leading zero: .52, 1.00, -.03; a third where they read 0: .004."""
    text = rounded(value, 2)
    return text.replace("0.", ".", 1) if abs(float(text)) < 1 else text


def _interval(figure: Figure, written: Callable[[float], str]) -> str:
    """Empty where there is none: with a single group."""
    return "" if math.isnan(figure.low) else f"[{written(figure.low)} {written(figure.high)}]"


def _signed(value: float) -> str:
    text = short(value)
    return text.replace("-", "−") if text.startswith("-") else ("+" + text if text != _ZERO else text)
