"""Scores and comparisons as tables for a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from crossin.metrics import Figure
from crossin.reports.cells import NONE, TONE_COLOURS, Cell, difference_cell, label, value_cell

if TYPE_CHECKING:
    from rich.table import Table

    from crossin.scoring.comparison import Comparison
    from crossin.scoring.scores import Score, Wordings
    from crossin.scoring.seaeval_parity import Parity

# The figures of a table whose lines are the languages, and their headings.
_BY_LANGUAGE = {
    "accuracy": "accuracy",
    "missing": "missing",
    "pivot": "same as {pivot}",
    "kept": "kept",
    "gained": "gained",
    "transfer": "transfer",
}
_TEXT = {
    name: label(name) for name in ("exact_match", "f1", "chrf", "bleu", "fidelity", "undecided", "missing")
}
_BY_SIZE = ("consistency", "kappa", "right", "wrong", "ac3")
# What is not clear from a heading.
_MEANING = {
    "missing": "no answer could be read from the reply",
    "pivot": "the same answer as in {pivot}",
    "kept": "right where {pivot} is right",
    "gained": "right where {pivot} is wrong",
    "transfer": "accuracy above chance, as a part of that in {pivot}",
    "consistency": "the same answer in s languages",
    "kappa": "how far consistency is above chance, at most 1",
    "right": "the same right answer",
    "wrong": "the same wrong answer",
    "ac3": "harmonic mean of accuracy and consistency",
    "f1": "words shared with the reference",
    "chrf": "0 to 100",
    "bleu": "0 to 100",
    "fidelity": "the reply is in the language asked",
    "undecided": "the reply's language is unclear",
}
# Longer names of models are wrapped.
_NAME = 40
# Compared in each language, too.
_EACH_LANGUAGE = ("accuracy/", "exact_match/", "chrf/")
_SUMMARY = ("accuracy", "consistency_2", "kappa_2", "ac3_2", "exact_match", "chrf")


def tables(score: Score, *, details: bool = False) -> list[Table]:
    """The tables of a score; `details` adds the agreement of every two languages."""
    made = []
    choices, texts = score.predictions.choices, score.predictions.texts
    if choices is not None:
        languages = choices.languages
        heads = {name: head.format(pivot=score.pivot) for name, head in _BY_LANGUAGE.items()}
        made.append(_by_language(score.choices, languages, heads, score.pivot))
        if len(languages) > 1:
            made.append(_by_size(score.choices, len(languages)))
        if details:
            made += [_pairs(score.choices, languages, kind) for kind in ("agreement", "kappa", "rankc")]
    if score.by_task:
        made.append(_by_task(score.by_task))
    if texts is not None:
        made.append(_by_language(score.texts, texts.languages, _TEXT, score.pivot))
    return [table for table in made if table.row_count]


def summary(scores: Sequence[Score]) -> Table:
    """Many scores in one table, a line each; names that occur twice are shown with their files."""
    columns = [name for name in _SUMMARY if any(name in {**s.texts, **s.choices} for s in scores)]
    made = _table("model", [label(name) for name in columns])
    names = [score.predictions.name for score in scores]
    for score, name in zip(scores, names, strict=True):
        figures = {**score.texts, **score.choices}
        shown = name if names.count(name) == 1 else f"{name} ({score.predictions.file})"
        _add(made, shown, (value_cell(figures.get(column)) for column in columns))
    made.caption = _legend(columns)
    return made


def wordings_table(wordings: Wordings) -> Table:
    """Median and range of each overall figure over the wordings of the prompt."""
    made = _table(f"{wordings.model}: {len(wordings.prompts)} wordings", ["median", "lowest", "highest"])
    for name, found in wordings.spread.items():
        if _overall(name, wordings.spread):
            _add(made, label(name), (Cell(_digits(x), "") for x in (found.median, found.low, found.high)))
    same = value_cell(wordings.agreement["wording_agreement"])
    made.caption = f"The same answer under all wordings of the prompt: {same}"
    return made


def comparison_tables(comparison: Comparison) -> list[Table]:
    """A table for multiple choice and one for free text: both models and their paired difference."""
    made = []
    for kind, compared in (("multiple choice", comparison.choices), ("free text", comparison.texts)):
        if compared is None:
            continue
        tested = compared is comparison.choices
        table = _table(kind, ["A", "B", "A − B", *(["McNemar p, Holm"] if tested else [])])
        difference = compared.difference
        shown = [x for x in difference if _overall(x, difference) or x.startswith(_EACH_LANGUAGE)]
        for name in shown:
            cells = [value_cell(compared.ours[name]), value_cell(compared.theirs[name])]
            cells.append(difference_cell(name, difference[name]))
            if tested and name.startswith("accuracy/"):
                language = name.removeprefix("accuracy/")
                cells.append(Cell(f"{_p(comparison.p[language])}, {_p(comparison.holm[language])}", ""))
            _add(table, label(name), cells)
        table.caption = f"▲ ▼: the interval of the difference excludes 0. {_legend(shown, comparison.pivot)}"
        made.append(table)
    return made


def parity_table(found: Sequence[Parity]) -> Table:
    """SeaEval's figures of many logs, and how far they are from those published."""
    shown = {"overall_acc": "accuracy", "consistency_score_2": "consistency_2", "AC3_2": "AC3_2"}
    made = _table("log", [*shown.values(), "drawn", "off by"])
    for one in found:
        cells = [Cell(_digits(one.scores.get(name, math.nan)), "") for name in shown]
        cells.append(Cell(f"{one.undetermined}/{one.cells}", ""))
        cells.append(Cell(NONE if one.furthest is None else f"{one.furthest:.1e}", ""))
        _add(made, f"{one.file.parent.name}/{one.file.stem}", cells)
    made.caption = (
        "drawn: answers that SeaEval draws at random; the figures are expected values over the draws. "
        "off by: the largest difference to a figure published beside the log."
    )
    return made


def _overall(name: str, figures: Collection[str]) -> bool:
    """Whether a figure is over all languages; of the sizes of subsets, two, three and all are shown."""
    figure, _, size = name.rpartition("_")
    largest = not size.isdigit() or f"{figure}_{int(size) + 1}" not in figures
    return "/" not in name and (largest or size in ("2", "3"))


def _legend(figures: Collection[str], pivot: str = "") -> str:
    """The meaning of the figures and of the brackets."""
    stems = dict.fromkeys(re.sub(r"_\d+$|/.*", "", figure) for figure in figures)
    named = [("AC3" if x == "ac3" else label(x), _MEANING[x]) for x in stems if x in _MEANING]
    meanings = [f"{name}: {meaning.format(pivot=pivot)}" for name, meaning in named]
    return "; ".join(["[ ]: 95% interval", *meanings]) + "."


def _by_language(
    figures: Mapping[str, Figure], languages: Sequence[str], heads: Mapping[str, str], pivot: str
) -> Table:
    shown = {name: head for name, head in heads.items() if _worth_showing(name, figures, languages)}
    made = _table("language", list(shown.values()))
    for language in languages:
        _add(made, language, (value_cell(figures.get(f"{name}/{language}")) for name in shown))
    if len(languages) > 1:
        made.add_section()
        _add(made, "mean", (value_cell(figures.get(name)) for name in shown))
    # Its heading says what the figure `pivot` is.
    made.caption = _legend([name for name in shown if name != "pivot"], pivot)
    return made


def _worth_showing(name: str, figures: Mapping[str, Figure], languages: Sequence[str]) -> bool:
    values = [figures[key].value for key in (f"{name}/{x}" for x in languages) if key in figures]
    return any(value != 0 for value in values) if name in ("missing", "undecided") else bool(values)


def _by_size(figures: Mapping[str, Figure], languages: int) -> Table:
    made = _table("languages", [label(f"{name}_s") for name in _BY_SIZE])
    for s in range(2, languages + 1):
        _add(made, f"s = {s}", (value_cell(figures[f"{name}_{s}"]) for name in _BY_SIZE))
    made.caption = f"Means over all sets of s languages. {_legend(_BY_SIZE)}"
    return made


def _by_task(by_task: Mapping[str, Mapping[str, Figure]]) -> Table:
    columns = ("accuracy", "missing", "consistency_2", "kappa_2", "ac3_2")
    made = _table("task", [label(name) for name in columns])
    for task, figures in by_task.items():
        _add(made, task, (value_cell(figures.get(name)) for name in columns))
    return made


def _pairs(figures: Mapping[str, Figure], languages: Sequence[str], kind: str) -> Table:
    """A figure of every two languages, above the diagonal; its intervals would fill the screen."""
    made = _table(kind, languages[1:])
    made.caption = f"{kind} of every two languages; intervals: --json"
    for row, first in enumerate(languages[:-1], start=1):
        keys = [f"{kind}/{first}+{second}" for second in languages[row:]]
        if all(key in figures for key in keys):
            values = [Cell(value_cell(figures[key]).value, "") for key in keys]
            _add(made, first, [Cell("", "")] * (row - 1) + values)
    return made


def _table(corner: str, heads: Sequence[str]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), caption_justify="left")
    made.add_column(escape(corner), overflow="fold", max_width=_NAME)
    for head in heads:
        made.add_column(escape(head), no_wrap=True)
    return made


def _add(table: Table, name: str, cells: Iterable[Cell]) -> None:
    from rich.text import Text

    texts = [Text(cell.text("\n"), TONE_COLOURS[cell.tone]) for cell in cells]
    table.add_row(Text(name), *texts)


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def _digits(value: float) -> str:
    return NONE if math.isnan(value) else f"{value:.3f}"
