"""Contamination: pairs must not hold items of the benchmarks used for evaluation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.items.item import Item, items_file, read_items
from crossin.training.pairs import PairPool

# A shorter question is found as a whole text only: many texts contain it by chance.
_SHORT = 6
# Questions are looked up by this many first characters.
_KEY = 32


def check_apart(pool: PairPool, benches: Sequence[Path]) -> None:
    """Raise CrossinError where a pair has an id, a group or a text of one of the benchmarks.

    A text has an item where it contains the question as whole words, and the context, whatever the case, the
    spaces and the prompt around it: a mixture's rows are rendered by templates.
    """
    for bench in benches:
        items = read_items(bench)
        ids = {item.item: row for row, item in reversed(list(enumerate(items, start=1)))}
        groups = {item.group: row for row, item in reversed(list(enumerate(items, start=1)))}
        questions = _by_beginning(items)
        wrong: list[tuple[str, str, int]] = []
        for name in dict.fromkeys((*pool.rows, *pool.questions)):
            group = pool.groups.get(name)
            if name in ids:
                wrong.append((name, "its id", ids[name]))
            elif group in groups:
                wrong.append((name, f"its group {group}", groups[group]))
            elif row := next((row for text in pool.texts[name] for row in _contained_in(text, questions)), 0):
                wrong.append((name, "its text", row))
        if wrong:
            first, why, row = wrong[0]
            raise CrossinError(
                f"{len(wrong)} of the pairs are in a benchmark for evaluation, such as '{first}' ({why})",
                file=items_file(bench),
                row=row,
                field="pairs.apart_from",
                hint="use pairs of another split",
            )


# By the length of a beginning, by the beginning: question, context and row.
_Questions = Mapping[int, Mapping[str, list[tuple[str, str, int]]]]


def _by_beginning(items: Sequence[Item]) -> _Questions:
    found: dict[int, dict[str, list[tuple[str, str, int]]]] = defaultdict(lambda: defaultdict(list))
    for row, item in enumerate(items, start=1):
        beginning = (question := _plain(item.question))[:_KEY]
        found[len(beginning)][beginning].append((question, _plain(item.context), row))
    return found


def _contained_in(text: str, questions: _Questions) -> Iterator[int]:
    """The rows of the items whose question this text contains."""
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
    """Whether no word spans this place: Niger is not in Nigeria."""
    return not text[max(place - 1, 0) : place + 1].isalnum() or place in (0, len(text))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
