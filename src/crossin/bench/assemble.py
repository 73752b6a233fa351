"""From an item's versions in each language to a benchmark's folder: items that are whole in all languages are
kept, others are counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from crossin.bench.golds import apart_in_all
from crossin.bench.keys import DISAGREEMENTS, Disagreement, counted, write_disagreements
from crossin.core.errors import CrossinError
from crossin.core.files import write_json
from crossin.core.reasons import Reason, sentence_of
from crossin.core.stages import Stage
from crossin.items.item import Item, ItemFault, difference, faults, finish_bench

LEFT_OUT = "left_out.json"
# By item and language: the item, or the reason code of why it cannot be used.
Versions = Mapping[str, Mapping[str, Item | str]]


class NotBuilt(Reason):
    """Why an item is not built, besides the faults in `crossin.items.item.ItemFault`."""

    SEVERAL_ANSWERS = "several_answers", "more than one right answer"
    FEW_DISTRACTORS = "few_distractors", "too few distractors"
    TWO_GOLDS = "two_golds", "the same text as another item, with another right answer"
    KEY_DIFFERS = "key_differs", "a value that decides what is asked differs between languages"
    NO_WORDS = "no_words", "the mapping has no words for the value", "add it under `words` in the mapping"


def pivot_first(languages: Sequence[str]) -> list[str]:
    """The languages, each once, English first: items are named and grouped by the first language."""
    return sorted(dict.fromkeys(languages), key=lambda language: language != "en")


def whole_items(found: Versions, languages: Sequence[str]) -> tuple[list[Item], dict[str, str]]:
    """The items that can be asked in each language and are the same in all; for each other one, the reason.

    Raises CrossinError where no item is whole.
    """
    items: list[Item] = []
    left_out: dict[str, str] = {}
    for name, versions in found.items():
        reason = _reason(versions, languages)
        if reason is None:
            items += [item for item in map(versions.__getitem__, languages) if isinstance(item, Item)]
        else:
            left_out[name] = reason
    twice = apart_in_all(items, languages)
    left_out |= dict.fromkeys(sorted(twice), NotBuilt.TWO_GOLDS.value)
    items = [item for item in items if item.item not in twice]
    if not items:
        counts = Counter(left_out.values()).most_common()
        reasons = "; ".join(f"{sentence_of(reason)}: {count:,}" for reason, count in counts)
        raise CrossinError(
            f"no item is whole in {', '.join(languages)}: {reasons or 'there are no items at all'}",
            hint="name fewer languages, or check the source's files",
        )
    return items, left_out


def write_whole(
    work: Stage,
    items: Sequence[Item],
    left_out: Mapping[str, str],
    disagreements: Sequence[Disagreement] = (),
    /,
    **counts: Any,
) -> None:
    """Finish a benchmark's stage: the whole items, in `left_out.json` the reason for each other one, and the
    disagreements between languages in a file of their own.
    """
    outputs = [LEFT_OUT]
    write_json(work.folder / LEFT_OUT, left_out)
    if disagreements:
        write_disagreements(work.folder, disagreements)
        outputs.append(DISAGREEMENTS)
        counts["disagreements"] = counted(disagreements)
    skipped = dict(Counter(left_out.values()).most_common())
    finish_bench(work, items, skipped, outputs=outputs, **counts)


def _reason(versions: Mapping[str, Item | str], languages: Sequence[str]) -> str | None:
    first: Item | None = None
    for language in languages:
        item = versions.get(language, ItemFault.MISSING_LANGUAGE.about(language))
        if isinstance(item, str):
            return item
        first = first or item
        wrong = next(faults(item), None) or difference(first, item)
        if wrong is not None:
            return f"{wrong.reason}:{language}"
    return None
