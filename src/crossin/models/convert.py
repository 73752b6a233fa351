"""From a GGUF file to a folder of safetensors that loads in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossin.files import writing


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Read `gguf` with transformers, in float32, and save the model and its tokenizer to `folder`."""
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    place: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **place)
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **place)
    # The weights have been de-quantised: a leftover of the quantisation would keep them from being saved, or
    # loaded again.
    model.hf_quantizer, model.is_quantized = None, False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    with writing(folder):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
