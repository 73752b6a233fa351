"""A talk through the command, with a tiny model that was taught nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from transformers import LlamaConfig, LlamaForCausalLM

from crossin.cli.main import app
from crossin.models import talking
from crossin.models.chat import ChatTemplate, Turns
from crossin.models.loading import load
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import PLAIN, chat_tokenizer
from tests.models.test_adapters import make_adapter


def talk(model: Path, text: str, *options: object) -> Result:
    arguments = ["models", "chat", str(model), "--max-tokens", "6", *map(str, options)]
    return CliRunner().invoke(app, arguments, input=text, catch_exceptions=False)


def test_each_line_gets_a_reply(tiny_model: Path) -> None:
    ended = talk(tiny_model, "Hello\n\nAgain\n/quit\nnot read\n", "--plain")
    assert ended.exit_code == 0, ended.output
    one = talk(tiny_model, "Hello\n", "--plain").stdout
    other = talk(tiny_model, "Again\n", "--plain").stdout
    assert ended.stdout == one + other
    assert one.strip()


def test_an_adapter_changes_the_replies(tiny_model: Path, tmp_path: Path) -> None:
    adapter = make_adapter(load(tiny_model, device="cpu")[0], tmp_path / "adapter")
    plain = talk(tiny_model, "Hello\n", "--plain").stdout
    assert talk(tiny_model, "Hello\n", "--plain", "--adapter", adapter).stdout != plain


def test_a_model_without_a_chat_template_continues_texts_only(tiny_model: Path) -> None:
    with refused("no chat template", hint="--plain"):
        talk(tiny_model, "Hello\n")


def test_a_conversation_goes_on_until_a_new_one_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = chat_tokenizer(tmp_path / "model", PLAIN)
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path / "model")
    asked: list[str] = []

    class Recording(ChatTemplate):
        def prompt(self, turns: Turns) -> str:
            asked.append(super().prompt(turns))
            return asked[-1]

    monkeypatch.setattr(talking, "ChatTemplate", Recording)
    ended = talk(tmp_path / "model", "One\nTwo\n/new\nThree\n", "--system", "Be kind.")
    assert ended.exit_code == 0, ended.output
    said = ended.stdout.split("\n")[0]
    begins = "<|system|>Be kind.<|end|><|user|>One<|end|><|assistant|>"
    assert [text.count("<|user|>") for text in asked] == [1, 2, 1]
    assert asked[0].startswith(begins)
    assert asked[1].startswith(f"{begins}{said}")
    assert "Three" in asked[2]
    assert "Be kind." in asked[2]
