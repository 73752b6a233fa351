"""The page of an experiment: its tables, curves, seeds, failures and settings, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from crossin.charts.parts import Plot, Series, along, known, style_of
from crossin.charts.standalone import stand_alone
from crossin.core.files import read_text, write_json, write_text
from crossin.core.interrupts import held_signals
from crossin.core.paths import as_path
from crossin.experiments.curves import Curve, curve_plots, curve_values, curves_of, main_keys
from crossin.experiments.figures import Row
from crossin.experiments.notes import part_name
from crossin.experiments.results import ExperimentResults, current_results
from crossin.experiments.tables import (
    ArmTable,
    caption,
    difference,
    figure_of_row,
    grids,
    key_of_row,
    part_of_row,
    value,
)
from crossin.metrics.bootstrap import DRAWS, Figure
from crossin.reports.cells import is_significant, label, scale
from crossin.reports.figures_html import SORTING, TableLine, box, cell_html, table_html
from crossin.reports.make import check_page
from crossin.reports.page import list_items
from crossin.reports.plots import differences
from crossin.reports.sentences import percent, points, within

PAGE = "report.html"
# As `crossin experiment` writes them.
_SETTINGS = "experiment.yaml"
_HERE = Path(__file__).parent
_NONE = "<p>None.</p>"


def write_experiment_page(
    out: Path, page: Path | None = None, *, title: str | None = None, draws: int = DRAWS, seed: int = 0
) -> Path:
    """Write the page of the experiment in the folder `out`, and its figures beside it (`.json`); returns the
    page. The same results give the same bytes. Results that are not there yet are computed, and not written.

    page: its file, by default `report.html` in the folder. title: by default the experiment's name. draws,
    seed: of the bootstrap. Raises CrossinError where there is no experiment, or vl-convert is not installed.
    """
    out = as_path(out)
    page = out / PAGE if page is None else as_path(page)
    check_page(page)
    results = current_results(out, draws=draws, seed=seed)
    found = curves_of(results)
    title = title or results.index.name
    html = _page(results, found, title, out / _SETTINGS)
    # Both or none.
    with held_signals():
        write_json(page.with_suffix(".json"), {"title": title, **_values(results, found)})
        write_text(page, html)
    return page


def _page(results: ExperimentResults, found: Sequence[Curve], title: str, settings: Path) -> str:
    by_kind: dict[str, list[ArmTable]] = {}
    for grid in grids(results):
        by_kind.setdefault(grid.kind, []).append(grid)
    first, *rest = sentences(results)
    values = {
        "title": escape(title),
        "result": escape(first),
        "sentences": list_items(rest),
        "notes": f"<ul>{list_items(results.notes)}</ul>" if results.notes else _NONE,
        "caption": escape(caption(results)),
        "seeds": "".join(map(_table, seed_grids(results))) or _NONE,
        "settings": _settings(settings),
        **{
            kind: "".join(map(_table, by_kind.get(kind, []))) or _NONE
            for kind in ("figures", "differences", "choices")
        },
    }
    return stand_alone(_HERE / "page.html", values, [*_plots(results), *curve_plots(found)], [SORTING])


def sentences(results: ExperimentResults) -> list[str]:
    """The result in words: each arm against the baseline, the largest difference first."""
    index = results.index
    rows = [row for row in results.rows if row["main"] and row["shown"] and row["seed"] is None]
    pooled = {(part_of_row(row), row["arm"], key_of_row(row)): row for row in rows if row["less"] is None}
    said = []
    for part in results.parts:
        name = part_name(part, results.parts)
        keys = [key for of, _, key in pooled if of == part]
        main = next(iter(main_keys(keys)), "")
        apart = [row for row in rows if part_of_row(row) == part and row["less"] and key_of_row(row) == main]
        for row in sorted(apart, key=lambda row: -abs(row["value"] or 0)):
            ours, theirs = (figure_of_row(pooled[part, arm, main]) for arm in (row["arm"], row["less"]))
            said.append(_against(name, main, row, ours, theirs))
        if not apart:
            of_arms = [(arm, row) for (of, arm, key), row in pooled.items() if of == part and key == main]
            said += [
                f"{arm} on {name}: {_named(main)} {_amount(main, figure_of_row(row))} "
                f"{within(figure_of_row(row), scale(main))}."
                for arm, row in of_arms
            ]
    return said or [f"{index.name}: no arm has a result."]


def _against(bench: str, key: str, row: Row, ours: Figure, theirs: Figure) -> str:
    change = figure_of_row(row)
    said = (
        f"{row['arm']} against {row['less']} on {bench}: {_named(key)} {_amount(key, ours)} and "
        f"{_amount(key, theirs)}, {points(change, scale(key))}"
    )
    if not is_significant(change, row["holm"]):
        said += ", which may be chance"
    return said + ("; it depends on the choice between options." if row["depends"] else ".")


def _named(key: str) -> str:
    return label(key).removesuffix(", mean")


def _amount(key: str, figure: Figure) -> str:
    return percent(figure.value) if scale(key) != 1 else f"{figure.value:.1f}"


def seed_grids(results: ExperimentResults) -> list[ArmTable]:
    """Tables of arms by seeds, one for each of the main figures."""
    rows = [row for row in results.rows if row["main"] and row["shown"] and row["less"] is None]
    seeds = sorted({row["seed"] for row in rows if row["seed"] is not None})
    found = {(part_of_row(row), key_of_row(row), row["arm"], row["seed"]): row for row in rows}
    made = []
    for part in results.parts:
        for key in main_keys(key for of, key, _, _ in found if of == part):
            lines = [
                (arm.name, [value(found.get((part, key, arm.name, seed))) for seed in (*seeds, None)])
                for arm in results.index.arms
            ]
            heads = [*(f"seed {seed}" for seed in seeds), "mean"]
            title = f"{part_name(part, results.parts)}: {_named(key)}"
            made.append(ArmTable(title, "seeds", heads, lines))
    return made


def _table(shape: ArmTable) -> str:
    heads = [f'<th scope="col">{escape(head)}</th>' for head in shape.heads]
    lines = [TableLine(escape(name), list(map(cell_html, cells))) for name, cells in shape.rows]
    return f"<h3>{escape(shape.title)}</h3>{box(shape.title, table_html('arm', heads, [lines]))}"


def _settings(file: Path) -> str:
    if not file.is_file():
        return ""
    return f'<h3>Settings</h3><div class="scroll"><pre>{escape(read_text(file))}</pre></div>'


def _plots(results: ExperimentResults) -> list[Plot]:
    """Of each part, the differences to the baseline with their intervals."""
    rows = [row for row in results.rows if row["main"] and row["shown"] and row["less"] is not None]
    made = []
    for number, part in enumerate(results.parts):
        of_part = [row for row in rows if part_of_row(row) == part]
        keys = list(dict.fromkeys(key for row in of_part if "/" not in (key := key_of_row(row))))
        keys = keys or list(dict.fromkeys(map(key_of_row, of_part)))
        if keys:
            arms = list(dict.fromkeys(row["arm"] for row in of_part))
            made.append(_differences(results, number, part_name(part, results.parts), keys, arms, of_part))
    return made


def _differences(
    results: ExperimentResults,
    number: int,
    bench: str,
    keys: Sequence[str],
    arms: Sequence[str],
    rows: Sequence[Row],
) -> Plot:
    found = {(row["arm"], key_of_row(row)): row for row in rows}
    series = []
    for place, arm in enumerate(arms):
        points = []
        for key in keys:
            if (row := found.get((arm, key))) is not None:
                figure, filled = _in_points(row), bool(difference(row).mark.strip("†"))
                said = f"{arm}, {_named(key)}: {figure.value:+.1f} points"
                points.append(along(_named(key), figure, said, across=True, filled=filled))
        series.append(Series(arm, style_of(place), known(points)))
    title = f"{bench}: differences to {results.index.baseline}"
    text = "Paired differences with 95% intervals; a filled symbol has a mark in the table."
    return differences(f"differences-{number}", title, text, series, [_named(key) for key in keys])


def _in_points(row: Row) -> Figure:
    figure, times = figure_of_row(row), scale(key_of_row(row))
    return Figure(*(times * one for one in (figure.value, figure.low, figure.high)))


def _values(results: ExperimentResults, found: Sequence[Curve]) -> dict[str, Any]:
    """All that the page shows, as JSON values."""
    index = results.index
    return {
        "result": sentences(results),
        "baseline": index.baseline,
        "notes": list(results.notes),
        "arms": [
            {
                "name": arm.name,
                "axes": arm.axes,
                "seeds": [run.seed for run in arm.runs],
                "failed": {str(seed): why for seed, why in arm.failed.items()},
            }
            for arm in index.arms
        ],
        "figures": [row for row in results.rows if row["shown"]],
        "curves": [curve_values(curve) for curve in found],
    }
