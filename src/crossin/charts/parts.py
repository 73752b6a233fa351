"""What a plot shows, apart from how it is drawn: points of several series, with intervals, along two axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from crossin.metrics.bootstrap import Figure

# A place along an axis: a number, or one of the axis's categories.
Place = float | str
# How many colours and symbols there are; `page.css` has the colours, for light and dark.
PALETTE = 8
_DASHES: tuple[tuple[int, ...], ...] = ((), (2, 2), (6, 3), (9, 3, 2, 3))
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right", "wedge")


@dataclass(frozen=True)
class Style:
    """The colour (of CSS) and the symbol of a series. dash: of its line, as SVG has it; none is solid."""

    colour: str
    symbol: str
    dash: tuple[int, ...] = ()


@dataclass(frozen=True)
class PlotAxis:
    """An axis. form: how its numbers are written (d3's format). categories: in order, where it has no
    numbers. ticks: the labels of its numbers, where not every number has one. limits: where it begins and
    ends; else at 0, and with its data.
    """

    title: str = ""
    form: str = ""
    categories: tuple[str, ...] = ()
    ticks: dict[float, str] = field(default_factory=dict)
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Point:
    """A point, the ends of its intervals, and what it says when it is pointed at."""

    x: Place
    y: Place
    text: str = ""
    x_interval: tuple[float, float] | None = None
    y_interval: tuple[float, float] | None = None
    filled: bool = True


@dataclass(frozen=True)
class Series:
    """Points of one name, drawn as points, as points that a line joins, or as a line alone, whose y_intervals
    are a band.
    """

    name: str
    style: Style
    points: tuple[Point, ...]
    kind: Literal["points", "joined", "line"] = "points"


@dataclass(frozen=True)
class Plot:
    """A plot of the page, with a title and a sentence. rules: dashed lines across the plot, by axis (`x` or
    `y`). contours: unlabelled curves with the name of each, behind all. grouped: points of one category are
    drawn side by side. height: of the plot without its axes, in pixels.
    """

    name: str
    title: str
    text: str
    series: tuple[Series, ...]
    x: PlotAxis
    y: PlotAxis
    rules: tuple[tuple[str, float], ...] = ()
    contours: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    grouped: bool = False
    height: int = 300

    def with_rule(self, axis: str, value: float) -> Plot:
        """The plot with a rule more, where it is a number."""
        return self if math.isnan(value) else replace(self, rules=(*self.rules, (axis, value)))


def style_of(place: int) -> Style:
    """The colour and symbol of the series at a place: no two of the first 64 are alike. Where colours repeat,
    lines have another dash: no two of the first 32 are alike.
    """
    turn = place // PALETTE
    symbol = _SYMBOLS[(place + turn) % len(_SYMBOLS)]
    return Style(f"var(--arm-{place % PALETTE})", symbol, _DASHES[turn % len(_DASHES)])


def shares(title: str) -> PlotAxis:
    """An axis of shares, in percent."""
    return PlotAxis(title, ".0%")


def along(x: Place, figure: Figure, text: str, *, across: bool = False, filled: bool = True) -> Point | None:
    """The point of a figure at `x`, upwards, or `across` the page; None for a figure that is not known."""
    if math.isnan(figure.value):
        return None
    value = round(figure.value, 6)
    bounded = not (math.isnan(figure.low) or math.isnan(figure.high))
    interval = (round(figure.low, 6), round(figure.high, 6)) if bounded else None
    if across:
        return Point(value, x, text, x_interval=interval, filled=filled)
    return Point(x, value, text, y_interval=interval, filled=filled)


def known(points: Sequence[Point | None]) -> tuple[Point, ...]:
    """Those points that there are."""
    return tuple(point for point in points if point is not None)
