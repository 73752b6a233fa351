"""docs/tutorials/conversations.md, done as it says, from each form of the file, with the mock server."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from crossin.core.files import read_json
from tests.helpers.paths import ROOT
from tests.helpers.thinking_templates import PLAIN, chat_tokenizer
from tests.helpers.translated_rows import mock_server
from tests.translation.test_translate_conversations import (
    CHATS,
    as_messages,
    chats,
    sharegpt,
    table_of_chats,
)

PAGE = (ROOT / "docs" / "tutorials" / "conversations.md").read_text("utf-8")


def commands() -> list[list[str]]:
    return [shlex.split(line)[1:] for line in PAGE.splitlines() if line.startswith("crossin ")]


def write_chats(folder: Path, form: str) -> str:
    """The conversations in one of the forms; the file's name."""
    found = [(f"chat-{number}", texts) for number, texts in enumerate(chats("en"))]
    if form == "ShareGPT":
        (folder / "chats.json").write_text(json.dumps(sharegpt()))
        return "chats.json"
    messages = [{"id": key, "messages": as_messages(texts)} for key, texts in found]
    if form == "messages":
        (folder / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in messages))
        return "chats.jsonl"
    with (folder / "chats.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "messages"])
        writer.writerows([row["id"], json.dumps(row["messages"])] for row in messages)
    return "chats.csv"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a chat template."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("base")
    tokenizer = chat_tokenizer(folder, PLAIN)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    "form", ["ShareGPT", *(pytest.param(form, marks=pytest.mark.slow) for form in ("messages", "CSV"))]
)
def test_the_page_can_be_followed(base: Path, tmp_path: Path, form: str) -> None:
    name = write_chats(tmp_path, form)
    for file in ("recipe.yaml", "train.yaml"):
        found = re.search(rf"`{file}`:\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)
        assert found is not None
        (tmp_path / file).write_text(found[1], "utf-8")
    said: dict[str, str] = {}
    with mock_server(table_of_chats(tmp_path / "table.json")) as url:
        put = {"MODEL": "mock", "http://localhost:8000/v1": url, "chats.json": name, "BASE": str(base)}
        for words in commands():
            command = [sys.executable, "-m", "crossin", *(put.get(word, word) for word in words)]
            ended = subprocess.run(
                command, cwd=tmp_path, capture_output=True, text=True, input="Hola\n/quit\n", check=False
            )
            assert ended.returncode == 0, (words, ended.stderr)
            said[" ".join(words[:2])] = ended.stdout + ended.stderr
    assert len(said) == 4
    translated = read_json(tmp_path / "corpora" / "chats" / "manifest.json")
    assert translated["counts"]["languages"]["es"]["passed"] == CHATS
    rows = (tmp_path / "mixtures" / "talk" / "data" / "mixture-00000.jsonl").read_text().splitlines()
    kinds = [json.loads(row)["kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {"base": 12, "mono": 12, "x2en": 8, "switch": 8}
    trained = read_json(tmp_path / "runs" / "talk" / "manifest.json")
    assert trained["skipped"] == {}
    assert said["models chat"].strip()
