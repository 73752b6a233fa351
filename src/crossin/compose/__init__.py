"""The CrossIn mixture: a recipe of components becomes a plan, and the plan becomes rows."""

from crossin.compose.mixture import compose
from crossin.compose.plan import Draw, plan
from crossin.compose.recipe import Component, Recipe, read_recipe

__all__ = ["Component", "Draw", "Recipe", "compose", "plan", "read_recipe"]
