"""Worked examples before a question: the same in every language, and never one of the items asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.items.item import Item, read_items, share_items

# Language, task and kind: items that agree in these have the same shots.
ShotKey = tuple[str, str, str]


def shot_key(item: Item) -> ShotKey:
    """What decides which shots an item gets."""
    return item.language, item.task, _kind(item)


def read_shots(number: int, bench: Path | str | None) -> list[Item]:
    """The items of the benchmark that `number` shots are taken from; none where there are no shots.

    Raises CrossinError for a number without a benchmark, or a benchmark without a number.
    """
    if (number > 0) != (bench is not None):
        raise CrossinError(
            "shots need both their number and a benchmark to take them from",
            field="shots",
            hint="give --shots with --shots-from, which names another split than the one asked",
        )
    return [] if bench is None else read_items(bench)


def choose_shots(
    items: Sequence[Item], shots: Sequence[Item], number: int, seed: int
) -> dict[ShotKey, list[Item]]:
    """For each key among `items` the `number` shots of its items, first to last.

    A shot must be there in every language of `items`, or in the language asked where the languages of `shots`
    have items of their own. It must not be asked itself (also under another id), nor share its group (the
    paragraph, the country) with an item that is asked. The remaining shots are ordered by
    `hash64(seed, "shots", id)`, so that all languages have the same ones in the same order. They are of the
    item's task where that has enough, else of any task. Free-text items get free-text shots, multiple-choice
    items get multiple-choice shots, and items with a gap get shots with a gap.

    Raises CrossinError, with counts, where too few shots remain.
    """
    keys = dict.fromkeys(map(shot_key, items))
    if not number:
        return {key: [] for key in keys}
    versions: dict[str, dict[str, Item]] = defaultdict(dict)
    for shot in shots:
        versions[shot.item][shot.language] = shot
    first = {name: next(iter(found.values())) for name, found in versions.items()}
    leaking, incomplete = _unusable(items, versions)
    if not share_items(shots):
        incomplete = set()
    usable = sorted(versions.keys() - leaking - incomplete, key=lambda name: hash64(str(seed), "shots", name))
    chosen = {}
    for language, task, kind in keys:
        alike = [name for name in usable if _kind(first[name]) == kind and language in versions[name]]
        of_task = [name for name in alike if first[name].task == task]
        names = (of_task if len(of_task) >= number else alike)[:number]
        if len(names) < number:
            offered = {name for name, shot in first.items() if _kind(shot) == kind}
            lacking = {name for name in offered if language not in versions[name]} - leaking | incomplete
            raise CrossinError(
                f"{number} {kind} shots are needed, but only "
                f"{len(alike)} of {len(offered)} can be used: {len(offered & leaking)} would leak (they, or "
                f"items of their group, are asked), {len(offered & lacking)} lack a language",
                field="shots",
                hint="take them from another split or benchmark that has every language, or use fewer",
            )
        chosen[language, task, kind] = [versions[name][language] for name in names]
    return chosen


def _kind(item: Item) -> str:
    answered = "free-text" if item.free_text else "multiple-choice"
    return f"{answered} gap" if item.gap else answered


def _unusable(items: Sequence[Item], versions: dict[str, dict[str, Item]]) -> tuple[set[str], set[str]]:
    """The shots that would leak what is asked, and of the others those that lack a language."""
    languages = {item.language for item in items}
    names, groups = {item.item for item in items}, {item.group for item in items}
    asked = {(item.language, item.context, item.question) for item in items}
    leaking = {
        name
        for name, found in versions.items()
        if name in names
        or any(
            shot.group in groups or (shot.language, shot.context, shot.question) in asked
            for shot in found.values()
        )
    }
    return leaking, {name for name, found in versions.items() if languages - found.keys()} - leaking
