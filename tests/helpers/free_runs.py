"""Replies of two models to a benchmark with all kinds of items: choices, entities, and open questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from crossin.core.formats import ENTITIES
from crossin.items.inventories import Inventory, write_inventories
from tests.helpers import entity_bench, small_bench
from tests.helpers.report_data import HOSTILE
from tests.helpers.small_bench import write_bench, write_replies

LANGUAGES = ("en", "de")
# The name of an entity, and an accepted answer, that a page must not read as HTML.
EVIL = Inventory(
    "evil",
    {
        "Q1": {"en": (f"Good {HOSTILE}", "Good"), "de": (f"Gut {HOSTILE}", "Gut")},
        "Q2": {"en": ("Bad",), "de": ("Schlecht",)},
    },
)


def write_mixed_bench(folder: Path) -> Path:
    """Four questions of `small_bench` and four with an entity as the answer, in two languages."""
    items = [item for item in (*small_bench.items(), *entity_bench.items()) if item.language in LANGUAGES]
    [model] = [item for item in items if item.item == "austria" and item.language == "en"]
    items += [
        replace(
            model,
            item="evil",
            group="evil",
            task="evil",
            language=language,
            question=f"Evil? {HOSTILE}",
            answer=EVIL.names["Q1"][language][1],
            aliases=[HOSTILE],
            inventory="evil",
            entity="Q1",
        )
        for language in LANGUAGES
    ]
    write_bench(folder, items)
    write_inventories(folder / ENTITIES, [entity_bench.CAPITALS, entity_bench.RIVERS, EVIL])
    return folder


def write_model(file: Path, changed: Mapping[tuple[str, str], str | None]) -> Path:
    """Right replies to every item, but for those `changed`."""
    right = {
        (item.item, item.language): item.right_text
        for item in (*small_bench.items(), *entity_bench.items())
        if item.language in LANGUAGES
    }
    right |= {("evil", language): EVIL.names["Q1"][language][1] for language in LANGUAGES}
    replies = {**right, **changed}
    return write_replies(
        file,
        [{"item": item, "language": language, "reply": reply} for (item, language), reply in replies.items()],
    )


def two_models(folder: Path) -> tuple[dict[str, Path], Path]:
    """The runs of a page by name, and the benchmark's folder. `old` names a wrong entity, an entity in
    another language and none at all, replies nothing once, and words an open answer otherwise.
    """
    changed = {
        ("austria", "de"): "Paris",
        ("japan", "de"): "I do not know.",
        ("budapest", "en"): None,
        ("evil", "en"): f"No idea {HOSTILE}",
        ("name", "en"): f"in Vienna, I think {HOSTILE}",
        ("name", "de"): "",
        ("sky", "de"): "No idea",
    }
    bench = write_mixed_bench(folder / "bench")
    runs = {"old": write_model(folder / "old.jsonl", changed), "new": write_model(folder / "new.jsonl", {})}
    return runs, bench
