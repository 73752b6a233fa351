"""Asking an engine through the store: what was ever answered is not asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from crossin.store import Store, key_of
from crossin.translate.engine import Answer, Ask, Engine
from crossin.translate.keeping import Keeper


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


def key_of_ask(engine: Engine, ask: Ask) -> str:
    """What an ask is stored by: all that decides its answer."""
    decides = [engine.identity, ask.source, ask.target, ask.names, ask.texts, ask.attempt]
    return key_of(decides)


def ask_all(
    asks: Iterable[Ask],
    engine: Engine,
    store: Store,
    keeper: Keeper,
    tally: Tally,
    hear: Callable[[Ask, Dated], None],
) -> None:
    """Have every different ask answered once, and `hear` each answer as it comes: first what is known."""
    keys = {ask: key_of_ask(engine, ask) for ask in dict.fromkeys(asks)}
    known = store.get(keys.values())
    unknown: list[Ask] = []
    for ask, key in keys.items():
        if key in known:
            tally.known += 1
            hear(ask, _read(known[key]))
        else:
            unknown.append(ask)
    for ask, answer in _asked(engine, unknown):
        dated = Dated(answer, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        tally.prompt_tokens += answer.prompt_tokens
        tally.completion_tokens += answer.completion_tokens
        if answer.kept:
            tally.asked += 1
            keeper.put(keys[ask], _written(dated))
        else:
            tally.lost += 1
        hear(ask, dated)


def _asked(engine: Engine, asks: list[Ask]) -> Iterator[tuple[Ask, Answer]]:
    # An engine that is asked nothing need not be loaded.
    return engine.translate(iter(asks)) if asks else iter(())


def _written(dated: Dated) -> dict[str, Any]:
    value = asdict(dated.answer)
    del value["kept"]
    return {**value, "time": dated.time}


def _read(value: dict[str, Any]) -> Dated:
    entries = dict(value)
    time = entries.pop("time")
    texts = entries.pop("texts")
    return Dated(Answer(None if texts is None else tuple(texts), **entries), time)
