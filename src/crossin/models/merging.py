"""An adapter added into the model that it was trained on: one whole model, for whoever reads no adapters."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, write_json
from crossin.core.stages import Stage, begin
from crossin.models.adapters import with_adapter
from crossin.models.loading import load, resolve
from crossin.models.weights import writing_weights

if TYPE_CHECKING:
    import torch

_CONFIG = "config.json"
_WORK = ".work"
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
# What stands beside the weights is the base's own, byte for byte. Converters to GGUF want `tokenizer.model`
# where there is one, and a licence asks to be passed on.
_COPIED = (
    *("tokenizer*", "vocab.*", "merges.txt", "*.model", "*.tiktoken", "tekken.json", "added_tokens.json"),
    *("special_tokens_map.json", "chat_template.*", "additional_chat_templates/*", "generation_config.json"),
    *("LICENSE*", "NOTICE*"),
)


def merge(base: Path, adapter: Path, out: Path, *, dtype: str = "auto") -> Stage:
    """Write the model in the folder `base` with the adapter's changes added to its weights to the folder
    `out`, as safetensors, with the base's tokenizer, chat template and generation config.

    The sum is taken in float32 on the CPU (4 bytes a weight, and tied embeddings twice) and rounded once, to
    `dtype`: `float32`, `bfloat16`, `float16`, or with `auto` each tensor as the base stores it. Names and
    shapes of the tensors are those that transformers saves the base with, and `config.json` is the base's, so
    that what reads or converts the base (vLLM, llama.cpp) does so with the result. Tied embeddings stay tied,
    unless the adapter changed only one of the two, or each in its own way: then both are written, and
    `tie_word_embeddings` is false.

    Raises CrossinError for what `load` and `with_adapter` refuse, for 4 bits, for weights that are no finite
    numbers after the sum, and for a folder that holds something else.
    """
    resolve("cpu", dtype)
    if dtype == "4bit":
        raise CrossinError(
            "a merged model is not written in 4 bits",
            field="dtype",
            hint="take auto, and quantise the result with the program that will run it",
        )
    stage = begin(out, "merge", {"dtype": dtype}, {"model": base, "adapter": adapter})
    if stage.done:
        return stage
    try:
        model, untied = _merged(base, adapter)
        _round(model, base, adapter, dtype)
    except (CrossinError, KeyboardInterrupt):
        # Nothing is written yet, and a mended run may have the folder.
        stage.release()
        raise
    with writing_weights(out):
        made = _write_weights(model, out) + _copy(base, out)
    # Last: without it, no program takes an unfinished folder for a model.
    write_json(out / _CONFIG, _config(base, dtype, untied))
    counts = {"weights": sum(weight.numel() for weight in model.parameters()), "untied": untied}
    stage.finish(sorted([*made, _CONFIG]), counts)
    return stage


def _merged(base: Path, adapter: Path) -> tuple[Any, bool]:
    """The merged model in float32, and whether its embeddings and head, tied in the base, are so no more."""
    model, _ = load(base, device="cpu", dtype="float32")
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    model = with_adapter(model, adapter, base=base)
    return model, tied and model.get_output_embeddings().weight is not model.get_input_embeddings().weight


def _round(model: Any, base: Path, adapter: Path, dtype: str) -> None:
    """Bring the weights to `dtype` in place."""
    import torch

    stored = _stored(base) if dtype == "auto" else {}
    usual = Counter(stored.values()).most_common(1)[0][0] if stored else getattr(torch, dtype)
    for name, weight in model.named_parameters():
        weight.data = weight.data.to(stored.get(name, usual))
        if not weight.isfinite().all():
            raise CrossinError(
                f"merged into {base}, it gives weights that are no finite numbers, such as in {name}",
                file=adapter,
                hint="check base and adapter, or take dtype float32 or bfloat16, which do not overflow as "
                "float16 does",
            )


def _stored(base: Path) -> dict[str, torch.dtype]:
    """The dtypes of the tensors in a folder's safetensors, by name."""
    import torch
    from safetensors import safe_open

    known = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
    found = {}
    for path in base.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (it is no dictionary)
                if (kind := file.get_slice(name).get_dtype()) in known:
                    found[name] = known[kind]
    return found


def _write_weights(model: Any, out: Path) -> list[str]:
    shutil.rmtree(out / _WORK, ignore_errors=True)
    model.save_pretrained(out / _WORK)
    mode = (out / _WORK / _CONFIG).stat().st_mode
    files = [path for pattern in _WEIGHTS for path in (out / _WORK).glob(pattern)]
    for path in files:
        # safetensors writes files that nobody else may read.
        path.chmod(mode)
        path.replace(out / path.name)
    shutil.rmtree(out / _WORK)
    return [path.name for path in files]


def _copy(base: Path, out: Path) -> list[str]:
    files = {path for pattern in _COPIED for path in base.glob(pattern) if path.is_file()}
    for path in files:
        place = out / path.relative_to(base)
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, place)
    return [path.relative_to(base).as_posix() for path in files]


def _config(base: Path, dtype: str, untied: bool) -> dict[str, Any]:
    """The base's `config.json`, changed only where the merged model differs."""
    config: dict[str, Any] = read_json(base / _CONFIG)
    if untied:
        config["tie_word_embeddings"] = False
    if dtype != "auto":
        config.pop("torch_dtype", None)
        config["dtype"] = dtype
    return config
