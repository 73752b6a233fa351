"""From what was found of each item in each language to a benchmark's folder: the whole items; the rest is
counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import write_json
from crossin.core.formats import ITEMS
from crossin.core.stages import Stage, begin
from crossin.items.item import Item, difference, fault, write_items

LEFT_OUT = "left_out.json"
# An item's name, and what was found of it in each language: the item, or why it cannot be used there.
Found = Mapping[str, Mapping[str, Item | str]]


def build(
    out: Path,
    settings: dict[str, Any],
    inputs: dict[str, Path],
    languages: Sequence[str],
    gather: Callable[[], Found],
    more: Callable[[Sequence[Item]], Mapping[str, Any]] | None = None,
) -> Stage:
    """The stage `bench`: the items that `gather` finds whole in all `languages`, as `items.parquet`.

    `left_out.json` says of every other item why it is not there; the manifest counts them by reason, and
    holds what `more` counts of the items. Raises CrossinError where no item is whole; the folder is then left
    as it was.
    """
    stage = begin(out, "bench", settings, inputs)
    if stage.done:
        return stage
    try:
        items, left_out = whole(gather(), languages)
        skipped = dict(Counter(left_out.values()).most_common())
        if not items:
            reasons = "; ".join(f"{reason} ({count:,})" for reason, count in skipped.items())
            raise CrossinError(
                f"no item is whole in {', '.join(languages)}: {reasons or 'there are none at all'}",
                hint="name fewer languages, or look at the source's files",
            )
    except CrossinError:
        stage.release()
        raise
    write_items(out / ITEMS, items)
    write_json(out / LEFT_OUT, left_out)
    one = [item for item in items if item.language == languages[0]]
    stage.finish(
        [ITEMS, LEFT_OUT],
        {
            "items": len(one),
            "languages": len(languages),
            "tasks": dict(Counter(item.task for item in one)),
            **(more(items) if more else {}),
        },
        skipped,
    )
    return stage


def pivot_first(languages: Sequence[str]) -> list[str]:
    """The languages with English first where it is among them: what an item is called and grouped by is read
    from the first.
    """
    return sorted(dict.fromkeys(languages), key=lambda language: language != "en")


def whole(found: Found, languages: Sequence[str]) -> tuple[list[Item], dict[str, str]]:
    """The items that can be asked in each language and are the same in all, and why each other one is not."""
    kept: list[Item] = []
    left_out: dict[str, str] = {}
    for name, versions in found.items():
        reason = _reason(versions, languages)
        if reason is None:
            kept += [item for item in map(versions.__getitem__, languages) if isinstance(item, Item)]
        else:
            left_out[name] = reason
    return kept, left_out


def _reason(versions: Mapping[str, Item | str], languages: Sequence[str]) -> str | None:
    first: Item | None = None
    for language in languages:
        item = versions.get(language, f"not in {language}")
        if isinstance(item, str):
            return item
        wrong = fault(item)
        if wrong:
            return f"{wrong[1]} in {language}"
        first = first or item
        differs = difference(first, item)
        if differs:
            return f"other {_WORDS.get(differs[0], differs[0])} in {language} than in {first.language}"
    return None


_WORDS = {"option_ids": "option ids"}
