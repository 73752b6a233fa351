"""Merging an adapter into the model that it was trained on: one whole model, for programs without PEFT."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.core.files import copy_file, read_json, sync, write_json
from crossin.core.formats import MANIFEST
from crossin.core.paths import as_path
from crossin.core.stages import Stage, stage
from crossin.models.adapters import CHAT_TEMPLATE, adapter_folder, is_tied, with_adapter
from crossin.models.loading import load, resolve
from crossin.models.weights import writing_weights

if TYPE_CHECKING:
    import torch

_CONFIG = "config.json"
GENERATION = "generation_config.json"
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
# Files that are copied from the base, byte for byte. Converters to GGUF need `tokenizer.model` where there
# is one, and a licence must be passed on.
_COPIED = (
    *("tokenizer*", "vocab.*", "merges.txt", "*.model", "*.tiktoken", "tekken.json", "added_tokens.json"),
    *("special_tokens_map.json", "chat_template.*", "additional_chat_templates/*", "generation_config.json"),
    *("LICENSE*", "NOTICE*"),
)


def merge(base: Path | str, adapter: Path | str, out: Path | str, *, dtype: str = "auto") -> Stage:
    """Merge `adapter` into the model in the folder `base`, and write the result to the folder `out` as
    safetensors, with the base's tokenizer, chat template and generation config. Where the training's rows had
    another form, this is the chat template; the replies also end where those of the rows did.

    The sum is computed in float32 on the CPU (4 bytes per weight, tied embeddings twice) and rounded once, to
    `dtype`: `float32`, `bfloat16`, `float16`, or with `auto` each tensor as the base stores it. Names and
    shapes of the tensors and `config.json` are the base's, so that programs that read or convert the base
    (vLLM, llama.cpp) accept the result. Tied embeddings stay tied, unless the adapter changed only one of the
    two, or each in a different way: then both are written, and `tie_word_embeddings` is false.

    Raises CrossinError as `load` and `with_adapter`, for 4 bits, for weights that are not finite after the
    sum, and for a folder that holds something else.
    """
    base, adapter = as_path(base), as_path(adapter)
    resolve("cpu", dtype)
    if dtype == "4bit":
        raise CrossinError(
            "cannot write a merged model in 4 bits",
            field="dtype",
            hint="use auto, and quantise the result with the program that will run it",
        )
    with stage(out, "merge", {"dtype": dtype}, {"model": base, "adapter": adapter}) as work:
        if work.done:
            return work
        model, _ = load(base, device="cpu", dtype="float32")
        tied = is_tied(model)
        model = with_adapter(model, adapter, base=base)
        untied = tied and not is_tied(model)
        _round(model, base, adapter, dtype)
        with writing_weights(work.folder):
            model.save_pretrained(work.scratch)
            weights = [path for pattern in _WEIGHTS for path in work.scratch.glob(pattern)]
            for path in weights:
                sync(path)
                path.replace(work.folder / path.name)
        written = {path.name for path in weights} | _copy(base, work.folder)
        written |= _take_template(adapter_folder(adapter), work.folder)
        written |= add_ends(work.folder, [*end_tokens(base), *end_tokens(adapter_folder(adapter))])
        config: dict[str, Any] = read_json(base / _CONFIG)
        if untied:
            config["tie_word_embeddings"] = False
        if dtype != "auto":
            config.pop("torch_dtype", None)
            config["dtype"] = dtype
        # Last: without it, no program takes an unfinished folder for a model.
        write_json(work.folder / _CONFIG, config)
        counts = {"weights": sum(weight.numel() for weight in model.parameters()), "untied": untied}
        work.finish(sorted(written | {_CONFIG}), counts)
    return work


def _round(model: Any, base: Path, adapter: Path, dtype: str) -> None:
    """Convert the weights to `dtype` in place."""
    import torch

    stored = _stored(base) if dtype == "auto" else {}
    default = Counter(stored.values()).most_common(1)[0][0] if stored else getattr(torch, dtype)
    for name, weight in model.named_parameters():
        weight.data = weight.data.to(stored.get(name, default))
        if not weight.isfinite().all():
            raise CrossinError(
                f"merged into {base}, it gives weights that are not finite, such as in {name}",
                file=adapter,
                hint="check base and adapter, or use float32 or bfloat16, which do not overflow like float16",
            )


def _stored(base: Path) -> dict[str, torch.dtype]:
    """The dtypes of the tensors in a folder's safetensors, by name."""
    import torch
    from safetensors import safe_open

    known = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
    found = {}
    for path in base.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (not a dictionary)
                if (kind := file.get_slice(name).get_dtype()) in known:
                    found[name] = known[kind]
    return found


def _copy(base: Path, out: Path) -> set[str]:
    files = {path for pattern in _COPIED for path in base.glob(pattern) if path.is_file()}
    for path in files:
        copy_file(path, out / path.relative_to(base))
    return {path.relative_to(base).as_posix() for path in files}


def _take_template(adapter: Path, out: Path) -> set[str]:
    """Give the merged model the chat template beside the adapter, if there is one."""
    if not (adapter / CHAT_TEMPLATE).is_file():
        return set()
    copy_file(adapter / CHAT_TEMPLATE, out / CHAT_TEMPLATE)
    # A template within this file would be another one.
    settings = out / "tokenizer_config.json"
    if settings.is_file() and "chat_template" in (found := read_json(settings)):
        write_json(settings, {name: value for name, value in found.items() if name != "chat_template"})
    return {CHAT_TEMPLATE}


def form_note(adapter: Path) -> str:
    """What to know of the prompts that an adapter was trained on; '' where the model's chat template is their
    form, and where the training's manifest does not name one.
    """
    folder = adapter_folder(adapter)
    manifest = folder.parent / MANIFEST
    record = read_json(manifest) if folder != adapter and manifest.is_file() else {}
    template = record.get("counts", {}).get("template")
    if template in (None, "chat"):
        return ""
    if (folder / CHAT_TEMPLATE).is_file():
        return (
            f"it was trained on the template '{template}', which is its chat template in place of the base's"
        )
    what = f"the template '{template}'" if template else "rows of prompt and completion"
    return (
        f"it was trained on {what}, and asked in the base's chat template it may do no better than the base: "
        "ask as the training's rows do (--plain)"
    )


def end_tokens(folder: Path) -> list[int]:
    """The ids of the tokens at which a model's replies end, by its `generation_config.json` or, without one,
    its `config.json`.
    """
    for name in (GENERATION, _CONFIG):
        if (folder / name).is_file():
            found = read_json(folder / name).get("eos_token_id")
            return [found] if isinstance(found, int) else list(found or [])
    return []


def add_ends(folder: Path, ends: Sequence[int]) -> set[str]:
    """Let the replies of the model in `folder` end at all of `ends`; returns the file that is written for it,
    if any. A model that learned to end its turns goes on after them where a program knows another end only.
    """
    known = end_tokens(folder)
    if set(ends) <= set(known):
        return set()
    kept = read_json(folder / GENERATION) if (folder / GENERATION).is_file() else {}
    write_json(folder / GENERATION, kept | {"eos_token_id": list(dict.fromkeys([*known, *ends]))})
    return {GENERATION}
