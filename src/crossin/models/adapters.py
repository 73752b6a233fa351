"""Loading an adapter onto the model that it was trained on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_text
from crossin.core.formats import MANIFEST
from crossin.core.inputs import input_hash
from crossin.core.paths import as_path

# Beside an adapter the form of the prompts that it was trained on.
CHAT_TEMPLATE = "chat_template.jinja"
_FOLDER, _MODEL = "adapter", "model"
_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"
# Tensors with a row for each token, by the usual names of a model's embeddings and head.
_VOCABULARY = (
    *("embed_tokens.weight", "lm_head.weight", "wte.weight", "embed_in.weight", "embed_out.weight"),
    *("lm_head.lora_B.weight", "embed_out.lora_B.weight"),
)


def with_adapter(model: Any, adapter: Path | str, *, base: Path | str, merge: bool = True) -> Any:
    """`model`, loaded from the folder `base`, with the adapter in its layers, in evaluation mode.

    `adapter` is a folder of the train stage, or of PEFT. The model is changed in place and keeps its class.
    With `merge` the adapter is merged into the weights, at no further cost; otherwise its layers compute
    beside them, which is closer to the training in low precision.

    Raises CrossinError for a folder without an adapter, and for one that is a pickle, damaged, not made of
    layers (prompt tuning), for another base, or to be merged into quantised weights or with NaN. The model
    cannot be used after an error.
    """
    adapter, base = as_path(adapter), as_path(base)
    folder = adapter_folder(adapter)
    _check_files(folder)
    _check_base(folder, base)
    import torch
    from peft import PeftConfig, PeftModel
    from safetensors import SafetensorError

    if merge and getattr(model, "is_quantized", False):
        raise CrossinError(
            "an adapter cannot be merged into quantised weights without changing them",
            file=adapter,
            hint="do not merge it, or load the model in another dtype",
        )
    try:
        config = PeftConfig.from_pretrained(str(folder))
        if config.peft_type is None:
            raise ValueError("it has no peft_type")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _undescribed(folder, error) from error
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise CrossinError(
            f"an adapter of the kind {config.peft_type} works beside the model's layers, not in them",
            file=folder / _CONFIG,
            hint="use a LoRA adapter",
        )
    _check_vocabulary(folder, model, base)
    tied, head = is_tied(model), model.get_output_embeddings()
    if merge and tied:
        # PEFT adds its changes in place: on a shared weight, those of one layer would be added to the other,
        # too, and those of both twice (PEFT issue 2777).
        head.weight = torch.nn.Parameter(head.weight.detach().clone(), requires_grad=False)
    try:
        network = PeftModel(model, config)
        # By default, PEFT would load the weights through another device than the model's.
        found = network.load_adapter(str(folder), "default", torch_device=str(model.device))
    except SafetensorError as error:
        raise CrossinError(
            f"damaged or incomplete: {error}", file=folder / _WEIGHTS, hint="save the adapter again"
        ) from error
    except (ValueError, RuntimeError, KeyError) as error:
        raise _other_base(folder, base, str(error).strip().splitlines()[0]) from error
    if unmatched := sorted({*found.missing_keys, *found.unexpected_keys}):
        raise _other_base(
            folder, base, f"{len(unmatched)} tensors have no counterpart, such as {unmatched[0]}"
        )
    if not merge:
        return network.get_base_model().eval()
    try:
        with warnings.catch_warnings():
            # PEFT warns of tied embeddings even where they are untied.
            warnings.filterwarnings("ignore", message=".*tie_word_embeddings")
            merged = network.merge_and_unload(safe_merge=True).eval()
    except ValueError as error:
        raise CrossinError(
            f"cannot be merged: {error}",
            file=folder / _WEIGHTS,
            hint="train again with a lower learning rate",
        ) from error
    embeddings, head = merged.get_input_embeddings(), merged.get_output_embeddings()
    if tied and torch.equal(embeddings.weight, head.weight):
        head.weight = embeddings.weight
    return merged


def adapter_folder(place: Path) -> Path:
    """The folder of an adapter's files: `place`, or the one within the folder of a train stage."""
    return place / _FOLDER if (place / _FOLDER).is_dir() else place


def tuned_model(place: Path | str) -> tuple[str, Path | None] | None:
    """What a folder of the train stage holds, or one of an adapter: the whole model, or the base that the
    adapter names and the adapter. None for any other folder, and for a name.

    Raises CrossinError for an adapter whose base is not where it says.
    """
    place = as_path(place)
    if (place / "config.json").exists():
        return None
    if (place / _MODEL / "config.json").exists():
        return str(place / _MODEL), None
    folder = adapter_folder(place)
    if not (folder / _CONFIG).exists():
        return None
    base = read_json(folder / _CONFIG).get("base_model_name_or_path")
    if not isinstance(base, str) or (as_path(base).is_absolute() and not as_path(base).exists()):
        raise CrossinError(
            f"the base model of this adapter is not here: {base}"
            if base
            else "this adapter names no base model",
            file=folder / _CONFIG,
            hint="name the base, and the adapter with --adapter",
        )
    return base, place


def read_trained_template(adapter: Path) -> str | None:
    """The chat template beside an adapter: the form of the prompts that it was trained on, where that is not
    the base's.
    """
    file = adapter_folder(adapter) / CHAT_TEMPLATE
    return read_text(file) if file.is_file() else None


def is_tied(model: Any) -> bool:
    """Whether the head shares the embeddings' weight."""
    head = model.get_output_embeddings()
    return head is not None and head.weight is model.get_input_embeddings().weight


def _check_files(folder: Path) -> None:
    if not (folder / _CONFIG).exists():
        raise CrossinError(
            f"this folder holds no adapter ({_CONFIG})",
            file=folder,
            hint="name the folder of a finished training run, or one that PEFT saved",
        )
    if not (folder / _WEIGHTS).exists():
        pickled = ", but a pickle, which may run code" if any(folder.glob("*.bin")) else ""
        raise CrossinError(
            f"there is no {_WEIGHTS} here{pickled}",
            file=folder,
            hint="save the adapter as safetensors, with PEFT's save_pretrained",
        )


def _check_base(folder: Path, base: Path) -> None:
    """A training run's manifest says which model was trained."""
    if folder.name != _FOLDER or not (folder.parent / MANIFEST).exists():
        return
    record = read_json(folder.parent / MANIFEST)
    if record.get("stage") == "train" and record["inputs"]["model"] != input_hash(base):
        raise _other_base(folder, base, "its training run's manifest has another hash of the model")


def _undescribed(folder: Path, error: Exception) -> CrossinError:
    """The error that PEFT cannot read an adapter's description: a newer PEFT may have written it."""
    from importlib.metadata import version

    from packaging.version import InvalidVersion, Version

    own, hint = version("peft"), "save the adapter again with PEFT"
    message = f"not the description of an adapter: {error}"
    try:
        saved = str(read_json(folder / _CONFIG).get("peft_version", ""))
        if Version(saved) > Version(own):
            message = f"PEFT {saved} saved this adapter, and PEFT {own} cannot read it: {error}"
            hint = f"install that version: pip install 'peft>={saved}'"
    except (CrossinError, AttributeError, InvalidVersion):
        # It does not say by which version.
        pass
    return CrossinError(message, file=folder / _CONFIG, hint=hint)


def _check_vocabulary(folder: Path, model: Any, base: Path) -> None:
    """Raise CrossinError where the adapter's embeddings or head are of another size than the base's."""
    from safetensors import SafetensorError, safe_open

    due = model.get_input_embeddings().weight.shape[0]
    try:
        with safe_open(folder / _WEIGHTS, framework="pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        # Loading it says what is wrong.
        return
    for name, shape in shapes.items():
        if name.endswith(_VOCABULARY) or name.endswith(".lora_embedding_A"):
            found = shape[1] if name.endswith(".lora_embedding_A") else shape[0]
            if found != due:
                own = any(folder.glob("tokenizer*"))
                raise CrossinError(
                    f"the adapter has a vocabulary of {found:,} tokens, and {base} one of {due:,}",
                    file=folder / _WEIGHTS,
                    hint=f"give the base {found:,} embeddings first, with the adapter's tokenizer"
                    + (" (it is beside the adapter)" if own else "")
                    + f": model.resize_token_embeddings({found}), and save both",
                )


def _other_base(folder: Path, base: Path, reason: str) -> CrossinError:
    return CrossinError(
        f"this is an adapter for another model than {base}: {reason}",
        file=folder,
        hint="use the model that it was trained on",
    )
