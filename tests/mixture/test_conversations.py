"""Mixtures of conversations: whose turns are in which language, and where the wish for a language stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.mixture import compose
from crossin.mixture.run import preview
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import PLAIN, chat_tokenizer

LANGUAGES = ["en", "es", "zh"]
WISHES = {"en": "Answer in English.", "es": "Responde en español.", "zh": "请用中文回答。"}


def turns(language: str, number: int, exchanges: int, system: bool) -> list[dict[str, str]]:
    found = [{"role": "system", "content": f"{language} system {number}"}] if system else []
    for turn in range(exchanges):
        found.append({"role": "user", "content": f"{language} asks {number} {turn}"})
        found.append({"role": "assistant", "content": f"{language} says {number} {turn}"})
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Rows of one to three exchanges; every second one has a system turn."""
    for language in LANGUAGES:
        rows = [{"id": str(k), "messages": turns(language, k, 1 + k % 3, k % 2 == 0)} for k in range(12)]
        (tmp_path / f"{language}.json").write_text(json.dumps(rows))
    return tmp_path


def mixed(data: Path, *components: dict[str, Any], **entries: Any) -> list[dict[str, Any]]:
    files = {language: f"{language}.json" for language in LANGUAGES}
    recipe = {
        "name": "talk",
        "format": "messages",
        "corpora": {"talk": {"files": files, "check": "none"}},
        "components": list(components),
        **entries,
    }
    out = data / f"out{len(list(data.iterdir()))}"
    compose(recipe, data, out)
    if recipe["format"] == "messages":
        lines = [line for file in sorted((out / "data").iterdir()) for line in file.read_text().splitlines()]
        return [json.loads(line) for line in lines]
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(out / "data").to_pylist()
    return rows


def contents(row: dict[str, Any], role: str) -> list[str]:
    return [turn["content"] for turn in row["messages"] if turn["role"] == role]


def exchanges(row: dict[str, Any]) -> int:
    return 1 + int(row["id"]) % 3


@pytest.mark.parametrize("kind", ["base", "mono", "x2en", "en2x", "x2x"])
def test_the_users_turns_are_in_one_language_and_the_assistants_in_another(data: Path, kind: str) -> None:
    rows = mixed(data, {"kind": kind, "rows": 12}, tag="none")
    for row in rows:
        asked = turns(row["lang_in"], int(row["id"]), exchanges(row), int(row["id"]) % 2 == 0)
        answered = turns(row["lang_out"], int(row["id"]), exchanges(row), int(row["id"]) % 2 == 0)
        expected = [
            theirs if theirs["role"] == "assistant" else ours
            for ours, theirs in zip(asked, answered, strict=True)
        ]
        assert row["messages"] == expected
        assert "turns" not in row
    assert len({len(row["messages"]) for row in rows}) > 3


@pytest.mark.parametrize("place", ["first", "every", "system"])
@pytest.mark.parametrize("tag", ["sentence", "code"])
def test_the_wish_for_a_language_stands_where_the_recipe_says(data: Path, place: str, tag: str) -> None:
    rows = mixed(data, {"kind": "x2x", "rows": 36}, {"kind": "mono", "rows": 6}, place=place, tag=tag)
    for row in rows:
        wish = WISHES[row["lang_out"]] if tag == "sentence" else f"[{row['lang_out']}]"
        users, systems = contents(row, "user"), contents(row, "system")
        if row["kind"] == "mono":
            assert not any(wish in text for text in users + systems)
        elif place == "system":
            assert [wish in text for text in systems] == [True]
            assert not any(wish in text for text in users)
        else:
            assert not any(wish in text for text in systems)
            assert [text.endswith(wish) for text in users] == [
                place == "every" or not n for n in range(len(users))
            ]


def test_a_conversation_may_switch_its_language_with_every_exchange(data: Path) -> None:
    for row in mixed(data, {"kind": "switch", "rows": 16}):
        assert exchanges(row) > 1
        spoken = [row["lang_in"], row["lang_out"]]
        assert spoken[0] != spoken[1]
        for role in ("user", "assistant"):
            expected = [spoken[turn % 2] for turn in range(exchanges(row))]
            assert [text.split()[0] for text in contents(row, role)] == expected


def test_the_first_exchange_alone_may_be_drawn(data: Path) -> None:
    for row in mixed(data, {"kind": "x2en", "rows": 12, "turns": "first"}, tag="none"):
        assert len(contents(row, "user")) == len(contents(row, "assistant")) == 1
        assert contents(row, "user") == [f"{row['lang_in']} asks {row['id']} 0"]
        assert bool(contents(row, "system")) == (int(row["id"]) % 2 == 0)


def test_where_the_last_answer_alone_is_learned_a_column_says_so(data: Path) -> None:
    rows = mixed(data, {"kind": "base", "rows": 12, "turns": "last"}, {"kind": "mono", "rows": 12})
    assert {(row["kind"], row["turns"]) for row in rows} == {("base", "last"), ("mono", "all")}
    assert all(len(contents(row, "user")) == exchanges(row) for row in rows)


@pytest.mark.parametrize("side", ["instruction", "output"])
@pytest.mark.parametrize("which", ["all", "first", "last"])
def test_one_turn_of_a_conversation_is_translated(data: Path, side: str, which: str) -> None:
    rows = mixed(data, {"kind": "trans", "rows": 60, "side": side, "turns": which, "epochs": 9})
    drawn = set()
    for row in rows:
        asked, answered = (turn["content"] for turn in row["messages"])
        word = "asks" if side == "instruction" else "says"
        language, *rest = answered.split()
        assert (language, rest[:2]) == (row["lang_out"], [word, row["id"]])
        assert asked.endswith(" ".join([row["lang_in"], *rest]))
        drawn.add((exchanges(row), int(rest[2])))
    chosen = {"first": {0}, "last": {-1}}.get(which)
    expected = {(n, turn) for n in (1, 2, 3) for turn in range(n)}
    if chosen:
        expected = {(n, turn % n) for n in (1, 2, 3) for turn in chosen}
    assert drawn == expected


def test_a_chat_template_writes_a_conversation_up_to_its_last_answer(data: Path) -> None:
    tokenizer = chat_tokenizer(data / "tokenizer", PLAIN)
    components = [{"kind": "x2en", "rows": 24}, {"kind": "trans", "rows": 6}]
    given = {"template": "chat", "tokenizer": str(data / "tokenizer"), "format": "prompt-completion"}
    texts, chats = mixed(data, *components, **given), mixed(data, *components)
    for text, chat in zip(texts, chats, strict=True):
        whole = tokenizer.apply_chat_template(chat["messages"], tokenize=False)
        assert text["prompt"] + text["completion"] + "<|end|>" == whole
        assert text["completion"] == contents(chat, "assistant")[-1]


def test_a_template_of_one_exchange_takes_first_exchanges_or_leaves_conversations_out(data: Path) -> None:
    given = {"template": "plain", "format": "prompt-completion", "tag": "none"}
    rows = mixed(data, {"kind": "base", "rows": 12, "turns": "first"}, **given)
    systems = {row["prompt"]: row["id"] for row in rows if "\n\n" in row["prompt"]}
    assert len(rows) == 12
    assert systems == {f"en system {k}\n\nen asks {k} 0": str(k) for k in range(0, 12, 2)}
    with refused("more than one exchange", hint="turns: first"):
        mixed(data, {"kind": "base", "rows": 4}, **given)
    rows = mixed(data, {"kind": "base", "rows": 4}, max_skipped=1, **given)
    assert {exchanges(row) for row in rows} == {1}


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ({"kind": "switch"}, "switch"),
        ({"kind": "base", "turns": "last"}, "turns: last"),
    ],
)
def test_what_needs_conversations_names_the_format(data: Path, component: dict[str, Any], words: str) -> None:
    with refused(words, "format: messages", "template: chat"):
        mixed(data, {**component, "rows": 2}, format="prompt-completion", template="plain")


def test_the_preview_shows_who_says_what(data: Path) -> None:
    files = {language: f"{language}.json" for language in LANGUAGES}
    recipe = {
        "name": "talk",
        "format": "messages",
        "corpora": {"talk": {"files": files, "check": "none"}},
        "components": [{"kind": "base", "rows": 12}],
    }
    rows = {row["id"]: row for row in preview(recipe, data, samples=12).samples}
    assert rows["4"]["prompt"] == (
        "system: en system 4\n\nuser: en asks 4 0\n\nassistant: en says 4 0\n\nuser: en asks 4 1"
    )
    assert rows["4"]["completion"] == "en says 4 1"
    assert rows["3"]["prompt"] == "en asks 3 0"
