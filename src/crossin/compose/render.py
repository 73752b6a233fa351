"""From a planned draw to a training row: a join of the plan with the corpus and the languages' words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crossin.compose.plan import Draw
from crossin.compose.recipe import Recipe
from crossin.languages import load_words


@dataclass(frozen=True)
class Row:
    """One instruction, its input and its output, in one language."""

    instruction: str
    input: str
    output: str


def render(recipe: Recipe, draw: Draw, rows: Mapping[tuple[str, str], Row]) -> dict[str, str | int]:
    """The mixture's row (docs/formats.md) for one draw; `rows` is keyed by (id, language)."""
    component = recipe.components[draw.component]
    row_in, row_out = rows[draw.id, draw.language_in], rows[draw.id, draw.language_out]
    if component.kind == "trans":
        words = load_words(draw.language_out)
        source = row_in.instruction if component.side == "instruction" else row_in.output
        target = row_out.instruction if component.side == "instruction" else row_out.output
        question = words.translate(source)
    else:
        words = load_words(draw.language_in)
        target = row_out.output
        question = _with_tag(recipe, row_in, draw)
    return {
        "prompt": words.ask(question),
        "completion": words.separator + target,
        "kind": component.kind,
        "lang_in": draw.language_in,
        "lang_out": draw.language_out,
        "id": draw.id,
        "slot": draw.slot,
        "source": component.corpus,
    }


def _with_tag(recipe: Recipe, row: Row, draw: Draw) -> str:
    """The instruction and its input, with the wish for another language where one is wanted."""
    parts = [row.instruction, row.input]
    if draw.language_in != draw.language_out:
        if recipe.tag == "code":
            parts.append(f"[{draw.language_out}]")
        elif recipe.tag == "sentence":
            parts.append(load_words(draw.language_out).answer_here)
    return "\n".join(part for part in parts if part)
