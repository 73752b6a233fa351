"""The tables of an experiment: arms as rows, figures as columns, for people."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crossin.experiments.arm_answers import BenchPart
from crossin.experiments.figures import Row
from crossin.experiments.notes import part_name
from crossin.experiments.results import ExperimentResults
from crossin.metrics.bootstrap import Figure
from crossin.reports.cells import NONE, Cell, difference_cell, row_label, value_cell

if TYPE_CHECKING:
    from rich.table import Table

BEST, DEPENDS = "★", "†"
_CSV = (
    "bench",
    "prompt",
    "arm",
    "figure",
    "language",
    "choice",
    "value",
    "low",
    "high",
    "seeds",
    "best",
    "less",
)
_CSV_DIFFERENCE = ("value", "low", "high", "p", "holm", "depends")
# What LaTeX reads as its own.
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
    "−": "$-$",
    "–": "--",
    "▲": r"$\uparrow$",
    "▼": r"$\downarrow$",
    DEPENDS: r"$\dagger$",
}


@dataclass(frozen=True)
class ArmTable:
    """A table: `heads` of the columns, and rows of cells by name. `kind`: `figures`, `differences` or
    `choices`.
    """

    title: str
    kind: str
    heads: list[str]
    rows: list[tuple[str, list[Cell]]]


def grids(results: ExperimentResults) -> list[ArmTable]:
    """All tables: for each part, the figures of all languages together and those by language, then the
    differences to the baseline in the same way, and these by every choice between options.
    """
    made = []
    for part in results.parts:
        made += part_grids(results, part)
    return made


def part_grids(results: ExperimentResults, part: BenchPart) -> list[ArmTable]:
    """The tables of one part."""
    rows = [row for row in results.rows if part_of_row(row) == part and row["shown"] and row["seed"] is None]
    main = [row for row in rows if row["main"]]
    name = part_name(part, results.parts)
    arms = [arm.name for arm in results.index.arms]
    values = {(row["arm"], key_of_row(row)): row for row in main if row["less"] is None}
    apart = {(row["arm"], key_of_row(row)): row for row in main if row["less"] is not None}
    groups = _columns(dict.fromkeys(key for _, key in values))
    made = [
        ArmTable(
            title,
            "figures",
            _heads(keys),
            [(arm, [value(values.get((arm, key))) for key in keys]) for arm in arms],
        )
        for title, keys in groups(name)
    ]
    baseline = results.index.baseline
    others = [arm for arm in arms if arm != baseline]
    if apart:
        made += [
            ArmTable(
                title,
                "differences",
                _heads(keys),
                [(arm, [difference(apart.get((arm, key))) for key in keys]) for arm in others],
            )
            for title, keys in groups(f"{name}, difference to {baseline}")
        ]
    return made + _choice_grids(
        [row for row in rows if row["less"] is not None and row["choice"]], groups, name
    )


def _choice_grids(rows: Sequence[Row], groups: Callable[[str], list[Any]], name: str) -> list[ArmTable]:
    """The differences in figures of options by each choice, where there are several."""
    found = {(row["arm"], row["choice"], key_of_row(row)): row for row in rows}
    choices = dict.fromkeys(choice for _, choice, _ in found)
    if len(choices) < 2:
        return []
    made = []
    for title, keys in groups(f"{name}, difference by what decides between options"):
        chosen = [key for key in keys if any(one == key for _, _, one in found)]
        lines = [
            (f"{arm}, by {choice}", [difference(found.get((arm, choice, key))) for key in chosen])
            for arm in dict.fromkeys(arm for arm, _, _ in found)
            for choice in choices
        ]
        made += [ArmTable(title, "choices", _heads(chosen), lines)] * bool(chosen)
    return made


def _columns(keys: Iterable[str]) -> Callable[[str], list[tuple[str, list[str]]]]:
    """Columns by table: the figures of all languages together, then each figure by language."""
    families: dict[str, list[str]] = {"": []}
    for key in keys:
        figure, slash, _ = key.partition("/")
        families.setdefault(figure if slash else "", []).append(key)

    def titled(name: str) -> list[tuple[str, list[str]]]:
        return [
            (f"{name}: {row_label(figure).removesuffix(', mean')} by language" if figure else name, keys)
            for figure, keys in families.items()
            if keys
        ]

    return titled


def _heads(keys: Sequence[str]) -> list[str]:
    return [
        row_label(key).partition(" ")[2] if "/" in key else row_label(key).removesuffix(", mean")
        for key in keys
    ]


def part_of_row(row: Row) -> BenchPart:
    """The part that a row belongs to."""
    return BenchPart(row["bench"], row["prompt"] or "")


def key_of_row(row: Row) -> str:
    """The figure of a row, with its language if it has one: `accuracy/vi`."""
    return f"{row['figure']}/{row['language']}" if row["language"] else str(row["figure"])


def figure_of_row(row: Row) -> Figure:
    """The figure of a row, with its p."""
    return Figure(*(math.nan if row[name] is None else row[name] for name in ("value", "low", "high", "p")))


def value(row: Row | None) -> Cell:
    """A value with its interval, and a star where the arm is the best; a dash where there is none."""
    cell = value_cell(None if row is None else figure_of_row(row))
    return replace(cell, mark=BEST) if row is not None and row["best"] else cell


def difference(row: Row | None) -> Cell:
    """A signed difference with its marks."""
    if row is None:
        return Cell(NONE, "")
    cell = difference_cell(key_of_row(row), figure_of_row(row), row["holm"])
    return replace(cell, mark=cell.mark + DEPENDS) if row["depends"] else cell


def caption(results: ExperimentResults) -> str:
    """What a reader of the tables must know."""
    text = (
        "Means over seeds; in brackets 95% intervals that cover seeds and groups of questions. "
        f"{BEST} marks an arm that is better than every other: its paired difference to each excludes 0, "
        "after Holm's correction over these differences. "
    )
    if any(row["less"] is not None for row in results.rows):
        text += (
            f"Differences to {results.index.baseline} are paired, by question and by seed. ▲ and ▼ mark "
            "those with p ≤ .05 after Holm's correction and an interval that excludes 0 as shown. The "
            "correction is over all arms and the languages of a figure, or all arms and the other figures of "
            "a benchmark. "
        )
    if any(row["depends"] is not None for row in results.rows):
        text += (
            f"{DEPENDS} depends on the choice: by the log-probability of an option as it is (sum), for each "
            "token, or for each byte, the difference has another sign, or is significant by some only. "
        )
    return text.strip()


def as_markdown(results: ExperimentResults) -> str:
    """All tables, the caption and the notes as Markdown."""
    lines = [f"# {_plain(results.index.name)}", ""]
    for grid in grids(results):
        rows = [["arm", *grid.heads], *([name, *map(_text, cells)] for name, cells in grid.rows)]
        made = ["| " + " | ".join(map(_plain, row)) + " |" for row in rows]
        made.insert(1, "|---" * (len(grid.heads) + 1) + "|")
        lines += [f"## {_plain(grid.title)}", "", *made, ""]
    lines += [caption(results), "", *(f"- {_plain(note)}" for note in results.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _text(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.mark == BEST else cell.value
    return " ".join(part for part in (value, cell.interval, cell.mark) if part)


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def as_latex(results: ExperimentResults) -> str:
    """All tables as LaTeX, for the package booktabs; the best arm of a column is bold."""
    lines = ["% \\usepackage{booktabs}"]
    for grid in grids(results):
        lines += [
            r"\begin{table}",
            rf"\caption{{{_latex(grid.title)}}}",
            rf"\begin{{tabular}}{{l{'l' * len(grid.heads)}}}",
            r"\toprule",
            " & ".join(["arm", *map(_latex, grid.heads)]) + r" \\",
            r"\midrule",
            *(" & ".join([_latex(name), *map(_latex_cell, cells)]) + r" \\" for name, cells in grid.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    # Lines of a comment, so that notes cannot be read as commands.
    said = [caption(results), *results.notes]
    return "\n".join([*lines, *("% " + " ".join(line.split()) for line in said)]) + "\n"


def _latex_cell(cell: Cell) -> str:
    if cell.mark == BEST:
        return rf"\textbf{{{_latex(cell.value)}}} {{{_latex(cell.interval)}}}"
    # In braces: LaTeX would take a bracket after a line's end for an argument.
    interval = f" {{{_latex(cell.interval)}}}" if cell.interval else ""
    return _latex(cell.value + cell.mark) + interval


def _latex(text: str) -> str:
    return "".join(_LATEX.get(one, one) for one in " ".join(text.split()))


def as_csv(results: ExperimentResults) -> str:
    """The figures of the tables, a row for each arm, figure and choice, with the differences."""
    rows = [row for row in results.rows if row["shown"] and row["seed"] is None]
    apart = {_cell_of(row): row for row in rows if row["less"] is not None}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        [
            *_CSV,
            *(f"difference_{name}" if name in ("value", "low", "high") else name for name in _CSV_DIFFERENCE),
        ]
    )
    for row in rows:
        if row["less"] is None:
            other = apart.get(_cell_of(row))
            named = {**row, "less": other and other["less"]}
            cells = [named[name] for name in _CSV] + [other and other[name] for name in _CSV_DIFFERENCE]
            writer.writerow(["" if one is None else _number(one) for one in cells])
    return file.getvalue()


def _cell_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("bench", "prompt", "arm", "figure", "language", "choice"))


def _number(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def terminal_tables(results: ExperimentResults, *, details: bool = False) -> list[Table]:
    """Tables for a terminal: of each part, the figures of all languages together, and their differences;
    `details`: all tables.
    """
    from crossin.reports.terminal import add_row, new_table

    made = []
    for part in results.parts:
        found = part_grids(results, part)
        if not details:
            first = {grid.kind: grid for grid in reversed(found)}
            found = [first[kind] for kind in ("figures", "differences") if kind in first]
        for grid in found:
            table = new_table("arm", grid.heads, title=grid.title)
            for name, cells in grid.rows:
                add_row(table, name, cells)
            made.append(table)
    if made:
        made[-1].caption = caption(results)
    return made
