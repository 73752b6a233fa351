"""Which entity of an inventory a reply in free text names."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from crossin.core.reasons import Reason
from crossin.items.inventories import Inventory
from crossin.items.replies.cleaning import cleaned, own_answer
from crossin.items.replies.names import Found, NameIndex, Passage, denied, repeats, words_of

# The names of all languages together are compared by the rules of none.
_ANY = "und"


class Unread(Reason):
    """Why no entity was read from a reply."""

    EMPTY = "empty_reply", "the reply is empty"
    THOUGHT = "thought_cut", "the reply ends within a thought"
    NONE = "no_entity", "the reply names no entity of the inventory"
    SEVERAL = "several_entities", "the reply names several entities"
    AMBIGUOUS = (
        "ambiguous_name",
        "the reply has a name that several entities share",
        "give these entities other names in entities.parquet",
    )
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
    question: str = "",
    any_language: bool = False,
) -> EntityReading:
    """The entity that the first line of a reply names in its `language`; never a guess.

    A name must stand there in whole; the longest one counts. `question` is the item's question in this
    language: names that are part of a longer passage which the reply repeats from it do not count, nor do
    those after a word such as "not". any_language: an entity that is named in another language of the
    inventory counts too, where none is in this one.
    """
    if not reply or not reply.strip():
        return EntityReading(None, Unread.EMPTY)
    line = _first_line(cleaned(reply))
    if not line:
        return EntityReading(None, Unread.THOUGHT if own_answer(reply) is None else Unread.EMPTY)
    named = _named(words_of(line, language), index_of(inventory, language), language, question)
    if named:
        return _one_of(named)
    named = _named(words_of(line, _ANY), index_of(inventory, _ANY), language, question)
    if named and not any_language:
        return EntityReading(None, Unread.OTHER_LANGUAGE)
    return _one_of(named)


def ambiguous_names(inventory: Inventory, language: str) -> list[str]:
    """The names in a language that belong to several entities, which are read as neither."""
    return sorted(" ".join(words) for words in index_of(inventory, language).ambiguous)


@lru_cache(maxsize=4096)
def index_of(inventory: Inventory, language: str) -> NameIndex:
    """The names of an inventory in a language, or with `_ANY` in all."""
    if language != _ANY:
        names = {entity: of.get(language, ()) for entity, of in inventory.names.items()}
    else:
        names = {
            entity: tuple(name for called in of.values() for name in called)
            for entity, of in inventory.names.items()
        }
    return NameIndex(names, language)


def _first_line(text: str) -> str:
    """The first line of a cleaned reply; with the next one, where that is what the first one announces."""
    first, _, rest = text.partition("\n")
    return f"{first} {rest.partition(chr(10))[0]}" if first.rstrip().endswith(":") else first


def _named(text: Passage, index: NameIndex, language: str, question: str) -> list[Found]:
    found = index.find(text)
    if not found:
        return []
    asked = words_of(question, language)
    return [
        one
        for one, before in zip(found, [None, *found], strict=False)
        if not denied(text, one, before, language) and not repeats(text, one, asked)
    ]


def _one_of(named: list[Found]) -> EntityReading:
    """The one entity among the names in a reply."""
    entities = {one.entity for one in named}
    if not entities:
        return EntityReading(None, Unread.NONE)
    if len(entities) > 1:
        return EntityReading(None, Unread.SEVERAL)
    (entity,) = entities
    return EntityReading(entity, None if entity is not None else Unread.AMBIGUOUS)
