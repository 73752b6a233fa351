"""Translates by any sequence-to-sequence model of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.paths import as_path
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.translators.batching import LocalTranslator, batches, longest_translation

# A request and the token ids of its text.
Encoded = tuple[TranslationRequest, list[int]]


class Seq2SeqTranslator(LocalTranslator):
    """The model of transformers in the folder `model`; safetensors only. tokenizer: the folder of its
    tokenizer, where not the same.

    batch_tokens: tokens of a batch with padding. beam: beam size; 1 is greedy. Loaded at first use. Raises
    CrossinError for a folder without such a model.
    """

    def __init__(
        self,
        model: Path | str,
        *,
        tokenizer: Path | str | None = None,
        device: str = "auto",
        batch_tokens: int = 2048,
        beam: int = 1,
    ) -> None:
        self.folder, self.tokenizer_folder = as_path(model), as_path(tokenizer or model)
        self.device, self.batch_tokens, self.beam = device, batch_tokens, beam

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The hash of the model's files stands for its name. The device decides the precision."""
        from crossin.models.loading import resolve

        device, dtype = resolve(self.device, "auto")
        kind = device.partition(":")[0]
        return {"engine": "hf", **self.model_hashes(), "beam": self.beam, "device": kind, "dtype": dtype}

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Also raise CrossinError where the device is not there."""
        from crossin.models.loading import resolve

        super().check(source, targets)
        resolve(self.device, "auto")

    def translate_window(
        self, requests: Sequence[TranslationRequest]
    ) -> Iterator[tuple[TranslationRequest, TranslationResponse]]:
        """The translations, a batch at a time; the second attempt uses a wider beam."""
        groups: dict[tuple[str, str, int], list[tuple[Encoded, int]]] = {}
        for request in requests:
            ids = self._ids(request)
            key = (request.source, request.target, request.attempt)
            groups.setdefault(key, []).append(((request, ids), len(ids)))
        for group in groups.values():
            for batch in batches(group, self.batch_tokens):
                yield from self._batch(batch)

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        self.__dict__.pop("_model", None)

    def _batch(self, batch: list[Encoded]) -> Iterator[tuple[TranslationRequest, TranslationResponse]]:
        """The translations of a batch; where it does not fit into memory, of its halves."""
        import torch

        try:
            yield from self._generate(batch)
            return
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                raise CrossinError(
                    "a sentence does not fit into the device's memory", hint="use a smaller model, or the CPU"
                ) from error
        half = len(batch) // 2
        yield from self._batch(batch[:half])
        yield from self._batch(batch[half:])

    def _generate(self, batch: list[Encoded]) -> list[tuple[TranslationRequest, TranslationResponse]]:
        import torch

        model, tokenizer = self._model, self._tokenizer
        width = max(len(ids) for _, ids in batch)
        padding = tokenizer.pad_token_id
        ids = torch.tensor([ids + [padding] * (width - len(ids)) for _, ids in batch], device=model.device)
        attempt = batch[0][0].attempt
        begin = tokenizer.convert_tokens_to_ids(list(self._tokens_for(batch[0][0]).target_tokens))
        start = model.config.decoder_start_token_id
        with torch.inference_mode():
            written = model.generate(
                input_ids=ids,
                attention_mask=(ids != padding).long(),
                decoder_input_ids=torch.tensor([[start, *begin]] * len(batch), device=model.device),
                max_new_tokens=longest_translation(width),
                num_beams=self.beam + 3 * attempt,
                no_repeat_ngram_size=4 if attempt else 0,
                do_sample=False,
            )
        found = []
        for (request, source), row in zip(batch, written.tolist(), strict=True):
            new = row[1 + len(begin) :]
            ended = tokenizer.eos_token_id in new
            length = new.index(tokenizer.eos_token_id) if ended else len(new)
            response = self._response(
                new[:length],
                cut=length >= longest_translation(len(source)),
                prompt_tokens=len(source),
                completion_tokens=length,
            )
            found.append((request, response))
        return found

    def _ids(self, request: TranslationRequest) -> list[int]:
        around, tokenizer = self._tokens_for(request), self._tokenizer
        ids = tokenizer(around.source_text + request.texts[0], add_special_tokens=False)["input_ids"]
        before = tokenizer.convert_tokens_to_ids(list(around.source_tokens))
        return [*before, *ids, tokenizer.eos_token_id]

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
                f"no sequence-to-sequence model that can be loaded ({message})",
                file=self.folder,
                hint="name a translation model saved as safetensors",
            ) from error
        return model.to(device).eval()
