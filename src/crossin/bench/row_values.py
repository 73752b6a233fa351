"""What a mapping's paths and templates stand for in the rows of one language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from crossin.bench.assemble import NotBuilt
from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.mapping import FILLED, PLACEHOLDER, DatasetMapping
from crossin.bench.text_forms import entry, structured
from crossin.core.errors import CrossinError
from crossin.items.item import ItemFault

# The entries that name columns, and those, here and inside, that hold a path instead of a template.
_NAMING = {"language_column", "item", "group", "task", "template", "context", "question", "gap", "options"}
_NAMING |= {"answer", "origin", "inventory", "entity"}
_PATHS = {"language_column", "column", "label", "ids", "aliases", "tokens", "span"}


class RowValues:
    """Values of rows as a mapping names them, in one language.

    A column that a row lacks is null there; `absent_column` is the error about one that no row has.
    """

    def __init__(self, mapping: DatasetMapping, code: str) -> None:
        self.mapping, self.code = mapping, code
        # Before names and groups of items, which without `join` are the language's own.
        self.prefix = f"{code}/" if mapping.join == "none" else ""
        self._there: set[str] = set()
        self._absent: dict[str, RowFault] = {}

    def absent_column(self) -> CrossinError | None:
        """The error about the first column that no row has had so far, with the entry that names it."""
        for column, fault in self._absent.items():
            if column not in self._there:
                entry = next(self._entries_with(column), "")
                return CrossinError(
                    f"`{entry}`: {fault.message}" if entry else fault.message,
                    file=fault.file,
                    row=fault.row,
                    field=fault.field,
                    hint=fault.hint,
                )
        return None

    def _entries_with(self, column: str) -> Iterator[str]:
        """The entries of the mapping that name a column."""
        for name, text in _texts_in(self.mapping.model_dump(include=_NAMING)):
            path = name.rpartition(".")[2] in _PATHS and column == self.spelled(text)
            if path or f"{{{column}}}" in self.spelled(text):
                yield name

    def columns_of(self, entry: Any) -> list[str]:
        """The columns that a template of the mapping names; none for another entry."""
        text = entry.get(self.code) if isinstance(entry, dict) else entry
        found: list[str] = PLACEHOLDER.findall(self.spelled(text)) if isinstance(text, str) else []
        source = self.mapping.template
        if source is not None:
            found = [self.spelled(source.column) if column == FILLED else column for column in found]
        return found

    def paraphrased(self) -> list[RowValues]:
        """The same values with each further template that the mapping names."""
        source = self.mapping.template
        if source is None:
            return []
        templates = [source.model_copy(update={"column": column}) for column in source.paraphrases]
        return [RowValues(self.mapping.model_copy(update={"template": one}), self.code) for one in templates]

    def spelled(self, template: str) -> str:
        """A template or path with the dataset's name for the language."""
        return template.replace("{language}", self.mapping.languages[self.code])

    def value(self, row: DatasetRow, path: str) -> Any:
        """The value at a path; None where the row has no such column."""
        path = self.spelled(path)
        try:
            found = row.value(path)
        except RowFault as fault:
            if path not in self._absent:
                self._absent[path] = fault.with_traceback(None)
            return None
        self._there.add(path)
        return found

    def text(self, row: DatasetRow, path: str) -> str:
        """The value at a path as stripped text; '' for null."""
        path = self.spelled(path)
        return row.text_of(self.value(row, path), path)

    def list_at(self, row: DatasetRow, path: str, reason: str) -> list[Any]:
        """The list at a path, which may be in text form; RowFault with this reason where there is none."""
        return listed(row, self.value(row, path), self.spelled(path), reason)

    def beside(self, row: DatasetRow, elements: Sequence[Any], path: str, reason: str) -> list[Any]:
        """A value for each option or reference: what is at a path inside its object, where that has the key;
        else the values of the list at that path of the row.
        """
        path = self.spelled(path)
        if self.inside(elements, path):
            return [at(one, path) for one in elements]
        keys = next((one for one in elements if isinstance(one, dict)), None)
        if keys is not None:
            try:
                row.value(path)
            except RowFault as fault:
                message = f"{fault.message}; the keys of each are: {', '.join(map(str, keys))}"
                raise row.fault(reason, message, path, fault.hint or "") from None
        return self.list_at(row, path, reason)

    def inside(self, elements: Sequence[Any], path: str) -> bool:
        """Whether a path leads into the objects of options or references, rather than into the row."""
        found = bool(path) and any(_has(one, path.split(".")[0]) for one in elements)
        if found:
            self._there.add(path)
        return found

    def name(self, row: DatasetRow, position: int) -> str:
        """The name of the item of a row at this position, from 1. Raises RowFault where it has none."""
        if self.mapping.item is None:
            return f"{self.prefix}{position}"
        name = self.label(row, self.mapping.item)
        if not name:
            raise row.fault(ItemFault.EMPTY.about("item"), "the item has no name", "item", "correct `item`")
        return self.prefix + name

    def label(self, row: DatasetRow, template: str) -> str:
        """A template filled with the row's values as they are, for what is the same in all languages."""
        return PLACEHOLDER.sub(lambda found: self.text(row, found[1]), self.spelled(template)).strip()

    def fill(self, row: DatasetRow, template: str | dict[str, str], field: str) -> str:
        """A template filled with the row's values, or the language's words for them; `field` is what it makes
        of an item. Raises RowFault where some values are null and others are not.
        """
        text = self.spelled(template if isinstance(template, str) else template[self.code])
        if text and text in row.values:
            raise row.error(
                f"the text is '{text}' in every row, and a column has this name",
                field,
                f"write {{{text}}} for the column's value",
            )
        nulls: list[str] = []
        filled = False

        def put(found: re.Match[str]) -> str:
            nonlocal filled
            value = self._filling(row, found[1])
            filled = filled or bool(value)
            if not value and self._null(row, found[1]):
                nulls.append(found[1])
            return value

        made = PLACEHOLDER.sub(put, text).strip()
        if nulls and filled:
            raise row.fault(
                ItemFault.EMPTY.about(field), f"a part of the {field} is null", nulls[0], "fill it in the row"
            )
        return made

    def _null(self, row: DatasetRow, column: str) -> bool:
        value = self.value(row, column)
        return value is None or value != value

    def _filling(self, row: DatasetRow, column: str) -> str:
        """What a placeholder stands for."""
        if column == FILLED and self.mapping.template is not None:
            return self._filled_template(row)
        text = self.text(row, column)
        if column not in self.mapping.words or (not text and self._null(row, column)):
            return text
        words = self.mapping.words[column]
        if text not in words:
            raise row.fault(
                NotBuilt.NO_WORDS,
                f"the mapping has no words for '{text[:60]}'",
                column,
                f"add it under words.{column}",
            )
        return words[text][self.code]

    def _filled_template(self, row: DatasetRow) -> str:
        source = self.mapping.template
        assert source is not None
        text = self.text(row, source.column)
        if not text:
            raise row.fault(
                ItemFault.EMPTY.about("template"), "there is no template", source.column, "repair the row"
            )
        if not source.fill:
            return text
        for mark in source.fill:
            if mark not in text:
                raise row.fault(
                    NotBuilt.NO_MARK,
                    f"'{text[:60]}' has no mark '{mark}'",
                    source.column,
                    "correct `template.fill` in the mapping, or the row",
                )
        # In one pass: a value may hold a mark itself. The longest first, since one may begin another.
        marks = "|".join(re.escape(mark) for mark in sorted(source.fill, key=len, reverse=True))
        return re.sub(marks, lambda found: self.fill(row, source.fill[found[0]], "question"), text)


def listed(row: DatasetRow, value: Any, column: str, reason: str) -> list[Any]:
    """A value in a column as a list; RowFault with this reason where it is none."""
    if isinstance(value, list):
        return value
    if value is None:
        raise row.fault(reason, "expected a list, not null", column, "fill it in the row")
    if isinstance(value, str):
        row.whole(value, column)
        try:
            found = structured(value)
        except ValueError as error:
            raise row.fault(
                reason,
                f"expected a list, not '{value.strip()[:60]}': {error}",
                column,
                "name the column that holds the list, or save it as a list or as JSON",
            ) from None
        if isinstance(found, list):
            return found
    raise row.fault(reason, "expected a list", column, "name the column that holds the list")


def _texts_in(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts in a mapping, each with its entry."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _texts_in(inside, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for inside in value:
            yield from _texts_in(inside, path)


def at(element: Any, path: str) -> Any:
    """The value at a path inside an option's or a reference's object or list; None where there is none."""
    try:
        return reduce(entry, path.split("."), element)
    except KeyError:
        return None


def _has(element: Any, part: str) -> bool:
    try:
        entry(element, part)
    except KeyError:
        return False
    return True
