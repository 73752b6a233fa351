"""The items of one language of a dataset, or an error where none of its rows can be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.mapping import PLACEHOLDER, DatasetMapping
from crossin.bench.row_items import item_of
from crossin.bench.row_values import RowValues
from crossin.bench.shared_values import SharedValues
from crossin.core.errors import CrossinError
from crossin.core.reasons import sentence_of
from crossin.core.suggestions import nearest
from crossin.items.item import Fault, Item, ItemFault, faults

# An item's group, task and inventory, by its name, from the first language that has it.
Labels = dict[str, tuple[str, str, str]]
# Rows of a language that are kept.
_KEPT = 200
# Values of a column that an error lists.
_SHOWN = 10


@dataclass
class _Language:
    """What is read of one language: items or reason codes by name, the row of each, and the first fault of
    each reason.
    """

    code: str
    found: dict[str, Item | str] = field(default_factory=dict)
    rows: dict[str, DatasetRow] = field(default_factory=dict)
    faults: dict[str, RowFault] = field(default_factory=dict)

    def leave_out(self, name: str, fault: RowFault) -> None:
        reason = f"{fault.reason}:{self.code}"
        self.found[name] = reason
        self.faults.setdefault(reason, fault.with_traceback(None))


def rows_of(mapping: DatasetMapping, code: str, table: Sequence[DatasetRow]) -> list[DatasetRow]:
    """The rows of a language in a table that may hold several.

    Raises CrossinError where there are none, or no row has the column.
    """
    column = mapping.language_column
    if column is None:
        return list(table)
    template = column if PLACEHOLDER.search(column) else f"{{{column}}}"
    values = RowValues(mapping, code)
    seen: dict[str, None] = {}
    found = []
    for row in table:
        called = PLACEHOLDER.sub(lambda part, row=row: values.text(row, part[1]), template)  # type: ignore[misc]
        if called == mapping.languages[code]:
            found.append(row)
        elif len(seen) <= 1000:
            seen[called] = None
    if (absent := values.absent_column()) is not None:
        raise absent
    if table and not found:
        wanted = mapping.languages[code]
        near = nearest(wanted, seen)
        others = f"; there are: {', '.join(list(seen)[:_SHOWN])}{', …' if len(seen) > _SHOWN else ''}"
        raise CrossinError(
            f"no row is in '{wanted}'{others}",
            file=table[0].file,
            field=column,
            hint=(f"did you mean '{near[0]}'? " if near else "")
            + f"Correct `languages` ({code}: {wanted}), or leave {code} out with --languages",
        )
    return found


def items_of(
    mapping: DatasetMapping,
    code: str,
    rows: Sequence[DatasetRow],
    files: Sequence[Path],
    labels: Labels,
    shared: SharedValues,
    kept: dict[str, DatasetRow],
) -> dict[str, Item | str]:
    """By name, the items of a language, or the reason codes of rows that cannot be items.

    `labels` is extended, and some rows are put into `kept`, by name.

    Raises CrossinError where a column is in no row, or none of the rows can be used.
    """
    values, language = RowValues(mapping, code), _Language(code)
    for position, row in enumerate(rows, start=1):
        name = f"{values.prefix}{row.file.name}, row {row.row}"
        try:
            name = values.name(row, position)
            if name in language.found:
                raise row.fault(
                    ItemFault.ITEM_TWICE, f"the item '{name}' occurs twice", "item", "correct `item`"
                )
            language.rows[name] = row
            if name not in labels:
                group = values.prefix + values.label(row, mapping.group) if mapping.group else name
                inventory = values.label(row, mapping.inventory)
                labels[name] = group, values.label(row, mapping.task), inventory
            language.found[name] = item_of(values, shared.row(code, name, row), name, *labels[name])
            if len(kept) < _KEPT:
                kept[name] = row
        except RowFault as fault:
            language.leave_out(name, fault)
    if (absent := values.absent_column()) is not None:
        raise absent
    if not rows:
        raise CrossinError(
            f"there are no rows in {code}",
            file=files[0],
            hint=f"get the file again, or leave {code} out with --languages",
        )
    _check_some(language, values, len(rows))
    return language.found


def _check_some(language: _Language, values: RowValues, count: int) -> None:
    """Raise CrossinError where no row of a language can be used: about the commonest reason."""
    counts: Counter[str] = Counter()
    for name, found in language.found.items():
        if isinstance(found, Item):
            wrong = next(faults(found), None)
            if wrong is None:
                return
            reason = f"{wrong.reason}:{language.code}"
            if reason not in language.faults:
                language.faults[reason] = _fault(values, wrong, found, language.rows[name])
        else:
            reason = found
        counts[reason] += 1
    first = language.faults[counts.most_common(1)[0][0]]
    others = ", ".join(f"{sentence_of(reason)}: {number:,}" for reason, number in counts.most_common())
    raise CrossinError(
        f"{first.message}; none of the {count:,} rows in {language.code} can be used"
        + (f" ({others})" if len(counts) > 1 else ""),
        file=first.file,
        row=first.row,
        field=first.field,
        hint=first.hint,
    )


def _fault(values: RowValues, wrong: Fault, item: Item, row: DatasetRow) -> RowFault:
    """What is wrong with an item, as an error about its row."""
    shown = wrong.detail or str(getattr(item, wrong.field))
    columns = values.columns_of(getattr(values.mapping, wrong.field, None))
    return row.fault(
        wrong.reason,
        f"{sentence_of(wrong.reason)}: '{shown[:60]}'",
        ", ".join(columns) or wrong.field,
        f"correct `{wrong.field}` in the mapping, or get the file that it was written for",
    )
