"""What pydantic finds wrong in a settings file, as one problem in plain words at the entry's place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from crossin.core.errors import CrossinError
from crossin.core.plain_values import expectation, shown
from crossin.core.suggestions import nearest


class Problem(NamedTuple):
    """One wrong entry: the keys that lead to it, what is wrong, and a hint ('' for no idea).

    unknown_key: there is no such key. pydantic: the place in pydantic's own terms.
    """

    place: list[str]
    message: str
    hint: str
    unknown_key: bool
    pydantic: tuple[Any, ...]


def first_problem(error: ValidationError, entries: Any) -> Problem:
    """The problem to report: an unknown key, perhaps a misspelling of a missing one, or else the first.

    entries: what was read. An entry of several types, such as a number or `all`, has an error for each type;
    they are one problem, unless one of them is about an entry further inside.
    """
    errors = [(one, _place(one, entries)) for one in error.errors()]
    for one, place in errors:
        if one["type"] == "extra_forbidden":
            return Problem(place, f"there is no key '{place[-1]}' here", "", True, one["loc"])
    first = errors[0][1]
    below = [(one, place) for one, place in errors if place[: len(first)] == first]
    one, place = max(below, key=lambda pair: len(pair[1]))
    alike = [other for other, there in below if there == place]
    message, hint = _message(alike)
    return Problem([*place, *_named_entry(one)], message, hint, False, one["loc"])


def _named_entry(error: Any) -> list[str]:
    """The keys of the entry that our own error names, from the model that was checked as a whole."""
    own = getattr(error.get("ctx", {}).get("error"), "__cause__", None)
    return own.field.split(".") if isinstance(own, CrossinError) and own.field else []


def _message(errors: list[Any]) -> tuple[str, str]:
    """What is wrong, and a hint: that of our own error, or the nearest of the values that may stand there."""
    for one in errors:
        if one["type"] in ("value_error", "assertion_error"):
            own = getattr(one["ctx"]["error"], "__cause__", None)
            if isinstance(own, CrossinError):
                return own.message, own.hint or ""
            return one["msg"].partition(", ")[2], ""
        if one["type"] == "missing":
            return "is required, and missing", ""
    value, expected = errors[0]["input"], dict.fromkeys(_expected(one) for one in errors)
    choices = [
        choice.strip("'")
        for one in errors
        if one["type"] == "literal_error"
        for choice in one["ctx"]["expected"].replace(" or ", ", ").split(", ")
    ]
    near = nearest(value, choices) if isinstance(value, str) else []
    hint = f"did you mean '{near[0]}'?" if near else ""
    return f"expected {' or '.join(expected)}, got {shown(value)}", hint


def _expected(error: Any) -> str:
    return expectation(error["type"], error.get("ctx", {})) or "another value"


def _place(error: Any, entries: Any) -> list[str]:
    """The keys and numbers that lead to the entry, without pydantic's names of types between them."""
    place, value = [], entries
    for number, part in enumerate(error["loc"], 1):
        last = number == len(error["loc"])
        if _has(value, part):
            value = value[part]
        elif not (last and error["type"] == "missing"):
            continue
        place.append(str(part))
    return place


def _has(value: Any, part: Any) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)
