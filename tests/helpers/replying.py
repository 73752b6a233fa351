"""An engine that replies by a function."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from crossin.evaluation.engine import Reply, Request, Scores


class Replying:
    """An engine that replies to each request by `reply`, and scores nothing."""

    def __init__(self, reply: Callable[[Request], Reply]) -> None:
        self._reply = reply
        self.identity: dict[str, Any] = {"engine": "made up"}
        self.inputs: dict[str, Path] = {}
        self.notes: list[str] = []

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        raise AssertionError("nothing is scored")

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        for number in wanted:
            yield number, self._reply(requests[number])

    def close(self) -> None:
        pass
