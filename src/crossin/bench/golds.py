"""Items of a language that are one text with two golds: at least one of them counts a right reply as wrong.

Texts are the same whatever their case, width, spaces and punctuation. Short words keep their case, and
numbers their marks: `CO` is not `Co`, nor `1,5` `15`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from crossin.items.item import Item

# Marks of a text that are not marks of a formula, unless they stand between digits.
_MARKS = re.compile(
    r"""(?<!\d)[,.;:!?¡¿"'`´“”„‘’‚«»‹›。、！？，；：·…؟،؛।]|[,.;:!?¡¿"'`´“”„‘’‚«»‹›。、！？，；：·…؟،؛।](?!\d)"""
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_WORD = re.compile(r"[^\W\d_]+")
# A word of so many letters may be a symbol, whose case says something.
_SYMBOL = 2
# A whole number that a table's reader made a fraction of.
_WHOLE = re.compile(r"[.,]00?$")


def same_as_text(text: str) -> str:
    """What texts that read the same have in common."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = " ".join(_MARKS.sub(" ", text).split())
    text = text[:1].casefold() + text[1:]
    return _WORD.sub(lambda found: found[0].casefold() if len(found[0]) > _SYMBOL else found[0], text)


def number_of(text: str) -> str:
    """The digits of a number, whatever its separators: to tell numbers apart, not to compute."""
    text = _WHOLE.sub("", text.strip())
    sign = "-" if text[:1] in "-−" else ""
    return sign + "".join(str(unicodedata.decimal(one)) for one in text if one.isdecimal()).lstrip("0")


def golds_apart(items: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Pairs of items of one language that are the same text and options with two golds.

    The items' answers must be among their options.
    """
    for group in _one_text(items):
        # Of most texts there is one: their options need no look.
        alike: dict[frozenset[str], list[Item]] = defaultdict(list)
        for item in group:
            alike[frozenset(map(same_as_text, item.options))].append(item)
        for same in alike.values():
            yield from ((one, two) for one, two in combinations(same, 2) if not _right(one) & _right(two))


def right_elsewhere(items: Sequence[Item]) -> Iterator[tuple[Item, Item]]:
    """Of two items with the same text and other options: one in which a wrong option is the other's gold."""
    for group in _one_text(item for item in items if item.options):
        golds = {same_as_text(item.right_text): item for item in group}
        for item in group if len(golds) > 1 else ():
            wrong = [option for option in item.options if option != item.right_text]
            other = next((golds[text] for option in wrong if (text := same_as_text(option)) in golds), None)
            if other is not None:
                yield item, other


def apart_in_all(items: Sequence[Item], languages: Sequence[str]) -> set[str]:
    """The names of items with options that are, in all languages, one text with another one and have another
    gold: no language shows what is asked.
    """
    by_language: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.options:
            by_language[item.language].append(item)
    pairs: set[tuple[str, str]] | None = None
    for language in languages:
        names = None if pairs is None else {name for pair in pairs for name in pair}
        asked = [item for item in by_language[language] if names is None or item.item in names]
        found = {(one.item, two.item) for one, two in golds_apart(asked)}
        pairs = found if pairs is None else pairs & found
    return {name for pair in pairs or () for name in pair}


def _one_text(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items that have context and question in common, where there are several."""
    alike: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        alike[same_as_text(item.context), same_as_text(item.question)].append(item)
    return (group for group in alike.values() if len(group) > 1)


def _right(item: Item) -> set[str]:
    return set(map(number_of if item.answer_type == "number" else same_as_text, item.right_texts))
