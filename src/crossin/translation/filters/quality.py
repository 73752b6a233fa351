"""A gate by a model that estimates the quality of a translation from source and translation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import sha256

_BATCH = 16
TextPair = tuple[Mapping[str, str], Mapping[str, str]]


class QualityModel:
    """A sequence classifier of transformers with one output, in the folder `path`, with its tokenizer.

    It reads source and translation as a pair. What its scores mean is its own matter: look at a sample
    before choosing the least. Raises CrossinError, when it is first asked, for a model of another kind.
    """

    def __init__(self, path: Path, least: float, device: str = "auto") -> None:
        self.path, self.least, self.device = path, least, device

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides the gate: the model's files, and the least score."""
        return {"model": sha256(self.path), "least": self.least}

    def scores(self, pairs: Sequence[TextPair]) -> list[float]:
        """The score of each pair, all fields joined."""
        import torch

        found: list[float] = []
        tokenizer, model = self._loaded
        for start in range(0, len(pairs), _BATCH):
            some = pairs[start : start + _BATCH]
            texts = [["\n".join(filter(None, side.values())) for side in pair] for pair in some]
            tokens = tokenizer(
                [source for source, _ in texts],
                [translation for _, translation in texts],
                padding=True,
                truncation=True,
                return_tensors="pt",
            ).to(model.device)
            with torch.inference_mode():
                found += model(**tokens).logits[:, 0].float().tolist()
        return found

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        require("train", "torch", "transformers")
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        if not self.path.is_dir():
            raise CrossinError(
                "is no folder with a model", file=self.path, hint="name one with --quality-model"
            )
        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModelForSequenceClassification.from_pretrained(self.path, use_safetensors=True)
        if model.config.num_labels != 1:
            raise CrossinError(
                f"gives {model.config.num_labels} scores, where one was expected",
                file=self.path,
                hint="take a model that was trained to estimate quality: a classifier with one output",
            )
        tokenizer = AutoTokenizer.from_pretrained(self.path)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
        return tokenizer, model.to(device).eval()
