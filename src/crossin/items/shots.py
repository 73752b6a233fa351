"""Which worked examples come before a question: the same in every language, and never what is asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.items.item import Item, read_items

# Language, task, and whether the answer is in free text: items alike in these have the same shots.
Sort = tuple[str, str, bool]


def sort_of(item: Item) -> Sort:
    """What decides which shots an item gets."""
    return item.language, item.task, item.free_text


def read_shots(number: int, bench: Path | None) -> list[Item]:
    """The items of the benchmark that `number` shots are to come from; none where there are to be none.

    Raises CrossinError where there is a number without a benchmark, or a benchmark without a number.
    """
    if (number > 0) != (bench is not None):
        raise CrossinError(
            "shots need both their number and a benchmark to take them from",
            field="shots",
            hint="give --shots with --shots-from, which names another split than is asked",
        )
    return [] if bench is None else read_items(bench)


def choose_shots(
    items: Sequence[Item], shots: Sequence[Item], number: int, seed: int
) -> dict[Sort, list[Item]]:
    """For each sort of item that is asked, its `number` shots, first to last.

    Only those of `shots` count that are there in every language of `items`, and neither are asked (be it
    under another id) nor share their group (the paragraph, the country) with an item that is asked. Of these,
    `hash64(seed, "shots", id)` decides, so all languages have the same ones in the same order. They are of
    the item's task where that has enough of them, else of any; those of an item in free text are in free
    text, and those of multiple choice are not.

    Raises CrossinError, with counts and reasons, where too few are left.
    """
    sorts = dict.fromkeys(map(sort_of, items))
    if not number:
        return {sort: [] for sort in sorts}
    versions: dict[str, dict[str, Item]] = defaultdict(dict)
    for shot in shots:
        versions[shot.item][shot.language] = shot
    first = {name: next(iter(found.values())) for name, found in versions.items()}
    left_out = _left_out(items, versions)
    usable = sorted(versions.keys() - left_out.keys(), key=lambda name: hash64(str(seed), "shots", name))
    chosen = {}
    for language, task, free in sorts:
        alike = [name for name in usable if first[name].free_text == free]
        of_task = [name for name in alike if first[name].task == task]
        names = (of_task if len(of_task) >= number else alike)[:number]
        if len(names) < number:
            offered = [name for name, shot in first.items() if shot.free_text == free]
            raise _too_few(number, "in free text" if free else "of multiple choice", offered, left_out)
        chosen[language, task, free] = [versions[name][language] for name in names]
    return chosen


def _left_out(items: Sequence[Item], versions: dict[str, dict[str, Item]]) -> dict[str, str]:
    """The shots that cannot be used, and why."""
    languages = {item.language for item in items}
    names, groups = {item.item for item in items}, {item.group for item in items}
    asked = {(item.language, item.context, item.question) for item in items}
    reasons = {}
    for name, found in versions.items():
        if name in names or any(
            shot.group in groups or (shot.language, shot.context, shot.question) in asked
            for shot in found.values()
        ):
            reasons[name] = "would leak, asked themselves or in one group with an item that is asked"
        elif lacking := sorted(languages - found.keys()):
            reasons[name] = f"not in {', '.join(lacking)}"
    return reasons


def _too_few(number: int, kind: str, offered: Sequence[str], left_out: dict[str, str]) -> CrossinError:
    reasons = Counter(left_out[name] for name in offered if name in left_out)
    usable = len(offered) - reasons.total()
    why = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return CrossinError(
        f"{number} shots {kind} are needed, and of {len(offered)} there are {usable} that can be used"
        + (f" ({why})" if why else ""),
        field="shots",
        hint="take them from another split or benchmark that has every language, or ask with fewer",
    )
