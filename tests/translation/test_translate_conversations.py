"""Conversations through the stage: translated as one, checked exchange by exchange, written as messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet
from crossin.mixture import compose
from crossin.translation.dry_run import estimate_run
from crossin.translation.prompts import messages as prompt_of
from crossin.translation.protection import protect
from crossin.translation.run import translate
from crossin.translation.splitting import split_row
from crossin.translation.turns import exchanges_of, named_turns, turns_of
from tests.helpers.translated_rows import config_of, counts, mock_server, rejected, rows_of

CHATS = 20
SYSTEM = {"en": "Be brief and friendly.", "es": "Sé breve y amable.", "zh": "请简短而友好地回答。"}
NAMES = {"es": "Spanish", "zh": "Chinese"}


def chats(language: str) -> Iterator[dict[str, str]]:
    """Conversations of one to three exchanges by name; every second one has a system text."""
    rows = rows_of(3 * CHATS)
    for number in range(CHATS):
        mine = [row[language] for row in rows[3 * number : 3 * number + 1 + number % 3]]
        users = ["\n\n".join(filter(None, (asked, given))) for asked, given, _ in mine]
        system = SYSTEM[language] if number % 2 else ""
        yield named_turns(system, users, [answer for *_, answer in mine])


def as_messages(texts: dict[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in turns_of(texts)]


def sharegpt() -> list[dict[str, Any]]:
    """The English conversations in ShareGPT's form."""
    roles = {"system": "system", "user": "human", "assistant": "gpt"}
    return [
        {
            "id": f"chat-{number}",
            "conversations": [{"from": roles[role], "value": text} for role, text in turns_of(texts)],
        }
        for number, texts in enumerate(chats("en"))
    ]


def table_of_chats(path: Path) -> Path:
    """The true translations of every turn, as it is sent."""
    table: dict[str, str] = {}
    for language, name in NAMES.items():
        for source, true in zip(chats("en"), chats(language), strict=True):
            # By exchange too, as in long conversations.
            for texts in [source, *({key: source[key]} for key in source)]:
                first = 1
                for key, text in texts.items():
                    asked, answer = protect(text, {}, first), true[key]
                    for place, kept in enumerate(asked.kept, first):
                        answer = answer.replace(kept, f"⟦{place}⟧")
                    table[f"{name}|{asked.text}"] = answer
                    first += len(asked.kept)
    path.write_text(json.dumps(table))
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `chats.json` in ShareGPT's form, and `table.json` with the true translations."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "chats.json").write_text(json.dumps(sharegpt()))
    table_of_chats(folder / "table.json")
    return folder


def kept(out: Path, language: str) -> dict[str, list[dict[str, str]]]:
    files = sorted((out / "data" / language).glob("*.parquet"))
    rows = [row for file in files for row in read_parquet(file, ["id", "messages"]).to_pylist()]
    return {row["id"]: row["messages"] for row in rows}


def test_a_conversation_comes_back_turn_by_turn(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        stage = translate(config_of(home / "chats.json", url, ["es", "zh"]), tmp_path / "out")
        # One request holds a whole conversation.
        assert counts(url)["texts answered"] == 2 * CHATS
    for language in ("en", "es", "zh"):
        found = kept(tmp_path / "out", language)
        assert found == {f"chat-{n}": as_messages(texts) for n, texts in enumerate(chats(language))}
    assert stage.manifest["counts"]["languages"]["es"]["passed"] == CHATS


def test_what_was_translated_is_composed(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        translate(config_of(home / "chats.json", url, ["es"]), tmp_path / "out")
    files = {language: f"out/data/{language}" for language in ("en", "es")}
    recipe = {
        "name": "talk",
        "format": "messages",
        "tag": "none",
        "corpora": {"talk": {"files": files}},
        "components": [{"kind": "x2en", "rows": 10}],
    }
    compose(recipe, tmp_path, tmp_path / "mixture")
    card = (tmp_path / "mixture" / "README.md").read_text()
    assert (
        f"- talk, es: {CHATS} rows translated from en by mock (engine openai), 0 of them in another" in card
    )
    assert "- talk, en: the rows that were translated\n" in card
    assert "- talk: licence unknown\n" in card
    text = (tmp_path / "mixture" / "data" / "mixture-00000.jsonl").read_text()
    for row in map(json.loads, text.splitlines()):
        number = int(row["id"].removeprefix("chat-"))
        asked, answered = (list(as_messages(list(chats(code))[number])) for code in ("es", "en"))
        both = zip(asked, answered, strict=True)
        assert row["messages"] == [two if two["role"] == "assistant" else one for one, two in both]


@pytest.mark.parametrize("kind", ["wrong language", "copy", "refusal", "changed number", "dropped sentence"])
def test_a_fault_in_one_turn_is_found_and_repaired(home: Path, tmp_path: Path, kind: str) -> None:
    with mock_server(home / "table.json", "--faults", "0.4", "--kinds", kind) as url:
        stage = translate(config_of(home / "chats.json", url, ["es"]), tmp_path / "out")
        met = counts(url)["faults"]
    found = stage.manifest["counts"]["languages"]["es"]
    assert met > 0
    assert (found["passed"], found["repaired"]) == (CHATS - met, met)
    assert kept(tmp_path / "out", "es") == {
        f"chat-{n}": as_messages(texts) for n, texts in enumerate(chats("es"))
    }


def test_a_turn_that_stays_faulty_rejects_its_conversation_and_is_named(home: Path, tmp_path: Path) -> None:
    faults = ("--faults", "0.4", "--kinds", "wrong language", "--stubborn")
    with mock_server(home / "table.json", *faults) as url:
        translate(config_of(home / "chats.json", url, ["es"]), tmp_path / "out")
    lost = rejected(tmp_path / "out")
    assert lost
    # The last attempt asks line by line, and may lose a placeholder with its line.
    assert {row["reason"] for row in lost} <= {"wrong_language", "placeholder_missing"}
    assert {row["field"].partition(" ")[0] for row in lost} <= {"user", "assistant"}
    assert len(kept(tmp_path / "out", "es")) + len(lost) == CHATS


def test_a_long_conversation_is_asked_by_exchange_with_what_was_said_before(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossin.translation.splitting._LONG", 300)
    with mock_server(home / "table.json") as url:
        translate(config_of(home / "chats.json", url, ["es"]), tmp_path / "out")
        assert counts(url)["texts answered"] > CHATS
    assert kept(tmp_path / "out", "es") == {
        f"chat-{n}": as_messages(texts) for n, texts in enumerate(chats("es"))
    }


def test_a_request_of_a_long_conversation_shows_earlier_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.translation.splitting._LONG", 20)
    texts = named_turns("Be brief.", ["Hi there", "And now?", "So?"], ["Hello", "Rain", "Well"])
    requests = split_row(texts, "en", "es", "text").requests
    assert [request.names for request in requests] == [
        ("system", "user 1", "assistant 1"),
        ("user 2", "assistant 2"),
        ("user 3", "assistant 3"),
    ]
    # The turns right before it, up to half of what a request holds.
    assert [dict(request.context) for request in requests] == [
        {},
        {"assistant 1": "Hello"},
        {"assistant 2": "Rain"},
    ]
    shown = prompt_of(requests[1])
    assert shown[1]["content"].startswith("Earlier turns of the conversation")
    assert json.loads(shown[1]["content"].rpartition("Translate:\n")[2]) == {
        "user 2": "And now?",
        "assistant 2": "Rain",
    }
    assert "turns of one conversation" in shown[0]["content"]


def test_the_dry_run_counts_the_requests_of_the_run(home: Path) -> None:
    with mock_server(home / "table.json") as url:
        found = estimate_run(config_of(home / "chats.json", url, ["es"]))
    assert (found.rows, found.languages[0].requests) == (CHATS, CHATS)


def test_native_answers_are_of_single_exchanges(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        config = config_of(home / "chats.json", url, ["es"], native=True, max_skipped=1)
        stage = translate(config, tmp_path / "out")
    single = [n for n in range(CHATS) if n % 3 == 0]
    assert stage.manifest["skipped"] == {"several_exchanges:en": CHATS - len(single)}


def test_exchanges_of_what_is_asked_alone() -> None:
    texts: dict[str, Any] = {"system": "Be brief.", "user 1": "Hi", "user 2": "And?"}
    assert exchanges_of(texts) == [
        {"instruction": "Be brief.\n\nHi", "input": "", "output": ""},
        {"instruction": "And?", "input": "", "output": ""},
    ]
