"""Conversion of a GGUF file to a folder of safetensors, which loads in a second."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from crossin.models.weights import writing_weights

# Vocabularies learned with digits split apart; transformers leaves that out when it reads them from GGUF, and
# would split the blanks before a number in another way than the model was trained on.
_DIGITS_APART = {"smollm"}


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Read `gguf` with transformers, in float32, and save the model and its tokenizer to `folder`."""
    import torch
    import transformers
    from tokenizers import pre_tokenizers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    # This reader uses tqdm itself, which no setting of transformers silences.
    with suppress(ImportError):
        from transformers import modeling_gguf_pytorch_utils

        modeling_gguf_pytorch_utils.tqdm = transformers.utils.logging.tqdm
    place: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **place)
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **place)
    if _pre_tokenizer(gguf) in _DIGITS_APART:
        backend = tokenizer.backend_tokenizer
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), backend.pre_tokenizer]
        )
    # The weights are de-quantised: leftovers of the quantisation would prevent saving or loading them.
    model.hf_quantizer, model.is_quantized = None, False
    for leftover in ("quantization_config", "_model_name_or_path"):
        if hasattr(model.config, leftover):
            delattr(model.config, leftover)
    with writing_weights(folder):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _pre_tokenizer(gguf: Path) -> str | None:
    """The name of the file's pre-tokenizer."""
    from gguf import GGUFReader

    field = GGUFReader(gguf).get_field("tokenizer.ggml.pre")
    return None if field is None else str(field.contents())
