"""Optional checks that cost as much as translating: a quality-estimation model, and a round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import sha256
from crossin.translation.reasons import Rejection
from crossin.translation.requests import TranslationResponse
from crossin.translation.splitting import SplitRow, join_row

_BATCH = 16
# A row's texts by field, and their translations.
TextPair = tuple[Mapping[str, str], Mapping[str, str]]


class QualityModel:
    """A sequence classifier of transformers with one output, in the folder `path`, with its tokenizer.

    It reads source and translation as a pair. Models differ in the scale of their scores: look at a sample
    before choosing the `threshold`. It is loaded at first use; raises CrossinError for a model of another
    kind.
    """

    def __init__(self, path: Path, threshold: float, device: str = "auto") -> None:
        self.path, self.threshold, self.device = path, threshold, device

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides the check: the model's files, and the threshold."""
        return {"model": sha256(self.path), "threshold": self.threshold}

    def scores(self, pairs: Sequence[TextPair]) -> list[float]:
        """The score of each pair, all fields joined."""
        import torch

        found: list[float] = []
        tokenizer, model = self._loaded
        for start in range(0, len(pairs), _BATCH):
            batch = pairs[start : start + _BATCH]
            texts = [["\n".join(filter(None, side.values())) for side in pair] for pair in batch]
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

    def __getstate__(self) -> dict[str, Any]:
        """Another process loads its own model."""
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        require("train", "torch", "transformers")
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        if not self.path.is_dir():
            raise CrossinError(
                "not a folder with a model", file=self.path, hint="name one with --quality-model"
            )
        device = self.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModelForSequenceClassification.from_pretrained(self.path, use_safetensors=True)
        if model.config.num_labels != 1:
            raise CrossinError(
                f"expected a model with one output, this one has {model.config.num_labels}",
                file=self.path,
                hint="use a model that was trained to estimate quality: a classifier with one output",
            )
        tokenizer = AutoTokenizer.from_pretrained(self.path)
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
        return tokenizer, model.to(device).eval()


def round_trip_score(source: Mapping[str, str], row: SplitRow, back: Sequence[TranslationResponse]) -> float:
    """chrF (0..100, Popović 2015, by sacrebleu) of a source, its fields joined, and its translation put back
    into the source's language; 0 where there is no such translation.

    row: the translation, split into requests. back: their responses.
    """
    from sacrebleu.metrics import CHRF

    texts = join_row(row, back)
    if isinstance(texts, Rejection):
        return 0.0
    reference, text = ("\n".join(filter(None, side.values())) for side in (source, texts))
    return float(CHRF().sentence_score(text, [reference]).score)
