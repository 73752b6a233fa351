"""The inventories of a benchmark: the right answers of its free-text items, joined across languages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossin.bench.assemble import Versions
from crossin.items.inventories import Inventories, Inventory, inventories_of, read_inventories
from crossin.items.item import Fault, Item, ItemFault
from crossin.items.replies.entities import ambiguous_names


def give_entities(found: Versions, languages: Sequence[str]) -> list[Inventory]:
    """The inventories of the items in `found`, which get the ids of their entities.

    An item without an id has the reference in the first language for one. The names of an entity in a
    language are the references and aliases of all items with it, the most frequent reference first; also of
    items that the benchmark leaves out, unless they lack the first language and so the id.
    """
    for versions in found.values():
        first = versions.get(languages[0])
        reference = first.answer if isinstance(first, Item) else ""
        for code in languages:
            item = versions.get(code)
            if isinstance(item, Item):
                # Without a name for its inventory, the item has none.
                entity = (item.entity or reference) if item.inventory else ""
                versions[code] = replace(item, entity=entity)
    given = (versions.get(code) for versions in found.values() for code in languages)
    return inventories_of(item for item in given if isinstance(item, Item))


def counted(inventories: Sequence[Inventory], languages: Sequence[str]) -> dict[str, Any]:
    """What a manifest counts of inventories: the entities of each, and by language the names that belong to
    several entities of one inventory; nothing where there are no inventories.
    """
    if not inventories:
        return {}
    ambiguous = {code: sum(len(ambiguous_names(one, code)) for one in inventories) for code in languages}
    return {
        "entities": {one.name: len(one.names) for one in inventories},
        "ambiguous_names": {code: count for code, count in ambiguous.items() if count},
    }


def entity_faults(items: Iterable[Item], folder: Path) -> Iterator[tuple[Item, Fault]]:
    """Where items and the inventories in a benchmark's folder do not fit together."""
    inventories = read_inventories(folder)
    for item in items:
        if item.inventory and (fault := _fault(item, inventories)) is not None:
            yield item, fault


def _fault(item: Item, inventories: Inventories) -> Fault | None:
    inventory = inventories.get(item.inventory)
    if inventory is None:
        return Fault(ItemFault.UNKNOWN_ENTITY.about("inventory"), "inventory", item.inventory)
    names: Mapping[str, Sequence[str]] | None = inventory.names.get(item.entity)
    if names is None:
        return Fault(ItemFault.UNKNOWN_ENTITY.about("entity"), "entity", item.entity)
    if not any(name.strip() for name in names.get(item.language, ())):
        return Fault(ItemFault.ENTITY_WITHOUT_NAME, "entity", item.entity)
    return None
