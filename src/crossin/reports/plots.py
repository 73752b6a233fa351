"""The plots as plain plotly specifications; the page's script adds the colours of the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import label, scale
from crossin.reports.summary import Summary

Plot = dict[str, Any]

# The palette of Okabe and Ito, which colour-blind readers can tell apart; the symbols help in print.
COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#7f7f7f"]
SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon"]
# With more languages an axis has room for their codes only.
_MOST_NAMES = 5
_CONTOURS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
_UNDEFINED = Figure(math.nan, math.nan, math.nan)
# Plots by language: the plot's name, the figure, the title, the axis, and what it shows.
_ACCURACY = (
    "by-language",
    "accuracy",
    "Accuracy by language",
    "right answers",
    "How many answers are right in each language",
)
_TEXTS = [
    (
        "exact-match",
        "exact_match",
        "Exact match by language",
        "exact match",
        "How many replies are the reference, or another accepted one, word for word",
    ),
    (
        "chrf",
        "chrf",
        "chrF by language",
        "chrF",
        "How many short strings of characters replies and references share, from 0 to 100",
    ),
    (
        "fidelity",
        "fidelity",
        "Replies in the language asked",
        "in the language asked",
        "How many replies are in the language of the question, of those whose language is clear",
    ),
]


def report_plots(summary: Summary) -> list[Plot]:
    """Every plot that these results can fill."""
    made: list[Plot] = []
    if summary.choice_languages:
        made.append(_by_language(summary, summary.choice_languages, *_ACCURACY, chance=summary.chance))
    if summary.sizes:
        sentence = "How often all of s languages give the same answer (consistency_s, the paper's)."
        beyond = "The same less the agreement that chance alone gives (kappa_s, ours)."
        made += [
            _scatter(summary),
            _by_size(summary, "consistency", "Consistency", sentence),
            _by_size(summary, "kappa", "Consistency beyond chance", beyond),
        ]
    if summary.text_languages:
        made += [_by_language(summary, summary.text_languages, *names) for names in _TEXTS]
    if summary.by_pair:
        made.append(_forest(summary))
    return [*made, _by_task(summary)] if summary.by_task else made


def run_styles(summary: Summary) -> list[dict[str, str]]:
    """The colour and symbol of each run, everywhere on the page."""
    return [{"name": name, **style_of(place)} for place, name in enumerate(summary.results.names)]


def plot(name: str, title: str, text: str, data: list[Any], layout: dict[str, Any], **more: Any) -> Plot:
    """A plot of the page: plotly's `data` and `layout`, and optionally its `height`."""
    return {"id": name, "title": title, "text": text, "data": data, "layout": layout, **more}


def chance_line(axis: str, value: float) -> dict[str, Any]:
    """A dashed line across the plot at `value` on `axis` (x or y)."""
    other = "x" if axis == "y" else "y"
    line = {"width": 1, "dash": "dash", "color": "#808080"}
    ends = {f"{other}0": 0, f"{other}1": 1, f"{other}ref": "paper", f"{axis}0": value, f"{axis}1": value}
    return {"type": "line", "layer": "below", "line": line, **ends}


def _by_language(
    summary: Summary,
    codes: Sequence[str],
    name: str,
    key: str,
    title: str,
    axis: str,
    text: str,
    *,
    chance: float = math.nan,
) -> Plot:
    languages = [language for language in summary.results.languages if language.code in codes]
    named = len(languages) <= _MOST_NAMES
    ticks = [
        plain(language.name) + f"<br>{plain(language.code)}"
        if named and language.name != language.code
        else plain(language.code)
        for language in languages
    ]
    lines = [
        _points(place, arm, ticks, [figures[f"{key}/{language.code}"] for language in languages])
        for place, (arm, figures) in enumerate(summary.by_arm.items())
    ]
    upwards = share_axis(axis)
    if scale(key) == 1:
        upwards = {"title": {"text": axis}, "rangemode": "tozero"}
        for line in lines:
            line["hovertemplate"] = "%{x}: %{y:.1f}<extra>%{fullData.name}</extra>"
    layout = {
        "scattermode": "group",
        "scattergap": 0.3,
        "xaxis": {"type": "category"},
        "yaxis": upwards,
        "shapes": _chance_lines("y", chance),
    }
    text += ", with 95% intervals" + ("." if math.isnan(chance) else "; the dashed line is guessing.")
    return plot(name, title, text, lines, layout, height=440)


def _chance_lines(axis: str, chance: float) -> list[dict[str, Any]]:
    return [] if math.isnan(chance) else [chance_line(axis, round(chance, 6))]


def _by_task(summary: Summary) -> Plot:
    tasks = list(next(iter(summary.by_task.values())))
    ticks = [plain(task) for task in tasks]
    lines = [
        _points(place, name, ticks, [figures[task] for task in tasks], across=True)
        for place, (name, figures) in enumerate(summary.by_task.items())
    ]
    layout = {
        "scattermode": "group",
        "scattergap": 0.3,
        "yaxis": {"type": "category", "autorange": "reversed"},
        "xaxis": share_axis("right answers"),
        "shapes": _chance_lines("x", summary.chance),
    }
    text = "How many answers are right in each task, mean over languages, with 95% intervals."
    height = 150 + len(tasks) * (18 * len(lines) + 14)
    return plot("by-task", "Accuracy by task", text, lines, layout, height=height)


def _by_size(summary: Summary, key: str, title: str, text: str) -> Plot:
    lines = []
    for place, (name, by_name) in enumerate(summary.by_arm.items()):
        # A small offset keeps the error bars of the runs apart.
        aside = (place - (len(summary.by_arm) - 1) / 2) * 0.06
        figures = [by_name[f"{key}_{s}"] for s in summary.sizes]
        line = _points(place, name, [s + aside for s in summary.sizes], figures)
        line["mode"] = "lines+markers"
        line["text"] = [f"s = {s}" for s in summary.sizes]
        lines.append(line)
    of_kappa = {"title": {"text": "kappa_s"}, "rangemode": "tozero"}
    layout = {
        "xaxis": {
            "title": {"text": "s, how many languages"},
            "tickvals": summary.sizes,
            "range": [1.6, summary.sizes[-1] + 0.4],
        },
        "yaxis": share_axis("consistency") if key == "consistency" else of_kappa,
    }
    return plot(f"by-size-{key}", title, text, lines, layout)


def _forest(summary: Summary) -> Plot:
    faults = ("wrong_2", "missing", "undecided", "no_reply")
    keys = [key for key in summary.main_rows if not key.startswith(faults)]
    labels = [label(key) for key in keys]
    names = summary.results.names
    pairs = summary.results.pairs
    lines = []
    for place, (arm, other) in enumerate(pairs):
        figures = [summary.by_pair[arm, other].get(key, _UNDEFINED) for key in keys]
        aside = (place - (len(pairs) - 1) / 2) * 0.8 / max(len(pairs), 2)
        style = style_of(names.index(arm) if other == summary.results.baseline else len(names))
        scales = [scale(key) for key in keys]
        points = [_number(size * figure.value) for size, figure in zip(scales, figures, strict=True)]
        line = trace(f"{arm} − {other}", style, points, [row + aside for row in range(len(keys))])
        line["error_x"] = error_bars(
            [
                Figure(*(size * v for v in (f.value, f.low, f.high)))
                for size, f in zip(scales, figures, strict=True)
            ]
        )
        significant = [summary.is_significant((arm, other), key) for key in keys]
        line["marker"]["symbol"] = [style["symbol"] + ("" if one else "-open") for one in significant]
        line["text"] = labels
        line["hovertemplate"] = "%{text}: %{x:+.1f} points<extra>%{fullData.name}</extra>"
        lines.append(line)
    title = {"text": "difference in points (hundredths of the range)"}
    layout = {
        "xaxis": {"title": title, "zeroline": True, "zerolinewidth": 2},
        "yaxis": {"tickvals": list(range(len(keys))), "ticktext": labels, "range": [len(keys) - 0.5, -0.5]},
    }
    text = (
        "Paired differences on the same questions, with 95% intervals, each by itself; a filled symbol has a "
        "mark in the table, after Holm's correction."
    )
    height = 150 + len(keys) * max(22, 12 * len(pairs))
    return plot("differences", "Differences", text, lines, layout, height=height)


def _scatter(summary: Summary) -> Plot:
    lines = []
    for place, (name, figures) in enumerate(summary.by_arm.items()):
        across, up = figures["accuracy"], figures["consistency_2"]
        line = trace(name, style_of(place), [_number(across.value)], [_number(up.value)])
        line["error_x"], line["error_y"] = error_bars([across]), error_bars([up])
        line["marker"]["size"] = 12
        line["hovertemplate"] = "accuracy %{x:.1%}, consistency_2 %{y:.1%}<extra>%{fullData.name}</extra>"
        lines.append(line)
    axis = {"range": [0, 1.02], "dtick": 0.2}
    layout = {
        "xaxis": {**share_axis("accuracy"), **axis},
        "yaxis": {**share_axis("consistency_2"), **axis},
        "annotations": [_contour_name(height) for height in _CONTOURS],
    }
    text = "Both together, with 95% intervals; along a grey line AC3_2 (their harmonic mean) is the same."
    data = [_contour(height) for height in _CONTOURS] + lines
    return plot("scatter", "Accuracy and consistency", text, data, layout, height=440)


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
    place = {"x": height, "y": height, "yshift": 7, "xshift": 7}
    return {**place, "text": f"{height:.1f}", "showarrow": False, "font": {"size": 10, "color": "#808080"}}


def _points(
    place: int, name: str, along: list[Any], figures: list[Figure], *, across: bool = False
) -> dict[str, Any]:
    """One run's figures with their error bars, upwards, or `across` the page."""
    values = [_number(figure.value) for figure in figures]
    line = trace(name, style_of(place), values if across else along, along if across else values)
    line["error_x" if across else "error_y"] = error_bars(figures)
    line["offsetgroup"] = str(place)
    if across:
        line["orientation"] = "h"
    where = "%{y}: %{x:.1%}" if across else "%{x}: %{y:.1%}"
    line["hovertemplate"] = where + "<extra>%{fullData.name}</extra>"
    return line


def trace(name: str, style: dict[str, str], x: list[Any], y: list[Any]) -> dict[str, Any]:
    """Points called `name`, in the colour and symbol of `style_of`."""
    marker: dict[str, Any] = {"color": style["colour"], "symbol": style["symbol"], "size": 8}
    return {"type": "scatter", "mode": "markers", "name": plain(name), "x": x, "y": y, "marker": marker}


def error_bars(figures: Sequence[Figure]) -> dict[str, Any]:
    """The intervals of figures as error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [_number(figure.high - figure.value) for figure in figures],
        "arrayminus": [_number(figure.value - figure.low) for figure in figures],
        "thickness": 1.5,
        "width": 3,
    }


def style_of(place: int) -> dict[str, str]:
    """The colour and symbol of the run at a place."""
    return {"colour": COLOURS[place % len(COLOURS)], "symbol": SYMBOLS[place % len(SYMBOLS)]}


def share_axis(title: str) -> dict[str, Any]:
    """An axis of shares, in percent."""
    return {"title": {"text": title}, "tickformat": ".0%", "rangemode": "tozero"}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def plain(text: str) -> str:
    """Text that plotly shows as it is, where it would read tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
