"""The rows of each component, from sizes in rows, tokens or shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

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
    the recipe's `rows`, rounded so that they add up (largest remainder). Raises CrossinError where all rows
    together are not the recipe's `rows`.
    """
    recipe = style.recipe
    check_sizes(recipe)
    shares, counts = shared_rows(recipe), []
    for number, pool in enumerate(pools):
        component = pool.component
        if component.tokens is not None:
            counts.append(_rows_for_tokens(pool, component.tokens, languages, style, corpora))
        elif component.share is not None:
            counts.append(shares[number])
        else:
            counts.append(pool.all_rows if component.rows == "all" else int(component.rows or 0))
    if recipe.rows is not None and sum(counts) != recipe.rows:
        raise _other_total(recipe, sum(counts))
    return counts


def check_sizes(recipe: Recipe) -> None:
    """Raise CrossinError where the sizes that the recipe states cannot make its `rows`, and for a share that
    is less than one row. Sizes in tokens and `all` are known only once the corpora are read.
    """
    for number, amount in shared_rows(recipe).items():
        if amount < 1:
            share = recipe.components[number].share
            raise CrossinError(
                f"a share of {share} of {recipe.rows} rows is less than one row",
                field=f"components.{number}.share",
                hint="raise the share, or the recipe's `rows`",
            )
    if recipe.rows is None:
        return
    fixed = sum(component.rows for component in recipe.components if isinstance(component.rows, int))
    total = sum(_wanted(recipe).values(), Fraction(fixed))
    open_ended = any(component.tokens or component.rows == "all" for component in recipe.components)
    half = Fraction(1, 2)
    if total - recipe.rows >= half or (recipe.rows - total >= half and not open_ended):
        raise _other_total(recipe, round(total))


def _other_total(recipe: Recipe, total: int) -> CrossinError:
    """The error that the components make another number of rows than the recipe."""
    shares = {
        number: component.share
        for number, component in enumerate(recipe.components)
        if component.share is not None
    }
    sizes = ", ".join(
        f"components.{number}.{name}: {value}"
        for number, component in enumerate(recipe.components)
        for name in ("rows", "tokens", "share")
        if (value := getattr(component, name)) is not None
    )
    adds = f"the shares add up to {float(sum(map(_exact, shares.values()))):g}, and " if shares else ""
    return CrossinError(
        f"{adds}the components make {total:,} rows, not {recipe.rows:,} ({sizes})",
        field=f"components.{max(shares)}.share" if shares else "rows",
        hint="let the shares add up to 1, or with the components of fixed size to `rows`"
        if shares
        else "leave `rows` out, or make it the sum of the components",
    )


def _exact(share: float) -> Fraction:
    """The share as it is written: ten times 0.1 are 1."""
    return Fraction(str(share))


def _wanted(recipe: Recipe) -> dict[int, Fraction]:
    """Rows, not yet whole, by component number for those that have a share."""
    return {
        number: _exact(component.share) * (recipe.rows or 0)
        for number, component in enumerate(recipe.components)
        if component.share is not None
    }


def shared_rows(recipe: Recipe) -> dict[int, int]:
    """Rows by component number for those that have a share, rounded by largest remainder."""
    wanted = _wanted(recipe)
    rows = {number: int(amount) for number, amount in wanted.items()}
    missing = round(sum(wanted.values())) - sum(rows.values())
    for number in sorted(wanted, key=lambda number: (rows[number] - wanted[number], number))[:missing]:
        rows[number] += 1
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
