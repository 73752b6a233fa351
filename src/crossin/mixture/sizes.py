"""The rows of each component, from sizes in rows, tokens or shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from crossin.core.errors import CrossinError
from crossin.corpus.parallel import ParallelCorpus
from crossin.mixture.planning import MORE_ROWS, drawable, plan
from crossin.mixture.pools import CandidatePool
from crossin.mixture.recipe import Recipe
from crossin.mixture.rendering import RowStyle, render
from crossin.mixture.tokens import token_counter

_FIRST_GUESS = 4096


def row_counts(
    pools: Sequence[CandidatePool],
    languages: Sequence[str],
    style: RowStyle,
    corpora: Mapping[str, ParallelCorpus],
) -> list[int]:
    """The rows of each component.

    A size in tokens becomes the fewest first slots of the component that hold as many tokens. Shares are of
    the recipe's `rows`, rounded so that they add up (largest remainder).
    """
    counts = []
    shares = _shared_rows(style.recipe)
    for number, pool in enumerate(pools):
        component = pool.component
        if component.tokens is not None:
            counts.append(_rows_for_tokens(pool, component.tokens, languages, style, corpora))
        elif component.share is not None:
            counts.append(shares[number])
        else:
            counts.append(pool.all_rows if component.rows == "all" else int(component.rows or 0))
    return counts


def _shared_rows(recipe: Recipe) -> dict[int, int]:
    """Rows by component number for those that have a share."""
    wanted = {
        number: component.share * (recipe.rows or 0)
        for number, component in enumerate(recipe.components)
        if component.share
    }
    rows = {number: int(amount) for number, amount in wanted.items()}
    missing = round(sum(wanted.values())) - sum(rows.values())
    for number in sorted(wanted, key=lambda number: (rows[number] - wanted[number], number))[:missing]:
        rows[number] += 1
    for number, amount in rows.items():
        if amount < 1:
            raise CrossinError(
                f"a share of {recipe.components[number].share} of {recipe.rows} rows is less than one row",
                field=f"components.{number}.share",
                hint="raise the share, or the recipe's `rows`",
            )
    return rows


def _rows_for_tokens(
    pool: CandidatePool,
    budget: int,
    languages: Sequence[str],
    style: RowStyle,
    corpora: Mapping[str, ParallelCorpus],
) -> int:
    """The fewest first slots whose prompts and completions hold `budget` tokens."""
    count_tokens, guess = token_counter(style.recipe.tokenizer), _FIRST_GUESS
    while True:
        count = drawable(pool, guess)
        drawn = plan([pool], [count], languages)
        table = render(style, drawn, corpora)
        tokens = np.zeros(count)
        # The plan shuffles a component's slots; the budget is spent in the order of slots.
        tokens[drawn.slot] = sum(
            count_tokens(table[side].combine_chunks()) for side in ("prompt", "completion")
        )
        spent = np.cumsum(tokens)
        if count and spent[-1] >= budget:
            return int(np.searchsorted(spent, budget)) + 1
        if count < guess:
            raise CrossinError(
                f"component '{pool.name}' asks for {budget:,} tokens, but its corpus has about "
                f"{spent[-1] if count else 0:,.0f}",
                hint=f"ask for fewer tokens, {MORE_ROWS}",
            )
        guess *= 2
