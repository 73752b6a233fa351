"""Answers in free text, and their exact match and F1 of words against a reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from crossin.core.errors import CrossinError, located
from crossin.languages.normalisation import normalise, tokens
from crossin.languages.numbers import last_number
from crossin.metrics.families import Family, Flags, mean_family, observed
from crossin.metrics.reading import Firsts, Line, add_cell, line_error, require_agreement, require_texts
from crossin.metrics.table import Floats, ItemTable, incomplete_items, places_of

Words = tuple[str, ...]
# By language.
Names = Mapping[str, Collection[str]]
# Reply, reference and aliases of an item in a language that it does not exist in.
_UNASKED: tuple[str | None, str, tuple[str, ...]] = (None, "", ())


@dataclass(frozen=True, eq=False, repr=False)
class TextTable(ItemTable):
    """One model's replies to I items in L languages, and the reference answer to each in that language.

    A reply is None where the model gave none. `aliases` are other references that are as right; empty where
    no item has any. The items at the places `numbers` are answered with a number. `names` are, of an item
    that is answered with an entity, the names of all entities that may answer it, by language; empty where no
    item has any. In a language that an item does not exist in, its reference is ''.
    """

    replies: tuple[tuple[str | None, ...], ...]  # [I][L]
    references: tuple[tuple[str, ...], ...]  # [I][L]
    aliases: tuple[tuple[tuple[str, ...], ...], ...] = ()  # [I][L], or empty
    numbers: frozenset[int] = frozenset()
    names: tuple[Names, ...] = ()  # [I], or empty

    def __post_init__(self) -> None:
        super().__post_init__()
        items, languages = len(self.items), len(self.languages)
        if {len(self.groups), len(self.tasks), len(self.replies), len(self.references)} != {items}:
            raise ValueError(f"not all parts of a table of texts have {items} items")
        if {len(row) for row in (*self.replies, *self.references)} != {languages}:
            raise ValueError(f"not every item has {languages} replies and references")
        if self.aliases and (len(self.aliases) != items or {len(row) for row in self.aliases} != {languages}):
            raise ValueError(f"not every item has aliases in {languages} languages")
        if self.names and len(self.names) != items:
            raise ValueError(f"names of {len(self.names)} inventories for {items} items")

    def accepted(self, item: int, language: int) -> tuple[str, ...]:
        """The reference of a cell and its aliases."""
        aliases = self.aliases[item][language] if self.aliases else ()
        return self.references[item][language], *aliases

    @property
    def asked(self) -> Flags:
        """Which items exist in which languages: [I, L]."""
        return np.array([[bool(reference) for reference in row] for row in self.references])


def exact_match(table: TextTable) -> Floats:
    """Share of items whose reply is the reference or one of its aliases, per language: [L], 0..1.

    Their `tokens` are compared: case, punctuation, articles and spaces do not count. Of an item that is
    answered with a number, the last number of the reply is compared by its value (`last_number`). A missing
    reply (none, or a blank one) counts as 0; `missing_replies` counts them.
    Source: SQuAD (Rajpurkar et al., 2016) and MLQA (Lewis et al., 2020): the best of the references.
    """
    return _by_language(exact_match_family(table), "exact_match", table)


def containment(table: TextTable) -> Floats:
    """Share of items whose reply contains the reference or one of its aliases, per language: [L], 0..1.

    Their `tokens` are compared, and those of the reference have to stand in the reply one after the other: so
    "Oman" is not in "Romania", and a suffix is part of its word. A number is right or wrong, as in
    `exact_match`, and a missing reply contains nothing. A long reply contains more: read it beside
    `exact_match`. By tokens, this is the lenient match of published evaluations of knowledge (PolyFact, arXiv
    2606.06586).
    """
    return _by_language(containment_family(table), "containment", table)


def f1(table: TextTable) -> Floats:
    """Mean over items of the F1 of the reply's words against the reference's, per language: [L], 0..1; the
    best over the reference and its aliases.

    Words are `tokens`, as a bag: `2 common / (words of the reply + words of the reference)`. A missing reply
    counts as 0. A number is right or wrong, as in `exact_match`. Figures are not comparable between languages
    whose words are characters and others.
    Source: as `exact_match`.
    """
    return _by_language(f1_family(table), "f1", table)


def missing_replies(table: TextTable) -> Floats:
    """Share of items without a reply, or with a blank one, per language: [L], 0..1."""
    return _by_language(missing_family(table), "missing", table)


def exact_match_family(table: TextTable) -> Family:
    """`exact_match/<language>`, and `exact_match`, their mean."""
    return mean_family("exact_match", table.languages, _cells(table, _same), table.asked)


def containment_family(table: TextTable) -> Family:
    """`containment/<language>`, and `containment`, their mean."""
    return mean_family("containment", table.languages, _cells(table, _contained), table.asked)


def f1_family(table: TextTable) -> Family:
    """`f1/<language>`, and `f1`, their mean."""
    return mean_family("f1", table.languages, overlaps(table), table.asked)


def overlaps(table: TextTable) -> Floats:
    """The F1 of each reply, as in `f1`: [I, L]."""
    return _cells(table, _overlap)


def missing_family(table: TextTable) -> Family:
    """`missing/<language>`, and `missing`, their mean."""
    return mean_family("missing", table.languages, _cells(table, _absent), table.asked)


def text_table_of(
    lines: Iterable[Line], file: Path | None = None, *, names: Mapping[str, Names] | None = None
) -> TextTable | None:
    """The table of the free-text lines among `lines` in the form of `answers.parquet`; None where there are
    none. `file` is what an error names.

    Free-text lines have no option ids; `gold` is the reference, `reply` the text; they may have `aliases` and
    `answer_type`, as in `Item`. `names` are those of the entities of each `inventory`. Items and languages
    keep the order of their first lines; an item that lacks one of the languages goes to `incomplete`, unless
    each item is in one language only. The lines are of one prompt wording. Raises CrossinError where a line
    lacks a reference or a text, contradicts an earlier line, or is there twice, and where no item is
    complete.
    """
    firsts: Firsts = {}
    cells: dict[str, dict[str, tuple[str | None, str, tuple[str, ...]]]] = {}
    for row, line in enumerate(lines, start=1):
        if line["option_ids"]:
            continue
        # Faster than `located` for each of a million lines.
        try:
            _check(line)
            before, first = require_agreement(firsts, line, row, ("group", "task"))
            if _is_number(first) != _is_number(line):
                raise line_error("answer_type", f"item '{line['item']}' has another one in row {before}")
            cell = line["reply"], line["gold"], tuple(line.get("aliases") or ())
            add_cell(cells.setdefault(line["item"], {}), line, cell)
        except CrossinError as error:
            with located(file, row):
                raise error
    if not cells:
        return None
    languages = tuple(dict.fromkeys(language for replies in cells.values() for language in replies))
    rows = {item: row for item, (row, _) in firsts.items()}
    incomplete = incomplete_items({x: [replies] for x, replies in cells.items()}, languages, rows, file)
    items = tuple(item for item in cells if item not in incomplete)
    read = [[cells[item].get(x, _UNASKED) for x in languages] for item in items]
    aliases = tuple(tuple(cell[2] for cell in row) for row in read)
    of_items = [(names or {}).get(firsts[item][1].get("inventory") or "", {}) for item in items]
    return TextTable(
        items=items,
        languages=languages,
        groups=tuple(firsts[item][1]["group"] for item in items),
        tasks=tuple(firsts[item][1]["task"] for item in items),
        replies=tuple(tuple(cell[0] for cell in row) for row in read),
        references=tuple(tuple(cell[1] for cell in row) for row in read),
        incomplete=incomplete,
        aliases=aliases if any(map(any, aliases)) else (),
        names=tuple(of_items) if any(of_items) else (),
        numbers=frozenset(place for place, item in enumerate(items) if _is_number(firsts[item][1])),
    )


def aligned_texts(table: TextTable, like: TextTable) -> TextTable:
    """`table` with the items and languages of `like` in its order; CrossinError where it has others, or other
    references.
    """
    if set(table.items) ^ set(like.items) or set(table.languages) ^ set(like.languages):
        raise CrossinError(
            "answers other items or languages in free text than the first",
            hint="compare answers to the same benchmark in the same languages",
        )
    rows, columns = places_of(table, like)
    accepted = [table.accepted(i, j) for i in rows for j in columns]
    if accepted != [like.accepted(i, j) for i in range(len(rows)) for j in range(len(columns))]:
        raise CrossinError(
            "has other reference answers than the first",
            field="gold",
            hint="compare answers to the same version of the benchmark",
        )
    if (table.items, table.languages) == (like.items, like.languages):
        return table
    return replace(like, replies=tuple(tuple(table.replies[i][j] for j in columns) for i in rows))


def _by_language(family: Family, name: str, table: TextTable) -> Floats:
    figures = observed(family)
    return np.array([figures[f"{name}/{language}"] for language in table.languages])


def _check(line: Line) -> None:
    require_texts(line, ("item", "group", "task", "language"))
    item, gold = line["item"], line["gold"]
    if not isinstance(gold, str) or not normalise(gold, line["language"]):
        hint = "give every item an answer, and evaluate again"
        raise CrossinError(f"item '{item}' has no reference", field="gold", hint=hint)
    if _is_number(line) and not last_number(gold, line["language"]):
        raise CrossinError(
            f"item '{item}' is answered with a number, and the reference has none",
            field="gold",
            hint="correct the benchmark, and evaluate again",
        )
    if not all(isinstance(one, str) for one in line.get("aliases") or ()):
        raise line_error("aliases", "expected a list of texts")
    if "reply" not in line:
        raise line_error("reply", f"item '{item}' is a free-text item without a reply")
    if not isinstance(line["reply"], str | None):
        raise line_error("reply", "expected a text")


def _is_number(line: Line) -> bool:
    return line.get("answer_type") == "number"


def _cells(table: TextTable, score: Callable[[Words, Words], float]) -> Floats:
    """The best `score` of the words of the reply and each accepted reference, [I, L]; a missing reply has no
    words. Of a number, whether it is the same.
    """

    def cell(i: int, j: int) -> float:
        language, reply, accepted = table.languages[j], table.replies[i][j] or "", table.accepted(i, j)
        if i in table.numbers and score is not _absent:
            found = last_number(reply, language)
            return float(any(found & last_number(one, language) for one in accepted))
        words = tokens(reply, language)
        return max(score(words, tokens(one, language)) for one in accepted)

    return np.array(
        [[cell(i, j) if there else 0.0 for j, there in enumerate(row)] for i, row in enumerate(table.asked)]
    )


def _same(reply: Words, reference: Words) -> float:
    return float(reply == reference != ())


def _contained(reply: Words, reference: Words) -> float:
    length = len(reference)
    return float(
        length > 0
        and any(reply[start : start + length] == reference for start in range(len(reply) - length + 1))
    )


def _overlap(reply: Words, reference: Words) -> float:
    common = (Counter(reply) & Counter(reference)).total()
    return 2 * common / max(len(reply) + len(reference), 1)


def _absent(reply: Words, reference: Words) -> float:  # noqa: ARG001
    return float(not reply)
