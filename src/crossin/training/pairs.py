"""The pair stream: the same content in two languages, and which pairs a step has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.core.reasons import Reason
from crossin.items import Form, questions
from crossin.items.item import Item, read_items
from crossin.languages.codes import language_name
from crossin.languages.file_language import wrong_language
from crossin.models.joining import head_for, heading_of, shared_length, split
from crossin.training.config import Batches, Pairs
from crossin.training.rows import TrainingRow, read_rows


class PairReason(Reason):
    """Why a row or an item is in no pair."""

    MIXED_LANGUAGES = "row_in_two_languages", "not in one language, or without an id"
    REPEATED_ID = "repeated_id", "another row has the same id and language"
    FREE_TEXT = "free_text_item", "items answered in free text"
    ONE_LANGUAGE = "unpaired", "not in two languages of the pairs"


# Compared by identity, and so a key.
@dataclass(frozen=True, eq=False)
class TokenizedQuestion:
    """A question with its options in one language, as tokens: `wholes` holds the prompt with each option,
    whose own tokens begin at `starts`. `text` is the question alone.
    """

    wholes: list[tuple[int, ...]]
    starts: list[int]
    text: tuple[int, ...]

    @property
    def shared(self) -> int:
        """How many tokens all wholes begin with, before the first that is scored."""
        return shared_length(*(whole[: min(self.starts)] for whole in self.wholes))

    @property
    def size(self) -> int:
        """The tokens that are read to score the options, the shared ones once."""
        return self.size_of(len(self.wholes))

    def size_of(self, options: int) -> int:
        """The same for so many of the options, on average."""
        shared = self.shared
        own = sum(len(whole) - 1 - shared for whole in self.wholes)
        return shared + round(own * options / len(self.wholes))


@dataclass(frozen=True)
class PairPool:
    """What pairs are made of: `rows` and `questions` by id, then by language. `texts` are prompt and
    completion of an id's rows, in all its languages; `items` are those of the questions. `skipped` counts
    what was left out, by reason code.
    """

    rows: dict[str, dict[str, TrainingRow]] = field(default_factory=lambda: defaultdict(dict))
    questions: dict[str, dict[str, TokenizedQuestion]] = field(default_factory=lambda: defaultdict(dict))
    texts: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: defaultdict(list))
    items: list[Item] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


class Pair(NamedTuple):
    """An id, and the two languages of the pair."""

    id: str
    one: str
    other: str


def read_pool(
    pairs: Pairs, tokenizer: Any, batches: Batches, arguments: Mapping[str, Any] | None = None
) -> PairPool:
    """The candidates for pairs. Raises CrossinError where `rows` or `items` hold nothing in two languages, or
    nothing in a language that is named.
    """
    pool = PairPool()
    if pairs.rows:
        # A pair compares one answer of a conversation.
        one_answer = batches.model_copy(update={"turns": "last"})
        _add_rows(pool, pairs, read_rows(pairs.rows, tokenizer, one_answer, arguments), tokenizer)
    if pairs.items:
        _add_questions(pool, pairs, pairs.items, tokenizer)
    needed = {pairs.pivot} if pairs.among == "pivot" else set()
    sources: tuple[tuple[dict[str, Any], Path | None], ...]
    sources = (pool.rows, pairs.rows), (pool.questions, pairs.items)
    there = {language for found, _ in sources for versions in found.values() for language in versions}
    if missing := sorted({*pairs.languages, *needed} - there):
        raise CrossinError(
            f"there are no pairs in {', '.join(missing)}",
            file=pairs.items or pairs.rows,
            field="pairs.languages" if pairs.pivot not in missing else "pairs.pivot",
            hint="leave the language out, or add pairs in it",
        )
    for found, place in sources:
        for name in [name for name, by in found.items() if len(by) < 2 or not by.keys() >= needed]:
            del found[name]
            pool.skipped[PairReason.ONE_LANGUAGE.about("pairs")] += 1
        if place and not found:
            raise CrossinError(
                "nothing here is in two languages" + (f", one of them {pairs.pivot}" if needed else ""),
                file=place,
                field="pairs",
                hint="name a benchmark, or rows in one language each that share an `id` between languages",
            )
    return pool


def _add_rows(
    pool: PairPool, pairs: Pairs, read: tuple[list[TrainingRow], dict[str, int]], tokenizer: Any
) -> None:
    completions: dict[str, list[str]] = defaultdict(list)
    rows, skipped = read
    pool.skipped.update({f"{code}:pairs": count for code, count in skipped.items()})
    for row in rows:
        language = row.group.lang_out
        if not row.id or not language or row.group.lang_in != language:
            pool.skipped[PairReason.MIXED_LANGUAGES.about("pairs")] += 1
        elif not _is_wanted(language, pairs):
            continue
        elif language in pool.rows[row.id]:
            pool.skipped[PairReason.REPEATED_ID.about("pairs")] += 1
        else:
            pool.rows[row.id][language] = row
            prompt, completion = (
                tokenizer.decode(part, skip_special_tokens=True) for part in (row.prompt, row.completion)
            )
            pool.texts[row.id].append((prompt, completion))
            # The prompt has a template's words, which may be English.
            completions[language].append(completion)
    for language, texts in completions.items() if pairs.check_language else ():
        if wrong := wrong_language(texts, language):
            raise CrossinError(
                f"the rows are not in {language_name(language)}: {wrong}",
                file=pairs.rows,
                field="lang_out",
                hint="correct the languages, or skip this check with `check_language: false` in `pairs`",
            )


def _add_questions(pool: PairPool, pairs: Pairs, place: Path, tokenizer: Any) -> None:
    items = [item for item in read_items(place) if _is_wanted(item.language, pairs)]
    chosen = [item for item in items if not item.free_text]
    if free_text := len(items) - len(chosen):
        pool.skipped[PairReason.FREE_TEXT.about("pairs")] = free_text
    heading = heading_of(tokenizer)
    for question in questions(chosen, Form(kind="text", wordings=(pairs.wording,))):
        item, prompt, options = question.item, question.prompt, question.options
        assert isinstance(prompt, str)
        found = split(tokenizer, [prompt + option for option in options], [len(prompt)] * len(options))
        head = head_for(tokenizer, heading, min(start for _, start in found))
        pool.questions[item.item][item.language] = TokenizedQuestion(
            [(*head, *tokens) for tokens, _ in found],
            [len(head) + start for _, start in found],
            (*head, *tokenizer(item.question, add_special_tokens=False)["input_ids"]),
        )
    pool.items.extend(chosen)


def _is_wanted(language: str, pairs: Pairs) -> bool:
    return not pairs.languages or language in (*pairs.languages, pairs.pivot)


class Rounds:
    """Which of the names each step has, as a function of `draw` and the step's number alone: `count` of them
    in each process.

    Names come in rounds, each once a round, every round in an order of its own. What is left of a round and
    is fewer than `count` is not used, so that no step of a process has a name twice.
    """

    def __init__(self, names: Iterable[str], count: int, draw: Callable[..., int]) -> None:
        self._names, self._draw = list(names), draw
        self.count = min(count, len(self._names))
        self._rounds: dict[int, list[str]] = {}

    def at(self, step: int, rank: int = 0, processes: int = 1) -> list[tuple[str, int]]:
        """The names of process `rank` at a step, each with the number of the round."""
        number, place = divmod(step * processes + rank, len(self._names) // self.count)
        chosen = self._round(number)[place * self.count : (place + 1) * self.count]
        return [(name, number) for name in chosen]

    def _round(self, number: int) -> list[str]:
        if number not in self._rounds:
            # Steps come in order: no round before the last is needed again.
            self._rounds = {key: kept for key, kept in self._rounds.items() if key == number - 1}
            self._rounds[number] = sorted(self._names, key=lambda name: self._draw("round", number, name))
        return self._rounds[number]


class PairStream:
    """Which pairs a step has: a function of the seed and the step's number alone.

    An id comes once a round (`Rounds`), since twice in a step it would be its own negative example. Ids and
    their languages take turns, so that all languages are equally frequent. `ids` are the languages by id.
    Raises CrossinError where there is one id only.
    """

    def __init__(self, ids: Mapping[str, Iterable[str]], pairs: Pairs, seed: int, count: int) -> None:
        if len(ids) < 2:
            raise CrossinError(
                "only one id is in two languages: there is nothing to contrast it with",
                file=pairs.rows or pairs.items,
                field="pairs",
                hint="add more pairs",
            )

        def draw(*key: object) -> int:
            return hash64(seed, "pairs", *key)

        # By id, its pairs of languages in the order in which they come.
        self._pairs: dict[str, list[Pair]] = {}
        turns = Counter[tuple[str, ...]]()
        for name in sorted(ids, key=lambda name: draw("turn", name)):
            languages = tuple(sorted(ids[name]))
            both = list(languages_paired(languages, pairs))
            first = turns[languages] % len(both)
            self._pairs[name] = [Pair(name, *two) for two in both[first:] + both[:first]]
            turns[languages] += 1
        self._rounds = Rounds(self._pairs, count, draw)

    def at(self, step: int, rank: int = 0, processes: int = 1) -> list[Pair]:
        """The pairs of process `rank` at a step: `count` of them."""
        chosen = self._rounds.at(step, rank, processes)
        return [self._pairs[name][number % len(self._pairs[name])] for name, number in chosen]


def languages_paired(languages: Iterable[str], pairs: Pairs) -> Iterable[tuple[str, str]]:
    """The pairs of languages that content in these languages is compared in."""
    if pairs.among == "any":
        return combinations(sorted(languages), 2)
    return ((pairs.pivot, language) for language in sorted(languages) if language != pairs.pivot)
