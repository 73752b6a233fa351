"""Which entity of an inventory a reply in free text names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crossin.core.reasons import Reason
from crossin.items.inventories import Inventory
from crossin.items.replies.cleaning import cleaned, own_answer
from crossin.items.replies.mentions import denied, in_list, in_longer_name, plain_words, repeats
from crossin.items.replies.names import Found, NameIndex, Passage, words_of
from crossin.languages.codes import script_of

# The names of all languages together are compared by the rules of none.
_ANY = "und"
# Scripts whose accents are often left out, and languages that need them.
_ACCENTED = ("Latn", "Grek")
_TONAL = ("vi", "yo")
_BRACKETS = re.compile(r"[(\[（【].*?(?:[)\]）】]|$)")


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

    A name must stand there in whole, and the longest one counts; accents may be left out where no name has
    those that are written. `question` is the item's question in this language: names that are part of a
    longer passage which the reply repeats from it do not count, nor do those that a word such as "not"
    belongs to. any_language: an entity that is named in another language of the inventory counts too, where
    none is named in this one.
    """
    if not reply or not reply.strip():
        return EntityReading(None, Unread.EMPTY)
    line = first_line(cleaned(reply))
    if not line:
        return EntityReading(None, Unread.THOUGHT if own_answer(reply) is None else Unread.EMPTY)
    reading = _read(line, inventory, language, language, question)
    if reading is None and script_of(language) in _ACCENTED and language.partition("-")[0] not in _TONAL:
        reading = _read(line, inventory, language, language, question, bare=True)
    if reading is None and (other := _read(line, inventory, _ANY, language, question)) is not None:
        hidden = other.unread != Unread.NONE and not any_language
        return EntityReading(None, Unread.OTHER_LANGUAGE) if hidden else other
    return reading or EntityReading(None, Unread.NONE)


def ambiguous_names(inventory: Inventory, language: str) -> list[str]:
    """The names in a language that belong to several entities, which are read as neither."""
    return sorted(" ".join(words) for words in index_of(inventory, language).ambiguous)


@lru_cache(maxsize=4096)
def index_of(inventory: Inventory, language: str, bare: bool = False) -> NameIndex:
    """The names of an inventory in a language, or with `_ANY` in all. bare: without accents."""
    if language != _ANY:
        names = {entity: of.get(language, ()) for entity, of in inventory.names.items()}
    else:
        names = {
            entity: tuple(name for called in of.values() for name in called)
            for entity, of in inventory.names.items()
        }
    return NameIndex(names, language, bare)


def first_line(text: str) -> str:
    """The first line of a reply, in which an entity is read; with the next one, where that is what the first
    one announces.
    """
    first, _, rest = text.partition("\n")
    return f"{first} {rest.partition(chr(10))[0]}" if first.rstrip().endswith(":") else first


def _read(
    line: str, inventory: Inventory, names: str, language: str, question: str, *, bare: bool = False
) -> EntityReading | None:
    """The entity in a line, by its names in the language `names`; None where it has none of them."""
    text, index = words_of(line, names, bare), index_of(inventory, names, bare)
    found = index.find(text)
    if not found:
        return None
    if _is_all(text, found[0]):
        # As in most replies.
        return _of(found[0])
    asked = words_of(question, names, bare)
    plain = plain_words(language) | index.shared | {form for word in asked.words for form in word.forms}
    kept = [
        name
        for number, name in enumerate(found)
        if not denied(text, found, number, language)
        and not repeats(text, name, asked)
        and not in_longer_name(text, found, number, plain)
    ]
    entities = {name.entity for name in kept}
    if not entities:
        return EntityReading(None, Unread.NONE)
    if len(entities) > 1 and _BRACKETS.search(line):
        outside = words_of(_BRACKETS.sub("", line), names, bare)
        if outside.words and _texts(outside) == _texts(text)[: found[0].end] and not found[0].start:
            # What is in brackets explains it: "Edo (Tokyo)".
            return _of(found[0])
    if len(entities) > 1 or in_list(text, kept, language):
        return EntityReading(None, Unread.SEVERAL)
    return _of(kept[0])


def _is_all(text: Passage, name: Found) -> bool:
    return name.end - name.start == len(text.words)


def _texts(text: Passage) -> list[str]:
    return [word.text for word in text.words]


def _of(name: Found) -> EntityReading:
    return EntityReading(name.entity, None if name.entity is not None else Unread.AMBIGUOUS)
