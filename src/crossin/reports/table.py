"""The table of a report, for terminal, README and page: figures as rows, runs as columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crossin.reports.cells import (
    MARKS,
    NONE,
    TONE_COLOURS,
    Cell,
    difference_cell,
    p_value,
    row_label,
    value_cell,
)
from crossin.reports.summary import PAPER, Summary

if TYPE_CHECKING:
    from rich.table import Table

ONE_LANGUAGE_EACH = (
    "Each question was asked in one language only: consistency, AC3 and kappa need the same questions in "
    "every language."
)
TEXTS = (
    "Free text: exact match, F1 of words and chrF (0 to 100) against the reference; fidelity is the share of "
    "replies in the language asked, among those whose language is clear."
)
# What is markup: an underscore within a word is not, nor are brackets that no address follows.
_ACTIVE = re.compile(r"[\\`*>|~#$]|\](?=[(\[:])|(?<!\w)_|_(?!\w)")
# With more columns, a terminal shows intervals below the values.
_WIDE_COLUMNS = 5


@dataclass(frozen=True)
class Grid:
    """The cells of the table: `heads` has an entry for each column, first those of the `runs`, then the
    differences; `rows` are labels and their cells.
    """

    heads: list[str]
    runs: int
    rows: list[tuple[str, list[Cell]]]


def grid(summary: Summary, pairs: Sequence[tuple[str, str]], chosen: Sequence[str] | None = None) -> Grid:
    """The table of all runs and of the differences of `pairs` of runs; of the figures `chosen` only."""
    rows = []
    corrected = {pair: summary.corrected(pair) for pair in pairs}
    for key in summary.rows if chosen is None else chosen:
        cells = [value_cell(figures.get(key)) for figures in summary.by_arm.values()]
        cells += [
            difference_cell(key, summary.by_pair[pair].get(key), corrected[pair].get(key)) for pair in pairs
        ]
        rows.append((row_label(key), cells))
    heads = [*summary.by_arm, *(f"{arm} − {other}" for arm, other in pairs)]
    return Grid(heads, len(summary.by_arm), rows)


def p_grid(summary: Summary, pairs: Sequence[tuple[str, str]]) -> Grid:
    """The p-values of the differences of `pairs`, corrected and by themselves, in the rows of `grid`."""
    alone = {pair: summary.p_values(pair) for pair in pairs}
    corrected = {pair: summary.corrected(pair) for pair in pairs}
    rows = [
        (row_label(key), [_p_cell(corrected[pair].get(key), alone[pair].get(key)) for pair in pairs])
        for key in summary.rows
    ]
    return Grid([f"{arm} − {other}" for arm, other in pairs], 0, rows)


def _p_cell(corrected: float | None, alone: float | None) -> Cell:
    if corrected is None or alone is None:
        return Cell(NONE, "")
    return Cell(p_value(corrected), f"({p_value(alone)} alone)")


def as_rich(summary: Summary, *, width: int = 120) -> Table:
    """The table for a terminal of `width` columns, with the main figures."""
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    shape = grid(summary, summary.results.main_pairs, summary.main_rows)
    narrow = len(shape.heads) > _WIDE_COLUMNS or width < 100
    made = Table(
        caption=caption(summary), caption_justify="left", padding=(0, 0 if narrow else 1), pad_edge=False
    )
    made.add_column("figure", no_wrap=True)
    for head in shape.heads:
        made.add_column(escape(head), justify="left", overflow="fold")
    for name, cells in shape.rows:
        texts = [Text(cell.text("\n" if narrow else " "), TONE_COLOURS[cell.tone]) for cell in cells]
        made.add_row(name, *texts, end_section=name in ("accuracy, mean", "wrong_2"))
    return made


def markdown(summary: Summary) -> str:
    """The same table for a README."""
    shape = grid(summary, summary.results.main_pairs, summary.main_rows)
    rows = [["figure", *map(escaped_markdown, shape.heads)]]
    rows += [
        [escaped_markdown(name), *(f"{cell} {cell.mark}".strip() for cell in cells)]
        for name, cells in shape.rows
    ]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---" * (len(shape.heads) + 1) + "|")
    return "\n".join([*lines, "", caption(summary)]) + "\n"


def caption(summary: Summary) -> str:
    """What a reader of the table must know."""
    asked = _count(len(summary.results.items), "question") + f" ({_count(summary.groups, 'group')}) in "
    asked += _count(len(summary.results.languages), "language")
    guessing = f"; guessing would be right {summary.chance:.0%} of the time"
    text = f"{asked}{'' if math.isnan(summary.chance) else guessing}. In brackets: 95% intervals. "
    if left_out := len(summary.results.incomplete):
        text += f"{_count(left_out, 'question')} not asked in every language left out. "
    if not summary.parallel:
        text += f"{ONE_LANGUAGE_EACH} "
    if summary.by_pair:
        text += "Differences are paired, question by question; "
        text += f"{MARKS} "
    if summary.text_languages:
        text += f"{TEXTS} "
    return text + PAPER[0].upper() + PAPER[1:] + "." if summary.choice_languages else text.strip()


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def escaped_markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line: no markup, no HTML, no link."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return _ACTIVE.sub(r"\\\g<0>", line).replace("://", ":\\//")
