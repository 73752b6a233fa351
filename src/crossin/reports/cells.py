"""A figure as people read it: two digits, its interval, and whether a difference is more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from crossin.metrics import Figure

NONE = "–"
# Where people write a figure's name otherwise than the code.
_NAMES = {"exact_match": "exact match", "f1": "F1", "chrf": "chrF", "bleu": "BLEU", "rankc": "RankC"}


@dataclass(frozen=True)
class Cell:
    """Value and interval; a difference that excludes 0 has a `mark` (▲ ▼) and a `tone` (better, worse)."""

    value: str
    interval: str
    mark: str = ""
    tone: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.value, self.interval) if part)


def label(key: str) -> str:
    """What a figure is called where people read it."""
    if key == "accuracy":
        return "accuracy, mean"
    figure, slash, of = key.partition("/")
    return _NAMES.get(figure, figure).replace("ac3_", "AC3_") + slash.replace("/", " ") + of


def value_cell(figure: Figure | None) -> Cell:
    """A value and its interval; a dash where it is undefined."""
    if figure is None or math.isnan(figure.value):
        return Cell(NONE, "")
    return Cell(_short(figure.value), _interval(figure, _short))


def difference_cell(key: str, figure: Figure | None) -> Cell:
    """A difference in the figure `key`, signed, marked where its interval excludes 0."""
    if figure is None or math.isnan(figure.value):
        return Cell(NONE, "")
    value, interval = _signed(figure.value), _interval(figure, _signed)
    if not excludes_zero(figure):
        return Cell(value, interval)
    better = (figure.value > 0) != key.startswith(("wrong", "missing"))
    return Cell(value, interval, "▲" if figure.value > 0 else "▼", "better" if better else "worse")


def excludes_zero(figure: Figure) -> bool:
    """Whether a difference is larger than chance alone makes likely."""
    return figure.low > 0 or figure.high < 0


def figures_json(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
    """Figures as JSON values."""
    return {
        key: {"value": number(figure.value), "low": number(figure.low), "high": number(figure.high)}
        for key, figure in figures.items()
    }


def number(value: float) -> float | None:
    """A figure as JSON can hold it: rounded, and null where it is undefined."""
    return None if math.isnan(value) else round(float(value), 6)


def _interval(figure: Figure, written: Callable[[float], str]) -> str:
    """Empty where there is none: with a single group."""
    return "" if math.isnan(figure.low) else f"[{written(figure.low)} {written(figure.high)}]"


def _short(value: float) -> str:
    """Two digits without the leading zero: .52, 1.00, -.03."""
    text = f"{value:.2f}"
    return text.replace("-0.00", "0.00").replace("0.", ".", 1) if abs(value) < 0.995 else text


def _signed(value: float) -> str:
    short = _short(value)
    return short.replace("-", "−") if short.startswith("-") else ("+" + short if short != ".00" else short)
