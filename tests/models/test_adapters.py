"""Adapters made with PEFT: put on their base they change it alike merged or not; others are refused."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

from crossin.core.stages import stage
from crossin.models.adapters import tuned_model, with_adapter
from crossin.models.loading import load
from tests.helpers.errors import refused

IDS = torch.arange(20)[None]


def make_adapter(base: Any, folder: Path, **settings: Any) -> Path:
    """An adapter for the model `base` with random weights, none of them zero."""
    torch.manual_seed(1)
    config = LoraConfig(
        r=4, lora_alpha=8, task_type="CAUSAL_LM", **{"target_modules": "all-linear"} | settings
    )
    network = get_peft_model(base, config)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "lora_" in name:
                weight.normal_(0, 0.3)
    network.save_pretrained(folder)
    return folder


@pytest.fixture
def model(tiny_model: Path) -> Any:
    return load(tiny_model, device="cpu")[0]


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Path:
    return make_adapter(load(tiny_model, device="cpu")[0], tmp_path / "adapter")


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(IDS).logits
    return found


def trained_run(adapter: Path, folder: Path, model: Path) -> Path:
    """A folder as the train stage writes it."""
    with stage(folder, "train", {}, {"model": model}) as work:
        shutil.copytree(adapter, folder / "adapter")
        work.finish(["adapter/adapter_model.safetensors"], {})
    return folder


@pytest.mark.parametrize("settings", [{}, {"use_dora": True}, {"modules_to_save": ["lm_head"]}])
def test_merged_or_not_the_figures_are_pefts_own(
    tiny_model: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    adapter = make_adapter(load(tiny_model, device="cpu")[0], tmp_path / "adapter", **settings)
    expected = logits(PeftModel.from_pretrained(load(tiny_model, device="cpu")[0], adapter))
    assert (expected - logits(load(tiny_model, device="cpu")[0])).abs().max() > 0.01
    for merge in (True, False):
        network = with_adapter(load(tiny_model, device="cpu")[0], adapter, base=tiny_model, merge=merge)
        torch.testing.assert_close(logits(network), expected, atol=1e-4, rtol=0)
        # What asks the model needs to know nothing of adapters.
        assert type(network) is LlamaForCausalLM
        assert not network.training
        has_layers = any("lora_" in name for name, _ in network.named_parameters())
        assert has_layers is not merge


def test_a_folder_of_the_train_stage_holds_its_adapter(
    model: Any, adapter: Path, tiny_model: Path, tmp_path: Path
) -> None:
    run = trained_run(adapter, tmp_path / "run", tiny_model)
    expected = logits(with_adapter(load(tiny_model, device="cpu")[0], adapter, base=tiny_model))
    assert torch.equal(logits(with_adapter(model, run, base=tiny_model)), expected)


@pytest.mark.parametrize("inner", ["", "adapter"])
def test_a_base_with_other_weights_than_the_manifest_says_is_refused(
    model: Any, adapter: Path, tiny_model: Path, tmp_path: Path, inner: str
) -> None:
    trained_on = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    (trained_on / "model.safetensors").write_bytes(b"other weights of the same shapes")
    run = trained_run(adapter, tmp_path / "run", trained_on)
    with refused(f"another model than {tiny_model}", "another hash", file=run / "adapter"):
        with_adapter(model, run / inner, base=tiny_model)


@pytest.mark.parametrize(
    "settings",
    [
        # Wider, deeper, shallower, and with layers of other names.
        {"hidden_size": 64, "head_dim": 8},
        {"num_hidden_layers": 3},
        {"num_hidden_layers": 1},
        None,
    ],
)
@pytest.mark.parametrize("merge", [True, False])
def test_an_adapter_for_a_model_of_another_form_is_refused(
    model: Any, tiny_model: Path, tmp_path: Path, settings: dict[str, int] | None, merge: bool
) -> None:
    if settings is None:
        from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

        other: Any = GPTNeoXForCausalLM(
            GPTNeoXConfig(vocab_size=800, hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
        )
    else:
        config = load(tiny_model, device="cpu")[0].config
        config.update(settings)
        other = LlamaForCausalLM(config)
    # PEFT names the modules of a small model one by one, those of one in use by their kind, as here.
    kinds = "all-linear" if settings is None else ["q_proj", "up_proj"]
    adapter = make_adapter(other, tmp_path / "adapter", target_modules=kinds)
    with refused(f"another model than {tiny_model}", file=adapter) as caught:
        with_adapter(model, adapter, base=tiny_model, merge=merge)
    assert "\n" not in str(caught.value)


def test_a_folder_without_an_adapter_is_refused(model: Any, tiny_model: Path, tmp_path: Path) -> None:
    with refused("no adapter", "adapter_config.json"):
        with_adapter(model, tmp_path, base=tiny_model)
    with refused("no adapter", "adapter_config.json"):
        with_adapter(model, tmp_path / "gone", base=tiny_model)


def test_pickled_weights_are_not_opened(model: Any, adapter: Path, tiny_model: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()
    with refused("no adapter_model.safetensors"):
        with_adapter(model, adapter, base=tiny_model)
    (adapter / "adapter_model.bin").write_bytes(b"")
    with refused("pickle"):
        with_adapter(model, adapter, base=tiny_model)


def test_weights_cut_short_are_named(model: Any, adapter: Path, tiny_model: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with refused("damaged", file="adapter_model.safetensors"):
        with_adapter(model, adapter, base=tiny_model)


def test_a_tensor_that_the_weights_lack_is_named(model: Any, adapter: Path, tiny_model: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    tensors = load_file(weights)
    del tensors["base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"]
    save_file(tensors, weights)
    with refused("1 tensors have no counterpart, such as"):
        with_adapter(model, adapter, base=tiny_model)


@pytest.mark.parametrize("content", ["[]", "{}", '{"peft_type": "NOVEL"}', '{"half": '])
def test_a_damaged_description_is_refused(model: Any, adapter: Path, tiny_model: Path, content: str) -> None:
    (adapter / "adapter_config.json").write_text(content)
    with refused(file=adapter / "adapter_config.json"):
        with_adapter(model, adapter, base=tiny_model)


def test_an_adapter_of_a_newer_peft_is_told_with_both_versions(
    model: Any, adapter: Path, tiny_model: Path
) -> None:
    file = adapter / "adapter_config.json"
    saved = json.loads(file.read_text()) | {"peft_version": "999.1.0", "peft_type": "PLEATED"}
    file.write_text(json.dumps(saved))
    with refused("PEFT 999.1.0 saved", version("peft"), hint="peft>=999.1.0"):
        with_adapter(model, adapter, base=tiny_model)


@pytest.mark.parametrize(
    "settings",
    [
        {"modules_to_save": ["embed_tokens", "lm_head"]},
        {"target_modules": ["embed_tokens"]},
        {"target_modules": ["lm_head"]},
    ],
    ids=lambda one: str(one),
)
def test_a_larger_vocabulary_is_told_with_both_sizes(
    model: Any, tiny_model: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    other = load(tiny_model, device="cpu")[0]
    due = other.get_input_embeddings().weight.shape[0]
    other.resize_token_embeddings(due + 40)
    larger = make_adapter(other, tmp_path / "larger", **settings)
    (larger / "tokenizer.json").write_text("{}")
    with refused(f"{due + 40:,} tokens", f"{due:,}", hint="it is beside the adapter"):
        with_adapter(model, larger, base=tiny_model)


def test_what_works_beside_the_layers_is_refused(model: Any, tiny_model: Path, tmp_path: Path) -> None:
    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    get_peft_model(load(tiny_model, device="cpu")[0], config).save_pretrained(tmp_path / "prompt")
    with refused("beside the model's layers"):
        with_adapter(model, tmp_path / "prompt", base=tiny_model)


def test_nothing_is_merged_into_quantised_weights(model: Any, adapter: Path, tiny_model: Path) -> None:
    model.is_quantized = True
    with refused("quantised weights"):
        with_adapter(model, adapter, base=tiny_model)
    assert with_adapter(model, adapter, base=tiny_model, merge=False) is model


def test_the_base_that_the_adapter_names_is_not_looked_for(
    model: Any, adapter: Path, tiny_model: Path
) -> None:
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "owner/gone"}))
    with_adapter(model, adapter, base=tiny_model)


def test_an_adapter_without_numbers_is_not_merged(model: Any, adapter: Path, tiny_model: Path) -> None:
    weights = adapter / "adapter_model.safetensors"
    save_file({name: tensor * torch.nan for name, tensor in load_file(weights).items()}, weights)
    with refused("cannot be merged", file="adapter_model.safetensors"):
        with_adapter(model, adapter, base=tiny_model)


def test_a_folder_of_a_training_or_an_adapter_says_what_it_is(
    adapter: Path, tiny_model: Path, tmp_path: Path
) -> None:
    run = trained_run(adapter, tmp_path / "run", tiny_model)
    assert tuned_model(adapter) == (str(tiny_model), adapter)
    assert tuned_model(run) == (str(tiny_model), run)
    shutil.copytree(tiny_model, tmp_path / "full" / "model")
    assert tuned_model(tmp_path / "full") == (str(tmp_path / "full" / "model"), None)
    for other in (tiny_model, tmp_path / "gone", "smollm2-135m", "owner/name"):
        assert tuned_model(other) is None


def test_an_adapter_whose_base_is_elsewhere_asks_for_it(adapter: Path, tmp_path: Path) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text())
    for base in (str(tmp_path / "gone"), None):
        (adapter / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": base}))
        with refused("base model", file="adapter_config.json", hint="--adapter"):
            tuned_model(adapter)
