"""Conversations of a mixture: which turns a row has, and in which language each of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.draws import with_replacement
from crossin.core.formats import FIELDS
from crossin.core.hashing import hash64
from crossin.corpus.conversations import JOINT, answers_of, asked_of, exchanges
from crossin.corpus.parallel import ParallelCorpus
from crossin.languages import load_phrases
from crossin.mixture.planning import Plan
from crossin.mixture.recipe import Component, Recipe

Turns: TypeAlias = list[dict[str, str]]
# From the turns of a conversation to the text up to its last answer, and this answer.
Converse: TypeAlias = Callable[[Turns], tuple[str, str]]
Ints: TypeAlias = npt.NDArray[np.integer]

_MESSAGES = pa.list_(pa.struct([("role", pa.large_string()), ("content", pa.large_string())]))


def drawn_texts(
    corpus: ParallelCorpus, component: Component, language: str, field: str, rows: Ints, slots: Ints
) -> pa.LargeStringArray:
    """A field's texts in a language for `rows`; of a conversation the turn that the component takes, where it
    takes one.
    """
    texts = corpus.text(language, field, rows)
    single = component.kind == "trans" or component.turns == "first"
    if not (single and corpus.turns) or field == "input":
        return texts
    places = corpus.places_of_turns(language, rows)
    if component.turns == "all":
        chosen = with_replacement(
            slots.astype(np.int64), exchanges(places), hash64("turn", component.full_name)
        )
    else:
        chosen = exchanges(places) - 1 if component.turns == "last" else np.zeros(len(rows), np.int64)
    found = []
    for text, place, number in zip(texts.to_pylist(), places.to_pylist(), chosen.tolist(), strict=True):
        if field == "output":
            found.append(answers_of(text, place)[number])
        else:
            system, turns = asked_of(text, place)
            alone = component.kind == "trans" or not system
            found.append(turns[number] if alone else system + JOINT + turns[number])
    return pa.array(found, pa.large_string())


def with_conversations(
    recipe: Recipe,
    converse: Converse | None,
    part: Plan,
    corpora: Mapping[str, ParallelCorpus],
    texts: Mapping[str, pa.Array],
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """The texts of a part of the plan (`prompt` and `completion`, n each) with those of conversations in
    place of what one exchange would be; and further columns: `messages`, null for a single exchange, and
    `turns`, where a component learns the last answer only.
    """
    components = dict(recipe.named())
    beside: dict[str, pa.Array] = {}
    if recipe.format == "messages" and any(one.turns == "last" for one in components.values()):
        named = [components[part.components[number]].turns for number in part.component]
        beside["turns"] = pa.array(named, pa.string())
    found = dict(_conversations(recipe, components, part, corpora))
    if not found:
        return dict(texts), beside
    places = sorted(found)
    written = [converse(found[place]) if converse else _readable(found[place]) for place in places]
    mask = np.zeros(len(part), np.bool_)
    mask[places] = True
    changed = {
        name: pc.replace_with_mask(texts[name], mask, pa.array(values, pa.large_string()))
        for name, values in zip(("prompt", "completion"), zip(*written, strict=True), strict=True)
    }
    if recipe.format == "messages":
        beside["messages"] = pa.array([found.get(place) for place in range(len(part))], _MESSAGES)
    return changed, beside


def _readable(turns: Turns) -> tuple[str, str]:
    """What a preview shows of a row of messages, and its tokens are counted in."""
    before = "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in turns[:-1])
    return before, turns[-1]["content"]


def _conversations(
    recipe: Recipe, components: Mapping[str, Component], part: Plan, corpora: Mapping[str, ParallelCorpus]
) -> Iterator[tuple[int, Turns]]:
    """The turns of each row that is not one exchange without a system turn, with its place."""
    for name, language_in, language_out, places in part.directions():
        component = components[name]
        corpus = corpora[component.corpus]
        wish = language_out if language_in != language_out and component.kind != "switch" else None
        system_tag = recipe.place == "system" and recipe.tag != "none" and wish is not None
        if component.kind == "trans" or not (corpus.turns or system_tag):
            continue
        rows = part.row[places]
        chosen = np.arange(len(rows))
        if not system_tag:
            chosen = np.flatnonzero(pc.binary_length(corpus.places_of_turns(language_in, rows)).to_numpy())
        if not len(chosen):
            continue
        rows = rows[chosen]
        asked, answered = (_sides(corpus, language, rows) for language in (language_in, language_out))
        for place, ours, theirs in zip(places[chosen].tolist(), asked, answered, strict=True):
            sides = (
                _alternating(ours, theirs)
                if component.kind == "switch"
                else ours._replace(answers=theirs.answers)
            )
            if component.turns == "first":
                sides = sides._replace(users=sides.users[:1], answers=sides.answers[:1])
            yield place, _turns(sides, wish, recipe)


class _Sides(NamedTuple):
    """A conversation's system text, and what each side says."""

    system: str
    users: list[str]
    answers: list[str]
    # The input of the first turn, where the row has one.
    given: str


def _sides(corpus: ParallelCorpus, language: str, rows: Ints) -> list[_Sides]:
    columns = [corpus.text(language, field, rows).to_pylist() for field in FIELDS]
    places = corpus.places_of_turns(language, rows).to_pylist()
    return [
        _Sides(*asked_of(instruction, place), answers_of(output, place), given)
        for instruction, given, output, place in zip(*columns, places, strict=True)
    ]


def _alternating(one: _Sides, other: _Sides) -> _Sides:
    """Every second exchange in the other language."""
    users, answers = (
        [(ours, theirs)[number % 2] for number, (ours, theirs) in enumerate(zip(*both, strict=True))]
        for both in ((one.users, other.users), (one.answers, other.answers))
    )
    return one._replace(users=users, answers=answers)


def _turns(sides: _Sides, wish: str | None, recipe: Recipe) -> Turns:
    """The turns as messages; `wish` is the language to answer in where it differs from the user's."""
    sentence = ""
    if wish and recipe.tag != "none":
        sentence = load_phrases(wish).answer_here if recipe.tag == "sentence" else f"[{wish}]"
    system = sides.system
    if sentence and recipe.place == "system":
        system = JOINT.join(filter(None, (system, sentence)))
    turns = [{"role": "system", "content": system}] if system else []
    for number, (user, answer) in enumerate(zip(sides.users, sides.answers, strict=True)):
        tagged = sentence and (recipe.place == "every" or (recipe.place == "first" and not number))
        asked = _asked(user, "" if number else sides.given, sentence if tagged else "", recipe.tag)
        turns += [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return turns


def _asked(text: str, given: str, sentence: str, tag: str) -> str:
    """A user's turn with its input and its tag, as a single exchange has them."""
    if not sentence:
        return JOINT.join(filter(None, (text, given)))
    if tag == "sentence":
        return JOINT.join(filter(None, (f"{text}\n{sentence}", given)))
    return JOINT.join((text, f"{given}\n{sentence}" if given else sentence))
