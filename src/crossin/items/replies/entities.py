"""Which entity of an inventory a reply in free text names."""

from __future__ import annotations

from typing import NamedTuple

from crossin.core.reasons import Reason
from crossin.items.inventories import Inventory
from crossin.items.replies.cleaning import own_answer


class Unread(Reason):
    """Why no entity was read from a reply."""

    EMPTY = "empty_reply", "the reply is empty"
    THOUGHT = "thought_cut", "the reply ends within a thought"
    NONE = "no_entity", "the reply names no entity of the inventory"
    SEVERAL = "several_entities", "the reply names several entities"
    OTHER_LANGUAGE = "entity_in_other_language", "the reply names an entity in another language only"


class EntityReading(NamedTuple):
    """The id of the entity that a reply names, or None and the code of the reason (`Unread`)."""

    entity: str | None
    unread: str | None


def read_entity(
    reply: str | None,
    inventory: Inventory,
    language: str,
    *,
    question: str = "",  # noqa: ARG001
) -> EntityReading:
    """The entity that the first line of a reply names in its `language`; never a guess.

    `question` is the item's question in this language: names that are part of what the reply repeats from it
    do not count.
    """
    if not reply or not reply.strip():
        return EntityReading(None, Unread.EMPTY)
    text = own_answer(reply)
    if text is None:
        return EntityReading(None, Unread.THOUGHT)
    line = next((line for line in text.splitlines() if line.strip()), "").casefold()
    found = {
        entity
        for entity, names in inventory.names.items()
        if any(name.casefold() in line for name in names.get(language, ()))
    }
    if len(found) == 1:
        return EntityReading(found.pop(), None)
    return EntityReading(None, Unread.SEVERAL if found else Unread.NONE)
