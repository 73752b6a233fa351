"""Do the options of an item stand in one order in all its languages, and its rows in one order in all files?

A number or a name among the options, which is the same in both languages, shows where an option went; so do
words that go together over all items, and the place of the right option.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossin.bench.dataset import DatasetRow
from crossin.bench.golds import number_of
from crossin.bench.lexicon import Lexicon, words_of
from crossin.items.item import Item

# Items, and their share, from which a whole language has another order. Chance errors are rarer.
_FEW, _SHARE = 5, 0.2
# Items that words are compared in: enough to judge a language.
_SAMPLE = 500
# How well an option must correspond to another one, and how much better than to its own.
_LEAST, _BETTER = 0.25, 0.15


@dataclass(frozen=True)
class OptionOrder:
    """How the options of a language stand in n items, compared with the first language.

    `elsewhere` is in how many the right option stands at another place; `judged` is in how many items
    numbers, names or words show where options belong, and `moved` in how many of these they stand at other
    places. `marked` are the items in which numbers or names do.
    """

    items: int
    elsewhere: int
    judged: int
    moved: int
    marked: list[str]

    @property
    def other(self) -> bool:
        """Whether the language has another order of options as a whole."""
        most = max((self.moved, self.judged), (self.elsewhere, self.items), key=lambda pair: pair[0])
        return most[0] >= min(_FEW, max(2, self.items // 2)) and most[0] > _SHARE * most[1]


def compare_options(pairs: Sequence[tuple[Item, Item]]) -> OptionOrder:
    """How the options of the second item of each pair stand, compared with those of the first."""
    pairs = [pair for pair in pairs if len(pair[0].options) == len(pair[1].options) > 1]
    elsewhere = sum(one.answer != two.answer for one, two in pairs)
    if not pairs:
        return OptionOrder(0, 0, 0, 0, [])
    step = max(1, len(pairs) // _SAMPLE)
    sample = pairs[::step]
    strength = _strength(sample)
    marked: list[str] = []
    judged = moved = 0
    for number, (one, two) in enumerate(pairs):
        places = _marks(one, two)
        if sum(place != there for place, there in places.items()) > 1:
            marked.append(two.item)
        if number % step == 0:
            places |= _places(one, two, strength) if len(places) < 2 else {}
            if len(places) > 1:
                judged += 1
                moved += sum(place != there for place, there in places.items()) > 1
    return OptionOrder(len(pairs), elsewhere, judged, moved, marked)


def id_columns(rows: Mapping[str, Mapping[str, DatasetRow]], first: str, other: str) -> list[str]:
    """Columns that hold a list of the same things in both languages, in another order: they look like ids of
    the options. `rows` are by language and item.
    """
    shared = [(rows[first][item], row) for item, row in rows[other].items() if item in rows[first]]
    votes: Counter[str] = Counter()
    for one, two in shared:
        for column, value in one.values.items():
            there = two.values.get(column)
            if isinstance(value, list) and isinstance(there, list) and len(value) > 1:
                votes[column] += sorted(map(str, value)) == sorted(map(str, there)) and value != there
    return [column for column, count in votes.most_common() if count > len(shared) / 4]


def mark(option: str) -> str:
    """What an option shares with its translations: its digits, else the text as it is (a name)."""
    return number_of(option) or option.strip().casefold()


def _marks(one: Item, two: Item) -> dict[int, int]:
    """By place of an option: where the option with the same number or name stands in the other language."""
    ours, theirs = [mark(option) for option in one.options], [mark(option) for option in two.options]
    return {
        place: theirs.index(text)
        for place, text in enumerate(ours)
        if text and ours.count(text) == theirs.count(text) == 1
    }


def _strength(pairs: Sequence[tuple[Item, Item]]) -> dict[str, dict[str, float]]:
    """How well words of the options go together, whatever the options' order."""
    one, two = (["\n".join(item.options) for item in side] for side in zip(*pairs, strict=True))
    lexicon = Lexicon.fit(one, two)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (ours, theirs), strength in zip(lexicon.pairs.tolist(), lexicon.strength.tolist(), strict=True):
        found[lexicon.words[0][ours]][lexicon.words[1][theirs]] = strength
    return found


def _places(one: Item, two: Item, strength: Mapping[str, Mapping[str, float]]) -> dict[int, int]:
    """By place of an option: the place of the option that its words go together with."""
    theirs = [words_of(option) for option in two.options]
    places: dict[int, int] = {}
    for place, option in enumerate(one.options):
        words = words_of(option)
        scores = [
            sum(max((strength.get(ours, {}).get(word, 0.0) for ours in words), default=0.0) for word in there)
            / max(1, len(there))
            for there in theirs
        ]
        best, second = sorted(scores, reverse=True)[:2]
        if best >= _LEAST and best - second >= _BETTER:
            places[place] = scores.index(best)
    return places if len(set(places.values())) == len(places) else {}
