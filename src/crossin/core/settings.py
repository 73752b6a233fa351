"""Settings: pydantic models, read from YAML, from flags and from Python, with errors that name the place and
the nearest key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml

Model = TypeVar("Model", bound=BaseModel)

_KIND = re.compile(r"^\[key\]$|^(?:lax-or-strict|function-\w+|dict|list|tuple)\[")


class Settings(BaseModel):
    """The base of all settings models: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


def setting(
    default: Any = ...,
    description: str = "",
    *,
    flag: str | bool | None = None,
    old_flags: tuple[str, ...] = (),
    metavar: str | None = None,
    group: str | None = None,
    greedy: bool = False,
    **rules: Any,
) -> Any:
    """A pydantic field, with what the command line needs to know to make an option of it.

    default: `...` where there is none. flag: the option's name where it is not the field's, False for no
    option. old_flags: names that still work, without being shown. metavar: what the help calls the value;
    `JSON` is read as such. group: the title that the help shows the option under. greedy: it takes all words
    up to the next option. rules: as in pydantic's `Field` (ge, alias, ...).
    """
    extra: dict[str, Any] = {
        "flag": flag,
        "old_flags": list(old_flags),
        "metavar": metavar,
        "group": group,
        "greedy": greedy,
    }
    return Field(default, description=description, json_schema_extra=extra, **rules)


def validated(model: type[Model], entries: Any, path: Path | None, hint: str) -> Model:
    """The model that `entries` make.

    Raises CrossinError for the first entry that is wrong: it names the file `path`, the field, and for an
    unknown key the nearest valid one; for all else `hint` says what to do.
    """
    try:
        return model.model_validate(entries)
    except ValidationError as error:
        raise explained(model, error, path, hint) from error


def read_settings(
    model: type[Model], path: Path | None, given: Mapping[str, Any] | None = None, *, hint: str
) -> Model:
    """The model in the YAML file `path`, with what is `given` in place of the file's entries.

    given: entries as the file would hold them, from flags or from Python; mappings are merged key by key.
    Relative paths in the file start from its folder, those given from the working directory.
    Raises CrossinError with file and field; for an entry that was given, without the file.
    """
    given = dict(given or {})
    if path is None:
        return validated(model, given, None, hint)
    entries = read_yaml(path)
    if not isinstance(entries, dict):
        raise CrossinError("expected a mapping (key: value)", file=path, hint=hint)
    # By itself first, so that an error in the file names the file.
    entries = _resolved(model, entries, path.parent)
    try:
        return model.model_validate(merged(entries, given))
    except ValidationError as error:
        place = _first(error)["loc"]
        raise explained(model, error, None if _holds(given, place) else path, hint) from error


def merged(entries: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """`entries` with those of `given` in their place; where both are mappings, key by key."""
    result = dict(entries)
    for key, value in given.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def explained(model: type[BaseModel], error: ValidationError, path: Path | None, hint: str) -> CrossinError:
    """What pydantic found wrong first, as one of our errors."""
    first = _first(error)
    place = _place(first)
    message = first["msg"].removeprefix("Value error, ")
    if own := _own(first):
        message, hint = own.message, f"{own.hint}; {hint}" if own.hint else hint
    if first["type"] == "extra_forbidden":
        valid = _keys_at(model, place)
        near = difflib.get_close_matches(place[-1], valid, n=1, cutoff=0.5)
        message = f"there is no key '{place[-1]}' here"
        hint = f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(valid)}"
    elif first["type"] in ("model_type", "dict_type", "mapping_type"):
        message = "expected a mapping (key: value)"
    return CrossinError(message, file=path, field=".".join(place) or None, hint=hint)


def _first(error: ValidationError) -> Any:
    """The error to report: an unknown key, perhaps a misspelling of a missing one, or else the first."""
    errors = error.errors()
    unknown = (one for one in errors if one["type"] == "extra_forbidden")
    # Where a field may be of several kinds, what a validator says tells more than that it is not of a kind.
    same = [one for one in errors if _place(one)[:1] == _place(errors[0])[:1]]
    said = (one for one in same if one["type"] == "value_error")
    return next(unknown, next(said, errors[0]))


def _place(error: Any) -> list[str]:
    """Where an error is, without pydantic's names for kinds and for a mapping's key."""
    return [str(part) for part in error["loc"] if not _KIND.search(str(part))]


def _own(error: Any) -> CrossinError | None:
    """The error of ours that pydantic wraps."""
    cause = getattr(error.get("ctx", {}).get("error"), "__cause__", None)
    return cause if isinstance(cause, CrossinError) else None


@contextmanager
def as_value_error() -> Iterator[None]:
    """In a validator: turn a CrossinError into a ValueError, to which `explained` adds file and field."""
    try:
        yield
    except CrossinError as error:
        raise ValueError(error.message) from error


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def _keys_at(model: type[BaseModel], place: list[str]) -> list[str]:
    """The keys that are valid where `place` ends."""
    for part in place[:-1]:
        # A list's number or a mapping's key leads to the same model as the list or mapping itself.
        if part in model.model_fields:
            model = next(models_in(model.model_fields[part].annotation), model)
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _resolved(model: type[BaseModel], entries: dict[str, Any], base: Path) -> dict[str, Any]:
    """The entries with relative paths put below `base`."""
    found = dict(entries)
    for name, field in model.model_fields.items():
        key = field.alias if field.alias in found else name
        value = found.get(key)
        if value is None:
            continue
        inner = next(models_in(field.annotation), None)
        if _is_path(field.annotation):
            found[key] = (
                [_below(base, one) for one in value] if isinstance(value, list) else _below(base, value)
            )
        elif inner is not None and isinstance(value, dict):
            found[key] = _resolved(inner, value, base)
    return found


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(map(_is_path, get_args(annotation)))


def _below(base: Path, value: Any) -> Any:
    return base / value if isinstance(value, str) else value


def _holds(given: Mapping[str, Any], place: tuple[Any, ...]) -> bool:
    """Whether `given` has an entry at this place."""
    value: Any = given
    for part in place:
        if not isinstance(value, Mapping) or part not in value:
            return not isinstance(value, Mapping) and value is not given
        value = value[part]
    return bool(place)
