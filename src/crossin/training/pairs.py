"""The pair stream: the same content in two languages, and which pairs come at a step."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.items import Form, questions
from crossin.items.item import read_items
from crossin.models.joining import heading_of, split
from crossin.training.config import Batches, Pairs
from crossin.training.document import Row
from crossin.training.rows import read_rows


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
    """What pairs are made of: `rows` and `asked` by id, then by language. `texts` are what an id reads, in
    all its languages, `groups` those of the items; `skipped` is what was left out, by reason.
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
    """What the config's pairs are made of. Raises CrossinError where `rows` or `items` hold nothing in two
    languages, or a language that is named is nowhere.
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
            elif wanted(language) and language in rows[row.id]:
                skipped["pairs, row: its id is there in its language already"] += 1
            elif wanted(language):
                rows[row.id][language] = row
                for part in (row.tokens[: row.learned_from], row.tokens[row.learned_from :]):
                    texts[row.id].append(tokenizer.decode(part, skip_special_tokens=True))
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
            texts[item.item].append(f"{item.context} {item.question}")
            groups[item.item] = item.group
    there = {language for kind in (rows, asked) for versions in kind.values() for language in versions}
    if lacking := sorted({*pairs.languages, *([pairs.pivot] if pairs.among == "pivot" else [])} - there):
        raise CrossinError(
            f"nothing is there in {', '.join(lacking)}",
            file=pairs.items or pairs.rows,
            field="pairs.languages" if pairs.pivot not in lacking else "pairs.pivot",
            hint="leave it out, or give pairs in it",
        )
    sources: list[tuple[dict[str, Any], Path | None]] = [(rows, pairs.rows), (asked, pairs.items)]
    for kind, place in sources:
        alone = [
            name
            for name, versions in kind.items()
            if len(versions) < 2 or (pairs.among == "pivot" and pairs.pivot not in versions)
        ]
        for name in alone:
            del kind[name]
            skipped["pairs: not in two languages of the pairs"] += 1
        if place and not kind:
            raise CrossinError(
                "holds nothing that is there in two languages"
                + (f", one of them {pairs.pivot}" if pairs.among == "pivot" else ""),
                file=place,
                field="pairs",
                hint="name a benchmark, or rows in one language each that share an `id` between languages",
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

    Ids come in rounds, in every round in an order of its own and each at most once: what is left of a round
    and makes no `count` is not taken, so that no step has an id twice, which would be its own counterexample.
    An id meets its languages in turn, and ids take turns, so that all languages come equally often. `ids` are
    by id the languages there are. Raises CrossinError where there is one alone.
    """

    def __init__(self, ids: Mapping[str, Sequence[str]], pairs: Pairs, seed: int, count: int) -> None:
        if len(ids) < 2:
            raise CrossinError(
                "there is only one id in two languages, and nothing to tell it from",
                file=pairs.rows or pairs.items,
                field="pairs",
                hint="give more pairs",
            )
        self._ids, self._pairs, self._seed = ids, pairs, seed
        self.count = min(count, len(ids))
        self._rounds: dict[int, list[Pair]] = {}
        self._turns: dict[str, int] = {}
        alike = Counter[tuple[str, ...]]()
        for name in sorted(ids, key=lambda name: self._draw("turn", name)):
            languages = tuple(sorted(ids[name]))
            self._turns[name] = alike[languages]
            alike[languages] += 1

    def at(self, step: int, rank: int = 0, processes: int = 1) -> list[Pair]:
        """The pairs of process `rank` at a step: `count` of them."""
        number, place = divmod(step * processes + rank, len(self._ids) // self.count)
        return self._round(number)[place * self.count : (place + 1) * self.count]

    def _round(self, number: int) -> list[Pair]:
        if number not in self._rounds:
            # Steps come one after another: the round before the last is not asked for again.
            self._rounds = {key: kept for key, kept in self._rounds.items() if key == number - 1}
            order = sorted(self._ids, key=lambda name: self._draw("round", str(number), name))
            self._rounds[number] = [self._pair(name, number) for name in order]
        return self._rounds[number]

    def _pair(self, name: str, number: int) -> Pair:
        languages = sorted(self._ids[name])
        if self._pairs.among == "pivot":
            others = [language for language in languages if language != self._pairs.pivot]
            return Pair(name, self._pairs.pivot, others[(self._turns[name] + number) % len(others)])
        both = [(one, other) for one in languages for other in languages if one < other]
        return Pair(name, *both[(self._turns[name] + number) % len(both)])

    def _draw(self, *key: str) -> int:
        return hash64(str(self._seed), "pairs", *key)
