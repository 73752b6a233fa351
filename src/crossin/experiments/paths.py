"""Paths in the entries of a settings model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crossin.core.coercion import holds_paths
from crossin.core.paths import as_path, is_path
from crossin.core.settings import models_in
from crossin.experiments.jobs import references


def with_paths(
    model: type[BaseModel], entries: Mapping[str, Any], change: Callable[[str], Any]
) -> dict[str, Any]:
    """The entries with `change` applied to every path among them; references to other jobs stay."""

    def one(value: Any) -> Any:
        return change(str(value)) if is_path(value) and not any(references(str(value))) else value

    found = dict(entries)
    for name, field in model.model_fields.items():
        key = field.alias if field.alias in found else name
        value = found.get(key)
        if value is None:
            continue
        inner = next(models_in(field.annotation), None)
        if holds_paths(field.annotation):
            found[key] = [one(each) for each in value] if isinstance(value, list | tuple) else one(value)
        elif inner is not None and isinstance(value, Mapping):
            found[key] = with_paths(inner, value, change)
    return found


def below(folder: Path) -> Callable[[str], str]:
    """A path as it is from `folder`. A bare name that is not there may be an example's, and stays."""

    def place(text: str) -> str:
        path = folder / as_path(text)
        return str(path) if path.exists() or any(mark in text for mark in "/.~") else text

    return place
