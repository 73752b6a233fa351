"""The manifest counts the whole run, however many processes made it and however often it was stopped."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Literal

import pytest

from crossin.core.errors import CrossinError
from crossin.core.stages import Stage
from crossin.servers import BudgetSpent
from crossin.translation.config import TranslateConfig
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.run import translate
from tests.helpers.translated_rows import config_of, counts, mock_server, table_of, write_rows

ROWS = 40


class Capitals:
    """Gives sentences back in capitals, until it has answered `most` of them."""

    unit: Literal["row", "text", "sentence"] = "sentence"
    attempts = 1
    concurrency = 3
    by_span = False
    identity: Mapping[str, Any] = {"engine": "capitals"}

    def __init__(self, most: int) -> None:
        self.left = most
        self.answered: list[TranslationRequest] = []

    def check(self, source: str, targets: Sequence[str]) -> None: ...

    def stop(self) -> None: ...

    async def __aenter__(self) -> Capitals:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def translate(self, request: TranslationRequest) -> TranslationResponse:
        if not self.left:
            raise CrossinError("broken off", hint="go on")
        self.left -= 1
        await asyncio.sleep(0)
        self.answered.append(request)
        return TranslationResponse((request.texts[0].upper(),))


@pytest.fixture
def config(tmp_path: Path) -> TranslateConfig:
    """Eight rows in four shards. Each has a sentence of its own, one of its neighbour's, and one of all."""
    texts = ["The sun is hot. Row {n} is here.", "Half {h} is there.", "It rains today."]
    rows = [
        dict(
            zip(
                ("instruction", "input", "output"),
                (text.format(n=n, h=n // 3) for text in texts),
                strict=True,
            )
        )
        for n in range(8)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return TranslateConfig(corpus=tmp_path / "rows.jsonl", to=("th",), shard_rows=2, any_language=True)


@pytest.mark.parametrize("parts", [[], [1], [5], [11], [1, 1, 1], [3, 4], [2, 0, 6]])
def test_a_response_counts_once_wherever_the_run_was_stopped(
    config: TranslateConfig, tmp_path: Path, parts: list[int]
) -> None:
    answered = []
    for most in (*parts, 1000):
        translator = Capitals(most)
        with suppress(CrossinError):
            stage = translate(config, tmp_path / "out", translator=translator)
        answered += translator.answered
    found = stage.manifest["counts"]["responses"]
    assert found["requested"] == len(answered) == len(set(answered))
    # Another run with the same cache has requested nothing.
    shared = config.model_copy(update={"cache": tmp_path / "out" / "cache.sqlite"})
    other = translate(shared, tmp_path / "other", translator=Capitals(0)).manifest["counts"]["responses"]
    assert (other["requested"], other["cached"] >= len(answered)) == (0, True)


def test_responses_of_all_ranks_count_once_though_one_was_stopped(
    config: TranslateConfig, tmp_path: Path
) -> None:
    answered = []
    for most, rank in ((2, 1), (3, 0), (1000, 1), (1000, 0)):
        translator = Capitals(most)
        with suppress(CrossinError):
            stage = translate(config, tmp_path / "out", translator=translator, rank=rank, world_size=2)
        answered += translator.answered
    assert stage.done
    assert stage.manifest["counts"]["responses"]["requested"] == len(answered) == len(set(answered))


@pytest.mark.parametrize("cache", [None, "elsewhere.sqlite"])
def test_a_run_resumed_after_its_budget_was_spent_counts_all_its_requests(
    tmp_path: Path, cache: str | None
) -> None:
    table = table_of(write_rows(tmp_path / "rows.jsonl", ROWS), tmp_path / "table.json")
    prices = {"price_in": 1e3, "price_out": 1e3, "timeout": 60.0}
    place = None if cache is None else tmp_path / cache
    asked = []
    with mock_server(table) as url:
        # The second start has nothing left to spend.
        for budget in (2.0, 2.0, None):
            server = {**prices, "budget": budget, "concurrency": 2}
            config = config_of(tmp_path / "rows.jsonl", url, ["es"], cache=place, server=server)
            with suppress(BudgetSpent):
                stage = translate(config, tmp_path / "out")
            asked.append(counts(url)["asked"])
    assert 0 < asked[0] == asked[1] < asked[2] == ROWS
    counted = stage.manifest["counts"]
    assert counted["responses"]["requested"] == counted["usage"]["requests"] == ROWS


def taken_until(out: Path) -> float:
    """Until when the limits a minute are taken, in seconds since the epoch."""
    with closing(sqlite3.connect(out / "usage.sqlite")) as file:
        return float(file.execute("SELECT free FROM run").fetchone()[0])


def test_ranks_take_their_requests_from_one_limit(tmp_path: Path) -> None:
    table = table_of(write_rows(tmp_path / "rows.jsonl", ROWS), tmp_path / "table.json")
    with mock_server(table) as url:
        server = {"requests_per_minute": 6000.0, "timeout": 60.0}
        config = config_of(tmp_path / "rows.jsonl", url, ["es"], shard_rows=10, server=server)
        begin = time.time()
        for rank in range(2):
            translate(config, tmp_path / "out", rank=rank, world_size=2)
    assert taken_until(tmp_path / "out") - begin >= ROWS * 60 / 6000


RANK = """
import sys
from crossin import translate
from crossin.servers import BudgetSpent
from crossin.translation.config import TranslateConfig

settings, out, rank = sys.argv[1:]
try:
    translate(TranslateConfig.model_validate_json(settings), out, rank=int(rank), world_size=2)
except BudgetSpent:
    sys.exit(3)
"""


@pytest.mark.slow
def test_ranks_at_once_share_one_budget(tmp_path: Path) -> None:
    table = table_of(write_rows(tmp_path / "rows.jsonl", ROWS), tmp_path / "table.json")
    prices = {"price_in": 1e3, "price_out": 1e3, "timeout": 60.0, "concurrency": 2}

    def run(url: str, budget: float | None) -> list[int]:
        server = {**prices, "budget": budget}
        config = config_of(tmp_path / "rows.jsonl", url, ["es", "zh"], shard_rows=15, server=server)
        words = [sys.executable, "-c", RANK, config.model_dump_json(by_alias=True), str(tmp_path / "out")]
        ranks = [subprocess.Popen([*words, str(rank)]) for rank in range(2)]
        return [rank.wait() for rank in ranks]

    with mock_server(table, "--delay", "0.05") as url:
        assert run(url, 4.0) == [3, 3]
        # About 220 tokens each: 4 buys some 18, whoever sends them.
        assert 0 < counts(url)["answered"] <= 25
        assert run(url, None) == [0, 0]
        config = config_of(tmp_path / "rows.jsonl", url, ["es", "zh"], shard_rows=15)
        stage: Stage = translate(config, tmp_path / "out")
        assert stage.done
        counted = stage.manifest["counts"]
        assert counted["responses"]["requested"] == counted["usage"]["requests"] == counts(url)["answered"]
        assert counts(url)["answered"] == 2 * ROWS
