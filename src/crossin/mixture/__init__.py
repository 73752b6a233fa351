"""The CrossIn mixture: a recipe of components becomes a plan, and the plan becomes rows."""

from crossin.mixture.dry_run import MixturePreview, preview
from crossin.mixture.recipe import Component, Recipe, read_recipe
from crossin.mixture.run import compose

__all__ = ["Component", "MixturePreview", "Recipe", "compose", "preview", "read_recipe"]
