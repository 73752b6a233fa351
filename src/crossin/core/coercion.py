"""What a settings field takes beside its own type: a text or a path for each other, one for several."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from crossin.core.paths import as_path, is_path

_UNIONS = (Union, UnionType)


def coerced(model: type[BaseModel], entries: dict[str, Any]) -> dict[str, Any]:
    """The entries with paths and texts as their fields want them.

    A field of paths takes texts, with `~` for the home folder; one of texts takes paths. A list of either
    takes one alone, and of texts several with commas, as the field's flag does.
    """
    found = dict(entries)
    for name, field in model.model_fields.items():
        for key in {name, field.alias or name} & found.keys():
            found[key] = _fitted(found[key], field.annotation)
    return found


def listed(names: str | Iterable[str]) -> list[str]:
    """Names one by one, or in one text with commas."""
    return [one.strip() for one in names.split(",") if one.strip()] if isinstance(names, str) else list(names)


def holds_paths(annotation: Any) -> bool:
    """Whether a field is a path, or several."""
    return annotation is Path or any(map(holds_paths, get_args(annotation)))


def _fitted(value: Any, annotation: Any) -> Any:
    kinds = list(_alternatives(annotation))
    lists = [kind for kind in kinds if get_origin(kind) in (list, tuple, Sequence)]
    if isinstance(value, list | tuple):
        return [_fitted(one, get_args(kind)[0]) for one in value for kind in lists[:1]] if lists else value
    if not is_path(value):
        return value
    if Path in kinds:
        # As text: pydantic makes it a path, but takes no path where a model is read from JSON.
        return str(as_path(value))
    if str in kinds:
        return os.fspath(value)
    if not lists or len(kinds) > 1:
        return value
    [inner] = get_args(lists[0])[:1]
    if Path in _alternatives(inner):
        return [str(as_path(value))]
    if str not in _alternatives(inner):
        return value
    return listed(value) if isinstance(value, str) else [os.fspath(value)]


def _alternatives(annotation: Any) -> list[Any]:
    """The types that a field accepts, without None and pydantic's remarks."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in _UNIONS:
        parts = [one for part in get_args(annotation) for one in _alternatives(part)]
        return [one for one in parts if one is not type(None)]
    return [annotation]
