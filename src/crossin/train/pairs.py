"""The pair stream: the same content in two languages, and which pairs come at a step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.bench.asking import Form, questions
from crossin.bench.items import read_items
from crossin.errors import CrossinError
from crossin.mixing import draw
from crossin.models.joining import heading_of, split
from crossin.train.config import Batches, Pairs
from crossin.train.document import Row
from crossin.train.rows import read_rows


@dataclass(frozen=True)
class Asked:
    """A question with its options in one language, as tokens: `wholes` holds the prompt and each option,
    whose own tokens begin at `starts`. `text` is the question alone.
    """

    wholes: list[tuple[int, ...]]
    starts: list[int]
    text: tuple[int, ...]

    @property
    def shared(self) -> int:
        """How many tokens all wholes begin with, before the first that is scored."""
        length = min(self.starts)
        first = self.wholes[0]
        same = 0
        while same < length and all(whole[same] == first[same] for whole in self.wholes):
            same += 1
        return same

    @property
    def size(self) -> int:
        """The tokens that are read to score the options, the shared ones once."""
        shared = self.shared
        return shared + sum(len(whole) - 1 - shared for whole in self.wholes)


@dataclass(frozen=True)
class Stock:
    """What pairs are made of: `rows` and `asked` by id, then by language. `order` are the ids in their own
    order.
    """

    rows: dict[str, dict[str, Row]]
    asked: dict[str, dict[str, Asked]]
    texts: dict[str, list[str]]
    groups: dict[str, str]
    skipped: dict[str, int]


@dataclass(frozen=True)
class Pair:
    """An id, and the two languages in which it is taken."""

    id: str
    one: str
    other: str


def read_stock(pairs: Pairs, tokenizer: Any, batches: Batches) -> Stock:
    """What the config's pairs are made of. Raises CrossinError where nothing is there in two languages, or
    the pivot is not among them.
    """
    skipped: dict[str, int] = defaultdict(int)
    rows: dict[str, dict[str, Row]] = defaultdict(dict)
    asked: dict[str, dict[str, Asked]] = defaultdict(dict)
    texts: dict[str, list[str]] = defaultdict(list)
    groups: dict[str, str] = {}

    def wanted(language: str) -> bool:
        return not pairs.languages or language in (*pairs.languages, pairs.pivot)

    if pairs.rows:
        found, left_out = read_rows(pairs.rows, tokenizer, batches)
        for reason, count in left_out.items():
            skipped[f"pairs, {reason}"] += count
        for row in found:
            language = row.group.lang_out
            if not row.id or not language or row.group.lang_in != language:
                skipped["pairs, row: not in one language, or without an id"] += 1
            elif wanted(language):
                rows[row.id].setdefault(language, row)
                texts[row.id].append(tokenizer.decode(row.tokens[: row.learned_from]))
    if pairs.items:
        items = [item for item in read_items(pairs.items) if wanted(item.language)]
        skipped["pairs, item: in free text"] += sum(item.free_text for item in items)
        chosen = [item for item in items if not item.free_text]
        for question in questions(chosen, Form(kind="text", wordings=(pairs.wording,))):
            item = question.item
            assert isinstance(question.prompt, str)
            asked[item.item][item.language] = _asked(
                tokenizer, question.prompt, question.options, item.question
            )
            texts[item.item].append(item.question)
            groups[item.item] = item.group
    for kind in (rows, asked):
        alone = [
            name
            for name, versions in kind.items()
            if len(versions) < 2 or (pairs.among == "pivot" and pairs.pivot not in versions)
        ]
        for name in alone:
            del kind[name]
            skipped["pairs: not in two languages of the pairs"] += 1
    place = pairs.items or pairs.rows
    if not rows and not asked:
        raise CrossinError(
            f"holds nothing that is there in two languages, one of them {pairs.pivot}",
            file=place,
            field="pairs",
            fix="name a benchmark, or rows that share an `id` between languages",
        )
    kept = {reason: count for reason, count in skipped.items() if count}
    return Stock(dict(rows), dict(asked), dict(texts), groups, kept)


def _asked(tokenizer: Any, prompt: str, options: Sequence[str], question: str) -> Asked:
    head = heading_of(tokenizer)
    found = split(tokenizer, [prompt + option for option in options], [len(prompt)] * len(options))
    text = (*head, *tokenizer(question, add_special_tokens=False)["input_ids"])
    return Asked([(*head, *tokens) for tokens, _ in found], [len(head) + start for _, start in found], text)


class Stream:
    """Which pairs come at a step: a pure function of the seed and the step's number.

    Ids come in rounds, in every round in an order of its own; an id meets its languages in turn, so that all
    languages come equally often. `ids` are by id the languages there are.
    """

    def __init__(self, ids: Mapping[str, Sequence[str]], pairs: Pairs, seed: int, count: int) -> None:
        self._ids, self._pairs, self._seed, self.count = ids, pairs, seed, count
        self._rounds: dict[int, list[Pair]] = {}

    def at(self, step: int, rank: int = 0, processes: int = 1) -> list[Pair]:
        """The pairs of process `rank` at a step: `count` of them."""
        first = (step * processes + rank) * self.count
        size = len(self._ids)
        return [self._round(number // size)[number % size] for number in range(first, first + self.count)]

    def _round(self, number: int) -> list[Pair]:
        if number not in self._rounds:
            # Steps come one after another: the round before the last is not asked for again.
            self._rounds = {key: kept for key, kept in self._rounds.items() if key == number - 1}
            order = sorted(self._ids, key=lambda name: self._draw("round", str(number), name))
            self._rounds[number] = [self._pair(name, number) for name in order]
        return self._rounds[number]

    def _pair(self, name: str, number: int) -> Pair:
        languages = sorted(self._ids[name])
        turn = self._draw("turn", name)
        if self._pairs.among == "pivot":
            others = [language for language in languages if language != self._pairs.pivot]
            return Pair(name, self._pairs.pivot, others[(turn + number) % len(others)])
        both = [(one, other) for one in languages for other in languages if one < other]
        return Pair(name, *both[(turn + number) % len(both)])

    def _draw(self, *key: str) -> int:
        return draw(str(self._seed), "pairs", *key)


def apart_from(stock: Stock, benches: Sequence[Path]) -> None:
    """Raise CrossinError where a pair has an id, a group or a text of a benchmark that will be asked."""
    for bench in benches:
        items = read_items(bench)
        names, groups = {item.item for item in items}, {item.group for item in items}
        asked = {_plain(item.question) for item in items}
        wrong: dict[str, str] = {}
        for name in (*stock.rows, *stock.asked):
            if name in names:
                wrong[name] = "its id"
            elif stock.groups.get(name) in groups:
                wrong[name] = f"its group {stock.groups[name]}"
            elif any(_plain(text) in asked for text in stock.texts[name]):
                wrong[name] = "its text"
        if wrong:
            first, why = next(iter(wrong.items()))
            raise CrossinError(
                f"{len(wrong)} of the pairs are in a benchmark that will be asked, such as '{first}' ({why})",
                file=bench,
                field="pairs.apart_from",
                fix="take pairs of another split",
            )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
