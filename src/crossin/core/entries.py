"""Entries of a settings file by dotted keys, such as `components.x2x.rows`: to read, change and remove them.

An element of a list is named by its number from 0, its `name`, its full name (`x2x/questions`: kind and
corpus) or its `kind`, and a text by itself. Where a key itself has dots, the longest key
that is there counts.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from itertools import chain
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown
from crossin.core.suggestions import nearest

# The corpus of a component that names none, unless the recipe describes a single one.
_CORPUS = "questions"

Place = tuple[str | int, ...]


class AmbiguousEntry(CrossinError):
    """A name that several elements of a list have."""


def merged(entries: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`entries` with those of `given` in their place; where both are mappings, key by key."""
    result = dict(entries)
    for key, value in given.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def get(entries: Mapping[str, Any], key: str) -> Any:
    """The value of an entry. Raises CrossinError, with the nearest key, where it is not there."""
    value: Any = entries
    for part in place_of(entries, key, whole=True):
        value = value[part]
    return value


def put(entries: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy of the entries with this value; where the old one and the new one are mappings, key by key.

    Mappings on the way are made. Raises CrossinError for an element that a list does not have.
    """

    def change(holder: Any, last: str | int) -> None:
        old = holder[last] if isinstance(last, int) else holder.get(last)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        holder[last] = merged(old, value) if both else value

    return _changed(entries, place_of(entries, key), change)


def remove(entries: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A copy of the entries without this one. Raises CrossinError where it is not there."""

    def change(holder: Any, last: str | int) -> None:
        del holder[last]

    return _changed(entries, place_of(entries, key, whole=True), change)


def changed(entries: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The entries with the changes in their place. Mappings are merged key by key, and a key with dots leads
    inside of mappings and lists; only at the top, since names of the user's choice may have dots.
    """
    result = merged(entries, {key: value for key, value in changes.items() if "." not in key})
    for key, value in changes.items():
        if "." in key:
            result = put(result, key, value)
    return result


def place_of(entries: Mapping[str, Any], key: str, *, whole: bool = False) -> Place:
    """Where a key leads: keys of mappings and numbers of elements.

    whole: every part must be there; else only elements of lists must. Raises CrossinError that names the
    nearest.
    """
    parts = key.split(".")
    if not all(parts):
        raise CrossinError("expected names with dots between them", field=key, hint="as in batches.rows")
    place: list[str | int] = []
    value: Any = entries
    holder: Any = {}
    while parts:
        here = ".".join(map(str, place))
        if isinstance(value, Mapping):
            count = _longest(parts, value)
            if not count and whole:
                raise _missing(parts[0], [[str(one)] for one in value], here)
            name: str | int = ".".join(parts[: count or 1])
            inner = value.get(name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            names = [_names(one, holder) for one in value]
            count = _longest(parts, {*map(str, range(len(names))), *chain(*names)})
            if not count:
                raise _missing(parts[0], names, here)
            found = _numbers(".".join(parts[:count]), names)
            if len(found) > 1:
                same = " and ".join(map(str, found))
                raise AmbiguousEntry(
                    f"'{'.'.join(parts[:count])}' is elements {same} of '{here}'",
                    field=key,
                    hint=f"give the number, or one of: {', '.join(names[one][0] for one in found)}",
                )
            name = found[0]
            inner = value[name]
        elif value is None and not whole:
            count, name, inner = 1, parts[0], None
        else:
            raise CrossinError(f"'{here}' is {shown(value)}, without entries", field=key, hint=f"set {here}")
        place.append(name)
        holder, value, parts = value, inner, parts[count or 1 :]
    return tuple(place)


def _changed(
    entries: Mapping[str, Any], place: Place, change: Callable[[Any, str | int], None]
) -> dict[str, Any]:
    """A copy, down to the place, of which `change` gets the mapping or list and the last key."""
    result = dict(entries)
    holder: Any = result
    for part in place[:-1]:
        old = holder[part] if isinstance(part, int) else holder.get(part)
        holder[part] = list(old) if isinstance(old, Sequence) else dict(old or {})
        holder = holder[part]
    change(holder, place[-1])
    return result


def _longest(parts: list[str], known: Container[str]) -> int:
    """How many of the parts make up the longest known name; 0 where none do."""
    return next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in known), 0)


def _names(element: Any, holder: Any) -> list[str]:
    """What an element of a list is called, the most exact first."""
    if not isinstance(element, Mapping):
        return [element] if isinstance(element, str) else []
    name, kind = element.get("name"), element.get("kind")
    if kind is None:
        return [str(name)] if name else []
    corpora = holder.get("corpora") if isinstance(holder, Mapping) else None
    only = next(iter(corpora)) if isinstance(corpora, Mapping) and len(corpora) == 1 else _CORPUS
    return [str(name or f"{kind}/{element.get('corpus', only)}"), str(kind)]


def _numbers(text: str, names: list[list[str]]) -> list[int]:
    """The elements that a text may mean: by number, else by the most exact of their names."""
    for level in range(2):
        if found := [number for number, one in enumerate(names) if text in one[level : level + 1]]:
            return found
    return [int(text)] if text.isdecimal() and int(text) < len(names) else []


def _missing(part: str, names: list[list[str]], here: str) -> CrossinError:
    """The error for a name that is not among those of the entries at `here`."""
    near = nearest(part, chain(*names))
    all_of_them = ", ".join(one[0] for one in names if one)
    return CrossinError(
        f"there is no '{part}' in '{here}'" if here else f"there is no '{part}'",
        field=f"{here}.{part}" if here else part,
        hint=f"did you mean '{near[0]}'?" if near else f"use one of: {all_of_them or '(none)'}",
    )
