"""The plots of a report, as what they show; `svg.py` draws them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crossin.charts.parts import Plot, PlotAxis, Point, Series, Style, along, known, shares, style_of
from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import label, scale
from crossin.reports.summary import Summary

# With more languages an axis has room for their codes only.
_MOST_NAMES = 5
# With fewer languages, the outcomes of questions say as much as in how many they are right.
_MANY = 5
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
        sentence = "How often all of s languages give the same answer (consistency_s, the paper's); "
        sentence += "dashed, what chance gives: the answers of each language in random order."
        beyond = "The same, corrected for chance: (observed − chance) / (1 − chance) (kappa_s, ours)."
        made += [
            _scatter(summary),
            _by_size(summary, "consistency", "Consistency", sentence),
            _by_size(summary, "kappa", "Consistency beyond chance", beyond),
        ]
        if len(summary.choice_languages) >= _MANY:
            made.append(_right_in(summary))
    if summary.text_languages:
        made += [_by_language(summary, summary.text_languages, *names) for names in _TEXTS]
    if summary.by_pair:
        made.append(_forest(summary))
    return [*made, _by_task(summary)] if summary.by_task else made


def run_styles(summary: Summary) -> list[dict[str, str]]:
    """The name, the colour and the symbol of each run, everywhere on the page."""
    styles = [(name, style_of(place)) for place, name in enumerate(summary.results.names)]
    return [{"name": name, "colour": style.colour, "symbol": style.symbol} for name, style in styles]


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
    ticks = {
        language.code: f"{language.name}\n{language.code}"
        if named and language.name != language.code
        else language.code
        for language in languages
    }
    times, form = (100, ".0%") if scale(key) != 1 else (1, ".0f")
    series = [
        Series(
            arm,
            style_of(place),
            known(
                [
                    along(
                        tick,
                        figure := figures[f"{key}/{code}"],
                        f"{arm}, {code}: {times * figure.value:.1f}{'%' if times == 100 else ''}",
                    )
                    for code, tick in ticks.items()
                ]
            ),
        )
        for place, (arm, figures) in enumerate(summary.by_arm.items())
    ]
    text += ", with 95% intervals" + ("." if math.isnan(chance) else "; the dashed line is guessing.")
    x, y = PlotAxis(categories=tuple(ticks.values())), PlotAxis(axis, form)
    return Plot(name, title, text, tuple(series), x, y, grouped=True).with_rule("y", chance)


def _by_task(summary: Summary) -> Plot:
    tasks = tuple(next(iter(summary.by_task.values())))
    series = [
        Series(
            name,
            style_of(place),
            known(
                [
                    along(task, figures[task], f"{name}, {task}: {figures[task].value:.1%}", across=True)
                    for task in tasks
                ]
            ),
        )
        for place, (name, figures) in enumerate(summary.by_task.items())
    ]
    text = "How many answers are right in each task, mean over languages, with 95% intervals."
    height = len(tasks) * (16 * len(series) + 10)
    x, y = shares("right answers"), PlotAxis(categories=tasks)
    made = Plot("by-task", "Accuracy by task", text, tuple(series), x, y, grouped=True, height=height)
    return made.with_rule("x", summary.chance)


def _by_size(summary: Summary, key: str, title: str, text: str) -> Plot:
    series = _joined(summary, {s: f"{key}_{s}" for s in summary.sizes}, "s")
    if key == "consistency":
        series.append(_by_chance(summary))
    ticks = {float(s): str(s) for s in summary.sizes}
    x = PlotAxis("s, how many languages", ticks=ticks, limits=(1.6, summary.sizes[-1] + 0.4))
    y = shares("consistency") if key == "consistency" else PlotAxis("kappa_s", ".2f")
    return Plot(f"by-size-{key}", title, text, tuple(series), x, y)


def _right_in(summary: Summary) -> Plot:
    most = len(summary.choice_languages)
    keys = {k: f"right_in/{k}" for k in range(most + 1)}
    text = f"How many questions are right in exactly k of the {most} languages, with 95% intervals."
    x = PlotAxis("k, how many languages", ticks={float(k): str(k) for k in keys}, limits=(-0.4, most + 0.4))
    series = _joined(summary, keys, "k")
    return Plot("right-in", "Right in how many languages", text, tuple(series), x, shares("questions"))


def _joined(summary: Summary, keys: Mapping[int, str], letter: str) -> list[Series]:
    """The figures of each run at numbers along the axis, which `letter` stands for, joined by lines."""
    series = []
    for place, (name, by_name) in enumerate(summary.by_arm.items()):
        # A small offset keeps the intervals of the runs apart.
        aside = (place - (len(summary.by_arm) - 1) / 2) * 0.06
        points = [
            along(at + aside, by_name[key], f"{name}, {letter} = {at}: {_said(key, by_name[key])}")
            for at, key in keys.items()
        ]
        series.append(Series(name, style_of(place), known(points), kind="joined"))
    return series


def _by_chance(summary: Summary) -> Series:
    """The consistency by chance of the run under study."""
    figures = summary.by_arm[summary.subject]
    values = {s: figures[f"expected_{s}"].value for s in summary.sizes}
    name = f"{summary.subject} by chance"
    points = [
        along(s, replace(_UNDEFINED, value=value), f"{name}, s = {s}: {value:.1%}")
        for s, value in values.items()
    ]
    return Series(name, Style("var(--soft)", "circle", (4, 3)), known(points), kind="line")


def _said(key: str, figure: Figure) -> str:
    return f"{figure.value:.2f}" if key.startswith("kappa") else f"{figure.value:.1%}"


def _forest(summary: Summary) -> Plot:
    faults = ("wrong_2", "missing", "undecided", "no_reply")
    keys = [key for key in summary.main_rows if not key.startswith(faults)]
    series = []
    for place, pair in enumerate(summary.results.pairs):
        name = " − ".join(pair)
        points = []
        for key in keys:
            figure, times = summary.by_pair[pair].get(key, _UNDEFINED), scale(key)
            figure = Figure(*(times * one for one in (figure.value, figure.low, figure.high)))
            text = f"{name}, {label(key)}: {figure.value:+.1f} points"
            filled = summary.is_significant(pair, key)
            points.append(along(label(key), figure, text, across=True, filled=filled))
        # An arm has its own colour; a pair without the baseline has one that no arm has.
        arm = summary.results.names.index(pair[0])
        other = len(summary.results.names) + place
        style = style_of(arm if pair[1] == summary.results.baseline else other)
        series.append(Series(name, style, known(points)))
    text = (
        "Paired differences on the same questions, with 95% intervals, each by itself; a filled symbol has a "
        "mark in the table, after Holm's correction. The dashed line is no difference."
    )
    return differences("differences", "Differences", text, series, [label(key) for key in keys])


def differences(name: str, title: str, text: str, series: Sequence[Series], rows: Sequence[str]) -> Plot:
    """A plot of differences in points, a row for each figure, around the line of no difference."""
    height = len(rows) * max(20, 11 * len(series))
    x, y = PlotAxis("difference in points (hundredths of the range)", "+"), PlotAxis(categories=tuple(rows))
    return Plot(name, title, text, tuple(series), x, y, rules=(("x", 0.0),), grouped=True, height=height)


def _scatter(summary: Summary) -> Plot:
    series = []
    for place, (name, figures) in enumerate(summary.by_arm.items()):
        across, up = figures["accuracy"], figures["consistency_2"]
        if math.isnan(across.value) or math.isnan(up.value):
            continue
        text = f"{name}: accuracy {across.value:.1%}, consistency_2 {up.value:.1%}"
        ends = [None if math.isnan(one.low) else (one.low, one.high) for one in (across, up)]
        point = Point(across.value, up.value, text, x_interval=ends[0], y_interval=ends[1])
        series.append(Series(name, style_of(place), (point,)))
    text = "Both together, with 95% intervals; along a grey line AC3_2 (their harmonic mean) is the same."
    x, y = (PlotAxis(title, ".0%", limits=(0, 1)) for title in ("accuracy", "consistency_2"))
    contours = {f"{height:.1f}": _contour(height) for height in _CONTOURS}
    return Plot("scatter", "Accuracy and consistency", text, tuple(series), x, y, contours=contours)


def _contour(height: float) -> list[tuple[float, float]]:
    # AC3 = 2ac / (a + c), so c = AC3 a / (2a - AC3), which is at most 1 where a is at least AC3 / (2 - AC3).
    least = height / (2 - height)
    accuracies = [least + (1 - least) * (step / 40) ** 2 for step in range(41)]
    return [(round(a, 4), round(height * a / (2 * a - height), 4)) for a in accuracies]
