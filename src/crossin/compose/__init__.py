"""The CrossIn mixture: a recipe of components becomes a plan, and the plan becomes rows.

The package can be called: `crossin.compose(recipe, data, out)` is `crossin.compose.compose`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossin.compose.dry_run import Preview, preview
    from crossin.compose.mixture import compose
    from crossin.compose.recipe import Component, Recipe, read_recipe

__all__ = ["Component", "Preview", "Recipe", "compose", "preview", "read_recipe"]

# Loaded at first use: a recipe can be read without what composing needs.
_HOMES = {
    "Component": "recipe",
    "Preview": "dry_run",
    "Recipe": "recipe",
    "compose": "mixture",
    "preview": "dry_run",
    "read_recipe": "recipe",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


class _Stage(ModuleType):
    """A package that is named after its one function."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return import_module(f"{__name__}.mixture").compose(*args, **options)


sys.modules[__name__].__class__ = _Stage
