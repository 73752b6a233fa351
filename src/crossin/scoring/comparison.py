"""Two models on the same items: paired differences with intervals, and McNemar's test by language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crossin.core.errors import CrossinError, located
from crossin.metrics.bootstrap import DRAWS, Figure, resample, resample_difference
from crossin.metrics.families import Family
from crossin.metrics.free_text import text_families
from crossin.metrics.significance import holm, mcnemar
from crossin.metrics.table import AnswerTable, aligned
from crossin.metrics.texts import TextTable
from crossin.scoring.predictions import Predictions, read_predictions
from crossin.scoring.scores import families, pivot_of


@dataclass(frozen=True, eq=False)
class Compared:
    """Figures of `ours` and `theirs`, and their paired difference, ours less theirs."""

    ours: dict[str, Figure]
    theirs: dict[str, Figure]
    difference: dict[str, Figure]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two models compared; `choices` or `texts` is None where there are no such items.

    `p` and `holm` are McNemar's p-values on accuracy by language: each alone, and corrected for their number.
    """

    ours: Predictions
    theirs: Predictions
    pivot: str
    choices: Compared | None
    texts: Compared | None
    p: dict[str, float]
    holm: dict[str, float]


def compare(
    ours: Path | str,
    theirs: Path | str,
    *,
    bench: Path | str | None = None,
    pivot: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Compare two models' stored predictions (`read_predictions`), item by item.

    `bench`, `pivot`, `draws` and `seed` are as in `score`. Raises CrossinError where the two answer different
    items, or a file holds several wordings.
    """
    one, other = _only(ours, bench), _only(theirs, bench)
    if [one.choices is None, one.texts is None] != [other.choices is None, other.texts is None]:
        raise CrossinError(
            "holds other kinds of answers (multiple choice, free text) than the first",
            file=other.file,
            hint="compare answers to the same benchmark",
        )
    chosen = pivot_of(one, pivot)
    choices = texts = None
    p: dict[str, float] = {}
    if one.choices and other.choices:
        choices = _compared(*_choice_families(one, other, chosen), one.choices.groups, draws, seed)
        p = mcnemar(one.choices, other.choices)
    if one.texts and other.texts:
        reordered = _reordered(other.texts, one.texts, other.file)
        texts = _compared(text_families(one.texts), text_families(reordered), one.texts.groups, draws, seed)
    return Comparison(one, other, chosen, choices, texts, p, holm(p))


def _only(path: Path | str, bench: Path | str | None) -> Predictions:
    found = read_predictions(path, bench)
    if len(found) > 1:
        raise CrossinError(
            f"holds {len(found)} wordings of the prompt: {', '.join(one.prompt for one in found)}",
            file=found[0].file,
            field="prompt",
            hint="compare files of one wording each",
        )
    return found[0]


def _choice_families(one: Predictions, other: Predictions, pivot: str) -> tuple[list[Family], list[Family]]:
    assert one.choices and other.choices
    with located(other.file):
        table = aligned(other.choices, one.choices)
    if one.logprobs is None or other.logprobs is None:
        return families(one.choices, pivot, None), families(table, pivot, None)
    places = np.ix_(*_places(other.choices, one.choices))
    return families(one.choices, pivot, one.logprobs), families(table, pivot, other.logprobs[places])


def _places(table: AnswerTable | TextTable, like: AnswerTable | TextTable) -> tuple[list[int], list[int]]:
    """The places in `table` of the items and the languages of `like`."""
    row = {item: place for place, item in enumerate(table.items)}
    column = {language: place for place, language in enumerate(table.languages)}
    return [row[item] for item in like.items], [column[language] for language in like.languages]


def _reordered(table: TextTable, like: TextTable, file: Path) -> TextTable:
    """`table` with the items and languages of `like` in its order; CrossinError where it has others."""
    if set(table.items) ^ set(like.items) or set(table.languages) ^ set(like.languages):
        raise CrossinError(
            "answers other items or languages in free text than the first",
            file=file,
            hint="compare answers to the same benchmark in the same languages",
        )
    rows, columns = _places(table, like)
    references = tuple(tuple(table.references[i][j] for j in columns) for i in rows)
    if references != like.references:
        raise CrossinError(
            "has other reference answers than the first",
            file=file,
            field="gold",
            hint="compare answers to the same version of the benchmark",
        )
    return replace(like, replies=tuple(tuple(table.replies[i][j] for j in columns) for i in rows))


def _compared(
    ours: list[Family], theirs: list[Family], groups: Sequence[str], draws: int, seed: int
) -> Compared:
    return Compared(
        resample(ours, groups, draws=draws, seed=seed),
        resample(theirs, groups, draws=draws, seed=seed),
        resample_difference(ours, theirs, groups, draws=draws, seed=seed),
    )
