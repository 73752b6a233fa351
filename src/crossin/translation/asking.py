"""Asking an engine through the store: what was ever answered is not asked again.

Works that need answers are generators: each yields what it wants to know, and goes on once it knows. So the
last answers of one, which are slow to come, leave no engine idle: the next has begun. What takes long to
compute they yield too, and it is done aside, while answers come.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from crossin.core.cache import Cache, CacheWriter
from crossin.core.files import sha256_of_value
from crossin.translation.engine import Answer, Ask, Engine

# So many works are begun and not ended at most: each has its texts in memory.
_OPEN = 4

T = TypeVar("T")


@dataclass
class Tally:
    """What asking has done so far: answers taken from the store, texts asked anew, tokens, and answers that
    are to be asked again by another run.
    """

    known: int = 0
    asked: int = 0
    lost: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Dated:
    """An answer and when it came (UTC, to the second)."""

    answer: Answer
    time: str


@dataclass(frozen=True)
class Wanted:
    """Different asks, and who is to hear each answer as it comes."""

    asks: Sequence[Ask]
    hear: Callable[[Ask, Dated], None]


# Yields what it wants to know, or have computed, goes on when all of that is known (and gets what a function
# returned), and returns what it made.
Work = Generator[Wanted | Callable[[], Any], Any, T]


def key_of_ask(engine: Engine, ask: Ask) -> str:
    """What an ask is stored by: all that decides its answer."""
    decides = [engine.identity, ask.source, ask.target, ask.names, ask.texts, ask.attempt]
    return sha256_of_value(decides)


def work_through(
    works: Iterable[Work[T]], engine: Engine, store: Cache, keeper: CacheWriter, tally: Tally
) -> list[T]:
    """What each of `works` made, in their order. Every different ask is answered once: first from the store,
    then by the engine.
    """
    # NumPy's long computations, of which there are most, let other threads run.
    with ThreadPoolExecutor(1, "crossin-aside") as pool:
        desk = _Desk(engine, store, keeper, tally, enumerate(works), pool)
        while True:
            if desk.has_asks():
                for ask, answer in engine.translate(desk.asks()):
                    desk.take(ask, answer)
            elif not desk.wait():
                return [desk.made[number] for number in sorted(desk.made)]


@dataclass
class _Open(Generic[T]):
    """A work that is begun, and of how many asks of those that it wants it does not know the answer."""

    number: int
    work: Work[T]
    wanted: Wanted = field(default_factory=lambda: Wanted((), lambda _ask, _dated: None))
    unknown: int = 0


@dataclass
class _Desk(Generic[T]):
    """Where works put their asks, and answers are given out. `wanted_by` has all asks that wait in `queue`,
    or are with the engine; `computed` is what was done aside for works that have not heard of it.
    """

    engine: Engine
    store: Cache
    keeper: CacheWriter
    tally: Tally
    works: Iterator[tuple[int, Work[T]]]
    pool: ThreadPoolExecutor
    queue: deque[Ask] = field(default_factory=deque)
    wanted_by: dict[Ask, list[_Open[T]]] = field(default_factory=dict)
    computed: SimpleQueue[tuple[_Open[T], Future[Any]]] = field(default_factory=SimpleQueue)
    computing: int = 0
    open: int = 0
    made: dict[int, T] = field(default_factory=dict)

    def has_asks(self) -> bool:
        """Whether something is to be asked; where nothing is, works are begun until it is."""
        self._give_computed()
        while not self.queue and self.open < _OPEN:
            number, work = next(self.works, (0, None))
            if work is None:
                break
            self.open += 1
            self._go_on(_Open(number, work))
        return bool(self.queue)

    def asks(self) -> Iterator[Ask]:
        """What is to be asked, until there is nothing before answers come."""
        while self.has_asks():
            yield self.queue.popleft()

    def take(self, ask: Ask, answer: Answer) -> None:
        """Keep an answer of the engine's, and give it to all who want it."""
        dated = Dated(answer, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.tally.prompt_tokens += answer.prompt_tokens
        self.tally.completion_tokens += answer.completion_tokens
        if answer.kept:
            self.tally.asked += 1
            self.keeper.put(key_of_ask(self.engine, ask), _written(dated))
        else:
            self.tally.lost += 1
        for one in self.wanted_by.pop(ask):
            one.wanted.hear(ask, dated)
            one.unknown -= 1
            if not one.unknown:
                self._go_on(one)
        self._give_computed()

    def wait(self) -> bool:
        """Wait for what is done aside; False where nothing is."""
        if self.computing:
            self._give(*self.computed.get())
            return True
        return False

    def _give_computed(self) -> None:
        while not self.computed.empty():
            self._give(*self.computed.get())

    def _give(self, one: _Open[T], future: Future[Any]) -> None:
        self.computing -= 1
        self._go_on(one, future.result())

    def _go_on(self, one: _Open[T], found: Any = None) -> None:
        """Have a work go on until it waits for an answer, or for what is done aside, or has ended."""
        try:
            while True:
                step, found = one.work.send(found), None
                if isinstance(step, Wanted):
                    one.wanted = step
                    self._put(one)
                    if one.unknown:
                        return
                else:
                    self.computing += 1
                    future = self.pool.submit(step)
                    future.add_done_callback(lambda future, one=one: self.computed.put((one, future)))  # type: ignore[misc]
                    return
        except StopIteration as end:
            self.made[one.number] = end.value
            self.open -= 1

    def _put(self, one: _Open[T]) -> None:
        """Let a work hear what is known, and queue the rest before what others want: it is nearer its end."""
        # What another work has just been told is in the store only when it is written.
        self.keeper.flush()
        keys = {ask: key_of_ask(self.engine, ask) for ask in one.wanted.asks}
        known = self.store.get(keys.values())
        fresh: list[Ask] = []
        for ask, key in keys.items():
            if key in known:
                self.tally.known += 1
                one.wanted.hear(ask, _read(known[key]))
                continue
            one.unknown += 1
            if ask not in self.wanted_by:
                self.wanted_by[ask] = []
                fresh.append(ask)
            self.wanted_by[ask].append(one)
        self.queue.extendleft(reversed(fresh))


def _written(dated: Dated) -> dict[str, Any]:
    value = asdict(dated.answer)
    del value["kept"]
    return {**value, "time": dated.time}


def _read(value: dict[str, Any]) -> Dated:
    entries = dict(value)
    time = entries.pop("time")
    texts = entries.pop("texts")
    return Dated(Answer(None if texts is None else tuple(texts), **entries), time)
