"""The plan of a mixture: a pure function from (recipe, corpus index, languages, seed) to draws.

Draw k of a component is decided by `hash(seed, component, k)` alone, so any part of the plan can be made
anywhere, in any order, and a plan with twice the rows begins with the plan itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crossin.compose.recipe import Component, Recipe
from crossin.errors import CrossinError

_ROUNDS = 4


@dataclass(frozen=True)
class Draw:
    """One row to be made: draw number `slot` of component number `component`, from row `id`."""

    component: int
    slot: int
    id: str
    language_in: str
    language_out: str


def plan(
    recipe: Recipe, index: Mapping[str, Sequence[str]], languages: Sequence[str], seed: int
) -> list[Draw]:
    """The draws of a mixture in the order of training.

    `index` gives each corpus' row ids, all of which exist in all `languages`. Within a component, every pair
    of a row and a direction is drawn once before any is drawn again, in an order that the seed decides.
    Components are interleaved evenly.
    """
    check_directions(recipe, languages)
    placed = []
    for number, component in enumerate(recipe.components):
        ids = index.get(component.corpus, ())
        directions = directions_of(component, languages, recipe.pivot)
        if not ids:
            raise CrossinError(
                f"component {number + 1} ({component.kind}) has nothing to draw from: the corpus "
                f"'{component.corpus}' has no row in all of {', '.join(languages)}",
                field=f"components.{number}",
                fix="name other languages, or another corpus",
            )
        for slot in range(component.rows):
            key = f"{seed}/{number}"
            choice = draw_without_replacement(slot, len(ids) * len(directions), key)
            language_in, language_out = directions[choice % len(directions)]
            # Slot k of n stands between k/n and (k+1)/n of the way: doubling every size leaves the first half
            # as it was.
            place = (slot + _fraction(f"{key}/place/{slot}")) / component.rows
            placed.append(
                (place, number, Draw(number, slot, ids[choice // len(directions)], language_in, language_out))
            )
    return [draw for _, _, draw in sorted(placed, key=lambda entry: entry[:2])]


def check_directions(recipe: Recipe, languages: Sequence[str]) -> None:
    """Raise CrossinError where the recipe cannot be had in these languages."""
    if recipe.pivot not in languages:
        raise CrossinError(
            f"the recipe's pivot '{recipe.pivot}' is not among {', '.join(languages)}",
            fix=f"--languages {','.join([recipe.pivot, *languages])}",
        )
    for number, component in enumerate(recipe.components):
        if not directions_of(component, languages, recipe.pivot):
            raise CrossinError(
                f"component {number + 1} ({component.kind}) needs another language beside {recipe.pivot}",
                field=f"components.{number}",
                fix="name more languages, or leave the component out",
            )


def directions_of(component: Component, languages: Sequence[str], pivot: str) -> list[tuple[str, str]]:
    """The pairs (language in, language out) that a component draws from, all equally often."""
    others = [language for language in languages if language != pivot]
    match component.kind:
        case "base":
            return [(pivot, pivot)]
        case "mono":
            return [(language, language) for language in others]
        case "x2en":
            return [(language, pivot) for language in others]
        case "en2x":
            return [(pivot, language) for language in others]
        case "x2x" | "trans":
            return [(one, other) for one in languages for other in languages if one != other]


def draw_without_replacement(slot: int, size: int, key: str) -> int:
    """Element `slot` of an endless sequence that goes through 0..size-1 in a fresh random order each time
    round.

    A Feistel network with cycle walking makes the permutation, so that one element costs the same whatever
    came before it (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
    """
    turn, value = divmod(slot, size)
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = value >> half, value & mask
        for step in range(_ROUNDS):
            left, right = right, left ^ (_number(f"{key}/{turn}/{step}/{right}") & mask)
        value = left << half | right
        if value < size:
            return value


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def _fraction(key: str) -> float:
    return _number(key) / 2**64
