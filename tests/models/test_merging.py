"""Merged models are read again from the disk, as anybody's program would, and asked what PEFT is asked."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from crossin.core.files import read_json, write_json
from crossin.core.formats import CLAIM, MANIFEST
from crossin.models.loading import load
from crossin.models.merging import GENERATION, merge
from tests.helpers.disk_log import DiskLog
from tests.helpers.errors import refused
from tests.helpers.full_disk import full_disk

IDS = torch.arange(20)[None]
EMBEDDINGS, HEAD = "model.embed_tokens.weight", "lm_head.weight"
LAYERS = ["q_proj", "up_proj"]
# On a model whose embeddings and head are one weight: the adapter, and whether they still are afterwards.
ON_TIED: dict[str, tuple[dict[str, Any], bool]] = {
    "neither": ({"target_modules": LAYERS}, True),
    "both whole, as one": (
        {"target_modules": LAYERS, "modules_to_save": ["embed_tokens"], "ensure_weight_tying": True},
        True,
    ),
    "both by layers, as one": (
        {"target_modules": [*LAYERS, "embed_tokens"], "ensure_weight_tying": True},
        True,
    ),
    "a few tokens": ({"target_modules": LAYERS, "trainable_token_indices": {"embed_tokens": [1, 2]}}, True),
    "embeddings whole": ({"target_modules": LAYERS, "modules_to_save": ["embed_tokens"]}, False),
    "head whole": ({"target_modules": LAYERS, "modules_to_save": ["lm_head"]}, False),
    "both whole, apart": ({"target_modules": LAYERS, "modules_to_save": ["embed_tokens", "lm_head"]}, False),
    "embeddings by layers": ({"target_modules": [*LAYERS, "embed_tokens"]}, False),
    "head by layers": ({"target_modules": [*LAYERS, "lm_head"]}, False),
}


@pytest.fixture(scope="module")
def tied_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the tiny model, with one weight for embeddings and head."""
    folder = Path(shutil.copytree(tiny_model, tmp_path_factory.mktemp("models") / "tied"))
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig.from_pretrained(tiny_model, tie_word_embeddings=True)).save_pretrained(
        folder
    )
    assert HEAD not in load_file(folder / "model.safetensors")
    return folder


def make_adapter(base: Path, folder: Path, **settings: Any) -> Path:
    """An adapter for the model in `base`, in which all that is trained has moved."""
    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, task_type="CAUSAL_LM", **{"target_modules": LAYERS} | settings)
    network = get_peft_model(load(base, device="cpu")[0], config)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.1)
    network.save_pretrained(folder)
    return folder


@pytest.fixture
def adapter(tiny_model: Path, tmp_path: Path) -> Path:
    return make_adapter(tiny_model, tmp_path / "adapter")


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(IDS).logits
    return found


def read(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder)


def expected(base: Path, adapter: Path) -> torch.Tensor:
    """What the model answers with the adapter's layers beside its own, as it was trained."""
    return logits(PeftModel.from_pretrained(read(base), adapter))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return {name: weight for path in folder.glob("*.safetensors") for name, weight in load_file(path).items()}


def forms(folder: Path) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (weight.shape, weight.dtype) for name, weight in weights(folder).items()}


def as_stored(base: Path, folder: Path, **dtypes: torch.dtype) -> Path:
    """A copy of the model in `base` whose tensors are stored in bfloat16, but for those of `dtypes`."""
    shutil.copytree(base, folder)
    stored = {
        name: weight.to(dtypes.get(name.split(".")[-2], torch.bfloat16))
        for name, weight in weights(base).items()
    }
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", read_json(base / "config.json") | {"dtype": "bfloat16"})
    return folder


@pytest.mark.parametrize(
    "settings", [{}, {"use_dora": True}, {"use_rslora": True}, {"modules_to_save": ["lm_head"]}]
)
def test_the_merged_model_answers_as_its_base_with_the_adapter(
    tiny_model: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    adapter = make_adapter(tiny_model, tmp_path / "adapter", **settings)
    merge(tiny_model, adapter, tmp_path / "out")
    due = expected(tiny_model, adapter)
    assert (due - logits(read(tiny_model))).abs().max() > 0.01
    torch.testing.assert_close(logits(read(tmp_path / "out")), due, atol=1e-5, rtol=0)
    assert forms(tmp_path / "out") == forms(tiny_model)
    assert read_json(tmp_path / "out" / "config.json") == read_json(tiny_model / "config.json")


@pytest.mark.parametrize("trained", ON_TIED)
def test_tied_embeddings_are_what_training_made_of_them(
    tied_model: Path, tmp_path: Path, trained: str
) -> None:
    settings, still_tied = ON_TIED[trained]
    adapter = make_adapter(tied_model, tmp_path / "adapter", **settings)
    stage = merge(tied_model, adapter, tmp_path / "out")
    model = read(tmp_path / "out")
    torch.testing.assert_close(logits(model), expected(tied_model, adapter), atol=1e-5, rtol=0)
    written = forms(tmp_path / "out")
    head = {} if still_tied else {HEAD: written[EMBEDDINGS]}
    assert written == forms(tied_model) | head
    assert (model.lm_head.weight is model.model.embed_tokens.weight) is still_tied
    assert read_json(tmp_path / "out" / "config.json")["tie_word_embeddings"] is still_tied
    assert stage.manifest["counts"] == {
        "weights": sum(weight.numel() for weight in weights(tmp_path / "out").values()),
        "untied": not still_tied,
    }


def test_each_tensor_keeps_its_dtype_and_is_rounded_once(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    base = as_stored(tiny_model, tmp_path / "base", norm=torch.float32)
    merge(base, adapter, tmp_path / "out")
    merge(base, adapter, tmp_path / "exact", dtype="float32")
    assert forms(tmp_path / "out") == forms(base)
    assert {kind for _, kind in forms(base).values()} == {torch.float32, torch.bfloat16}
    kinds = forms(base)
    exact = weights(tmp_path / "exact")
    assert all(
        torch.equal(weight, exact[name].to(kinds[name][1]))
        for name, weight in weights(tmp_path / "out").items()
    )
    assert read(tmp_path / "out").dtype == torch.bfloat16


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_another_dtype_is_written_and_read_again(
    tiny_model: Path, adapter: Path, tmp_path: Path, dtype: str
) -> None:
    base = as_stored(tiny_model, tmp_path / "base")
    config = read_json(base / "config.json")
    # What older programs call it.
    config["torch_dtype"] = config.pop("dtype")
    write_json(base / "config.json", config)
    merge(base, adapter, tmp_path / "out", dtype=dtype)
    assert {kind for _, kind in forms(tmp_path / "out").values()} == {getattr(torch, dtype)}
    assert str(read(tmp_path / "out").dtype) == f"torch.{dtype}"
    assert "torch_dtype" not in read_json(tmp_path / "out" / "config.json")


def test_what_stands_beside_the_weights_is_the_bases_own(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    # Settings that contradict each other, as many models have them.
    write_json(base / "generation_config.json", {"do_sample": False, "temperature": 0.6, "eos_token_id": 0})
    (base / "chat_template.jinja").write_text("{{ messages[0].content }}")
    (base / "additional_chat_templates").mkdir()
    (base / "additional_chat_templates" / "rag.jinja").write_text("{{ documents }}")
    (base / "tokenizer.model").write_bytes(b"as converters want it")
    (base / "LICENSE").write_text("Be kind.")
    (base / "modeling_own.py").write_text("raise SystemExit")
    (base / "pytorch_model.bin").write_bytes(b"a pickle")
    stage = merge(base, adapter, tmp_path / "out")
    kept = {"chat_template.jinja", "additional_chat_templates/rag.jinja", "tokenizer.model", "LICENSE"}
    kept |= {"generation_config.json", "tokenizer.json", "tokenizer_config.json"}
    assert {name: (tmp_path / "out" / name).read_bytes() for name in kept} == {
        name: (base / name).read_bytes() for name in kept
    }
    assert set(stage.manifest["outputs"]) == {*kept, "config.json", "model.safetensors"}
    there = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert there | {"LICENSE"} == {*stage.manifest["outputs"], MANIFEST}
    tokenizer, before = (AutoTokenizer.from_pretrained(folder) for folder in (tmp_path / "out", base))
    assert tokenizer("Madrid")["input_ids"] == before("Madrid")["input_ids"]
    assert tokenizer.chat_template == before.chat_template
    modes = {path.stat().st_mode for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert len(modes) == 1


def test_replies_end_where_the_base_ends_them_and_where_the_rows_did(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    base = Path(shutil.copytree(tiny_model, tmp_path / "base"))
    # As training leaves it beside an adapter.
    write_json(adapter / GENERATION, {"eos_token_id": [0, 5]})
    write_json(base / GENERATION, {"do_sample": False, "eos_token_id": 0})
    merge(base, adapter, tmp_path / "one")
    assert read_json(tmp_path / "one" / GENERATION) == {"do_sample": False, "eos_token_id": [0, 5]}
    (base / GENERATION).unlink()
    write_json(base / "config.json", read_json(base / "config.json") | {"eos_token_id": [0, 1]})
    stage = merge(base, adapter, tmp_path / "other")
    assert read_json(tmp_path / "other" / GENERATION) == {"eos_token_id": [0, 1, 5]}
    assert GENERATION in stage.manifest["outputs"]


def test_a_finished_merge_is_not_made_again_and_another_one_is_refused(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    merge(tiny_model, adapter, tmp_path / "out")
    made = (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns
    assert merge(tiny_model, adapter, tmp_path / "out").done
    assert (tmp_path / "out" / "model.safetensors").stat().st_mtime_ns == made
    with refused("another run's files", "dtype"):
        merge(tiny_model, adapter, tmp_path / "out", dtype="float16")
    with refused("not empty"):
        merge(tiny_model, adapter, adapter)


# Dies where the weights are in their place, and nothing else is.
_KILLED = """
import os, signal, sys
from pathlib import Path
from crossin.models import merging
merging._copy = lambda base, out: os.kill(os.getpid(), signal.SIGKILL)
merging.merge(*map(Path, sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_killed_merge_is_not_a_model_and_the_next_one_finishes_it(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", _KILLED, *map(str, (tiny_model, adapter, out))]
    died = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert died.returncode == -signal.SIGKILL
    assert (out / "model.safetensors").exists()
    assert (out / CLAIM).exists()
    with refused("no config.json", file=out):
        load(out)
    merge(tiny_model, adapter, out)
    torch.testing.assert_close(logits(read(out)), expected(tiny_model, adapter), atol=1e-5, rtol=0)
    assert not (out / CLAIM).exists()


def test_a_full_disk_is_one_clear_error_and_the_merge_resumes_when_there_is_room(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    with full_disk(5000), refused("cannot write"):
        merge(tiny_model, adapter, tmp_path / "out")
    merge(tiny_model, adapter, tmp_path / "out")
    assert not (tmp_path / "out" / ".work").exists()


def test_what_cannot_be_merged_is_refused_and_leaves_no_folder(
    tiny_model: Path, adapter: Path, tmp_path: Path
) -> None:
    out, empty, gone = tmp_path / "out", tmp_path / "empty", tmp_path / "gone"
    empty.mkdir()
    other = Path(shutil.copytree(tiny_model, tmp_path / "other"))
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig.from_pretrained(tiny_model, hidden_size=64, head_dim=8)).save_pretrained(
        other
    )
    for base, added, dtype, words in (
        (tiny_model, empty, "auto", "no adapter"),
        (empty, adapter, "auto", "no weights"),
        (gone, adapter, "auto", "cannot be read"),
        (tiny_model, gone, "auto", "cannot be read"),
        (tiny_model, adapter, "4bit", "4 bits"),
        (tiny_model, adapter, "int3", "no dtype is called 'int3'"),
        (other, adapter, "auto", f"another model than {other}"),
    ):
        with refused(words):
            merge(base, added, out, dtype=dtype)
        # A corrected run may use the folder.
        assert not out.exists()


def test_weights_that_are_not_numbers_are_named(tiny_model: Path, adapter: Path, tmp_path: Path) -> None:
    changed = load_file(adapter / "adapter_model.safetensors")
    save_file(
        {name: weight * torch.nan for name, weight in changed.items()}, adapter / "adapter_model.safetensors"
    )
    with refused("cannot be merged", file="adapter_model.safetensors"):
        merge(tiny_model, adapter, tmp_path / "out")
    # PEFT checks its own changes only.
    adapter = make_adapter(tiny_model, tmp_path / "whole", modules_to_save=["lm_head"])
    changed = load_file(adapter / "adapter_model.safetensors")
    [head] = [name for name in changed if "lm_head" in name]
    changed[head][3, 3] = 1e6
    save_file(changed, adapter / "adapter_model.safetensors")
    with refused("not finite", "lm_head.weight", hint="bfloat16"):
        merge(tiny_model, adapter, tmp_path / "out", dtype="float16")
    merge(tiny_model, adapter, tmp_path / "out", dtype="bfloat16")


def test_a_large_model_is_written_in_shards(
    tiny_model: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LlamaForCausalLM.save_pretrained
    monkeypatch.setattr(
        LlamaForCausalLM, "save_pretrained", lambda self, place: whole(self, place, max_shard_size="100KB")
    )
    stage = merge(tiny_model, adapter, tmp_path / "out")
    shards = [name for name in stage.manifest["outputs"] if name.endswith(".safetensors")]
    assert len(shards) > 1
    assert "model.safetensors.index.json" in stage.manifest["outputs"]
    assert forms(tmp_path / "out") == forms(tiny_model)
    torch.testing.assert_close(
        logits(read(tmp_path / "out")), expected(tiny_model, adapter), atol=1e-5, rtol=0
    )


def test_the_weights_are_on_the_disk_before_the_folder_is_a_model(
    tiny_model: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = DiskLog(monkeypatch)
    merge(tiny_model, adapter, tmp_path / "out")
    named = log.place("rename", tmp_path / "out" / "config.json")
    for name in ("model.safetensors", "tokenizer.json"):
        assert min(log.syncs(tmp_path / "out" / name)) < named
    assert log.is_safe(tmp_path / "out" / "config.json")
