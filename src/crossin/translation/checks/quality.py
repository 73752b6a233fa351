"""Optional checks that cost as much as translating: a quality-estimation model, and a round trip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
# Nothing is downloaded, and no code of a model's runs.
_LOCAL = {"local_files_only": True, "trust_remote_code": False}
# A row's texts by field, and their translations.
TextPair = tuple[Mapping[str, str], Mapping[str, str]]


class QualityModel:
    """A sequence classifier of transformers with one output, in the folder `path`, with its tokenizer.

    It reads source and translation as a pair. Models differ in the scale of their scores: look at a sample
    before choosing the `threshold`. Its weights are loaded by `load`, or at first use; raises CrossinError
    for a model of another kind.
    """

    def __init__(self, path: Path, threshold: float, device: str = "auto") -> None:
        self.path, self.threshold, self.device = path, threshold, device

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What decides the check: the model's files, and the threshold."""
        return {"model": sha256(self.path), "threshold": self.threshold}

    def check(self) -> None:
        """Raise CrossinError where it cannot be used, as far as that is known without its weights."""
        require("train", "torch", "transformers")
        from transformers import AutoConfig, AutoTokenizer

        from crossin.models.loading import resolve

        resolve(self.device, "auto")
        if not self.path.is_dir():
            raise CrossinError(
                "not a folder with a model", file=self.path, hint="name one with --quality-model"
            )
        if not any(self.path.glob("*.safetensors")):
            raise CrossinError(
                "no weights as safetensors here", file=self.path, hint="save them with save_pretrained"
            )
        with _loading(self.path):
            outputs = AutoConfig.from_pretrained(self.path, **_LOCAL).num_labels
            AutoTokenizer.from_pretrained(self.path, **_LOCAL)
        if outputs != 1:
            raise CrossinError(
                f"expected a model with one output, this one has {outputs}",
                file=self.path,
                hint="use a model that was trained to estimate quality: a classifier with one output",
            )

    def load(self) -> None:
        """Load the weights now, before anything is paid for."""
        _ = self._loaded

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
        self.check()
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        from crossin.models.loading import resolve

        with _loading(self.path):
            model, found = AutoModelForSequenceClassification.from_pretrained(
                self.path, use_safetensors=True, output_loading_info=True, **_LOCAL
            )
            tokenizer = AutoTokenizer.from_pretrained(self.path, **_LOCAL)
        # Transformers initialises missing tensors at random, and says so only in a log.
        if missing := sorted(found["missing_keys"]):
            raise CrossinError(
                f"{len(missing)} of the model's tensors are missing, such as {missing[0]}",
                file=self.path,
                hint="use a model that was trained to estimate quality: a classifier with one output",
            )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        model.config.pad_token_id = tokenizer.pad_token_id
        return tokenizer, model.to(resolve(self.device, "auto")[0]).eval()


@contextmanager
def _loading(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # The libraries raise errors of many kinds.
        message = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CrossinError(
            f"no model that can be loaded ({message})",
            file=path,
            hint="name a folder that save_pretrained wrote, with its tokenizer",
        ) from error


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
