"""From an item's versions in each language to a benchmark's folder: items that are whole in all languages are
kept, others are counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.bench.golds import apart_in_all, number_of
from crossin.bench.keys import DISAGREEMENTS, Disagreement, counted, write_disagreements
from crossin.core.errors import CrossinError
from crossin.core.files import write_json
from crossin.core.reasons import Reason, sentence_of
from crossin.core.skipping import FileFaults, check_faults
from crossin.core.stages import Stage
from crossin.items.inventories import Inventory
from crossin.items.item import Fault, Item, ItemFault, difference, faults, finish_bench

LEFT_OUT = "left_out.json"
# By item and language: the item, or the reason code of why it cannot be used.
Versions = dict[str, dict[str, Item | str]]


class NotBuilt(Reason):
    """Why an item is not built, besides the faults in `crossin.items.item.ItemFault`."""

    SEVERAL_ANSWERS = "several_answers", "more than one right answer"
    FEW_DISTRACTORS = "few_distractors", "too few distractors"
    OTHER_ROW = (
        "other_row",
        "the row belongs to another one than that of the first language",
        "get the same version of every file, or join by an id",
    )
    OPTIONS_MOVED = (
        "options_moved",
        "the options stand in another order than in the first language",
        "match the options by ids: `options.ids` in the mapping",
    )
    TWO_GOLDS = "two_golds", "the same text as another item, with another right answer"
    KEY_DIFFERS = "key_differs", "a value that decides what is asked differs between languages"
    NO_COLUMN = "no_column", "the row lacks a column"
    BROKEN_TEXT = "broken_text", "a text holds half of a character (a lone surrogate)", "repair the row"
    NOT_TEXT = "other_than_text", "there is something else where a text belongs"
    NO_WORDS = "no_words", "the mapping has no words for a value", "add the value under `words`"
    NO_MARK = "no_mark", "the row's template lacks a mark"
    NO_GAP = "no_gap", "the question has no gap"
    SEVERAL_GAPS = "several_gaps", "the question has more than one gap"
    UNREADABLE_OPTIONS = "unreadable_options", "the options cannot be read"
    UNREADABLE_ANSWER = "unreadable_answer", "the answer cannot be read in the form that the mapping names"
    UNKNOWN_ORIGIN = "unknown_origin", "the language that the question is from cannot be read"


# What is left out for these is missing, or right as it is.
_NATURE = frozenset(
    {
        ItemFault.MISSING_LANGUAGE,
        NotBuilt.SEVERAL_ANSWERS,
        NotBuilt.FEW_DISTRACTORS,
        NotBuilt.NO_GAP,
        NotBuilt.SEVERAL_GAPS,
    }
)


def pivot_first(languages: Sequence[str]) -> list[str]:
    """The languages, each once, English first: items are named and grouped by the first language."""
    return sorted(dict.fromkeys(languages), key=lambda language: language != "en")


def whole_items(
    found: Versions, languages: Sequence[str], *, parallel: bool = True
) -> tuple[list[Item], dict[str, str]]:
    """The items that can be asked in each language and are the same in all; for each other one, the reason.

    parallel: False where each language has items of its own. Raises CrossinError where no item is whole.
    """
    items: list[Item] = []
    left_out: dict[str, str] = {}
    for name, versions in found.items():
        wanted = languages if parallel else [code for code in languages if code in versions]
        reason = _reason(versions, wanted)
        if reason is None:
            items += [item for item in map(versions.__getitem__, wanted) if isinstance(item, Item)]
        else:
            left_out[name] = reason
    twice = apart_in_all(items, languages) if parallel else set()
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


def check_left_out(source: Path, count: int, left_out: Mapping[str, str], most: float) -> None:
    """Raise CrossinError where a larger share than `most` of the `count` items is left out for faults, if
    they are more than a handful.
    """
    faults = FileFaults(source, count, unit="items")
    for reason, number in Counter(left_out.values()).items():
        if reason.partition(":")[0] not in _NATURE:
            faults.add(reason, number, None)
    check_faults([faults], most, "say how many may be left out: --max-skipped SHARE")


def write_whole(
    work: Stage,
    items: Sequence[Item],
    left_out: Mapping[str, str],
    disagreements: Sequence[Disagreement] = (),
    /,
    inventories: Sequence[Inventory] = (),
    **counts: Any,
) -> None:
    """Finish a benchmark's stage: the whole items, in `left_out.json` the reason for each other one, and
    the inventories and the disagreements between languages, each in a file of its own.
    """
    outputs = [LEFT_OUT]
    write_json(work.folder / LEFT_OUT, left_out)
    if disagreements:
        write_disagreements(work.folder, disagreements)
        outputs.append(DISAGREEMENTS)
        counts["disagreements"] = counted(disagreements)
    skipped = dict(Counter(left_out.values()).most_common())
    finish_bench(work, items, skipped, outputs=outputs, inventories=inventories, **counts)


def _reason(versions: Mapping[str, Item | str], languages: Sequence[str]) -> str | None:
    first: Item | None = None
    for language in languages:
        item = versions.get(language, ItemFault.MISSING_LANGUAGE.about(language))
        if isinstance(item, str):
            return item
        first = first or item
        if bool(item.context) != bool(first.context):
            # Not the same question without the passage it is about.
            lacking = first.language if item.context else language
            return f"{ItemFault.EMPTY.about('context')}:{lacking}"
        wrong = next(faults(item), None) or difference(first, item) or _other_number(first, item)
        if wrong is not None:
            return f"{wrong.reason}:{language}"
    return None


def _other_number(one: Item, two: Item) -> Fault | None:
    """A number has one value in all languages, however it is written."""
    if one.answer_type != "number" or number_of(one.answer) == number_of(two.answer):
        return None
    return Fault(ItemFault.DIFFERS.about("answer"), "answer", f"{two.answer}, {one.answer}")
