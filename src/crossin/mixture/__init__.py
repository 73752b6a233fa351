"""The CrossIn mixture: a recipe of components becomes a plan, and the plan becomes rows."""

from crossin.mixture.recipe import Component, Recipe, read_recipe
from crossin.mixture.run import MixturePreview, compose, preview

__all__ = ["Component", "MixturePreview", "Recipe", "compose", "preview", "read_recipe"]
