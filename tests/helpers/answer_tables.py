"""Tables of answers for the tests: from a literal, at random, and by hypothesis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from crossin.metrics.table import AnswerTable

LANGUAGES = ("en", "zh", "vi", "es", "th", "ro", "id")


def table(
    answers: Sequence[Sequence[int]] | npt.NDArray[np.int64],
    *,
    gold: Sequence[int] | npt.NDArray[np.int64] | None = None,
    options: int = 4,
    groups: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
) -> AnswerTable:
    """A table of `answers` [I, L]; if not said, gold is position 0 and every item its own group."""
    cells = np.array(answers, dtype=np.int64)
    items, languages = cells.shape
    return AnswerTable(
        items=tuple(f"item-{i}" for i in range(items)),
        languages=LANGUAGES[:languages],
        groups=tuple(groups or (f"group-{i}" for i in range(items))),
        tasks=tuple(tasks or ["capital"] * items),
        answers=cells,
        gold=np.array([0] * items if gold is None else gold, dtype=np.int64),
        options=np.full(items, options),
    )


def random_table(
    seed: int,
    *,
    items: int = 120,
    languages: int = 4,
    known: float = 0.4,
    missing: float = 0.05,
    per_group: int = 1,
) -> AnswerTable:
    """Four options; an item is known in all languages with chance `known`, and else guessed in each."""
    generator = np.random.default_rng(seed)
    gold = np.arange(items) % 4
    guesses = generator.integers(0, 4, (items, languages))
    knows = generator.random((items, 1)) < known
    cells = np.where(knows, gold[:, None], guesses)
    cells = np.where(generator.random((items, languages)) < missing, -1, cells)
    return table(cells, gold=gold, groups=[f"group-{i // per_group}" for i in range(items)])


@st.composite
def tables(draw: st.DrawFn) -> AnswerTable:
    """Small tables with missing answers and shared groups."""
    options = draw(st.integers(1, 4))
    languages = draw(st.integers(2, 5))
    row = st.lists(st.integers(-1, options - 1), min_size=languages, max_size=languages)
    cells = draw(st.lists(row, min_size=1, max_size=6))
    gold = draw(st.lists(st.integers(0, options - 1), min_size=len(cells), max_size=len(cells)))
    groups = draw(st.lists(st.sampled_from("abc"), min_size=len(cells), max_size=len(cells)))
    return table(cells, gold=gold, options=options, groups=groups)


@st.composite
def ranked_tables(draw: st.DrawFn) -> tuple[AnswerTable, npt.NDArray[np.float64]]:
    """A small table of items with 1 to 4 options, its log-probabilities with ties, and cells without any."""
    languages = draw(st.integers(2, 4))
    options = np.array(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    logprobs = np.full((len(options), languages, options.max()), np.nan)
    answers = np.full((len(options), languages), -1)
    for i, count in enumerate(options.tolist()):
        for j in range(languages):
            if draw(st.integers(0, 5)):
                values = draw(st.lists(st.integers(-4, 0), min_size=count, max_size=count))
                logprobs[i, j, :count] = values
                answers[i, j] = values.index(max(values))
    groups = draw(st.lists(st.sampled_from("abc"), min_size=len(options), max_size=len(options)))
    return replace(table(answers, groups=groups), options=options), logprobs
