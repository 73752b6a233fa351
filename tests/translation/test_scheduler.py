"""Works that ask an engine through the store, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from crossin.core.cache import Cache, CacheWriter
from crossin.core.errors import CrossinError
from crossin.translation.asking import Dated, Tally, Wanted, Work, work_through
from crossin.translation.engine import Answer, Ask


class Upper:
    """An engine that gives texts back in capitals, and reads `ahead` asks before its first answer."""

    unit: Literal["row", "sentence"] = "row"
    attempts = 1
    by_span = False
    identity: Mapping[str, Any] = {"engine": "upper"}

    def __init__(self, ahead: int = 1) -> None:
        self.ahead = ahead
        self.asked: list[str] = []
        self.streams = 0

    def check(self, source: str, targets: Sequence[str]) -> None: ...

    def close(self) -> None: ...

    def translate(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Answer]]:
        self.streams += 1
        under_way: list[Ask] = []
        for ask in asks:
            self.asked.append(ask.texts[0])
            under_way.append(ask)
            if len(under_way) >= self.ahead:
                yield self._answer(under_way.pop(0))
        yield from map(self._answer, under_way)

    def _answer(self, ask: Ask) -> tuple[Ask, Answer]:
        if ask.texts[0] == "broken":
            raise CrossinError("the engine broke")
        lost = ask.texts[0].startswith("lost")
        return ask, Answer(None if lost else (ask.texts[0].upper(),), kept=not lost)


def words(*texts: str, again: Sequence[str] = ()) -> Work[list[str]]:
    """A work that has texts translated, and then others."""
    found: list[str] = []

    def hear(_ask: Ask, dated: Dated) -> None:
        found.append(dated.answer.texts[0] if dated.answer.texts else "?")

    for some in (texts, again):
        yield Wanted([Ask("en", "zh", ("text",), (text,)) for text in some], hear)
    return found


def through(path: Path, engine: Upper, works: Iterable[Work[Any]]) -> tuple[list[Any], Tally]:
    tally = Tally()
    with Cache(path / "store.sqlite") as store, CacheWriter(path / "store.sqlite") as keeper:
        return work_through(works, engine, store, keeper, tally), tally


def test_each_work_gets_its_answers_and_returns_what_it_made(tmp_path: Path) -> None:
    made, tally = through(tmp_path, Upper(), [words("a", "b", again=["c"]), words(), words("d")])
    assert made == [["A", "B", "C"], [], ["D"]]
    assert (tally.asked, tally.known, tally.lost) == (4, 0, 0)


def test_the_next_work_is_begun_before_the_last_answers_of_one(tmp_path: Path) -> None:
    engine = Upper(ahead=3)
    made, _ = through(tmp_path, engine, [words("a", "b", again=["c"]), words("d", "e")])
    assert made == [["A", "B", "C"], ["D", "E"]]
    assert engine.asked == ["a", "b", "d", "e", "c"]
    assert engine.streams == 1


def test_only_some_works_are_in_memory(tmp_path: Path) -> None:
    begun = ended = most = 0

    def counted(number: int) -> Work[None]:
        nonlocal begun, ended, most
        begun += 1
        most = max(most, begun - ended)
        yield from words(f"text {number}")
        ended += 1

    through(tmp_path, Upper(ahead=100), (counted(number) for number in range(30)))
    assert begun == ended == 30
    assert most == 4


def test_what_two_works_want_at_once_is_asked_once(tmp_path: Path) -> None:
    engine = Upper(ahead=10)
    made, tally = through(tmp_path, engine, [words("a", "same"), words("same", "b"), words("same")])
    assert made == [["A", "SAME"], ["SAME", "B"], ["SAME"]]
    assert engine.asked.count("same") == 1
    assert tally.asked == 3


def test_what_was_answered_before_is_taken_from_the_store(tmp_path: Path) -> None:
    through(tmp_path, Upper(), [words("a", "b")])
    engine = Upper()
    made, tally = through(tmp_path, engine, [words("b", "a", again=["b"])])
    assert made == [["B", "A", "B"]]
    assert (tally.known, engine.streams) == (3, 0), "an engine that is asked nothing is not begun"


def test_what_one_work_was_just_told_the_next_knows(tmp_path: Path) -> None:
    engine = Upper()
    made, tally = through(tmp_path, engine, [words("a", again=["b"]), words("b", again=["a"])])
    assert made == [["A", "B"], ["B", "A"]]
    assert sorted(engine.asked) == ["a", "b"]
    assert tally.asked == 2


def test_what_is_lost_is_not_kept(tmp_path: Path) -> None:
    _, tally = through(tmp_path, Upper(), [words("lost one")])
    assert (tally.asked, tally.lost) == (0, 1)
    engine = Upper()
    through(tmp_path, engine, [words("lost one")])
    assert engine.asked == ["lost one"]


def test_what_is_computed_aside_comes_back_while_others_are_asked(tmp_path: Path) -> None:
    def computing() -> Work[int]:
        found = yield from words("a", "b")
        total: int = yield lambda: sum(map(ord, found))
        _ = yield from words("c")
        return total

    made, _ = through(tmp_path, Upper(), [computing(), words("d"), computing()])
    assert made == [131, ["D"], 131]


def test_an_error_of_what_is_computed_ends_all(tmp_path: Path) -> None:
    def computing() -> Work[None]:
        yield lambda: 1 // 0

    with pytest.raises(ZeroDivisionError):
        through(tmp_path, Upper(), [computing()])


def test_an_engine_that_breaks_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="the engine broke"):
        through(tmp_path, Upper(), [words("a", "b", "broken", "c")])
    engine = Upper()
    made, tally = through(tmp_path, engine, [words("a", "b", "c")])
    assert made == [["A", "B", "C"]]
    assert (tally.known, engine.asked) == (2, ["c"])
