"""From planned draws to training rows: a join of the plan with the corpora and the languages' words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.compose.plan import Plan
from crossin.compose.recipe import Component, Recipe
from crossin.compose.templates import Template, load_template
from crossin.corpus.parallel import ParallelCorpus
from crossin.languages import load_words

QUESTION = "question"
# Texts (n,), or a text that stands in every row.
Piece: TypeAlias = pa.Array | str


@dataclass(frozen=True)
class Wording:
    """How rows are worded: `template` gives the template for a language's rows."""

    recipe: Recipe
    template: Callable[[str], Template]


def wording_of(recipe: Recipe, data: Path) -> Wording:
    """The wording that a recipe asks for; the path of a template of the user's own starts from `data`.

    Raises CrossinError where the template, or its tokenizer, is not to be had.
    """
    if recipe.format == "messages":
        # The trainer's own template does the rest.
        plain = Template(with_input="{instruction}\n\n{input}", without_input="{instruction}")
        return Wording(recipe, lambda _: plain)
    if recipe.template == QUESTION:
        return Wording(recipe, _question_template)
    template = load_template(recipe.template, data, tokenizer=recipe.tokenizer)
    return Wording(recipe, lambda _: template)


def _question_template(language: str) -> Template:
    """The language's own words for question and answer."""
    words = load_words(language)
    return Template(
        with_input=words.prompt.replace("{question}", "{instruction}\n{input}"),
        without_input=words.prompt.replace("{question}", "{instruction}"),
        separator=words.separator,
    )


def render(wording: Wording, part: Plan, corpora: Mapping[str, ParallelCorpus]) -> pa.Table:
    """The mixture's rows (docs/formats.md) for a part of its plan, in the plan's order."""
    components = dict(wording.recipe.named())
    prompts, completions, ids, order = [], [], [], [np.empty(0, dtype=np.int64)]
    for name, language_in, language_out, places in part.directions():
        component = components[name]
        corpus = corpora[component.corpus]
        rows = part.row[places]
        for chosen, asked, given in _forms(wording, component, corpus, language_in, language_out, rows):
            template = wording.template(language_out if component.kind == "trans" else language_in)
            answer = corpus.text(language_out, component.fields[1], rows[chosen])
            prompts.append(_in_template(template, asked, given))
            completions.append(_join(template.separator, answer, template.end))
            ids.append(corpus.ids.take(pa.array(rows[chosen])))
            order.append(places[chosen])
    grouped = np.concatenate(order)
    inverse = np.empty(len(grouped), dtype=np.int64)
    inverse[grouped] = np.arange(len(grouped))
    back = pa.array(inverse)
    sources = {name: component.corpus for name, component in components.items()}
    kinds = {name: component.kind for name, component in components.items()}
    return pa.table(
        {
            "prompt": _joined(prompts).take(back),
            "completion": _joined(completions).take(back),
            "kind": _named(part.component, [kinds[name] for name in part.components]),
            "lang_in": _named(part.language_in, part.languages),
            "lang_out": _named(part.language_out, part.languages),
            "id": _joined(ids).take(back),
            "slot": pa.array(part.slot.astype(np.int64)),
            "source": _named(part.component, [sources[name] for name in part.components]),
            "component": _named(part.component, part.components),
        }
    )


def _forms(
    wording: Wording,
    component: Component,
    corpus: ParallelCorpus,
    language_in: str,
    language_out: str,
    rows: npt.NDArray[np.int32],
) -> Iterator[tuple[npt.NDArray[np.int64], list[Piece], list[Piece]]]:
    """What is asked in draws of one component from one language into another: (which of the rows, the pieces
    of their instruction, the pieces of their input), rows with an input apart from those without.
    """
    recipe = wording.recipe
    if component.kind == "trans":
        everything = np.arange(len(rows))
        words, asked = load_words(language_out), corpus.text(language_in, component.side, rows)
        if recipe.template == QUESTION and recipe.format != "messages":
            before, _, after = words.translate_here.partition("{text}")
            yield everything, [before, asked, after], []
        else:
            yield everything, [words.translate_this], [asked]
        return
    given = corpus.text(language_in, "input", rows)
    filled = pc.binary_length(given).to_numpy() > 0
    crossing = language_in != language_out
    for chosen in (np.flatnonzero(filled), np.flatnonzero(~filled)):
        if not len(chosen):
            continue
        instruction: list[Piece] = [corpus.text(language_in, "instruction", rows[chosen])]
        pieces: list[Piece] = [given.take(pa.array(chosen))] if filled[chosen[0]] else []
        if crossing and recipe.tag == "sentence":
            instruction += ["\n", load_words(language_out).answer_here]
        elif crossing and recipe.tag == "code":
            pieces += ["\n", f"[{language_out}]"] if pieces else [f"[{language_out}]"]
        yield chosen, instruction, pieces


def _in_template(template: Template, asked: list[Piece], given: list[Piece]) -> pa.Array:
    if not given:
        before, after = template.parts(False)
        return _join(before, *asked, after)
    before, between, after = template.parts(True)
    return _join(before, *asked, between, *given, after)


def _join(*pieces: Piece) -> pa.Array:
    """Texts joined row by row; a plain string stands in every row. One piece at least is an array."""
    merged: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif not isinstance(piece, str) or piece:
            merged.append(piece)
    if len(merged) == 1:
        return merged[0]
    texts = [pa.scalar(piece, pa.large_string()) if isinstance(piece, str) else piece for piece in merged]
    return pc.binary_join_element_wise(*texts, pa.scalar("", pa.large_string()))


def _joined(arrays: list[pa.Array]) -> pa.Array:
    return pa.concat_arrays(arrays) if arrays else pa.array([], pa.large_string())


def _named(numbers: npt.NDArray[np.int16], names: list[str]) -> pa.Array:
    """The name of each number. Every name stands in the dictionary once: Parquet writes a dictionary with
    repetitions differently from one time to the next.
    """
    distinct = list(dict.fromkeys(names))
    places = np.array([distinct.index(name) for name in names] or [0], dtype=np.int16)
    return pa.DictionaryArray.from_arrays(pa.array(places[numbers]), pa.array(distinct, pa.string()))
