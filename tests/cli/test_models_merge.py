from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from crossin.cli.main import app
from crossin.core.files import read_json
from tests.helpers.errors import refused


def adapter_of(base: Path, folder: Path, **settings: list[str]) -> Path:
    config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", **settings)
    network = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    for weight in network.parameters():
        if weight.requires_grad:
            weight.data += 0.1
    network.save_pretrained(folder)
    return folder


def crossin(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["models", "merge", *map(str, arguments)], catch_exceptions=False)


def test_merge_prints_the_folder_of_the_merged_model(tiny_model: Path, tmp_path: Path) -> None:
    adapter = adapter_of(tiny_model, tmp_path / "adapter")
    ended = crossin(tiny_model, adapter, "--out", tmp_path / "out", "--dtype", "bfloat16")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.strip() == str(tmp_path / "out")
    assert "both" not in ended.stderr
    assert read_json(tmp_path / "out" / "manifest.json")["settings"] == {"dtype": "bfloat16"}
    assert str(AutoModelForCausalLM.from_pretrained(tmp_path / "out").dtype) == "torch.bfloat16"


def test_untied_embeddings_are_reported(tiny_model: Path, tmp_path: Path) -> None:
    base = tmp_path / "tied"
    base.mkdir()
    for path in tiny_model.glob("tokenizer*"):
        (base / path.name).write_bytes(path.read_bytes())
    LlamaForCausalLM(LlamaConfig.from_pretrained(tiny_model, tie_word_embeddings=True)).save_pretrained(base)
    adapter = adapter_of(base, tmp_path / "adapter", modules_to_save=["lm_head"])
    ended = crossin(base, adapter, "--out", tmp_path / "out")
    assert "the merged model holds both" in ended.stderr
    assert ended.stdout.strip() == str(tmp_path / "out")


def test_what_holds_no_adapter_is_named(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with refused("no adapter", file=tmp_path / "empty"):
        crossin(tiny_model, tmp_path / "empty", "--out", tmp_path / "out")


@pytest.mark.parametrize("arguments", [(), ("model",), ("model", "adapter")])
def test_model_adapter_and_folder_must_be_given(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.MissingParameter):
        CliRunner().invoke(
            app, ["models", "merge", *arguments], standalone_mode=False, catch_exceptions=False
        )
