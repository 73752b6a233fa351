"""Tables of I items in L languages; that of answers has the option that was chosen in each cell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from crossin.core.errors import CrossinError

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Result = TypeVar("Result")

MISSING = -1
# Of an item in a language that it does not exist in.
UNASKED = -2


@dataclass(frozen=True, eq=False, repr=False)
class ItemTable(ABC):
    """What I items were answered with in L languages.

    Items of one of the `groups` are resampled together (one paragraph, one country). `incomplete` names the
    items that are not in the table because they were not asked in every language, each with the first
    language it lacks. Where the languages have items of their own, each item has one language: the table is
    not `parallel`.
    """

    items: tuple[str, ...]  # [I]
    languages: tuple[str, ...]  # [L]
    groups: tuple[str, ...]  # [I]
    tasks: tuple[str, ...]  # [I]
    incomplete: Mapping[str, str] = field(default_factory=dict, kw_only=True)  # item -> language

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.items):,} items in {len(self.languages)} languages)"

    def __post_init__(self) -> None:
        items, languages = len(self.items), len(self.languages)
        if not items or not languages:
            raise ValueError("a table needs at least one item and one language")
        if len(set(self.items)) < items or len(set(self.languages)) < languages:
            raise ValueError("items and languages of a table are unique")

    @property
    @abstractmethod
    def asked(self) -> npt.NDArray[np.bool_]:
        """Which items exist in which languages: [I, L]."""

    @property
    def parallel(self) -> bool:
        """Whether every item was asked in every language."""
        return bool(self.asked.all())


@dataclass(frozen=True, eq=False, repr=False)
class AnswerTable(ItemTable):
    """One model's answers to I items in L languages.

    Options are positions in the item's `option_ids`, which have the same order in every language: equal
    positions in two languages mean the same answer. A table that is not `parallel` has no figures but
    accuracy and missing answers. `pools` names for each item whose positions mean the same as its own: items
    of one inventory, whose options are its entities. Empty where positions are those of a list of choices.
    """

    answers: Integers  # [I, L], position of the chosen option, -1 = missing, -2 = not asked
    gold: Integers  # [I], position of the right option
    options: Integers  # [I], number of options
    pools: tuple[str, ...] = ()  # [I], or empty

    def __post_init__(self) -> None:
        super().__post_init__()
        items, languages = len(self.items), len(self.languages)
        shapes = (len(self.groups), len(self.tasks), self.answers.shape, self.gold.shape, self.options.shape)
        if shapes != (items, items, (items, languages), (items,), (items,)):
            raise ValueError(f"shapes do not match {items} items and {languages} languages: {shapes}")
        if (self.answers < UNASKED).any() or (self.answers >= self.options[:, None]).any():
            raise ValueError("an answer is the position of an option, or -1")
        if not self.parallel and (self.asked.sum(axis=1) != 1).any():
            raise ValueError("an item is asked in every language, or each item in one")
        if self.pools and len(self.pools) != items:
            raise ValueError(f"{len(self.pools)} pools for {items} items")
        if (self.gold < 0).any() or (self.gold >= self.options).any():
            raise ValueError("gold is the position of an option")

    @property
    def asked(self) -> npt.NDArray[np.bool_]:
        """Which items exist in which languages: [I, L]."""
        return np.asarray(self.answers != UNASKED)

    @property
    def guessing(self) -> Floats:
        """The chance that a guess is right, [I]: 1 / options, and 0 for an item of a pool. Nobody is shown an
        inventory, so a reply is not a draw from it.
        """
        in_pool = np.array(self.pools or ("",) * len(self.items)) != ""
        return np.where(in_pool, 0, 1 / self.options)


def select(
    table: AnswerTable, *, tasks: Sequence[str] | None = None, languages: Sequence[str] | None = None
) -> AnswerTable:
    """The part of a table with these tasks and these languages (in the order given); None keeps all.

    Of a table that is not parallel, items and languages of which nothing is left are left out, too.
    """
    if tasks is not None:
        _known(tasks, table.tasks, "task")
        rows = [index for index, task in enumerate(table.tasks) if task in set(tasks)]
        columns = np.flatnonzero(table.asked[rows].any(axis=0)).tolist()
        table = _part(table, rows, columns)
    if languages is not None:
        _known(languages, table.languages, "language")
        columns = [table.languages.index(language) for language in dict.fromkeys(languages)]
        rows = np.flatnonzero(table.asked[:, columns].any(axis=1)).tolist()
        table = _part(table, rows, columns)
    return table


def place(table: AnswerTable, language: str) -> int:
    """The column of a language in a table; CrossinError where the table lacks it."""
    _known([language], table.languages, "language")
    return table.languages.index(language)


def require_parallel(table: AnswerTable) -> None:
    """Raise CrossinError where the languages of a table have items of their own."""
    if not table.parallel:
        message = "each item was asked in one language only, so languages cannot be compared item by item"
        hint = "accuracy by language is defined; consistency, kappa and RankC need the same items in each"
        raise CrossinError(message, hint=hint)


def by_task(table: AnswerTable, figures: Callable[[AnswerTable], Result]) -> dict[str, Result]:
    """`figures` (or `intervals`, or another function of a table) for each task of a table."""
    return {task: figures(select(table, tasks=[task])) for task in dict.fromkeys(table.tasks)}


def aligned(baseline: AnswerTable, table: AnswerTable) -> AnswerTable:
    """`baseline` with its items and languages in the order of `table`; an error where they differ."""
    for name, ours, theirs in (
        ("language", table.languages, baseline.languages),
        ("item", table.items, baseline.items),
    ):
        if alone := sorted(set(ours) ^ set(theirs)):
            message = f"the two tables differ: only one has {name} '{alone[0]}' ({len(alone)} in all)"
            hint = "compare answers to the same benchmark in the same languages"
            raise CrossinError(message, hint=hint)
    row_of = {item: index for index, item in enumerate(baseline.items)}
    columns = [baseline.languages.index(language) for language in table.languages]
    baseline = _part(baseline, [row_of[item] for item in table.items], columns)
    groups = np.array(baseline.groups) == np.array(table.groups)
    same = groups & (baseline.gold == table.gold) & (baseline.options == table.options)
    same &= (baseline.asked == table.asked).all(axis=1)
    same &= np.array([one == other for one, other in zip(_pools(baseline), _pools(table), strict=True)])
    if not same.all():
        first = table.items[int(np.argmin(same))]
        differing = f"item '{first}' ({int((~same).sum())} in all)"
        fields = "gold answer, number of options, inventory, group or language"
        message = f"the two tables differ: {differing} has another {fields}"
        raise CrossinError(message, hint="compare answers to the same version of the benchmark")
    return baseline


def places_of(table: ItemTable, like: ItemTable) -> tuple[list[int], list[int]]:
    """The places in `table` of the items and the languages of `like`."""
    row = {item: place for place, item in enumerate(table.items)}
    column = {language: place for place, language in enumerate(table.languages)}
    return [row[item] for item in like.items], [column[language] for language in like.languages]


def incomplete_items(
    cells: Mapping[str, Sequence[Collection[str]]],
    languages: Sequence[str],
    rows: Mapping[str, int],
    file: Path | None,
) -> dict[str, str]:
    """The items that lack a language in one of their `cells`, each with the first that it lacks.

    Where each item is in one language only, that is the only one it needs. Raises CrossinError, with the
    first item's row in `file`, where some items are in several languages and none is in all.
    """
    found = {item: set[str]().union(*parts) for item, parts in cells.items()}
    apart = all(len(of_item) == 1 for of_item in found.values())
    incomplete = {}
    for item, parts in cells.items():
        needed = found[item] if apart else languages
        lacking = next((x for x in needed if any(x not in part for part in parts)), None)
        if lacking is not None:
            incomplete[item] = lacking
    if len(incomplete) == len(cells):
        item, language = next(iter(incomplete.items()))
        message = f"no item was asked in all languages: '{item}' lacks the language {language}"
        hint = "ask every item in every language"
        raise CrossinError(message, file=file, row=rows[item], field="language", hint=hint)
    return incomplete


def _pools(table: AnswerTable) -> tuple[str, ...]:
    return table.pools or ("",) * len(table.items)


def _known(wanted: Sequence[str], known: Sequence[str], name: str) -> None:
    if not wanted:
        raise CrossinError(f"no {name} chosen", hint=f"name at least one {name}")
    for value in wanted:
        if value not in known:
            hint = f"choose among: {', '.join(dict.fromkeys(known))}"
            raise CrossinError(f"{name} '{value}' is not in the table of answers", hint=hint)


def _part(table: AnswerTable, rows: Sequence[int], columns: Sequence[int]) -> AnswerTable:
    """The items and the languages of a table at these places."""
    return replace(
        table,
        languages=tuple(table.languages[column] for column in columns),
        items=tuple(table.items[row] for row in rows),
        groups=tuple(table.groups[row] for row in rows),
        tasks=tuple(table.tasks[row] for row in rows),
        answers=table.answers[np.ix_(rows, columns)],
        gold=table.gold[rows],
        options=table.options[rows],
        pools=tuple(table.pools[row] for row in rows) if table.pools else (),
    )
