"""Figures along an axis: how they change with what the axis varies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from crossin.charts.parts import Place, Plot, PlotAxis, Series, along, known, shares, style_of
from crossin.experiments.figures import Row
from crossin.experiments.index import Arm
from crossin.experiments.notes import part_name
from crossin.experiments.results import ExperimentResults, axis_values
from crossin.experiments.tables import figure_of_row, key_of_row, part_of_row
from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import row_label, scale

# The figures that are drawn, where there are any.
DRAWN = ("accuracy", "consistency_2", "kappa_2", "right_2", "ac3_2", "exact_match", "chrf", "in_language")
_NO_FIGURE = Figure(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Curve:
    """A figure along an axis. `values`: numbers, or names in order. `lines`: by name (the arm without its
    place on the axis), the figure at each value; nan where there is none. `baseline`: the baseline's figure
    where it has no place on the axis.
    """

    axis: str
    bench: str
    name: str
    values: list[Any]
    lines: dict[str, list[Figure]]
    baseline: Figure | None


def curves_of(results: ExperimentResults) -> list[Curve]:
    """All curves: for each axis, each part, each of the figures DRAWN."""
    rows = [row for row in results.rows if row["main"] and row["seed"] is None and row["less"] is None]
    found = {(part_of_row(row), row["arm"], key_of_row(row)): row for row in rows if row["shown"]}
    made = []
    for axis in results.index.axes:
        for part in results.parts:
            for key in main_keys(key for of, _, key in found if of == part):
                of_arms = {arm: row for (of, arm, one), row in found.items() if of == part and one == key}
                made += _curve(results, axis, part_name(part, results.parts), key, of_arms)
    return made


def main_keys(keys: Iterable[str]) -> list[str]:
    """Those of the figures DRAWN, each once: over all languages, or where there is one only, in that."""
    known = dict.fromkeys(keys)
    alone = {key: key.partition("/")[0] for key in known}
    return [
        key for key, figure in alone.items() if figure in DRAWN and (key == figure or figure not in known)
    ]


def _curve(results: ExperimentResults, axis: str, bench: str, key: str, rows: dict[str, Row]) -> list[Curve]:
    index = results.index
    labels = [str(value) for value in index.axes[axis]]
    lines: dict[str, list[Figure]] = {}
    for arm in index.arms:
        if axis in arm.axes and arm.name in rows:
            line = lines.setdefault(_without(arm, axis), [_NO_FIGURE] * len(labels))
            line[labels.index(str(arm.axes[axis]))] = figure_of_row(rows[arm.name])
    aside = next(arm for arm in index.arms if arm.name == index.baseline).axes.get(axis) is None
    baseline = figure_of_row(rows[index.baseline]) if aside and index.baseline in rows else None
    return [Curve(axis, bench, key, axis_values(index, axis), lines, baseline)] if lines else []


def _without(arm: Arm, axis: str) -> str:
    """The arm's name without its place on an axis, as `crossin.experiments.grid` writes it."""
    return arm.name.replace(f", {axis} {arm.axes[axis]}", "", 1)


def curve_plots(found: Sequence[Curve]) -> list[Plot]:
    """A plot for each curve: a line for each arm, with intervals."""
    return [_plot(place, curve) for place, curve in enumerate(found)]


def _plot(number: int, curve: Curve) -> Plot:
    numeric = all(isinstance(value, float) for value in curve.values)
    places: list[Place] = [value if numeric else str(value) for value in curve.values]
    named = row_label(curve.name).removesuffix(", mean")
    share = scale(curve.name) != 1 and not curve.name.startswith("kappa")
    series = []
    for order, (name, figures) in enumerate(curve.lines.items()):
        points = [
            along(
                place,
                figure,
                f"{name}, {curve.axis} {value}: {figure.value:{'.1%' if share else '.2f'}}",
            )
            for place, value, figure in zip(places, curve.values, figures, strict=True)
        ]
        series.append(Series(name, style_of(order), known(points), kind="joined"))
    x = PlotAxis(curve.axis, categories=() if numeric else tuple(map(str, places)))
    y = shares(named) if share else PlotAxis(named)
    alone = f"{next(iter(curve.lines))}: m" if len(curve.lines) == 1 else "M"
    text = f"{alone}eans over seeds with 95% intervals."
    if curve.baseline is not None and not math.isnan(curve.baseline.value):
        text = f"{text[:-1]}; the dashed line is the baseline."
    title = f"{curve.bench}: {named} by {curve.axis}"
    made = Plot(f"curve-{number}", title, text, tuple(series), x, y)
    return made if curve.baseline is None else made.with_rule("y", round(curve.baseline.value, 6))


def curve_values(curve: Curve) -> dict[str, Any]:
    """A curve as JSON values: by line, value and interval at each value of the axis."""

    def cells(figure: Figure | None) -> list[float | None] | None:
        if figure is None:
            return None
        bounds = (figure.value, figure.low, figure.high)
        return [None if math.isnan(one) else round(one, 6) for one in bounds]

    return {
        "axis": curve.axis,
        "bench": curve.bench,
        "figure": curve.name,
        "values": curve.values,
        "lines": {name: [cells(figure) for figure in figures] for name, figures in curve.lines.items()},
        "baseline": cells(curve.baseline),
    }
