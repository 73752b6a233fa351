"""Kinds of models: which of transformers' classes a folder is loaded as."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from crossin.core.errors import CrossinError

Kind = Literal["causal", "image-text", "encoder-decoder"]
# Training, merging and probing compute with the layers of a causal model; evaluation only asks.
CAUSAL: tuple[Kind, ...] = ("causal",)
ANSWERING: tuple[Kind, ...] = ("causal", "image-text", "encoder-decoder")

_CLASSES: dict[Kind, str] = {
    "causal": "AutoModelForCausalLM",
    # Asked with text alone: its language part answers.
    "image-text": "AutoModelForImageTextToText",
    "encoder-decoder": "AutoModelForSeq2SeqLM",
}
_MAPPINGS: dict[Kind, str] = {
    "causal": "MODEL_FOR_CAUSAL_LM_MAPPING",
    "image-text": "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING",
    "encoder-decoder": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING",
}
# Some models that transformers includes keep the class names of their authors.
_CAUSAL_NAMES = ("ForCausalLM", "LMHeadModel")


def kind_of(folder: Path, config: Any, wanted: Collection[Kind]) -> Kind:
    """The first of the wanted kinds that the model described by `config` is.

    Raises CrossinError where it is none of them.
    """
    for kind in wanted:
        if _is(kind, config):
            return kind
    name = (config.architectures or [config.model_type])[0]
    hint = "use a model that generates text, of a class such as LlamaForCausalLM"
    if any(_is(kind, config) for kind in ANSWERING):
        hint += "; `crossin evaluate` takes this one"
    raise CrossinError(f"not a causal language model, but {name}", file=folder / "config.json", hint=hint)


def loader(kind: Kind) -> Any:
    """The class of transformers that loads a model of a kind."""
    import transformers

    return getattr(transformers, _CLASSES[kind])


def _is(kind: Kind, config: Any) -> bool:
    import transformers
    from transformers.models.auto import modeling_auto

    if (kind == "encoder-decoder") != bool(getattr(config, "is_encoder_decoder", False)):
        return False
    if type(config) not in getattr(transformers, _MAPPINGS[kind]):
        return False
    known = getattr(modeling_auto, f"{_MAPPINGS[kind]}_NAMES").values()
    names = config.architectures or []
    own = [name for name in names if name in known or (kind == "causal" and name.endswith(_CAUSAL_NAMES))]
    return bool(own or not names)
