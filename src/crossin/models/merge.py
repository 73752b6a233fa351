"""An adapter added into the model that it was trained on: one whole model, for whoever reads no adapters."""

from __future__ import annotations

from pathlib import Path

from crossin.models.adapters import with_adapter
from crossin.models.load import load
from crossin.models.weights import writing_weights
from crossin.stage import Stage, begin


def merge(base: Path, adapter: Path, out: Path, *, dtype: str = "auto") -> Stage:
    """Write the model in the folder `base` with the adapter's changes added to its weights, with tokenizer and
    chat template, as safetensors to the folder `out`: names and shapes of its tensors are the base's, so what
    reads or converts the base (transformers, vLLM, llama.cpp) does so with the result.

    Raises CrossinError for what `load` and `with_adapter` refuse, and a folder that holds something else.
    """
    stage = begin(out, "merge", {"dtype": dtype}, {"model": base, "adapter": adapter})
    if stage.done:
        return stage
    model, tokenizer = load(base, device="cpu", dtype=dtype)
    model = with_adapter(model, adapter, base=base)
    with writing_weights(out):
        model.save_pretrained(out)
        tokenizer.save_pretrained(out)
    made = sorted(path.name for path in out.iterdir() if path.is_file() and path.name != "stage.json")
    stage.finish(made, {"weights": sum(weight.numel() for weight in model.parameters())})
    return stage
