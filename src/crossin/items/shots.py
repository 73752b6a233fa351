"""Worked examples before a question: the same in every language, and never one that gives it away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.items.item import Item, read_items, share_items
from crossin.languages.segmentation import fold

# An item's id and language.
Cell = tuple[str, str]
# An item in each language that it is there in.
_Versions = Mapping[str, Item]
# Language, task and kind: items that agree in these have the same shots from another benchmark.
_ShotKey = tuple[str, str, str]


def read_shots(number: int, bench: Path | str | None) -> list[Item]:
    """The items of the benchmark that `number` shots are taken from; none where there are no shots.

    Raises CrossinError for a number without a benchmark, or a benchmark without a number.
    """
    if (number > 0) != (bench is not None):
        raise CrossinError(
            "shots need both their number and a benchmark to take them from",
            field="shots",
            hint="give --shots with --shots-from, which names another split, or the benchmark asked itself",
        )
    return [] if bench is None else read_items(bench)


def choose_shots(
    items: Sequence[Item], shots: Sequence[Item], number: int, seed: int
) -> dict[Cell, list[Item]]:
    """The `number` shots of each of `items`, first to last, by the item's id and language.

    A shot must be there in every language of `items`, or in the language asked where the languages of `shots`
    have items of their own. All languages have the same shots in the same order, that of
    `hash64(seed, "shots", id)`. Free-text items get free-text shots, multiple-choice items get
    multiple-choice shots, and items with a gap get shots with a gap.

    From another benchmark, all items of a task have the same shots: of their task where it has enough, else
    of any task. No shot may be asked itself (also under another id), or share its group (the paragraph, the
    country) with an item that is asked.

    Where `shots` holds every one of `items` as it is, the benchmark gives its own shots: each item has the
    first of its task that are not the item itself, under this id or another, and not of its group. So nearly
    all items of a task have the same shots. Shots of a free-text item with another answer than the item's go
    before all those with the same one, since a model that repeats an answer from its shots must not be right
    by it, in every language at once. Options are few, and are often the same two or three for all items, so
    there the answer is not looked at: shots that never have the right label would lead away from it.

    Raises CrossinError, with counts, where too few shots remain.
    """
    if not number:
        return {(item.item, item.language): [] for item in items}
    versions: dict[str, dict[str, Item]] = defaultdict(dict)
    for shot in shots:
        versions[shot.item][shot.language] = shot
    order = sorted(versions, key=lambda name: hash64(str(seed), "shots", name))
    ordered = {name: versions[name] for name in order}
    # Else each language has items of its own.
    shared = share_items(shots)
    if all(ordered.get(item.item, {}).get(item.language) == item for item in items):
        return _own(items, ordered, number, shared)
    by_key = _foreign(items, ordered, number, shared)
    return {(item.item, item.language): by_key[_shot_key(item)] for item in items}


def _own(
    items: Sequence[Item], versions: Mapping[str, _Versions], number: int, shared: bool
) -> dict[Cell, list[Item]]:
    """`choose_shots` from the benchmark that is asked; `versions` are its items, in the order of the draw."""
    languages = {item.language for item in items}
    of_task: dict[tuple[str, str], list[_Versions]] = defaultdict(list)
    for found in versions.values():
        first = next(iter(found.values()))
        of_task[first.task, _kind(first)].append(found)
    asked: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        asked[item.item].append(item)
    chosen: dict[Cell, list[Item]] = {}
    for name, mine in asked.items():
        needed = languages if shared else {mine[0].language}
        alike = of_task[mine[0].task, _kind(mine[0])]
        usable = (
            found for found in alike if needed <= found.keys() and not _gives_away(found, versions[name])
        )
        some = list(islice(_other_answers_first(usable, versions[name]), number))
        if len(some) < number:
            raise _too_few_of_task(mine[0], alike, needed, versions[name], number)
        chosen |= {(name, item.language): [found[item.language] for found in some] for item in mine}
    return chosen


def _gives_away(shot: _Versions, item: _Versions) -> bool:
    """Whether a shot is the item itself, is of its group, or has its text in a language."""
    first, mine = next(iter(shot.values())), next(iter(item.values()))
    return (
        first.item == mine.item
        or first.group == mine.group
        or any(
            (shot[language].context, shot[language].question) == (one.context, one.question)
            for language, one in item.items()
            if language in shot
        )
    )


def _other_answers_first(usable: Iterable[_Versions], item: _Versions) -> Iterable[_Versions]:
    """In free text, the shots with another answer than the item's, and then the others."""
    same = []
    for shot in usable:
        if _same_answer(shot, item):
            same.append(shot)
        else:
            yield shot
    yield from same


def _same_answer(shot: _Versions, item: _Versions) -> bool:
    """Whether two free-text items have the same right entity, or share an answer's text in a language."""
    mine = next(iter(item.values()))
    if not mine.free_text:
        return False
    first = next(iter(shot.values()))
    if mine.entity and first.entity:
        return (mine.inventory, mine.entity) == (first.inventory, first.entity)
    return any(
        not {fold(text) for text in shot[language].right_texts}.isdisjoint(map(fold, one.right_texts))
        for language, one in item.items()
        if language in shot
    )


def _too_few_of_task(
    item: Item, alike: Sequence[_Versions], needed: set[str], mine: _Versions, number: int
) -> CrossinError:
    away = [found for found in alike if _gives_away(found, mine)]
    lacking = sum(not needed <= found.keys() for found in alike if found not in away)
    return CrossinError(
        f"{number} {_kind(item)} shots of the task '{item.task}' are needed for item '{item.item}', but only "
        f"{len(alike) - len(away) - lacking} of {len(alike)} can be used: {len(away)} would leak (the item "
        f"itself, its group, or its text), {lacking} lack a language",
        field="shots",
        hint="use fewer shots, take them from another split, or leave the task out with --tasks",
    )


def _foreign(
    items: Sequence[Item], versions: Mapping[str, _Versions], number: int, shared: bool
) -> dict[_ShotKey, list[Item]]:
    """`choose_shots` from another benchmark than the one that is asked."""
    first = {name: next(iter(found.values())) for name, found in versions.items()}
    leaking, incomplete = _unusable(items, versions)
    if not shared:
        incomplete = set()
    usable = [name for name in versions if name not in leaking | incomplete]
    chosen = {}
    for language, task, kind in dict.fromkeys(map(_shot_key, items)):
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


def _shot_key(item: Item) -> _ShotKey:
    return item.language, item.task, _kind(item)


def _kind(item: Item) -> str:
    answered = "free-text" if item.free_text else "multiple-choice"
    return f"{answered} gap" if item.gap else answered


def _unusable(items: Sequence[Item], versions: Mapping[str, _Versions]) -> tuple[set[str], set[str]]:
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
