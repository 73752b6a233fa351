"""The plots as plain plotly specifications; the page's script adds the colours of the reader's theme."""

from __future__ import annotations

import math
from typing import Any

from crossin.metrics import Figure
from crossin.reports.cells import excludes_zero, label
from crossin.reports.summary import Summary

Plot = dict[str, Any]

# The palette of Okabe and Ito is told apart by colour-blind eyes too; the symbols help in print.
COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#7f7f7f"]
SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon"]
# With more languages than this an axis has room for their codes only.
_MOST_NAMES = 5
_CONTOURS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


def plots(summary: Summary) -> list[Plot]:
    """Every plot that these results can fill."""
    made = [_by_language(summary)]
    if summary.sizes:
        sentence = "How often all of s languages give the same answer (consistency_s, the paper's)."
        beyond = "The same less the agreement that chance alone gives (kappa_s, ours)."
        made += [
            _scatter(summary),
            _by_size(summary, "consistency", "Consistency", sentence),
            _by_size(summary, "kappa", "Consistency beyond chance", beyond),
        ]
    if summary.by_pair:
        made.append(_forest(summary))
    return [*made, _by_task(summary)]


def arm_styles(summary: Summary) -> list[dict[str, str]]:
    """The colour and symbol of each arm, everywhere on the page."""
    return [{"name": name, **_style(place)} for place, name in enumerate(summary.results.names)]


def _by_language(summary: Summary) -> Plot:
    languages = summary.results.languages
    named = len(languages) <= _MOST_NAMES
    ticks = [
        plain(language.name) + f"<br>{plain(language.code)}"
        if named and language.name != language.code
        else plain(language.code)
        for language in languages
    ]
    keys = [f"accuracy/{language.code}" for language in languages]
    lines = [
        _points(place, name, ticks, [summary.by_arm[name][key] for key in keys])
        for place, name in enumerate(summary.results.names)
    ]
    layout = {
        "scattermode": "group",
        "scattergap": 0.3,
        "xaxis": {"type": "category"},
        "yaxis": _share("right answers"),
        "shapes": [_guess_line(summary, "y")],
    }
    text = "How many answers are right in each language, with 95% intervals; the dashed line is guessing."
    return {
        "id": "by-language",
        "title": "Accuracy by language",
        "text": text,
        "data": lines,
        "height": 440,
        "layout": layout,
    }


def _by_task(summary: Summary) -> Plot:
    tasks = list(next(iter(summary.by_task.values())))
    lines = []
    for place, name in enumerate(summary.results.names):
        figures = [summary.by_task[name][task] for task in tasks]
        lines.append(_points(place, name, [plain(task) for task in tasks], figures, across=True))
    layout = {
        "scattermode": "group",
        "scattergap": 0.3,
        "yaxis": {"type": "category", "autorange": "reversed"},
        "xaxis": _share("right answers"),
        "shapes": [_guess_line(summary, "x")],
    }
    height = 150 + len(tasks) * (18 * len(lines) + 14)
    text = "How many answers are right in each task, mean over languages, with 95% intervals."
    return {
        "id": "by-task",
        "title": "Accuracy by task",
        "text": text,
        "data": lines,
        "layout": layout,
        "height": height,
    }


def _by_size(summary: Summary, key: str, title: str, text: str) -> Plot:
    names = summary.results.names
    lines = []
    for place, name in enumerate(names):
        # A small step aside keeps the error bars of the arms apart.
        aside = (place - (len(names) - 1) / 2) * 0.06
        figures = [summary.by_arm[name][f"{key}_{s}"] for s in summary.sizes]
        line = _points(place, name, [s + aside for s in summary.sizes], figures)
        line["mode"] = "lines+markers"
        line["text"] = [f"s = {s}" for s in summary.sizes]
        lines.append(line)
    layout = {
        "xaxis": {
            "title": {"text": "s, how many languages"},
            "tickvals": summary.sizes,
            "range": [1.6, summary.sizes[-1] + 0.4],
        },
        "yaxis": _share(title.lower())
        if key == "consistency"
        else {"title": {"text": "kappa_s"}, "rangemode": "tozero"},
    }
    return {"id": f"by-size-{key}", "title": title, "text": text, "data": lines, "layout": layout}


def _forest(summary: Summary) -> Plot:
    keys = [key for key in summary.rows if key not in ("wrong_2", "missing")]
    names = summary.results.names
    lines = []
    pairs = summary.results.pairs
    for place, (arm, other) in enumerate(pairs):
        figures = [summary.by_pair[arm, other].get(key, Figure(math.nan, math.nan, math.nan)) for key in keys]
        aside = (place - (len(pairs) - 1) / 2) * 0.8 / max(len(pairs), 2)
        style = _style(names.index(arm) if other == summary.results.baseline else len(names))
        line = _trace(
            f"{arm} − {other}",
            style,
            [_number(100 * f.value) for f in figures],
            [row + aside for row in range(len(keys))],
        )
        line["error_x"] = _bars([Figure(*(100 * v for v in (f.value, f.low, f.high))) for f in figures])
        # An open symbol says that the interval includes 0.
        line["marker"]["symbol"] = [style["symbol"] + ("" if excludes_zero(f) else "-open") for f in figures]
        line["text"] = [label(key) for key in keys]
        line["hovertemplate"] = "%{text}: %{x:+.1f} points<extra>%{fullData.name}</extra>"
        lines.append(line)
    layout = {
        "xaxis": {
            "title": {"text": "difference in points (hundredths)"},
            "zeroline": True,
            "zerolinewidth": 2,
        },
        "yaxis": {
            "tickvals": list(range(len(keys))),
            "ticktext": [label(key) for key in keys],
            "range": [len(keys) - 0.5, -0.5],
        },
    }
    text = "Paired differences on the same questions; a filled symbol: the 95% interval excludes 0."
    height = 150 + len(keys) * max(22, 12 * len(pairs))
    return {
        "id": "differences",
        "title": "Differences",
        "text": text,
        "data": lines,
        "layout": layout,
        "height": height,
    }


def _scatter(summary: Summary) -> Plot:
    lines = []
    for place, name in enumerate(summary.results.names):
        across, up = summary.by_arm[name]["accuracy"], summary.by_arm[name]["consistency_2"]
        line = _trace(name, _style(place), [_number(across.value)], [_number(up.value)])
        line["error_x"], line["error_y"] = _bars([across]), _bars([up])
        line["marker"]["size"] = 12
        line["hovertemplate"] = "accuracy %{x:.1%}, consistency_2 %{y:.1%}<extra>%{fullData.name}</extra>"
        lines.append(line)
    layout = {
        "xaxis": {**_share("accuracy"), "range": [0, 1.02], "dtick": 0.2},
        "yaxis": {**_share("consistency_2"), "range": [0, 1.02], "dtick": 0.2},
        "annotations": [_contour_name(height) for height in _CONTOURS],
    }
    text = "Both together, with 95% intervals; along a grey line AC3_2 (their harmonic mean) is the same."
    data = [_contour(height) for height in _CONTOURS] + lines
    return {
        "id": "scatter",
        "title": "Accuracy and consistency",
        "text": text,
        "data": data,
        "layout": layout,
        "height": 440,
    }


def _contour(height: float) -> dict[str, Any]:
    # AC3 = 2ac / (a + c), so c = AC3 a / (2a - AC3), which is at most 1 where a is at least AC3 / (2 - AC3).
    least = height / (2 - height)
    accuracies = [least + (1 - least) * (step / 40) ** 2 for step in range(41)]
    agreements = [height * a / (2 * a - height) for a in accuracies]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [round(a, 4) for a in accuracies],
        "y": [round(c, 4) for c in agreements],
        "line": {"width": 1, "color": "rgba(128,128,128,0.45)"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _contour_name(height: float) -> dict[str, Any]:
    font = {"size": 10, "color": "#808080"}
    return {
        "x": height,
        "y": height,
        "text": f"{height:.1f}",
        "showarrow": False,
        "font": font,
        "yshift": 7,
        "xshift": 7,
    }


def _points(
    place: int, name: str, along: list[Any], figures: list[Figure], *, across: bool = False
) -> dict[str, Any]:
    """One arm's figures with their error bars, upwards, or `across` the page."""
    values = [_number(figure.value) for figure in figures]
    line = _trace(name, _style(place), values if across else along, along if across else values)
    line["error_x" if across else "error_y"] = _bars(figures)
    line["offsetgroup"] = str(place)
    if across:
        line["orientation"] = "h"
    where = "%{y}: %{x:.1%}" if across else "%{x}: %{y:.1%}"
    line["hovertemplate"] = where + "<extra>%{fullData.name}</extra>"
    return line


def _trace(name: str, style: dict[str, str], x: list[Any], y: list[Any]) -> dict[str, Any]:
    marker: dict[str, Any] = {"color": style["colour"], "symbol": style["symbol"], "size": 8}
    return {"type": "scatter", "mode": "markers", "name": plain(name), "x": x, "y": y, "marker": marker}


def _bars(figures: list[Figure]) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [_number(figure.high - figure.value) for figure in figures],
        "arrayminus": [_number(figure.value - figure.low) for figure in figures],
        "thickness": 1.5,
        "width": 3,
    }


def _style(place: int) -> dict[str, str]:
    return {"colour": COLOURS[place % len(COLOURS)], "symbol": SYMBOLS[place % len(SYMBOLS)]}


def _share(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "tickformat": ".0%", "rangemode": "tozero"}


def _guess_line(summary: Summary, axis: str) -> dict[str, Any]:
    other = "x" if axis == "y" else "y"
    chance = round(summary.chance, 6)
    line = {"width": 1, "dash": "dash", "color": "#808080"}
    ends = {f"{other}0": 0, f"{other}1": 1, f"{other}ref": "paper", f"{axis}0": chance, f"{axis}1": chance}
    return {"type": "line", "layer": "below", "line": line, **ends}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def plain(text: str) -> str:
    """Text that plotly shows as it is, where it would read tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
