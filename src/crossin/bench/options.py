"""The options of a row, as a mapping says; and their order, which is the same in every language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from crossin.bench.assemble import NotBuilt
from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.mapping import OptionsSource
from crossin.bench.row_values import RowValues, at, listed
from crossin.bench.text_forms import opened
from crossin.items.item import Item, ItemFault


@dataclass(frozen=True)
class RowOptions:
    """The options that exist in a row, in the dataset's order.

    texts: (n,). places: (n,), their places among all options of the row, absent ones too, from 0. count: how
    many those are. ids, labels: (n,), or empty where the dataset has none. elements: (count,), what the
    column holds for each; empty for templates.
    """

    texts: list[str]
    places: list[int]
    count: int
    ids: list[str]
    labels: list[str]
    elements: list[Any]

    def kept(self, values: list[Any]) -> list[Any] | None:
        """Of a list with a value for each option of the row, or for each that exists, the latter; None for a
        list of another length.
        """
        if len(values) == self.count:
            return [values[place] for place in self.places]
        return values if len(values) == len(self.places) else None


NO_OPTIONS = RowOptions([], [], 0, [], [], [])


def read_options(values: RowValues, row: DatasetRow) -> RowOptions:
    """The options of a row; none for a free-text item. Raises RowFault where they cannot be read."""
    source = values.mapping.options
    if source is None:
        return NO_OPTIONS
    keys: list[str] = []
    elements: list[Any] = []
    if source.templates is not None:
        texts = [values.fill(row, template, "option") for template in source.templates]
    else:
        keys, elements = _elements(values, row, source)
        texts = [_text(row, element, source, values.spelled(source.column)) for element in elements]
    places = [place for place, text in enumerate(texts) if text or not source.skip_empty]
    if not places:
        raise row.fault(
            ItemFault.EMPTY.about("option"), "there are no options", source.column or "options", "add them"
        )
    found = RowOptions([texts[place] for place in places], places, len(texts), [], keys, elements)
    unlabelled = NotBuilt.UNREADABLE_OPTIONS
    labels = _aside(values, row, source.label, found, unlabelled) if source.label else found.kept(keys) or []
    if isinstance(source.ids, list):
        if len(source.ids) != found.count:
            raise _other_length(row, "options.ids", len(source.ids), found, ItemFault.OPTIONS_WITHOUT_IDS)
        ids = [values.label(row, source.ids[place]) for place in places]
    else:
        no_ids = ItemFault.OPTIONS_WITHOUT_IDS
        ids = _aside(values, row, source.ids, found, no_ids) if source.ids else []
    if source.ids and not all(ids):
        column = source.ids if isinstance(source.ids, str) else "options.ids"
        raise row.fault(ItemFault.OPTIONS_WITHOUT_IDS, "an option has no id", column, "fill it in the row")
    return replace(found, ids=ids, labels=labels)


def in_order_of(first: Item, item: Item) -> Item:
    """The item with its options in the order of those of `first`; as it is where their ids are others."""
    ids = item.option_ids
    if ids == first.option_ids or sorted(ids) != sorted(first.option_ids) or len(set(ids)) < len(ids):
        return item
    texts = dict(zip(ids, item.options, strict=True))
    return replace(item, option_ids=list(first.option_ids), options=[texts[one] for one in first.option_ids])


def _elements(values: RowValues, row: DatasetRow, source: OptionsSource) -> tuple[list[str], list[Any]]:
    """What the column holds for each option; of an object of texts, the keys too."""
    column = values.spelled(source.column)
    value: Any = values.value(row, column)
    if value is None:
        raise row.fault(
            ItemFault.EMPTY.about("option"), "there are no options: null", column, "fill them in the row"
        )
    if source.separator is not None:
        return [], list(values.text(row, column).split(source.separator))
    if isinstance(value, str):
        row.whole(value, column)
        value = opened(value)
    if isinstance(value, dict) and isinstance(value.get(source.text), list):
        return [], _side_by_side(row, value, source.text, column)
    if isinstance(value, dict):
        return list(map(str, value)), list(value.values())
    return [], listed(row, value, column, NotBuilt.UNREADABLE_OPTIONS)


def _side_by_side(row: DatasetRow, lists: dict[str, Any], text: str, column: str) -> list[Any]:
    """An object for each option, from an object of lists with a value for each."""
    count = len(lists[text])
    for name, values in lists.items():
        if isinstance(values, list) and len(values) != count:
            raise row.fault(
                NotBuilt.UNREADABLE_OPTIONS,
                f"there are {count} of '{text}' and {len(values)} of '{name}'",
                column,
                "repair the row",
            )
    return [
        {name: values[place] for name, values in lists.items() if isinstance(values, list)}
        for place in range(count)
    ]


def _text(row: DatasetRow, element: Any, source: OptionsSource, column: str) -> str:
    if isinstance(element, dict | list):
        if not source.text:
            names = f", which has: {', '.join(map(str, element))}" if isinstance(element, dict) else ""
            raise row.fault(
                NotBuilt.UNREADABLE_OPTIONS,
                f"expected a text for each option, not {'an object' if names else 'a list'}{names}",
                column,
                "say which of them is the option's text: options.text",
            )
        if isinstance(element, dict) and source.text.split(".")[0] not in element:
            raise row.fault(
                NotBuilt.UNREADABLE_OPTIONS,
                f"an option has no key '{source.text}'; it has: {', '.join(map(str, element))}",
                column,
                "correct options.text",
            )
        element = at(element, source.text)
    return row.text_of(element, column)


def _aside(values: RowValues, row: DatasetRow, path: str, found: RowOptions, reason: str) -> list[str]:
    """A text for each option: a key of the options' objects, or a list of the row; RowFault with this reason
    where it is neither.
    """
    aside = values.beside(row, found.elements, path, reason)
    kept = found.kept(aside)
    if kept is None:
        raise _other_length(row, path, len(aside), found, reason)
    return [row.text_of(one, path) for one in kept]


def _other_length(row: DatasetRow, path: str, count: int, found: RowOptions, reason: str) -> RowFault:
    return row.fault(
        reason, f"there are {len(found.texts)} options and {count} of these", path, "give one for each option"
    )
