"""An engine that scores options and replies by functions, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from crossin.evaluation.engine import Reply, Request, Scores

Score = Callable[[Request, str], float | None]


def _refuse(*_: object) -> Any:
    raise AssertionError("not to be asked")


class Knowing:
    """An engine. score: the log-probability of an option of a request. reply: the text, or the reply."""

    def __init__(
        self, score: Score = _refuse, reply: Callable[[Request], str | Reply] = _refuse, **scores: Any
    ) -> None:
        """scores: more fields of each `Scores`."""
        self._score, self._reply, self._more = score, reply, scores
        self.identity: dict[str, Any] = {"engine": "made up"}
        self.inputs: dict[str, Path] = {}
        self.notes: list[str] = []
        self.asked: list[Request] = []

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        for number in sorted(wanted):
            one = requests[number]
            self.asked.append(one)
            found = [self._score(one, option.strip()) for option in one.options]
            yield number, Scores(found, [1] * len(found), **self._more)

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        for number in sorted(wanted):
            self.asked.append(requests[number])
            found = self._reply(requests[number])
            yield number, found if isinstance(found, Reply) else Reply(found)

    def close(self) -> None:
        pass
