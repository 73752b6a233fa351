"""Values and expectations in plain words, for errors: as a settings file has them, never as Python does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LONGEST = 60
_MISSING = object()
# What an entry must be, by pydantic's type of error; those that say more are in `expectation`.
_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "string_unicode": "text in valid Unicode",
    "path_type": "a path",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}
_LIMITS = {
    "greater_than": ("gt", "a number greater than {}"),
    "greater_than_equal": ("ge", "a number greater than or equal to {}"),
    "less_than": ("lt", "a number less than {}"),
    "less_than_equal": ("le", "a number less than or equal to {}"),
}


def shown(value: Any) -> str:
    """A value as YAML has it, in a few words: `'many'`, `3`, `true`, `[en, zh]`, `a mapping`."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"'{_clipped(value)}'"
    if isinstance(value, bool | int | float):
        return _clipped(json.dumps(value))
    if isinstance(value, Mapping):
        return "a mapping" if value else "{}"
    if isinstance(value, Sequence):
        flat = all(isinstance(one, str | int | float | None) for one in value)
        return _clipped(f"[{', '.join(map(_bare, value))}]") if flat else "a list"
    return _clipped(str(value))


def expectation(kind: str, context: Mapping[str, Any]) -> str | None:
    """What should have stood there, by pydantic's type of error and its context; None where it is no question
    of that.
    """
    if kind == "literal_error":
        wanted = str(context["expected"])
        return f"one of {wanted.replace(' or ', ', ')}" if " or " in wanted else wanted
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        limit = context[key]
        return words.format(int(limit) if float(limit).is_integer() else limit)
    if kind == "string_too_short":
        return "text of at least 1 character"
    if kind in ("too_short", "too_long"):
        key, most = ("min_length", "at least") if kind == "too_short" else ("max_length", "at most")
        return f"{most} {context[key]} item{'s' * (context[key] != 1)}"
    return _EXPECTED.get(kind)


def differences(old: Any, new: Any, place: str = "") -> Iterator[str]:
    """What differs between two values of a settings file, a line for each innermost entry:
    `components.0.rows: 100 there, 200 here`.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}, key=str):
            yield from differences(old.get(key, _MISSING), new.get(key, _MISSING), f"{place}{key}.")
    elif _holds_containers(old) and _holds_containers(new):
        for number in range(max(len(old), len(new))):
            there, here = (side[number] if number < len(side) else _MISSING for side in (old, new))
            yield from differences(there, here, f"{place}{number}.")
    elif old != new:
        before, now = ("not set" if side is _MISSING else _unquoted(side) for side in (old, new))
        yield f"{place[:-1]}: {before} there, {now} here"


def _holds_containers(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(isinstance(one, Mapping | list | tuple) for one in value)


def _unquoted(value: Any) -> str:
    return _clipped(value) if isinstance(value, str) and value.strip() else shown(value)


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else "null" if value is None else json.dumps(value)


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
