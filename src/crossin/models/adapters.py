"""An adapter put on the model that it was trained on."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import MANIFEST
from crossin.core.stages import input_hash

_FOLDER = "adapter"
_CONFIG = "adapter_config.json"
_WEIGHTS = "adapter_model.safetensors"


def with_adapter(model: Any, adapter: Path, *, base: Path, merge: bool = True) -> Any:
    """`model`, loaded from the folder `base`, with the adapter's changes in its layers, in evaluation mode.

    `adapter` is a folder that the train stage left, or a folder of PEFT itself. The model is changed in place
    and stays of its own class, so that it is asked like any other. With `merge` the adapter is added into the
    weights and costs nothing more; without, its layers compute beside them: the same in float32 but for
    rounding, and closer to the training in less precision.

    Raises CrossinError for a folder without an adapter, one as a pickle, one damaged, one that is not made of
    layers (prompt tuning), one for another base, and one to be merged into quantised weights or without
    numbers (NaN). The model is of no further use then.
    """
    folder = adapter / _FOLDER if (adapter / _FOLDER).is_dir() else adapter
    _check_files(folder)
    _check_base(folder, base)
    from peft import PeftConfig, PeftModel
    from safetensors import SafetensorError

    if merge and getattr(model, "is_quantized", False):
        raise CrossinError(
            "an adapter cannot be merged into quantised weights without changing them",
            file=adapter,
            hint="leave it unmerged, or load the model in another dtype",
        )
    try:
        config = PeftConfig.from_pretrained(str(folder))
        if config.peft_type is None:
            raise ValueError("it has no peft_type")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CrossinError(
            f"describes no adapter: {error}", file=folder / _CONFIG, hint="save the adapter again with PEFT"
        ) from error
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise CrossinError(
            f"an adapter of the kind {config.peft_type} works beside the model's layers, not in them",
            file=folder / _CONFIG,
            hint="name a LoRA adapter",
        )
    tied = merge and _part(model)
    try:
        network = PeftModel(model, config)
        # Left to itself, PEFT would take the weights through another device than the model's.
        found = network.load_adapter(str(folder), "default", torch_device=str(model.device))
    except SafetensorError as error:
        raise CrossinError(
            f"is damaged or incomplete: {error}", file=folder / _WEIGHTS, hint="make the adapter again"
        ) from error
    except (ValueError, RuntimeError, KeyError) as error:
        raise _other_base(folder, base, str(error).strip().splitlines()[0]) from error
    if strangers := sorted({*found.missing_keys, *found.unexpected_keys}):
        raise _other_base(
            folder, base, f"{len(strangers)} tensors have no counterpart, such as {strangers[0]}"
        )
    if not merge:
        return network.get_base_model().eval()
    try:
        with warnings.catch_warnings():
            # PEFT warns of embeddings that the head shares, also where they are parted.
            warnings.filterwarnings("ignore", message=".*tie_word_embeddings")
            merged = network.merge_and_unload(safe_merge=True).eval()
        return _tied_again(merged) if tied else merged
    except ValueError as error:
        raise CrossinError(
            f"cannot be merged: {error}",
            file=folder / _WEIGHTS,
            hint="train again, with a lower learning rate",
        ) from error


def _part(model: Any) -> bool:
    """Give a head that shares the embeddings' weight one of its own; returns whether it did.

    PEFT adds its changes in place: on a shared weight, those of the one layer would come out of the other
    too, and those of both twice (PEFT issue 2777).
    """
    import torch

    head = model.get_output_embeddings()
    if head is None or head.weight is not model.get_input_embeddings().weight:
        return False
    head.weight = torch.nn.Parameter(head.weight.detach().clone(), requires_grad=False)
    return True


def _tied_again(model: Any) -> Any:
    """The model with one weight for embeddings and head, where the adapter has left them the same."""
    import torch

    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    if torch.equal(embeddings.weight, head.weight):
        head.weight = embeddings.weight
    return model


def _check_files(folder: Path) -> None:
    if not (folder / _CONFIG).exists():
        raise CrossinError(
            f"holds no adapter ({_CONFIG})",
            file=folder,
            hint="name a folder that the train stage has finished, or one that PEFT saved",
        )
    if not (folder / _WEIGHTS).exists():
        pickled = any(folder.glob("*.bin"))
        raise CrossinError(
            "holds its weights as a pickle, which may run code: crossin opens none"
            if pickled
            else f"lacks {_WEIGHTS}",
            file=folder,
            hint="save the adapter as safetensors, with PEFT's save_pretrained",
        )


def _check_base(folder: Path, base: Path) -> None:
    """Where the train stage left the adapter, its manifest tells which model was trained."""
    if folder.name != _FOLDER or not (folder.parent / MANIFEST).exists():
        return
    record = read_json(folder.parent / MANIFEST)
    if record.get("stage") == "train" and record["inputs"]["model"] != input_hash(base):
        raise _other_base(folder, base, "the manifest of its training names a model with another hash")


def _other_base(folder: Path, base: Path, reason: str) -> CrossinError:
    return CrossinError(
        f"is an adapter for another model than {base}: {reason}",
        file=folder,
        hint="name the model that it was trained on",
    )
