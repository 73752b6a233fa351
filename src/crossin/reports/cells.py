"""A figure as people read it: two digits, its interval, and a mark where a difference excludes 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crossin.languages.codes import language_name
from crossin.metrics.bootstrap import Figure

NONE = "–"
# The colours of tones in a terminal.
TONE_COLOURS = {"better": "green", "worse": "red", "": ""}
# Names for people, where they differ from the key.
_NAMES = {"exact_match": "exact match", "f1": "F1", "chrf": "chrF", "bleu": "BLEU", "rankc": "RankC"}
_DIGITS = 2


@dataclass(frozen=True)
class Cell:
    """Value and interval; a difference that excludes 0 has a `mark` (▲ ▼) and a `tone` (better, worse)."""

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


def row_label(key: str) -> str:
    """The name of a figure with its language's name: `accuracy th Thai`; two languages stay codes."""
    figure, slash, of = key.partition("/")
    return label(f"{figure}/{language_name(of)}") if slash and "+" not in of else label(key)


def value_cell(figure: Figure | None) -> Cell:
    """A value and its interval; a dash where it is undefined."""
    if figure is None or math.isnan(figure.value):
        return Cell(NONE, "")
    return Cell(_short(figure.value), _interval(figure, _short))


def difference_cell(key: str, figure: Figure | None) -> Cell:
    """A difference in the figure `key`, signed, marked where its interval excludes 0 with the digits shown:
    no interval that touches .00 has a mark.
    """
    if figure is None or math.isnan(figure.value):
        return Cell(NONE, "")
    value, interval = _signed(figure.value), _interval(figure, _signed)
    if not excludes_zero(figure, _DIGITS):
        return Cell(value, interval)
    rises = figure.low > 0
    better = rises != key.startswith(("wrong", "missing"))
    return Cell(value, interval, "▲" if rises else "▼", "better" if better else "worse")


def excludes_zero(figure: Figure, digits: int | None = None) -> bool:
    """Whether the interval of a difference excludes 0, with its ends rounded to `digits` if given."""
    low, high = float(figure.low), float(figure.high)
    if digits is not None:
        low, high = round(low, digits), round(high, digits)
    return low > 0 or high < 0


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
    """Three digits, or a dash where the value is undefined."""
    return NONE if value is None or math.isnan(value) else f"{value:.3f}"


def _interval(figure: Figure, written: Callable[[float], str]) -> str:
    """Empty where there is none: with a single group."""
    return "" if math.isnan(figure.low) else f"[{written(figure.low)} {written(figure.high)}]"


def _short(value: float) -> str:
    """Two digits without the leading zero: .52, 1.00, -.03."""
    text = f"{value:.{_DIGITS}f}"
    return text.replace("-0.00", "0.00").replace("0.", ".", 1) if abs(value) < 0.995 else text


def _signed(value: float) -> str:
    short = _short(value)
    return short.replace("-", "−") if short.startswith("-") else ("+" + short if short != ".00" else short)
