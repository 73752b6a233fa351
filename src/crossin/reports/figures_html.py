"""The tables of figures, as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from crossin.languages.codes import language_label
from crossin.reports.cells import Cell, label
from crossin.reports.definitions import DEFINITIONS, PAPERS, figure_of
from crossin.reports.difference_parts import CAPTION, HEADS, TITLE, parts_rows
from crossin.reports.summary import Figures, Summary
from crossin.reports.table import Grid, caption, grid, p_grid

# The script that sorts the tables of `table_html`.
SORTING = Path(__file__).parent / "scripts" / "table.js"
# With more arms, each has a row.
_MOST_ARMS = 4
# With more columns, intervals stand below the values.
_WIDE_COLUMNS = 4


class TableLine(NamedTuple):
    """A row: its name and its cells, as HTML; without cells, the heading of a group. kind: `sum` stays last,
    `part` first. key: the figure that it is of.
    """

    name: str
    cells: Sequence[str] = ()
    kind: str = ""
    key: str = ""


def figures_table(summary: Summary) -> str:
    """The table of all runs and their differences; folded away below it, what the figures mean, and the
    p-values.
    """
    pairs = summary.results.pairs
    shape, tests = grid(summary, pairs), p_grid(summary, pairs)
    parts = [
        box("Table of figures", _laid_out(summary, shape, tests)),
        f'<p class="key">{escape(caption(summary))}</p>',
        folded("What the figures mean", _glossary(summary)),
    ]
    if pairs:
        parts.append(folded("p-values of the differences", box("p-values", _laid_out(summary, tests))))
    return "".join(parts)


def difference_tables(summary: Summary) -> str:
    """What the difference of each pair of runs is made of, where some question was left without an answer;
    folded away but for the main pair.
    """
    made = []
    for pair, parts in summary.parts.items():
        title = f"{TITLE}: {' − '.join(pair)}"
        body = (
            f'{box(title, _parts_table(parts, summary.choice_languages))}<p class="key">{escape(CAPTION)}</p>'
        )
        made.append(folded(escape(title), body, is_open=pair == summary.main_pair))
    return "".join(made)


def cell_html(cell: Cell, kind: str = "", title: str = "") -> str:
    """A cell of a table, of a class besides that of its tone."""
    kinds = f"{kind} {cell.tone}".strip()
    titled = f' title="{escape(title)}"' if title else ""
    return f'<td class="{kinds}"{titled}>{cell_content(cell)}</td>'


def cell_content(cell: Cell) -> str:
    """What stands in a cell: value, mark and interval."""
    mark = f' <span class="mark">{cell.mark}</span>' if cell.mark else ""
    interval = f'<span class="interval">{escape(cell.interval)}</span>'
    return f"<b>{escape(cell.value)}</b>{mark} {interval}"


def _laid_out(summary: Summary, shape: Grid, tests: Grid | None = None) -> str:
    """A grid with a row for each figure or, of many arms, for each arm. tests: the p-values of its
    differences, for the cells' titles.
    """
    kinds = [""] * shape.runs + ["difference"] * (len(shape.heads) - shape.runs)
    rows = []
    for place, (_, cells) in enumerate(shape.rows):
        titles = [""] * len(cells)
        if tests:
            titles[shape.runs :] = [f"p {cell}" for cell in tests.rows[place][1]]
        rows.append([cell_html(*cell) for cell in zip(cells, kinds, titles, strict=True)])
    heads = [escape(head) for head in shape.heads]
    if len(summary.by_arm) <= _MOST_ARMS:
        named = zip(heads, kinds, strict=True)
        columns = [f'<th scope="col"{_class(kind)}>{head}</th>' for head, kind in named]
        return table_html("figure", columns, _by_figure(summary.rows, rows))
    by_language = {key.partition("/")[0] for key in summary.rows if "/" in key}
    columns = [
        f'<th scope="col"{_about(key)}>{_full_name(key)}{"<br>mean" * (key in by_language)}</th>'
        for key in summary.rows
    ]
    lines = [TableLine(head, cells) for head, cells in zip(heads, zip(*rows, strict=True), strict=True)]
    return table_html("arm", columns, [lines[: shape.runs], lines[shape.runs :]])


def _by_figure(keys: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[list[TableLine]]:
    """A group for each figure: its languages, and their mean."""
    cells = dict(zip(keys, rows, strict=True))
    for figure, found in groupby(keys, key=lambda key: key.partition("/")[0]):
        mine = list(found)
        if len(mine) == 1:
            yield [TableLine(_full_name(mine[0]), cells[mine[0]], key=figure)]
            continue
        lines = [TableLine(_full_name(figure), key=figure)]
        for key in mine:
            language = key.partition("/")[2]
            kind = "" if language else "sum"
            lines.append(TableLine(escape(language_label(language) or "mean"), cells[key], kind))
        yield lines


def table_html(corner: str, heads: Sequence[str], groups: Iterable[Sequence[TableLine]]) -> str:
    """A table whose rows can be sorted within their groups."""
    kinds = "figures sortable" + " narrow" * (len(heads) > _WIDE_COLUMNS)
    bodies = "".join(
        f"<tbody>{''.join(_row(line, len(heads)) for line in group)}</tbody>" for group in groups if group
    )
    return (
        f'<table class="{kinds}"><thead><tr><th scope="col">{corner}</th>{"".join(heads)}</tr></thead>'
        f"{bodies}</table>"
    )


def _row(line: TableLine, columns: int) -> str:
    about = _about(line.key) if line.key else ""
    if not line.cells:
        return f'<tr class="part"><th scope="rowgroup" colspan="{columns + 1}"{about}>{line.name}</th></tr>'
    return f'<tr{_class(line.kind)}><th scope="row"{about}>{line.name}</th>{"".join(line.cells)}</tr>'


def _full_name(key: str) -> str:
    """A figure and, on a line of its own, its language."""
    figure, _, language = key.partition("/")
    name = escape(label(figure).removesuffix(", mean"))
    return f"{name}<br>{escape(language_label(language))}" if language else name


def _about(key: str) -> str:
    """What a figure means, for who points at it, and for screen readers."""
    figure = figure_of(key)
    return f' title="{escape(DEFINITIONS[figure])}" aria-describedby="about-{figure}"'


def _glossary(summary: Summary) -> str:
    """What the table's figures mean, and whose they are."""
    lines = []
    for figure in dict.fromkeys(map(figure_of, summary.rows)):
        whose = " (the paper's)" if figure in PAPERS else ""
        about = escape(DEFINITIONS[figure] + whose)
        lines.append(f'<dt>{_full_name(figure)}</dt><dd id="about-{figure}">{about}.</dd>')
    return f"<dl>{''.join(lines)}</dl>"


def _parts_table(parts: Figures, languages: Sequence[str]) -> str:
    heads = [f'<th scope="col">{escape(head)}</th>' for head in HEADS]
    rows = [
        TableLine(escape(name), list(map(cell_html, cells)), "" if name != "mean" else "sum")
        for name, cells in parts_rows(parts, languages)
    ]
    return table_html("language", heads, [rows])


def box(name: str, table: str) -> str:
    """A box in which a table can be scrolled."""
    return f'<div class="scroll tall" tabindex="0" role="region" aria-label="{escape(name)}">{table}</div>'


def folded(title: str, body: str, *, is_open: bool = False) -> str:
    """HTML that is shown when its title is opened."""
    opened = " open" if is_open else ""
    return f'<details class="below"{opened}><summary>{title}</summary>{body}</details>'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
