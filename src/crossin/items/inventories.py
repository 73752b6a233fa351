"""Inventories: the entities that may answer the free-text items of a relation, with their names in each
language (`entities.parquet`, docs/formats.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, write_parquet
from crossin.core.formats import ENTITIES

if TYPE_CHECKING:
    from crossin.items.item import Item

# By inventory's name.
Inventories = Mapping[str, "Inventory"]


@dataclass(frozen=True, eq=False)
class Inventory:
    """The entities that may answer the items of one relation.

    `names` has, by entity id and language, the entity's names there, the preferred one first. The order of
    the ids is the order of positions in tables of answers.
    """

    name: str
    names: Mapping[str, Mapping[str, tuple[str, ...]]]

    @cached_property
    def ids(self) -> list[str]:
        """The entity ids, in order."""
        return list(self.names)


def inventories_of(items: Iterable[Item]) -> list[Inventory]:
    """The inventories that items name: the right answers of all items of an inventory are its entities.

    The names of an entity in a language are the references and aliases of its items there, the most frequent
    reference first.
    """
    found: dict[str, dict[str, dict[str, Counter[str]]]] = {}
    for item in items:
        if item.inventory and item.entity:
            of_entity = found.setdefault(item.inventory, {}).setdefault(item.entity, {})
            names = of_entity.setdefault(item.language, Counter())
            names.update([item.answer])
            # Known, but no reference.
            names.update(dict.fromkeys(item.aliases, 0))
    return [
        Inventory(
            name,
            {
                entity: {code: tuple(text for text, _ in names.most_common()) for code, names in of.items()}
                for entity, of in entities.items()
            },
        )
        for name, entities in found.items()
    ]


def write_inventories(path: Path, inventories: Iterable[Inventory]) -> None:
    """Write inventories to one file: a row for each entity and language."""
    import pyarrow

    rows = [
        {"inventory": one.name, "entity": entity, "language": language, "names": list(names)}
        for one in inventories
        for entity, of_language in one.names.items()
        for language, names in of_language.items()
    ]
    text = pyarrow.string()
    columns = [("inventory", text), ("entity", text), ("language", text), ("names", pyarrow.list_(text))]
    write_parquet(path, pyarrow.Table.from_pylist(rows, pyarrow.schema(columns)))


def read_inventories(folder: Path) -> dict[str, Inventory]:
    """The inventories of a benchmark's or an evaluation's folder, by name; none where it has no such file.

    Raises CrossinError, with file, row and field, for what is not a text, and for an entity that occurs twice
    in a language.
    """
    file = folder / ENTITIES
    if not file.is_file():
        return {}
    found: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    columns = ["inventory", "entity", "language", "names"]
    for row, line in enumerate(read_parquet(file, columns).to_pylist(), start=1):
        for column in columns:
            value = line[column]
            texts = value if column == "names" and isinstance(value, list) else [value]
            if not all(isinstance(text, str) and text.strip() for text in texts):
                expected = "a list of texts" if column == "names" else "text"
                raise CrossinError(
                    f"expected {expected}",
                    file=file,
                    row=row,
                    field=column,
                    hint="fill it in, or remove the row",
                )
        languages = found.setdefault(line["inventory"], {}).setdefault(line["entity"], {})
        if line["language"] in languages:
            raise CrossinError(
                f"the entity '{line['entity']}' occurs twice in {line['language']}",
                file=file,
                row=row,
                field="entity",
                hint="write all of its names into one row",
            )
        languages[line["language"]] = tuple(line["names"])
    return {name: Inventory(name, names) for name, names in found.items()}


def of_languages(
    inventories: Inventories, languages: Collection[str], names: Collection[str]
) -> list[Inventory]:
    """The inventories called `names`, with the entities' names in these languages only."""
    return [
        Inventory(
            name,
            {
                entity: {code: found for code, found in of_language.items() if code in languages}
                for entity, of_language in inventories[name].names.items()
            },
        )
        for name in names
    ]
