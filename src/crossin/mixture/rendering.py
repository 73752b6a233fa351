"""From planned draws to training rows: the plan is joined with the corpora and the languages' words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.reasons import sentence_of
from crossin.corpus.parallel import ParallelCorpus
from crossin.languages import load_phrases
from crossin.languages.segmentation import is_unspaced
from crossin.mixture.conversations import Converse, drawn_texts, with_conversations
from crossin.mixture.planning import Plan
from crossin.mixture.recipe import Component, Recipe
from crossin.mixture.templates import CHAT, Template, conversation_text, load_template
from crossin.mixture.tokens import load_tokenizer
from crossin.models.chat import ChatTemplate

QUESTION = "question"
PLAIN = "plain"
# Texts (n,), or one text for all rows.
Piece: TypeAlias = pa.Array | str
# Texts (n,) and the place of each among the rows that are rendered.
Placed: TypeAlias = tuple[npt.NDArray[np.int64], pa.Array]


@dataclass(frozen=True)
class RowStyle:
    """How rows become prompts: `template` returns the template for a language's rows, and `converse` the
    prompt and completion of a conversation in a chat template. `notes` are what a user should know of it.
    """

    recipe: Recipe
    template: Callable[[str], Template]
    notes: tuple[str, ...] = ()
    converse: Converse | None = None


def row_style(recipe: Recipe, data: Path) -> RowStyle:
    """The format of a recipe's rows; the path of a user's template is relative to `data`.

    Raises CrossinError where the template or its tokenizer cannot be loaded.
    """
    if recipe.format == "messages":
        # The trainer's own template does the rest.
        plain = Template(with_input="{instruction}\n\n{input}", without_input="{instruction}")
        return RowStyle(recipe, lambda _: plain)
    if recipe.template == QUESTION:
        return RowStyle(recipe, _question_template)
    if recipe.template == PLAIN:
        return RowStyle(recipe, plain_template)
    template = load_template(
        recipe.template, data, tokenizer=recipe.tokenizer, arguments=recipe.chat_template_kwargs
    )
    if recipe.template != CHAT or not recipe.tokenizer:
        return RowStyle(recipe, lambda _: template)
    tokenizer = load_tokenizer(recipe.tokenizer)
    chat = ChatTemplate(tokenizer, recipe.chat_template_kwargs)
    notes = tuple(map(sentence_of, chat.unknown_arguments))
    return RowStyle(recipe, lambda _: template, notes, partial(conversation_text, chat, tokenizer))


def _question_template(language: str) -> Template:
    """The language's own words for question and answer."""
    phrases = load_phrases(language)
    return Template(
        with_input=phrases.prompt.replace("{question}", "{instruction}\n{input}"),
        without_input=phrases.prompt.replace("{question}", "{instruction}"),
        separator=phrases.separator,
    )


def plain_template(language: str) -> Template:
    """Nothing but the instruction, which the completion continues, as a benchmark's sentence with a gap."""
    separator = "" if is_unspaced(language) else " "
    return Template(with_input="{instruction}\n{input}", without_input="{instruction}", separator=separator)


def render(style: RowStyle, part: Plan, corpora: Mapping[str, ParallelCorpus]) -> pa.Table:
    """The mixture's rows (docs/formats.md) for a part of its plan, in the plan's order."""
    components = dict(style.recipe.named())
    drawn = [components[name] for name in part.components]
    texts = {
        "prompt": _in_order(_prompts(style, part, components, corpora), len(part)),
        "completion": _in_order(_completions(style, part, components, corpora), len(part)),
    }
    beside: dict[str, pa.Array] = {}
    if style.recipe.has_turns:
        texts, beside = with_conversations(style.recipe, style.converse, part, corpora, texts)
    return pa.table(
        {
            **texts,
            "kind": _named(part.component, [component.kind for component in drawn]),
            "lang_in": _named(part.language_in, part.languages),
            "lang_out": _named(part.language_out, part.languages),
            "id": _in_order(_ids(part, components, corpora), len(part)),
            "slot": pa.array(part.slot.astype(np.int64)),
            "source": _named(part.component, [component.corpus for component in drawn]),
            "component": _named(part.component, part.components),
            **beside,
        }
    )


def _prompts(
    style: RowStyle, part: Plan, components: Mapping[str, Component], corpora: Mapping[str, ParallelCorpus]
) -> Iterator[Placed]:
    """The prompts, by component, languages and form.

    The texts of a language are read for all directions at once: a corpus of many languages has many
    directions, with few rows each.
    """
    for (name, language_in), directions in groupby(part.directions(), key=lambda direction: direction[:2]):
        component, asked_in = components[name], list(directions)
        corpus, field = corpora[component.corpus], component.fields[0]
        drawn = np.concatenate([places for *_, places in asked_in])
        rows = part.row[drawn]
        asked = drawn_texts(corpus, component, language_in, field, rows, part.slot[drawn])
        given = None if component.kind == "trans" else corpus.text(language_in, "input", rows)
        start = 0
        for _, _, language_out, places in asked_in:
            template = style.template(language_out if component.kind == "trans" else language_in)
            mine = asked.slice(start, len(places))
            if given is None:
                yield places, _in_template(template, *_translation(style.recipe, language_out, mine))
            else:
                wish = language_out if language_out != language_in else None
                for chosen, *pieces in _forms(style.recipe, wish, mine, given.slice(start, len(places))):
                    yield places[chosen], _in_template(template, *pieces)
            start += len(places)


def _completions(
    style: RowStyle, part: Plan, components: Mapping[str, Component], corpora: Mapping[str, ParallelCorpus]
) -> Iterator[Placed]:
    """The completions, by component, language and the text around them."""
    groups: dict[tuple[str, str, str, str], list[npt.NDArray[np.int64]]] = {}
    for name, language_in, language_out, places in part.directions():
        template = style.template(language_out if components[name].kind == "trans" else language_in)
        groups.setdefault((name, language_out, template.separator, template.end), []).append(places)
    for (name, language_out, separator, end), found in groups.items():
        component, places = components[name], np.concatenate(found)
        corpus, field = corpora[component.corpus], component.fields[1]
        answers = drawn_texts(corpus, component, language_out, field, part.row[places], part.slot[places])
        yield places, _join(separator, answers, end)


def _ids(
    part: Plan, components: Mapping[str, Component], corpora: Mapping[str, ParallelCorpus]
) -> Iterator[Placed]:
    for number, name in enumerate(part.components):
        places = np.flatnonzero(part.component == number)
        yield places, corpora[components[name].corpus].ids.take(pa.array(part.row[places]))


def _translation(recipe: Recipe, language: str, asked: pa.Array) -> tuple[list[Piece], list[Piece]]:
    """The pieces of instruction and input that ask for `asked` in `language`."""
    phrases = load_phrases(language)
    if recipe.template == QUESTION and recipe.format != "messages":
        before, _, after = phrases.translate_here.partition("{text}")
        return [before, asked, after], []
    return [phrases.translate_this], [asked]


def _forms(
    recipe: Recipe, wish: str | None, asked: pa.Array, given: pa.Array
) -> Iterator[tuple[npt.NDArray[np.int64], list[Piece], list[Piece]]]:
    """Rows of the same form, with or without an input: which they are, and the pieces of their instruction
    and input. `wish` is the language to answer in where it differs.
    """
    filled = pc.binary_length(given).to_numpy() > 0
    for chosen in (np.flatnonzero(filled), np.flatnonzero(~filled)):
        if not len(chosen):
            continue
        mine = pa.array(chosen)
        instruction: list[Piece] = [asked if len(chosen) == len(asked) else asked.take(mine)]
        pieces: list[Piece] = [given.take(mine)] if filled[chosen[0]] else []
        if wish and recipe.tag == "sentence":
            instruction += ["\n", load_phrases(wish).answer_here]
        elif wish and recipe.tag == "code":
            pieces += ["\n", f"[{wish}]"] if pieces else [f"[{wish}]"]
        yield chosen, instruction, pieces


def _in_template(template: Template, asked: list[Piece], given: list[Piece]) -> pa.Array:
    before, *others = template.parts(bool(given))
    return _join(before, *asked, *others[:-1], *given, others[-1])


def _join(*pieces: Piece) -> pa.Array:
    """Texts joined row by row; a string is the same in every row. At least one piece is an array."""
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


def _in_order(parts: Iterator[Placed], count: int) -> pa.Array:
    """Texts in the order of their places."""
    placed = list(parts)
    if not placed:
        return pa.array([], pa.large_string())
    inverse = np.empty(count, dtype=np.int64)
    inverse[np.concatenate([places for places, _ in placed])] = np.arange(count)
    return pa.concat_arrays([texts for _, texts in placed]).take(pa.array(inverse))


def _named(numbers: npt.NDArray[np.int16], names: list[str]) -> pa.Array:
    """The name of each number. Each name is in the dictionary once: Parquet's bytes would otherwise differ
    from run to run.
    """
    distinct = list(dict.fromkeys(names))
    places = np.array([distinct.index(name) for name in names] or [0], dtype=np.int16)
    return pa.DictionaryArray.from_arrays(pa.array(places[numbers]), pa.array(distinct, pa.string()))
