"""The losses of a run as a page of curves: a plot for each component, a line for each language."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from crossin.charts.parts import Plot, PlotAxis, Point, Series, Style, style_of
from crossin.charts.standalone import plots_page
from crossin.core.files import write_text
from crossin.languages.codes import language_label
from crossin.training.log import Lines
from crossin.training.rows import Group

PAGE = "loss.html"
_STEP = PlotAxis("step", "d")
# With more points, a page is large, and drawing it takes longer than many steps.
_MOST_POINTS = 500
_SPLITS = ("train", "held-out")


class _Loss(NamedTuple):
    """The loss of a group of rows in a line of the log."""

    step: int
    split: str
    group: Group
    loss: float
    tokens: int


def write_loss_page(out: Path, lines: Lines) -> Path | None:
    """Write the page to a run's folder; returns its path, or None without vl-convert (extra `report`)."""
    if find_spec("vl_convert") is None:
        return None
    write_text(out / PAGE, losses_page(out.name, lines))
    return out / PAGE


def page_writer(out: Path, lines: Lines, seconds: float = 60) -> Callable[[], None]:
    """A function that writes the page of a run whose `lines` grow, at most once in `seconds`: where steps are
    short, drawing takes longer than they do.
    """
    last = time.monotonic()

    def write() -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            write_loss_page(out, lines)
            last = time.monotonic()

    return write


def losses_page(name: str, lines: Lines) -> str:
    """The page: the losses of rows trained on and held out, by component and language, and the terms. name:
    the run's. lines: of the log so far.

    Raises CrossinError where vl-convert is not installed.
    """
    last = max((line["step"] for line in lines), default=0)
    width = max(1, math.ceil(last / _MOST_POINTS))
    losses = _thinned(lines, width)
    # A language has one colour in all plots, whichever components have it.
    known = sorted({code for one in losses for code in (one.group.lang_in, one.group.language)})
    styles = {code: style_of(place) for place, code in enumerate(known)}
    by_component = defaultdict(list)
    for one in losses:
        by_component[one.group.component].append(one)
    plots = [
        _component(f"component-{place}", name, found, styles)
        for place, (name, found) in enumerate(sorted(by_component.items()))
    ]
    summary = f"Losses up to step {last:,}, in nats for each learned token. Lines are rows trained on"
    held_out = any(one.split == "held-out" for one in losses)
    summary += ", points are held-out rows, which are not trained on." if held_out else "."
    summary += f" Each is the mean of {width:,} steps." if width > 1 else ""
    return plots_page(f"Losses: {name}", summary, [*plots, *_terms(lines, width)])


def _thinned(lines: Lines, width: int) -> list[_Loss]:
    """The losses of each group, as means over `width` steps, at the first of them."""
    sums: dict[tuple[int, str, Group], list[tuple[float, int]]] = defaultdict(list)
    for line in lines:
        for one in line.get("groups", []):
            place = _first(line["step"], width), one["split"], Group(*map(one.get, Group._fields))
            sums[place].append((one["loss"], one["tokens"]))
    found = []
    for (step, split, group), each in sums.items():
        tokens = sum(of for _, of in each)
        found.append(_Loss(step, split, group, sum(loss * of for loss, of in each) / tokens, tokens))
    return found


def _first(step: int, width: int) -> int:
    """The first of the `width` steps that a step, counted from 1, is among."""
    return (step - 1) // width * width + 1


def _component(place: str, name: str, losses: Sequence[_Loss], styles: Mapping[str, Style]) -> Plot:
    """The plot of a component: a line for each language of the answers; where all answers are in one, for
    each language of the questions.
    """
    answers = {one.group.language for one in losses}
    questions = {one.group.lang_in for one in losses}
    by_question = len(answers) == 1 < len(questions)
    held: dict[tuple[str, str], dict[int, list[_Loss]]] = defaultdict(lambda: defaultdict(list))
    for one in losses:
        language = one.group.lang_in if by_question else one.group.language
        held[language, one.split][one.step].append(one)
    series = [
        _line(language, split, held[language, split], styles[language])
        for split in _SPLITS
        for language in styles
        if (language, split) in held
    ]
    text = "By the language of the answers."
    if by_question:
        text = f"By the language of the questions; all answers are in {_named(*answers)}."
    elif answers == questions and len(answers) == 1:
        text = f"Questions and answers are in {_named(*answers)}."
    elif len(answers) == 1:
        text = f"Questions are in {_named(*questions)}, answers in {_named(*answers)}."
    return Plot(place, name or "All rows", text, tuple(series), _STEP, PlotAxis("nats per learned token"))


def _line(language: str, split: str, by_step: Mapping[int, Sequence[_Loss]], style: Style) -> Series:
    name = _named(language)
    aside = ", held out" if split == "held-out" else ""
    points = []
    for step, found in by_step.items():
        value = sum(one.loss * one.tokens for one in found) / sum(one.tokens for one in found)
        pairs = ", ".join(f"{one.group.lang_in}>{one.group.lang_out} {one.loss:.3f}" for one in found)
        behind = f" ({pairs})" if len(found) > 1 else ""
        points.append(Point(step, value, f"{name}{aside}, step {step}: {value:.3f}{behind}"))
    return Series(name, style, tuple(points), kind="joined" if aside else "line")


def _terms(lines: Lines, width: int) -> list[Plot]:
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for term in line.get("terms", []):
            values[term["term"]][_first(line["step"], width)].append(term["value"])
    series = [
        Series(
            term,
            style_of(place),
            tuple(
                Point(step, fmean(each), f"{term}, step {step}: {fmean(each):.3f}")
                for step, each in found.items()
            ),
            kind="line",
        )
        for place, (term, found) in enumerate(values.items())
    ]
    text = f"{', '.join(values)}, each before its weight."
    return (
        [Plot("terms", "Terms of the loss", text, tuple(series), _STEP, PlotAxis("nats"))] if series else []
    )


def _named(language: str) -> str:
    return language_label(language) or "no language given"
