"""What ends a run, and what a user is shown then."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from crossin.core.formats import FIELDS
from crossin.servers import BudgetSpent
from crossin.translation.run import translate
from crossin.translation.translators.openai import OpenAITranslator
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, Log, answering, response
from tests.helpers.translated_rows import (
    config_of,
    corpus_files,
    counts,
    mock_server,
    rows_of,
    write_home,
    write_rows,
)

ROWS = 40
NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_home(tmp_path_factory.mktemp("home"), ROWS)


def test_a_spent_budget_ends_the_run_and_says_what_is_left(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        prices = {"price_in": 1e3, "price_out": 1e3}
        poor = config_of(home / "rows.jsonl", url, ["es"], server={**prices, "budget": 2.0, "concurrency": 2})
        with refused("budget of 2", "of 40 rows are left in es", hint="--budget") as caught:
            translate(poor, tmp_path / "out")
        assert isinstance(caught.value, BudgetSpent)
        asked = counts(url)["asked"]
        assert 0 < asked < ROWS
        rich = config_of(home / "rows.jsonl", url, ["es"], server=prices)
        stage = translate(rich, tmp_path / "out")
        assert counts(url)["answered twice"] == 0
    counted = stage.manifest["counts"]
    assert counted["responses"]["cached"] == asked
    # The usage is that of both runs.
    assert counted["usage"]["requests"] == ROWS
    assert counted["usage"]["cost"] > 2.0


def test_a_wrong_key_stops_at_once(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "not-that-one")
    with mock_server(home / "table.json", "--key", "right") as url, refused("401") as caught:
        translate(config_of(home / "rows.jsonl", url, ["es"]), tmp_path / "out")
    assert "OPENAI_API_KEY" in str(caught.value)
    assert "not-that-one" not in str(caught.value)
    assert not (tmp_path / "out").exists(), "nothing was translated: the folder is free"


def test_an_unknown_model_is_an_error_that_names_the_others(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url, refused("404", hint="mock"):
        translate(config_of(home / "rows.jsonl", url, ["es"], model="gpt"), tmp_path / "out")


def test_a_server_that_is_not_there_is_an_error(home: Path, tmp_path: Path) -> None:
    with refused("no connection", hint="server"):
        translate(config_of(home / "rows.jsonl", NOWHERE, ["es"], server={"retries": 1}), tmp_path / "out")


@pytest.mark.parametrize(("source", "rows", "looks"), [("en", 12, "es"), ("th", 12, "es"), ("en", 240, "es")])
def test_rows_in_another_language_than_they_should_be_are_refused(
    source: str, rows: int, looks: str, tmp_path: Path
) -> None:
    pytest.importorskip("lingua", reason="the extra `text` is not installed")
    lines = [dict(zip(FIELDS, row["es"], strict=True)) for row in rows_of(rows)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines), "utf-8")
    with refused(f"look like {looks}", source, file="rows.jsonl", hint="--no-check-language"):
        translate(config_of(tmp_path / "rows.jsonl", NOWHERE, ["zh"], **{"from": source}), tmp_path / "out")


def test_a_folder_of_another_run_is_refused(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        translate(config_of(home / "rows.jsonl", url, ["es"]), tmp_path / "out")
        with refused("another run's files", file="out"):
            translate(config_of(home / "rows.jsonl", url, ["es", "zh"]), tmp_path / "out")


@pytest.fixture
def hanging() -> Iterator[tuple[Log, threading.Event]]:
    """A server whose first answer comes only once the event is set; the others come at once."""
    go_on = threading.Event()

    async def answer(asked: Asked) -> bytes:
        if len(log.asked) == 1:
            while not go_on.is_set():
                await asyncio.sleep(0.01)
        texts = json.loads(asked.body["messages"][1]["content"])
        reply = {"choices": [{"message": {"content": json.dumps(texts)}, "finish_reason": "stop"}]}
        return response(200, reply)

    with answering(answer) as log:
        yield log, go_on
        go_on.set()


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_goes_on(
    home: Path, tmp_path: Path, hanging: tuple[Log, threading.Event]
) -> None:
    log, go_on = hanging
    config = config_of(home / "rows.jsonl", log.base_url, ["es"])
    first = threading.Thread(target=translate, args=(config, tmp_path / "out"))
    first.start()
    while not log.asked:
        first.join(0.01)
    with refused("already running", file="out"):
        translate(config, tmp_path / "out")
    go_on.set()
    first.join()
    assert translate(config, tmp_path / "out").done
    assert corpus_files(tmp_path / "out")


def test_requests_are_sent_while_one_hangs(tmp_path: Path, hanging: tuple[Log, threading.Event]) -> None:
    log, go_on = hanging
    write_rows(tmp_path / "rows.jsonl", ROWS)
    # Shards of eight rows: the first one waits for the hanging request, and the next ones go on.
    config = config_of(
        tmp_path / "rows.jsonl", log.base_url, ["es"], shard_rows=8, server={"concurrency": 2, "timeout": 60}
    )
    run = threading.Thread(target=translate, args=(config, tmp_path / "out"))
    run.start()
    deadline = monotonic() + 60
    while len(log.asked) < 3 * 8 and monotonic() < deadline:
        run.join(0.01)
    asked = len(log.asked)
    go_on.set()
    run.join()
    assert asked >= 3 * 8


def test_requests_of_all_shards_are_sent_while_one_hangs_in_each_but_one(tmp_path: Path) -> None:
    concurrency, shards, size = 8, 12, 3
    hanging = {number * size for number in range(concurrency - 1)}
    go_on = threading.Event()
    first: set[int] = set()

    async def answer(asked: Asked) -> bytes:
        texts = json.loads(asked.body["messages"][1]["content"])
        number = int(re.findall(r"\d+", str(texts))[0])
        if number in hanging and number not in first:
            first.add(number)
            await asyncio.to_thread(go_on.wait)
        first.add(number)
        if len(first) == shards * size:
            go_on.set()
        reply = {"choices": [{"message": {"content": json.dumps(texts)}, "finish_reason": "stop"}]}
        return response(200, reply)

    rows = [{"instruction": f"行 {number}", "output": f"{number}"} for number in range(shards * size)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    with answering(answer) as log:
        config = config_of(
            tmp_path / "rows.jsonl",
            log.base_url,
            ["th"],
            source="zh",
            shard_rows=size,
            server={"concurrency": concurrency, "timeout": 60, "retries": 0},
        )
        stage = translate(config, tmp_path / "out")
    # Where a row had to wait for one that hangs, that one was given up in the end.
    assert stage.manifest["counts"]["responses"]["failed"] == 0


def test_a_translator_of_your_own_is_used(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        config = config_of(home / "rows.jsonl", NOWHERE, ["es"], engine=None, model=None)
        settings = config_of(home / "rows.jsonl", url, ["es"]).server
        stage = translate(config, tmp_path / "out", translator=OpenAITranslator("mock", settings))
    assert stage.manifest["counts"]["languages"]["es"]["passed"] == ROWS
    with refused("model", field="engine"):
        translate(config, tmp_path / "two")


@pytest.mark.parametrize(
    ("text", "field", "hint"),
    [
        ("[one]", None, "term: translation"),
        ("es: one\n", "es", "term: translation"),
        ("es: {one: ''}\n", "es.one", "term: translation"),
        ("Klingonese: {a: b}\n", None, "did you mean"),
    ],
)
def test_a_glossary_of_another_form_is_an_error(
    home: Path, tmp_path: Path, text: str, field: str | None, hint: str
) -> None:
    (tmp_path / "terms.yaml").write_text(text, "utf-8")
    config = config_of(home / "rows.jsonl", NOWHERE, ["es"], glossary=tmp_path / "terms.yaml")
    with refused(file="terms.yaml", field=field, hint=hint):
        translate(config, tmp_path / "out")


def translated(asked: Asked, table: dict[str, str]) -> bytes:
    """The answer of a server that knows the true translations."""
    texts = json.loads(asked.body["messages"][-1]["content"])
    reply = json.dumps({name: table[f"Spanish|{text}"] for name, text in texts.items()})
    return response(200, {"choices": [{"message": {"content": reply}, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    "message",
    ["Unsupported parameter: 'max_tokens'", "max_tokens: use max_completion_tokens with this model"],
)
def test_the_other_name_of_the_limit_is_tried(home: Path, tmp_path: Path, message: str) -> None:
    table = json.loads((home / "table.json").read_text())

    async def newer(asked: Asked) -> bytes:
        if "max_tokens" in asked.body:
            return response(400, {"error": {"message": message}})
        return translated(asked, table)

    with answering(newer) as log:
        config = config_of(home / "rows.jsonl", log.base_url, ["es"], server={"concurrency": 2})
        stage = translate(config, tmp_path / "out")
    assert stage.manifest["counts"]["rows"] == ROWS
    # Those that were on their way with the first name are sent again, no other.
    assert len(log.asked) <= 2 * ROWS


def test_a_model_without_a_temperature_is_asked_without_one(home: Path, tmp_path: Path) -> None:
    table = json.loads((home / "table.json").read_text())

    async def newer(asked: Asked) -> bytes:
        for field in ("max_tokens", "temperature"):
            if field in asked.body:
                return response(400, {"error": {"message": f"Unsupported parameter: '{field}'"}})
        return translated(asked, table)

    with answering(newer) as log:
        config = config_of(home / "rows.jsonl", log.base_url, ["es"], server={"concurrency": 2})
        stage = translate(config, tmp_path / "out")
    assert stage.manifest["counts"]["languages"]["es"]["passed"] == ROWS
    assert len(log.asked) <= 3 * ROWS


def test_a_field_that_the_model_does_not_take_ends_the_run_at_once(home: Path, tmp_path: Path) -> None:
    async def newer(asked: Asked) -> bytes:
        return response(400, {"error": {"message": "Unsupported value: 'temperature' does not support 0"}})

    with answering(newer) as log:
        config = config_of(home / "rows.jsonl", log.base_url, ["es"], server={"concurrency": 2})
        with refused("temperature", hint="--body"):
            translate(config, tmp_path / "out")
        assert len(log.asked) <= 6


@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_that_every_text_would_get_ends_the_run_at_once(
    home: Path, tmp_path: Path, status: int
) -> None:
    async def strict(asked: Asked) -> bytes:
        return response(status, {"error": {"message": "Bad request: invalid parameters"}})

    with answering(strict) as log:
        config = config_of(home / "rows.jsonl", log.base_url, ["es"], server={"concurrency": 8})
        with refused("invalid parameters", hint="--body"):
            translate(config, tmp_path / "out")
        assert len(log.asked) == 2


def test_a_first_text_that_is_refused_alone_costs_its_row(home: Path, tmp_path: Path) -> None:
    table = json.loads((home / "table.json").read_text())
    first: list[str] = []

    async def picky(asked: Asked) -> bytes:
        text = asked.body["messages"][-1]["content"]
        first.append(text)
        if text == first[0]:
            return response(400, {"error": {"message": "the content is filtered"}})
        if "Hello." in text:
            return response(200, {"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]})
        return translated(asked, table)

    with answering(picky) as log:
        config = config_of(home / "rows.jsonl", log.base_url, ["es"], server={"concurrency": 2})
        stage = translate(config, tmp_path / "out")
    found = stage.manifest["counts"]["languages"]["es"]
    assert found["passed"] + found.get("repaired", 0) >= ROWS - 1
    assert sum("Hello." in text for text in first) == 1
