"""From a local folder to a model and its tokenizer, ready to be asked or tuned."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from crossin.errors import CrossinError
from crossin.extras import require


def load(folder: Path, *, device: str = "auto", dtype: str = "auto") -> tuple[Any, Any]:
    """The causal language model in `folder`, in evaluation mode, and its tokenizer.

    `device`: `auto` takes CUDA, else Apple's MPS, else the CPU. `dtype`: `auto` takes float32 on a CPU and
    bfloat16 on CUDA where the card can. Reads safetensors only, runs no code that the folder may hold, and
    never goes to the network.
    """
    require("train", "torch", "transformers", "peft")
    import torch
    import transformers
    from safetensors import SafetensorError

    if not any(folder.glob("*.safetensors")):
        raise CrossinError(
            "holds no weights as safetensors",
            file=folder,
            fix="save the model with save_pretrained, which writes safetensors",
        )
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    # PEFT asks transformers by a name that is going out of use; the user can do nothing about it.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
    place = _device() if device == "auto" else device
    if dtype == "auto":
        dtype = "bfloat16" if place.startswith("cuda") and torch.cuda.is_bf16_supported() else "float32"
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise CrossinError(
            f"cannot be loaded: {error}", file=folder, fix="check the folder, or pull the model again"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model.to(place).eval(), tokenizer


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
