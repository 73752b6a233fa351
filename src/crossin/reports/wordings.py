"""How much the figures of a report depend on the wording of the prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from crossin.logs.tables import Predictions
from crossin.metrics.bootstrap import DRAWS, Figure, resample
from crossin.metrics.choices import answer_family
from crossin.metrics.families import observed
from crossin.metrics.wordings import Spread, spread, wording_family
from crossin.reports.cells import Cell, digits, figures_json, number, row_label, value_cell
from crossin.reports.figures_html import TableLine, box, cell_html, table_html
from crossin.reports.results import Results
from crossin.reports.summary import Summary, reply_families
from crossin.reports.terminal import add_row, new_table

if TYPE_CHECKING:
    from rich.table import Table

TITLE = "Under every wording of the prompt"
_HEADS = ("reported", "median", "lowest", "highest")


@dataclass(frozen=True, eq=False)
class WordingRange:
    """One run under several wordings: the one `reported`, all `prompts`, each figure's median and range, and
    how often the answer is the same under all of them (`wording_agreement`).
    """

    reported: str
    prompts: Sequence[str]
    spread: Mapping[str, Spread]
    agreement: Mapping[str, Figure]

    @property
    def caption(self) -> str:
        """Which wordings they are."""
        text = f"Reported is '{self.reported}', of {', '.join(self.prompts)}."
        same = self.agreement.get("wording_agreement")
        return text + (f" The same answer under all: {value_cell(same)}." if same else "")


def wording_ranges(results: Results, *, draws: int = DRAWS, seed: int = 0) -> dict[str, WordingRange]:
    """The range of each run that answered under several wordings, by its name."""
    found = {}
    for run in results.runs:
        if run.wordings:
            tables = [one.choices for one in run.wordings if one.choices is not None]
            same = [wording_family(tables)] if tables else []
            found[run.name] = WordingRange(
                run.answers.prompt,
                [one.prompt for one in run.wordings],
                spread({one.prompt: _values(one) for one in run.wordings}),
                resample(same, tables[0].groups, draws=draws, seed=seed) if tables else {},
            )
    return found


def _values(answers: Predictions) -> dict[str, float]:
    families = [answer_family(answers.choices)] if answers.choices else []
    families += reply_families(answers.texts) if answers.texts else []
    return {name: value for family in families for name, value in observed(family).items()}


def ranges_json(ranges: Mapping[str, WordingRange]) -> dict[str, Any]:
    """The ranges by run, as JSON values."""
    return {
        name: {
            "reported": one.reported,
            "prompts": list(one.prompts),
            "spread": {
                key: {"median": number(found.median), "low": number(found.low), "high": number(found.high)}
                for key, found in one.spread.items()
            },
            "wording_agreement": figures_json(one.agreement),
        }
        for name, one in ranges.items()
    }


def ranges_html(summary: Summary, ranges: Mapping[str, WordingRange]) -> str:
    """A table for each run."""
    made = []
    for name, one in ranges.items():
        title = f"{TITLE}: {name}"
        lines = [
            TableLine(escape(figure), [cell_html(Cell(value, "")) for value in cells])
            for figure, cells in _rows(summary, name, one, summary.rows)
        ]
        table = table_html("figure", [f'<th scope="col">{head}</th>' for head in _HEADS], [lines])
        key = f'<p class="key">{escape(one.caption)}</p>'
        made.append(f"<h3>{escape(title)}</h3>{box(title, table)}{key}")
    return "".join(made)


def ranges_tables(summary: Summary, ranges: Mapping[str, WordingRange]) -> list[Table]:
    """A table for a terminal for each run, with the main figures."""
    made = []
    for name, one in ranges.items():
        table = new_table(f"{name}: {len(one.prompts)} wordings", _HEADS, caption=one.caption)
        for figure, cells in _rows(summary, name, one, summary.main_rows):
            add_row(table, figure, cells)
        made.append(table)
    return made


def _rows(summary: Summary, name: str, one: WordingRange, keys: Sequence[str]) -> list[tuple[str, list[str]]]:
    ours = summary.by_arm[name]
    return [
        (row_label(key), [digits(x) for x in (ours[key].value, found.median, found.low, found.high)])
        for key in keys
        if (found := one.spread.get(key)) is not None and key in ours
    ]
