"""Three questions in free text, in three languages, whose answers are entities of two inventories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossin.core.formats import ENTITIES
from crossin.items import Item
from crossin.items.inventories import Inventory, write_inventories
from tests.helpers.small_bench import write_bench

LANGUAGES = ("en", "de", "ru")
CAPITALS = Inventory(
    "capital",
    {
        "Q1741": {"en": ("Vienna",), "de": ("Wien",), "ru": ("Вена",)},
        "Q1490": {"en": ("Tokyo",), "de": ("Tokio",), "ru": ("Токио",)},
        "Q90": {"en": ("Paris",), "de": ("Paris",), "ru": ("Париж",)},
    },
)
RIVERS = Inventory(
    "river",
    {
        "Q1653": {"en": ("Danube",), "de": ("Donau",), "ru": ("Дунай",)},
        "Q1471": {"en": ("Seine",), "de": ("Seine",), "ru": ("Сена",)},
    },
)
GOLD = {"austria": (CAPITALS, "Q1741"), "japan": (CAPITALS, "Q1490"), "budapest": (RIVERS, "Q1653")}


def items() -> list[Item]:
    """The questions, item by item."""
    return [
        Item(
            item=item,
            group=item,
            task=inventory.name,
            language=language,
            context="",
            question=f"{item}? ({language})",
            options=[],
            option_ids=[],
            answer=inventory.names[gold][language][0],
            source="made up",
            licence="CC0-1.0",
            inventory=inventory.name,
            entity=gold,
        )
        for item, (inventory, gold) in GOLD.items()
        for language in LANGUAGES
    ]


def write_entity_bench(folder: Path, *, inventories: bool = True) -> Path:
    """The benchmark's folder; `inventories`: whether the entities are there."""
    write_bench(folder, items())
    if inventories:
        write_inventories(folder / ENTITIES, [CAPITALS, RIVERS])
    return folder


def entity_replies(changed: Mapping[tuple[str, str], str | None] = {}, **more: Any) -> list[dict[str, Any]]:
    """Right replies to every item, but for those `changed`; `more` stands in every line."""
    return [
        {
            "item": item.item,
            "language": item.language,
            "reply": changed.get((item.item, item.language), item.answer),
            **more,
        }
        for item in items()
    ]
