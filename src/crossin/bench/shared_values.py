"""What the rows of an item share in all languages: the keys of `words`, which decide what is asked, its
group, task, inventory and entity. Each is read from every language, and the value of most of them counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from crossin.bench.assemble import NotBuilt, Versions
from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.keys import Disagreement, of_one_vocabulary, settle
from crossin.bench.mapping import PLACEHOLDER, DatasetMapping
from crossin.bench.row_values import RowValues
from crossin.core.errors import CrossinError
from crossin.items.item import Item
from crossin.languages.segmentation import fold

# The templates, besides questions, that make what is the same in all languages.
_LABELS = ("group", "task", "inventory", "entity")


class SharedValues:
    """The keys of each item, by the votes of the languages in `tables`; then, row by row, the votes on
    groups, tasks, inventories and entities.

    Languages besides the `built` ones vote, too: with two languages, no value is that of most. Raises
    CrossinError where a built language has no value that the mapping has words for.
    """

    def __init__(
        self,
        mapping: DatasetMapping,
        built: Sequence[str],
        tables: Iterator[tuple[str, list[DatasetRow]]],
    ) -> None:
        self._mapping = mapping
        self._labels: dict[str, dict[str, dict[str, str]]] = {name: {} for name in _LABELS}
        self._keys: dict[str, dict[str, str]] = {}
        self._disagreements: list[Disagreement] = []
        for column, values in self._votes(built, tables).items() if mapping.words else ():
            self._keys[column], differing = settle(column, values, mapping.words[column])
            self._disagreements += [one for one in differing if one.language in built]

    def row(self, code: str, item: str, row: DatasetRow) -> DatasetRow:
        """The row of an item, with the keys of most languages. Raises RowFault where there are none such."""
        values = RowValues(self._mapping, code)
        for name, votes in self._labels.items():
            template = getattr(self._mapping, name)
            if template and PLACEHOLDER.search(template):
                votes.setdefault(item, {})[code] = values.label(row, template)
        keys = {column: agreed[item] for column, agreed in self._keys.items() if item in agreed}
        for column, key in keys.items():
            if not key and values.text(row, column):
                hint = "build more languages, or correct the rows"
                raise row.fault(
                    NotBuilt.KEY_DIFFERS.about(column), f"'{column}' differs by language", column, hint
                )
        return replace(row, values={**row.values, **{column: key for column, key in keys.items() if key}})

    def settle(self, found: Versions) -> list[Disagreement]:
        """Give each item one group, task, inventory and entity in all languages; all disagreements."""
        if self._mapping.join == "none":
            return self._disagreements
        labels: dict[str, dict[str, str]] = {}
        for column, values in self._labels.items():
            first = {item: next(iter(by_language.values())) for item, by_language in values.items()}
            agreed, differing = settle(column, of_one_vocabulary(values), first.values())
            labels[column] = {item: agreed[item] or label for item, label in first.items()}
            self._disagreements += differing
        for item, versions in found.items():
            for code, version in versions.items():
                if isinstance(version, Item):
                    versions[code] = replace(
                        version,
                        group=labels["group"].get(item, version.group),
                        task=labels["task"].get(item, version.task),
                        inventory=labels["inventory"].get(item, version.inventory),
                        entity=labels["entity"].get(item, version.entity),
                    )
        return self._disagreements

    def _votes(
        self, built: Sequence[str], tables: Iterator[tuple[str, list[DatasetRow]]]
    ) -> dict[str, dict[str, dict[str, str]]]:
        votes: dict[str, dict[str, dict[str, str]]] = {column: {} for column in self._mapping.words}
        count = 0
        for code, rows in _readable(tables, built):
            count = count or len(rows)
            if self._mapping.join == "position" and len(rows) != count:
                continue
            values = RowValues(self._mapping, code)
            named = list(_named(values, rows))
            for column, cast in votes.items():
                cells = [(item, row, values.text(row, column)) for item, row in named]
                known = {fold(value) for value in self._mapping.words[column]}
                if code in built and cells and not any(fold(value) in known for *_, value in cells):
                    if (absent := values.absent_column()) is not None:
                        raise absent
                    _, row, value = cells[0]
                    message = (
                        f"the mapping has no words for '{value[:60]}'; none of the rows in {code} can be used"
                    )
                    raise row.error(message, column, f"add it under words.{column}")
                for item, _, value in cells:
                    cast.setdefault(item, {}).setdefault(code, value)
        return votes


def _named(values: RowValues, rows: Iterable[DatasetRow]) -> Iterator[tuple[str, DatasetRow]]:
    """The rows that have a name, each with it."""
    for position, row in enumerate(rows, start=1):
        with suppress(RowFault):
            yield values.name(row, position), row


def _readable(
    tables: Iterator[tuple[str, list[DatasetRow]]], built: Sequence[str]
) -> Iterator[tuple[str, list[DatasetRow]]]:
    """The tables, up to the first language that is not built and cannot be read."""
    read: set[str] = set()
    try:
        for code, rows in tables:
            read.add(code)
            yield code, rows
    except CrossinError:
        if not read >= set(built):
            raise
