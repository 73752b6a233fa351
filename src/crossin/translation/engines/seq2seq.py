"""Translating by any sequence-to-sequence model of transformers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from crossin.core.errors import CrossinError
from crossin.core.files import sha256
from crossin.translation.engine import Answer, Ask
from crossin.translation.engines.batches import batches, longest_translation, windows
from crossin.translation.engines.language_tokens import Marks, marks
from crossin.translation.engines.tokenizers import open_tokenizer, vocabulary_of, writes

_MARK = "⟦1⟧"


class Seq2SeqTranslator:
    """The model of transformers in the folder `model`, with its tokenizer; safetensors only.

    `batch_tokens`: tokens of a batch with its padding. `beam`: beam size; 1 is greedy. Loaded when first
    asked. Raises CrossinError for a folder without such a model.
    """

    unit: Literal["row", "sentence"] = "sentence"
    attempts = 2

    def __init__(self, model: Path, *, device: str = "auto", batch_tokens: int = 2048, beam: int = 1) -> None:
        self.folder, self.device, self.batch_tokens, self.beam = Path(model), device, batch_tokens, beam

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The hash of the folder's files stands for its name."""
        return {"engine": "hf", "model": sha256(self.folder)[:16], "beam": self.beam}

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError where the model's vocabulary has no mark for one of the languages."""
        for target in targets:
            marks(self._vocabulary, source, target)

    @property
    def by_span(self) -> bool:
        """Whether the vocabulary cannot write placeholders, so that texts must be cut at them."""
        return not writes(self._tokenizer, _MARK)

    def translate(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Answer]]:
        """The translations, a batch at a time; the second attempt takes a wider beam."""
        for window in windows(asks):
            rows = [(ask, self._ids(ask)) for ask in window]
            groups: dict[tuple[str, str, int], list[tuple[tuple[Ask, list[int]], int]]] = {}
            for ask, ids in rows:
                groups.setdefault((ask.source, ask.target, ask.attempt), []).append(((ask, ids), len(ids)))
            for group in groups.values():
                for batch in batches(group, self.batch_tokens):
                    yield from self._batch(batch)

    def close(self) -> None:
        """Let go of the model."""
        self.__dict__.pop("_model", None)

    def __getstate__(self) -> dict[str, Any]:
        """Another process loads its own."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def _batch(self, batch: list[tuple[Ask, list[int]]]) -> Iterator[tuple[Ask, Answer]]:
        """The translations of a batch; where it does not fit into memory, of its halves."""
        import torch

        try:
            yield from self._generate(batch)
            return
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                raise CrossinError(
                    "a sentence does not fit into the device's memory",
                    hint="take a smaller model, or the CPU",
                ) from error
        half = len(batch) // 2
        yield from self._batch(batch[:half])
        yield from self._batch(batch[half:])

    def _generate(self, batch: list[tuple[Ask, list[int]]]) -> list[tuple[Ask, Answer]]:
        import torch

        model, tokenizer = self._model, self._tokenizer
        width = max(len(ids) for _, ids in batch)
        padding = tokenizer.pad_token_id
        ids = torch.tensor([ids + [padding] * (width - len(ids)) for _, ids in batch], device=model.device)
        ask = batch[0][0]
        begin = tokenizer.convert_tokens_to_ids(list(self._marks(ask).target_tokens))
        start = model.config.decoder_start_token_id
        limit = longest_translation(width)
        with torch.inference_mode():
            written = model.generate(
                input_ids=ids,
                attention_mask=(ids != padding).long(),
                decoder_input_ids=torch.tensor([[start, *begin]] * len(batch), device=model.device),
                max_new_tokens=limit,
                num_beams=self.beam + 3 * ask.attempt,
                no_repeat_ngram_size=4 if ask.attempt else 0,
                do_sample=False,
            )
        found = []
        for (one, source), row in zip(batch, written.tolist(), strict=True):
            new = row[1 + len(begin) :]
            ended = tokenizer.eos_token_id in new
            length = new.index(tokenizer.eos_token_id) if ended else len(new)
            text = tokenizer.decode(new[:length], skip_special_tokens=True)
            cut = length >= longest_translation(len(source))
            found.append((one, Answer((text,), "", cut, len(source), length)))
        return found

    def _ids(self, ask: Ask) -> list[int]:
        around, tokenizer = self._marks(ask), self._tokenizer
        ids = tokenizer(around.source_text + ask.texts[0], add_special_tokens=False)["input_ids"]
        before = tokenizer.convert_tokens_to_ids(list(around.source_tokens))
        return [*before, *ids, tokenizer.eos_token_id]

    def _marks(self, ask: Ask) -> Marks:
        return marks(self._vocabulary, ask.source, ask.target)

    @cached_property
    def _tokenizer(self) -> Any:
        return open_tokenizer(self.folder)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return vocabulary_of(self._tokenizer)

    @cached_property
    def _model(self) -> Any:
        import torch
        import transformers

        from crossin.models.loading import resolve

        device, dtype = resolve(self.device, "auto")
        try:
            model = transformers.AutoModelForSeq2SeqLM.from_pretrained(
                self.folder,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                local_files_only=True,
                trust_remote_code=False,
            )
        except Exception as error:
            message = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise CrossinError(
                f"holds no sequence-to-sequence model that can be loaded ({message})",
                file=self.folder,
                hint="name a translation model saved as safetensors",
            ) from error
        return model.to(device).eval()
