"""The candidate pool of each component: its directions, and for each the corpus rows that may be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from crossin.core.draws import Ints
from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.core.reasons import counted_sentences, fix_of
from crossin.corpus.conversations import exchanges
from crossin.corpus.filters import apply_filters
from crossin.corpus.parallel import ParallelCorpus
from crossin.mixture.recipe import Component, Recipe
from crossin.mixture.samplers import weights_of

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int32]
Direction = tuple[str, str]


@dataclass(frozen=True)
class CandidatePool:
    """A component's directions (language in, language out) and, for each, the candidate rows of its corpus.

    labels: the keys of each direction's draws.
    """

    name: str
    component: Component
    pivot: str
    seed: int
    directions: list[Direction]
    labels: list[str]
    rows: list[Rows]

    @cached_property
    def sizes(self) -> Ints:
        """The number of rows of each direction."""
        return np.array([len(rows) for rows in self.rows], dtype=np.int64)

    @property
    def all_rows(self) -> int:
        """The number of distinct rows of all directions together (the meaning of `rows: all`)."""
        distinct = {id(rows): rows for rows in self.rows}
        return len(np.unique(np.concatenate(list(distinct.values()))))

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """The share of each direction, by the component's sampler."""
        return weights_of(self.component, self.directions, self.sizes, self.pivot)

    @property
    def key(self) -> int:
        """The key of the component's draws."""
        return hash64(self.seed, self.component.draw or self.name)


def directions_of(component: Component, languages: Sequence[str], pivot: str) -> list[Direction]:
    """The pairs (language in, language out) of a component, in the order of `languages`."""
    if component.pairs:
        return list(component.pairs)
    chosen = component.languages or list(languages)
    others = [language for language in chosen if language != pivot]
    if component.kind == "base":
        return [(pivot, pivot)]
    if component.kind == "mono":
        return [(language, language) for language in others]
    if component.kind == "x2en" or component.direction == "to-pivot":
        return [(language, pivot) for language in others]
    if component.kind == "en2x" or component.direction == "from-pivot":
        return [(pivot, language) for language in others]
    return [(one, other) for one in chosen for other in chosen if one != other]


def check_languages(recipe: Recipe, languages: Sequence[str], corpora: Mapping[str, Sequence[str]]) -> None:
    """Raise CrossinError where a component cannot be drawn.

    languages: those of the mixture. corpora: the languages of each corpus.
    """
    if recipe.pivot not in languages:
        raise CrossinError(
            f"the recipe's pivot '{recipe.pivot}' is not among {', '.join(languages)}",
            hint=f"--languages {','.join([recipe.pivot, *languages])}",
        )
    for number, (name, component) in enumerate(recipe.named()):
        directions = directions_of(component, languages, recipe.pivot)
        place = f"components.{number}"
        if not directions:
            raise CrossinError(
                f"component '{name}' needs another language beside {recipe.pivot}",
                field=place,
                hint="name more languages, or leave the component out",
            )
        for language in dict.fromkeys(language for direction in directions for language in direction):
            if language not in corpora[component.corpus]:
                raise CrossinError(
                    f"component '{name}' needs {language}, which the corpus '{component.corpus}' lacks; it "
                    f"has {', '.join(corpora[component.corpus]) or 'no language of this mixture'}",
                    field=place,
                    hint="give the component `languages` of its own, or another corpus",
                )
        # The weights of languages that are not drawn would be ignored silently.
        for language in component.weights:
            if not any(language in direction for direction in directions):
                raise CrossinError(
                    f"component '{name}' weighs {language}, which it does not draw",
                    field=f"{place}.weights",
                    hint="leave that weight out, or add the language",
                )


def pools_of(
    recipe: Recipe, languages: Sequence[str], corpora: Mapping[str, ParallelCorpus]
) -> list[CandidatePool]:
    """The pool of each component; components that share a draw share the rows that all of them can use."""
    check_languages(recipe, languages, {name: corpus.languages for name, corpus in corpora.items()})
    shared: dict[str, dict[str, Mask]] = {}
    groups: dict[str, tuple[str, object]] = {}
    found = []
    for name, component in recipe.named():
        directions = directions_of(component, languages, recipe.pivot)
        labels = [_label(component, direction, recipe.pivot) for direction in directions]
        usable = _usable(component, corpora[component.corpus], directions)
        found.append(list(zip(directions, labels, usable, strict=True)))
        if component.draw:
            _check_group(groups, name, component, labels)
            masks = shared.setdefault(component.draw, {})
            for label, (asked, answered) in zip(labels, usable, strict=True):
                masks[label] = masks.get(label, True) & asked & answered
    pools = []
    for number, parts in enumerate(found):
        component = recipe.components[number]
        skipped = corpora[component.corpus].skipped()
        pools.append(_pool(recipe, number, parts, shared.get(component.draw or "", {}), skipped))
    return pools


def _pool(
    recipe: Recipe,
    number: int,
    parts: list[tuple[Direction, str, tuple[Mask, Mask]]],
    shared: Mapping[str, Mask],
    skipped: Mapping[str, int],
) -> CandidatePool:
    """The pool of component `number` from its directions, labels and usable rows. Directions without a row
    are left out; directions with the same rows share one list. skipped: for an error, the rows that the
    corpus leaves out, by reason code.
    """
    name, component = recipe.named()[number]
    lists: dict[bytes, Rows] = {}
    pool = CandidatePool(name, component, recipe.pivot, recipe.seed, [], [], [])
    for direction, label, (asked, answered) in parts:
        mask = shared[label] if shared else asked & answered
        if mask.any():
            key = np.packbits(mask).tobytes()
            if key not in lists:
                lists[key] = np.flatnonzero(mask).astype(np.int32)
            pool.directions.append(direction)
            pool.labels.append(label)
            pool.rows.append(lists[key])
    if not pool.rows:
        raise CrossinError(
            f"component '{name}' has nothing to draw from: no row of the corpus '{component.corpus}' has all "
            f"that it needs in {', '.join(dict.fromkeys('>'.join(direction) for direction, *_ in parts))}"
            + "".join(f"; {line}" for line in counted_sentences(skipped)),
            field=f"components.{number}",
            hint=next(filter(None, map(fix_of, skipped)), "name other languages, or loosen a filter"),
        )
    return pool


def _usable(
    component: Component, corpus: ParallelCorpus, directions: list[Direction]
) -> list[tuple[Mask, Mask]]:
    """For each direction the rows (n,) that can be prompts and those that can be completions: present, kept,
    past the component's filter, and not empty.
    """
    passing = apply_filters(corpus, component.filter) if component.filter else {}

    @cache
    def usable(language: str, field: str) -> Mask:
        mask = corpus.kept & corpus.present(language)
        texts = corpus.texts[language, field]
        lengths = pc.binary_length(texts.all).to_numpy(zero_copy_only=False)
        texts.release()
        if len(lengths):
            mask &= lengths[corpus.place[language]] > 0
        if component.kind == "switch":
            mask &= exchanges(corpus.places_of_turns(language, np.arange(len(corpus)))) > 1
        return mask & passing[language] if language in passing else mask

    asked, answered = component.fields
    return [(usable(one, asked), usable(other, answered)) for one, other in directions]


def _label(component: Component, direction: Direction, pivot: str) -> str:
    """The key of a direction's draws: the language other than the pivot where that decides, so that
    components that share a draw pick the same rows in either direction.
    """
    if not component.by_pivot:
        return ">".join(direction)
    return direction[0] if direction[0] != pivot else direction[1]


def _check_group(
    groups: dict[str, tuple[str, object]], name: str, component: Component, labels: list[str]
) -> None:
    """Raise CrossinError where components that share a draw differ in what decides it."""
    shared = {"corpus", "sampler", "temperature", "weights", "replacement", "epochs"}
    alike = (labels, component.model_dump(include=shared))
    first, expected = groups.setdefault(component.draw or "", (name, alike))
    if alike != expected:
        raise CrossinError(
            f"components '{first}' and '{name}' share the draw '{component.draw}' but differ in corpus, "
            "languages or sampler",
            hint="make these the same in both, or give them draws of their own",
        )
