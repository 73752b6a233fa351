"""Which of a benchmark's items are asked: languages, tasks, and a number of them drawn in whole groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.items.item import Item


def select(
    items: Sequence[Item],
    file: Path,
    *,
    languages: Collection[str] | None = None,
    tasks: Collection[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> tuple[list[Item], dict[str, int]]:
    """The items to ask, item by item in the benchmark's order, and the number of those left out, by reason.

    With `limit`, groups (paragraphs, countries) are drawn whole until they hold as many items, which are the
    same in every language; those of a smaller limit are among those of a larger one. Raises CrossinError,
    which names `file`, where the benchmark has not one of the languages or tasks.
    """
    for name, wanted in (("language", languages), ("task", tasks)):
        known = dict.fromkeys(getattr(item, name) for item in items)
        for value in wanted or ():
            if value not in known:
                raise CrossinError(
                    f"has no items whose {name} is '{value}'",
                    file=file,
                    field=name,
                    hint=f"choose among: {', '.join(known)}",
                )
    skipped: dict[str, int] = {}

    def keep(kept: list[Item], asked: list[Item], reason: str) -> list[Item]:
        if len(kept) < len(asked):
            skipped[f"question: {reason}"] = len(asked) - len(kept)
        return kept

    found = list(items)
    if languages is not None:
        found = keep([item for item in found if item.language in languages], found, "in another language")
    if tasks is not None:
        found = keep([item for item in found if item.task in tasks], found, "of another task")
    if limit is not None:
        drawn = _groups(found, limit, seed)
        found = keep([item for item in found if item.group in drawn], found, "beyond the limit")
    if not found:
        raise CrossinError(
            "has no items in these languages and tasks", file=file, hint="ask for others, or for all"
        )
    # Languages keep the order that they have in the whole benchmark, whichever item comes first.
    places = {item: place for place, item in enumerate(dict.fromkeys(item.item for item in items))}
    order = {language: place for place, language in enumerate(dict.fromkeys(item.language for item in items))}
    return sorted(found, key=lambda item: (places[item.item], order[item.language])), skipped


def _groups(items: Sequence[Item], limit: int, seed: int) -> set[str]:
    """So many groups, in the order drawn, as hold `limit` items."""
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
