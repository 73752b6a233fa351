"""Settings from a file: what is wrong in them, in words that name the place and the nearest key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from crossin.core.errors import CrossinError

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], entries: Any, path: Path | None, fix: str) -> Model:
    """The model that `entries` make.

    Raises CrossinError for the first that is wrong: it names the file `path` and the place in it, and for an
    unknown key the nearest valid one; for all else `fix` says what to do.
    """
    try:
        return model.model_validate(entries)
    except ValidationError as error:
        raise _explained(model, error, path, fix) from error


def _explained(model: type[BaseModel], error: ValidationError, path: Path | None, fix: str) -> CrossinError:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        valid = _keys_at(model, place)
        near = difflib.get_close_matches(place[-1], valid, n=1, cutoff=0.5)
        message = f"there is no key '{place[-1]}' here"
        fix = f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(valid)}"
    elif first["type"] == "model_type":
        message = "is no mapping of keys to values"
    return CrossinError(message, file=path, field=".".join(place) or None, fix=fix)


def _keys_at(model: type[BaseModel], place: list[str]) -> list[str]:
    """The keys that are valid where `place` ends."""
    for part in place[:-1]:
        # A list's number or a mapping's key leads to the same model as the list or mapping itself.
        if part in model.model_fields:
            model = next(_models_in(model.model_fields[part].annotation), model)
    return sorted(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
