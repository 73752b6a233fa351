"""Loading a model and its tokenizer from a local folder."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from importlib import import_module
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.paths import as_path
from crossin.models.kinds import CAUSAL, Kind, kind_of, loader

DTYPES = ("auto", "float32", "bfloat16", "float16", "4bit")
_DEVICES = ("cpu", "cuda", "mps")
# One of these holds a tokenizer's vocabulary; without any, transformers creates some tokenizers empty.
_VOCABULARIES = ("tokenizer.json", "*.model", "vocab.*", "*.tiktoken", "tekken.json")
# By default, transformers asks at the terminal whether it may run the folder's code.
_LOCAL = {"local_files_only": True, "trust_remote_code": False}


def load(
    folder: Path | str, *, device: str = "auto", dtype: str = "auto", kinds: Collection[Kind] = CAUSAL
) -> tuple[Any, Any]:
    """The causal language model in `folder`, in evaluation mode, and its tokenizer; or one of other `kinds`.

    `device`: `cpu`, `mps`, `cuda` or one card of several as `cuda:1`; `auto` takes CUDA, else Apple's MPS,
    else the CPU. `dtype` is one of DTYPES: `auto` takes float32 on a CPU and bfloat16 on CUDA where the card
    can; `4bit` is the NF4 of QLoRA (Dettmers et al. 2023) by bitsandbytes, computed in bfloat16 on CUDA and
    in float32 elsewhere. Reads safetensors only, runs no code that the folder may hold, and never goes to the
    network.

    Raises CrossinError for an unknown dtype or device, a missing device or bitsandbytes, and a folder without
    weights or tokenizer, with damaged or incomplete ones, with an adapter, or with another kind of model.
    """
    folder = as_path(folder)
    place, dtype = resolve(device, dtype)
    tokenizer, config = load_tokenizer(folder, kinds)
    import torch

    # PEFT uses a deprecated name of transformers; the user can do nothing about it.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
    options = _four_bit(place) if dtype == "4bit" else {"dtype": getattr(torch, dtype)}
    try:
        model, found = loader(kind_of(folder, config, kinds)).from_pretrained(
            folder, config=config, use_safetensors=True, output_loading_info=True, **_LOCAL, **options
        )
        model = model.to(place).eval()
    except torch.OutOfMemoryError as error:
        raise CrossinError(
            f"does not fit into the memory of {place}",
            file=folder,
            hint="use another device, or a smaller dtype",
        ) from error
    except Exception as error:
        raise _unloadable(folder, error) from error
    # Transformers initialises missing tensors at random, and says so only in a log.
    if missing := sorted(found["missing_keys"]):
        raise CrossinError(
            f"{len(missing)} of the model's tensors are missing, such as {missing[0]}",
            file=folder,
            hint="pull the model again, or save it as the class that its config.json names",
        )
    return model, tokenizer


def load_tokenizer(folder: Path | str, kinds: Collection[Kind] = CAUSAL) -> tuple[Any, Any]:
    """The tokenizer and the configuration of the model in `folder`, without its weights; errors as `load`."""
    require("train", "torch", "transformers", "peft")
    import transformers

    folder = as_path(folder)
    _check_files(folder)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **_LOCAL)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **_LOCAL)
    except Exception as error:
        raise _unloadable(folder, error) from error
    kind_of(folder, config, kinds)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, config


def resolve(device: str, dtype: str) -> tuple[str, str]:
    """The device and the dtype that `auto` means here, or those given; errors as `load`."""
    require("train", "torch", "transformers", "peft")
    import torch

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    place = ("cuda" if cuda else "mps" if mps else "cpu") if device == "auto" else device
    kind, _, number = place.partition(":")
    if kind not in _DEVICES or (number and not number.isdecimal()):
        raise CrossinError(
            f"no device is called '{device}'", hint=f"use auto, {', '.join(_DEVICES)}, or one card as cuda:0"
        )
    cards = {"cpu": 1, "mps": int(mps), "cuda": torch.cuda.device_count() if cuda else 0}[kind]
    if int(number or 0) >= cards:
        raise CrossinError(
            f"torch finds no device '{device}' here",
            hint="use --device auto, or install the build of torch that knows the device",
        )
    if dtype not in DTYPES:
        raise CrossinError(f"no dtype is called '{dtype}'", hint=f"use one of {', '.join(DTYPES)}")
    if dtype == "auto":
        fast = kind == "cuda" and torch.cuda.is_bf16_supported()
        dtype = "bfloat16" if fast else "float32"
    return place, dtype


def _four_bit(place: str) -> dict[str, Any]:
    """The options of transformers for linear layers in four bits on the device `place`."""
    import torch
    import transformers

    if not (transformers.utils.is_bitsandbytes_available() and transformers.utils.is_accelerate_available()):
        raise CrossinError(
            "dtype 4bit needs the packages 'bitsandbytes' and 'accelerate', recent ones",
            hint="pip install -U bitsandbytes accelerate, or use another dtype",
        )
    kind = place.partition(":")[0]
    if kind not in import_module("bitsandbytes").supported_torch_devices:
        raise CrossinError(
            f"bitsandbytes cannot compute in 4 bits on {kind}", hint="use another dtype or device"
        )
    compute = torch.bfloat16 if kind == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    scheme = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=compute
    )
    return {"quantization_config": scheme, "dtype": compute, "device_map": {"": place}}


def _check_files(folder: Path) -> None:
    """Raise CrossinError for what `folder` lacks to be a model's."""
    checks = (
        (folder.is_dir(), "not a directory", "check the path, or pull the model by its name"),
        # Transformers would follow the adapter to the base that it names, wherever that is.
        (not _has(folder, "adapter_config.json"), "an adapter, not a model", "use its base as the model"),
        (_has(folder, "*.safetensors"), "no weights as safetensors here", "save them with save_pretrained"),
        (_has(folder, "config.json"), "no config.json here", "copy it there, or pull the model again"),
        (_has(folder, *_VOCABULARIES), "no tokenizer (tokenizer.json) here", "save it with save_pretrained"),
    )
    for passed, message, hint in checks:
        if not passed:
            raise CrossinError(message, file=folder, hint=hint)


def _has(folder: Path, *patterns: str) -> bool:
    return any(path for pattern in patterns for path in folder.glob(pattern))


def _unloadable(folder: Path, error: Exception) -> CrossinError:
    """Transformers, tokenizers and safetensors raise errors of all kinds, tokenizers a bare Exception."""
    return CrossinError(
        f"cannot be loaded: {_damaged(folder) or error}",
        file=folder,
        hint="check the folder, or pull the model again",
    )


def _damaged(folder: Path) -> str:
    """Which file of weights cannot be opened, and why; empty where all can."""
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            return f"{path.name} is damaged or incomplete ({error})"
    return ""
