"""How often simple heuristics choose the right option of a benchmark's items, without understanding them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean

from crossin.core.errors import CrossinError
from crossin.items.item import Item

# Characters on either side of an option in the paragraph that count as its neighbourhood.
_NEIGHBOURHOOD = 100


def hardness(items: Sequence[Item]) -> dict[str, dict[str, float]]:
    """By heuristic (see `guesses`), the share of items with options that it answers right, by language and
    as the `mean` over languages; chance is 1 / options.

    Raises CrossinError where no item has options.
    """
    by_language: dict[str, list[Item]] = {}
    for item in items:
        if item.options:
            by_language.setdefault(item.language, []).append(item)
    if not by_language:
        raise CrossinError(
            "the benchmark has no items with options", hint="choose one whose items have options"
        )
    found: dict[str, dict[str, float]] = {}
    for language, asked in by_language.items():
        for heuristic, hits in guesses(asked).items():
            found.setdefault(heuristic, {})[language] = fmean(hits)
    return {heuristic: {**shares, "mean": fmean(shares.values())} for heuristic, shares in found.items()}


def guesses(items: Sequence[Item]) -> dict[str, list[float]]:
    """By heuristic, the chance that it picks the right option of each item of one language. Of several
    equally good options, the right one counts as its share.

    `longest_option`, `shortest_option`: in characters. `nearest_to_question`: the largest share of its
    character trigrams in the question. `most_frequent_position`: where the right options stand most often
    (this knows the answers). Where all items have a context: `first_in_context`, `most_often_in_context`, and
    `nearest_neighbourhood`: around the option, the context holds the largest share of the question's
    trigrams.
    """
    positions = [item.option_ids.index(item.answer) for item in items]
    commonest = Counter(positions).most_common(1)[0][0]
    heuristics = _BLIND | _READING if all(item.context for item in items) else _BLIND
    return {
        "most_frequent_position": [float(position == commonest) for position in positions],
        **{
            name: [
                _share([value(item, option) for option in item.options], position)
                for item, position in zip(items, positions, strict=True)
            ]
            for name, value in heuristics.items()
        },
    }


def _share(values: list[float], right: int) -> float:
    """The chance of the right option where one of those with the highest value is picked."""
    return 1 / values.count(values[right]) if values[right] == max(values) else 0.0


def _trigrams(text: str) -> set[str]:
    padded = f" {text.casefold()} "
    return {padded[start : start + 3] for start in range(len(padded) - 2)}


def _held(text: str, by: str) -> float:
    """The share of the text's trigrams that the other text holds."""
    trigrams = _trigrams(text)
    return len(trigrams & _trigrams(by)) / len(trigrams)


def _early(item: Item, option: str) -> float:
    place = item.context.find(option)
    return -place if place >= 0 else -len(item.context)


def _neighbourhood(item: Item, option: str) -> float:
    best, place = 0.0, item.context.find(option)
    while place >= 0:
        end = place + len(option)
        before, after = item.context[:place], item.context[end:]
        around = f"{before[-_NEIGHBOURHOOD:]} {after[:_NEIGHBOURHOOD]}"
        best = max(best, _held(item.question, around))
        place = item.context.find(option, place + 1)
    return best


_Value = Callable[[Item, str], float]
_BLIND: dict[str, _Value] = {
    "longest_option": lambda _, option: len(option),
    "shortest_option": lambda _, option: -len(option),
    "nearest_to_question": lambda item, option: _held(option, item.question),
}
_READING: dict[str, _Value] = {
    "first_in_context": _early,
    "most_often_in_context": lambda item, option: item.context.count(option),
    "nearest_neighbourhood": _neighbourhood,
}
