"""What a folder needs to be loaded, and the errors where it lacks something."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from crossin.models.loading import load
from tests.helpers.errors import refused


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to do harm to."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def change(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("auto", torch.float32),
        ("float32", torch.float32),
        ("bfloat16", torch.bfloat16),
        ("float16", torch.float16),
    ],
)
def test_weights_have_the_precision_asked_for(tiny_model: Path, dtype: str, expected: torch.dtype) -> None:
    model, _ = load(tiny_model, device="cpu", dtype=dtype)
    assert {weight.dtype for weight in model.parameters()} == {expected}
    assert not model.training


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with refused("not a directory"):
        load(tmp_path / "gone", device="cpu")


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("model.safetensors", "no weights as safetensors"),
        ("config.json", "no config.json"),
        ("tokenizer.json", "no tokenizer"),
    ],
)
def test_what_is_missing_is_named(folder: Path, gone: str, words: str) -> None:
    (folder / gone).unlink()
    with refused(words, file=folder):
        load(folder, device="cpu")


def test_an_adapter_is_not_a_model(folder: Path) -> None:
    # Transformers would load the base that the adapter names in place of what the folder holds.
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/other"}')
    with refused("adapter, not a model"):
        load(folder, device="cpu")


def test_weights_cut_short_are_named(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with refused("model.safetensors is damaged or incomplete"):
        load(folder, device="cpu")


def test_a_missing_part_of_the_weights_is_named(folder: Path) -> None:
    model, _ = load(folder, device="cpu")
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="50KB")
    part = sorted(folder.glob("model-*.safetensors"))[1]
    part.unlink()
    with refused(part.name):
        load(folder, device="cpu")


def test_a_tensor_that_the_weights_lack_is_not_drawn_at_random(folder: Path) -> None:
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, weights, metadata={"format": "pt"})
    with refused("1 of the model's tensors", "model.layers.1.mlp.up_proj.weight"):
        load(folder, device="cpu")


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    change(folder / "config.json", intermediate_size=96)
    with refused("cannot be loaded"):
        load(folder, device="cpu")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_damaged_json_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text('{"half": ')
    with refused("cannot be loaded"):
        load(folder, device="cpu")


@pytest.mark.parametrize(
    "config",
    [
        # One that reads both ways (transformers would take it, as a model that continues text), and one with
        # an encoder.
        transformers.BertConfig(architectures=["BertForMaskedLM"]),
        transformers.T5Config(architectures=["T5ForConditionalGeneration"]),
        transformers.T5Config(),
    ],
)
def test_a_model_that_does_not_continue_text_is_refused(folder: Path, config: Any) -> None:
    config.save_pretrained(folder)
    with refused("not a causal language model", file="config.json"):
        load(folder, device="cpu")


def test_code_in_the_folder_is_not_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    change(
        folder / "config.json",
        model_type="evil",
        auto_map={"AutoConfig": "evil.Evil", "AutoModelForCausalLM": "evil.Evil"},
    )
    # Nobody is asked whether it may run, so that no yes is of any use.
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with refused("cannot be loaded"):
        load(folder, device="cpu")


@pytest.mark.parametrize("dtype", ["float8", "half", "Tensor"])
def test_an_unknown_dtype_lists_those_there_are(tiny_model: Path, dtype: str) -> None:
    with refused(hint="auto, float32, bfloat16, float16, 4bit"):
        load(tiny_model, dtype=dtype)


@pytest.mark.parametrize("device", ["gpu", "cuda:one", "cuda:-1", "tpu:0", ""])
def test_an_unknown_device_lists_those_there_are(tiny_model: Path, device: str) -> None:
    with refused(hint="auto, cpu, cuda, mps"):
        load(tiny_model, device=device)


@pytest.mark.parametrize("device", ["cuda", "cuda:99", "mps"])
def test_a_device_that_is_not_there(tiny_model: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one here")
    with refused(f"torch finds no device '{device}' here"):
        load(tiny_model, device=device)


@pytest.mark.skipif(find_spec("bitsandbytes") is not None, reason="bitsandbytes is here")
def test_four_bits_need_a_package(tiny_model: Path) -> None:
    with refused("dtype 4bit needs the packages 'bitsandbytes'"):
        load(tiny_model, dtype="4bit")


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
def test_four_bits_are_close_to_the_model(folder: Path) -> None:
    # On a CPU, bitsandbytes wants rows of whole blocks of 64.
    config = transformers.LlamaConfig(
        vocab_size=800, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    ids = torch.arange(20)[None]
    exact, rough = load(folder, device="cpu")[0], load(folder, device="cpu", dtype="4bit")[0]
    assert rough.get_memory_footprint() < exact.get_memory_footprint()
    with torch.inference_mode():
        difference = (exact(ids).logits - rough(ids).logits).abs().mean()
        assert 0 < difference < 0.2 * exact(ids).logits.abs().mean()
