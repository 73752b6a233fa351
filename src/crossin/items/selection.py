"""Which of a benchmark's items are asked: languages, tasks, and a number of items drawn in whole groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.core.reasons import Reason
from crossin.items.item import Item


class NotAsked(Reason):
    """Why a question of a benchmark is not asked."""

    LANGUAGE = "unselected_language", "in a language that is not selected"
    TASK = "unselected_task", "of a task that is not selected"
    LIMIT = "beyond_limit", "beyond the limit"


def select(
    items: Sequence[Item],
    file: Path,
    *,
    languages: Collection[str] | None = None,
    tasks: Collection[str] | None = None,
    limit: int | None = None,
    per_task: int | None = None,
    seed: int = 0,
) -> tuple[list[Item], dict[str, int]]:
    """The items to ask, item by item in the benchmark's order, and how many questions are not asked, by
    reason code.

    With `limit`, whole groups (paragraphs, countries) are drawn until they hold that many items, the same in
    every language; those of a smaller limit are among those of a larger one. `per_task` draws so from each
    task by itself: that many items of each, or all where it has fewer. Raises CrossinError where both are
    given, and with `file`, for a language or task that the benchmark does not have.
    """
    if limit is not None and per_task is not None:
        raise CrossinError(
            "`limit` draws from all tasks together, and `per_task` from each",
            field="per_task",
            hint="give --limit or --per-task, not both",
        )
    skipped: Counter[str] = Counter()
    found = list(items)
    for name, wanted, reason in (("language", languages, NotAsked.LANGUAGE), ("task", tasks, NotAsked.TASK)):
        known = dict.fromkeys(getattr(item, name) for item in items)
        for value in wanted or ():
            if value not in known:
                raise CrossinError(
                    f"there are no items whose {name} is '{value}'",
                    file=file,
                    field=name,
                    hint=f"choose among: {', '.join(known)}",
                )
        if wanted is not None:
            skipped[reason] = sum(getattr(item, name) not in wanted for item in found)
            found = [item for item in found if getattr(item, name) in wanted]
    number = per_task if limit is None else limit
    if number is not None:
        pools: dict[str, list[Item]] = defaultdict(list)
        for item in found:
            pools[item.task if per_task else ""].append(item)
        drawn = {pool: _groups(members, number, seed) for pool, members in pools.items()}
        kept = [item for item in found if item.group in drawn[item.task if per_task else ""]]
        skipped[NotAsked.LIMIT] = len(found) - len(kept)
        found = kept
    if not found:
        raise CrossinError(
            "there are no items in these languages and tasks", file=file, hint="select others, or all"
        )
    # Languages keep the order that they have in the whole benchmark, whichever item comes first.
    places = {item: place for place, item in enumerate(dict.fromkeys(item.item for item in items))}
    order = {language: place for place, language in enumerate(dict.fromkeys(item.language for item in items))}
    return sorted(found, key=lambda item: (places[item.item], order[item.language])), dict(+skipped)


def _groups(items: Sequence[Item], limit: int, seed: int) -> set[str]:
    """As many groups, in the order drawn, as hold `limit` items."""
    members: dict[str, set[str]] = {}
    for item in items:
        members.setdefault(item.group, set()).add(item.item)
    drawn: set[str] = set()
    count = 0
    for group in sorted(members, key=lambda name: (hash64(str(seed), "limit", name), name)):
        if count >= limit:
            break
        drawn.add(group)
        count += len(members[group])
    return drawn
