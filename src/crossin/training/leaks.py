"""Pairs must not be what a benchmark will ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.items.item import Item, items_file, read_items
from crossin.training.pairs import Stock

# A question of fewer characters is found as a whole text only: it would stand in many by chance.
_SHORT = 6
# Questions are looked up by so many of their first characters.
_KEY = 32


def apart_from(stock: Stock, benches: Sequence[Path]) -> None:
    """Raise CrossinError where a pair has an id, a group or a text of a benchmark that will be asked.

    A text is the same if the item's question stands in it as whole words, and its context with it, whatever
    the case, the spaces and the prompt around it: a mixture's rows ask in a template.
    """
    for bench in benches:
        items = read_items(bench)
        ids = {item.item: row for row, item in reversed(list(enumerate(items, start=1)))}
        groups = {item.group: row for row, item in reversed(list(enumerate(items, start=1)))}
        questions = _by_beginning(items)
        wrong: dict[str, tuple[str, int]] = {}
        for name in dict.fromkeys((*stock.rows, *stock.asked)):
            group = stock.groups.get(name)
            if name in ids:
                wrong[name] = "its id", ids[name]
            elif group in groups:
                wrong[name] = f"its group {group}", groups[group]
            elif row := next((row for text in stock.texts[name] for row in _asked_in(text, questions)), 0):
                wrong[name] = "its text", row
        if wrong:
            first, (why, row) = next(iter(wrong.items()))
            raise CrossinError(
                f"{len(wrong)} of the pairs are in a benchmark that will be asked, such as '{first}' ({why})",
                file=items_file(bench),
                row=row,
                field="pairs.apart_from",
                hint="take pairs of another split",
            )


# By the length of a beginning, by the beginning: question, context and row.
_Questions = Mapping[int, Mapping[str, list[tuple[str, str, int]]]]


def _by_beginning(items: Sequence[Item]) -> _Questions:
    found: dict[int, dict[str, list[tuple[str, str, int]]]] = defaultdict(lambda: defaultdict(list))
    for row, item in enumerate(items, start=1):
        beginning = (question := _plain(item.question))[:_KEY]
        found[len(beginning)][beginning].append((question, _plain(item.context), row))
    return found


def _asked_in(text: str, questions: _Questions) -> Iterator[int]:
    """The rows of the items that this text asks."""
    text = _plain(text)
    for start in range(len(text)):
        if not _is_border(text, start):
            continue
        for length, by_beginning in questions.items():
            for question, context, row in by_beginning.get(text[start : start + length], ()):
                end = start + len(question)
                whole = question == text or (len(question) >= _SHORT and _is_border(text, end))
                if whole and text.startswith(question, start) and context in text:
                    yield row


def _is_border(text: str, place: int) -> bool:
    """Whether no word goes on from before this place to behind it: Niger is not in Nigeria."""
    return not text[max(place - 1, 0) : place + 1].isalnum() or place in (0, len(text))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
