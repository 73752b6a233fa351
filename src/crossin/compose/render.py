"""From planned draws to training rows: a join of the plan with the corpora and the languages' words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        corpus, rows = corpora[component.corpus], part.row[places]
        prompt, completion = _worded(wording, component, corpus, language_in, language_out, rows)
        prompts.append(prompt)
        completions.append(completion)
        ids.append(corpus.ids.take(pa.array(rows)))
        order.append(places)
    back = pa.array(np.argsort(np.concatenate(order)))
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


def _worded(
    wording: Wording,
    component: Component,
    corpus: ParallelCorpus,
    language_in: str,
    language_out: str,
    rows: npt.NDArray[np.int32],
) -> tuple[pa.Array, pa.Array]:
    """The prompts and completions of draws of one component from one language into another."""
    recipe = wording.recipe
    answers = corpus.text(language_out, component.fields[1], rows)
    given: pa.Array | None = None
    if component.kind == "trans":
        template, words = wording.template(language_out), load_words(language_out)
        asked = corpus.text(language_in, component.side, rows)
        if recipe.template == QUESTION and recipe.format != "messages":
            before, _, after = words.translate_here.partition("{text}")
            asked = _join(before, asked, after)
        else:
            asked, given = _join(words.translate_this, pc.utf8_slice_codeunits(asked, 0, 0)), asked
    else:
        template = wording.template(language_in)
        asked = corpus.text(language_in, "instruction", rows)
        given = corpus.text(language_in, "input", rows)
        if language_in != language_out and recipe.tag == "sentence":
            asked = _join(asked, "\n", load_words(language_out).answer_here)
        elif language_in != language_out and recipe.tag == "code":
            tag = f"[{language_out}]"
            given = _either(_filled(given), _join(given, "\n", tag), _join(given, tag))
    return _in_template(template, asked, given), _join(template.separator, answers, template.end)


def _in_template(template: Template, asked: pa.Array, given: pa.Array | None) -> pa.Array:
    before, after = template.parts(False)
    bare = _join(before, asked, after)
    if given is None or not pc.any(filled := _filled(given)).as_py():
        return bare
    before, between, after = template.parts(True)
    return _either(filled, _join(before, asked, between, given, after), bare)


def _filled(texts: pa.Array) -> pa.Array:
    return pc.greater(pc.binary_length(texts), 0)


def _either(mask: pa.Array, yes: pa.Array, no: pa.Array) -> pa.Array:
    return yes if pc.all(mask).as_py() else pc.if_else(mask, yes, no)


def _join(*pieces: Any) -> pa.Array:
    """Texts joined row by row; a plain string stands in every row."""
    kept = [piece for piece in pieces if not isinstance(piece, str) or piece]
    if len(kept) == 1:
        return kept[0]
    texts = [pa.scalar(piece, pa.large_string()) if isinstance(piece, str) else piece for piece in kept]
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
