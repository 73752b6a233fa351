"""Are the languages of a log parallel: does an item ask the same in all of them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.reasons import sentence_of
from crossin.core.skipping import MOST_SKIPPED
from crossin.items import Item
from crossin.items.item import ItemFault
from crossin.languages.numbers import last_number

# Fewer items that differ are errors in single items.
_FEW = 2
# Of an item in a language: its file and row.
Place = Callable[[str, str], tuple[Path, int]]


def left_out_items(items: Sequence[Item], joined_by: str, place: Place) -> dict[str, str]:
    """The items that are not the same in every language, each with a reason code.

    What most languages have decides: the number of options and the right one, or of a free-text item that is
    answered with a number its value. joined_by: what the languages are joined by, for the error. Raises
    CrossinError where more than a tenth of the items differ: then they are not the same items.
    """
    by_item: dict[str, dict[str, Item]] = {}
    for item in items:
        by_item.setdefault(item.item, {})[item.language] = item
    found = {name: reason for name, of_item in by_item.items() if (reason := _difference(of_item))}
    if len(found) >= _FEW and len(found) > MOST_SKIPPED * len(by_item):
        name, reason = next(iter(found.items()))
        file, row = place(reason.rpartition(":")[2], name)
        raise CrossinError(
            f"the languages seem to have different items, joined by {joined_by}: {len(found):,} of "
            f"{len(by_item):,} differ; the first is '{name}' ({sentence_of(reason)})",
            file=file,
            row=row,
            hint="run all languages on the same version of the data set, and do not shuffle them differently",
        )
    return found


def _difference(of_item: Mapping[str, Item]) -> str:
    """The reason code about the first language in which an item is another; '' where it is the same."""
    for name, values_of in (("options", _options), ("answer", _gold)):
        values = {language: values_of(item) for language, item in of_item.items()}
        if not all(values.values()):
            continue
        [(usual, _)] = Counter(value for one in values.values() for value in one).most_common(1)
        other = next((language for language, one in values.items() if usual not in one), None)
        if other is not None:
            return ItemFault.DIFFERS.about(name, other)
    return ""


def _options(item: Item) -> Set[Hashable]:
    return {len(item.option_ids)}


def _gold(item: Item) -> Set[Hashable]:
    """What the right answer can mean in any language; empty where only people can tell."""
    if item.free_text:
        return set() if any(map(str.isalpha, item.answer)) else last_number(item.answer, item.language)
    return {item.answer}
