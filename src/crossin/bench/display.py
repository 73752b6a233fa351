"""What a check and an overlap find, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from crossin.bench.check import CheckResult
from crossin.bench.overlap import Overlap
from crossin.bench.show import visible
from crossin.core.reasons import sentence_of
from crossin.languages.codes import language_name

# Characters of an example.
_SHOWN = 60


def check_tables(result: CheckResult) -> list[Table]:
    """The findings, and how often simple heuristics are right; what there is of both."""
    tables = []
    if result.findings:
        table = _findings_table(("", "finding"), "count")
        for line in result.counted():
            kind = Text("structural", "bold red") if line["structural"] else Text("content")
            examples = (
                one["item"] + (f" ({one['note'][:_SHOWN]})" if one["note"] else "")
                for one in line["examples"]
            )
            _add(table, (kind, sentence_of(line["reason"])), line, examples)
        tables.append(table)
    if result.guessing:
        heuristics = dict.fromkeys(name for shares in result.guessing.values() for name in shares)
        headers = ("right by", *(name.replace("_", " ") for name in heuristics))
        table = Table(*(Column(name, overflow="fold") for name in headers))
        for task, found in result.guessing.items():
            shares = (found.get(name) for name in heuristics)
            table.add_row(Text(visible(task)), *("" if share is None else f"{share:.2f}" for share in shares))
        tables.append(table)
    return tables


def overlap_table(found: Overlap) -> Table | None:
    """What is shared, by evidence and language; None for nothing."""
    table = _findings_table(("shared", "the same"), "items")
    for line in found.counted():
        examples = (f"{one['item']} = {one['other']} ({one['shared'][:_SHOWN]})" for one in line["examples"])
        _add(table, (line["level"], sentence_of(line["evidence"])), line, examples)
    return table if table.row_count else None


def _findings_table(headers: Sequence[str], count: str) -> Table:
    return Table(*headers, "language", Column(count, justify="right"), Column("examples", overflow="fold"))


def _add(table: Table, cells: Sequence[Text | str], line: dict[str, Any], examples: Iterable[str]) -> None:
    shown = Text(visible("; ".join(examples)))
    table.add_row(*cells, language_name(line["language"]), f"{line['count']:,}", shown)
