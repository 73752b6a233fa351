"""Translates by a model in CTranslate2's format: NLLB, MADLAD, OPUS (Marian), M2M100."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.paths import as_path
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.translators.batching import LocalTranslator, longest_translation


class CTranslate2Translator(LocalTranslator):
    """The model in the folder `model`, as CTranslate2's converter makes it. tokenizer: the folder of the
    model that it was converted from, where not the same.

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
        threads: int = 0,
    ) -> None:
        self.folder, self.tokenizer_folder = as_path(model), as_path(tokenizer or model)
        self.device, self.batch_tokens, self.beam, self.threads = device, batch_tokens, beam, threads
        if not (self.folder / "model.bin").is_file():
            raise CrossinError(
                "no model in CTranslate2's format (model.bin)",
                file=self.folder,
                hint="convert one: ct2-transformers-converter --model MODEL --output_dir FOLDER",
            )

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The hash of the model's files stands for its name. CTranslate2 computes in the fastest of the types
        that the device has, each of which gives other translations.
        """
        kind, types = self._device
        return {
            "engine": "ctranslate2",
            **self.model_hashes(),
            "beam": self.beam,
            "device": kind,
            "compute_types": types,
        }

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Also raise CrossinError where the device is not there."""
        super().check(source, targets)
        _ = self._device

    def translate_window(
        self, requests: Sequence[TranslationRequest]
    ) -> Iterator[tuple[TranslationRequest, TranslationResponse]]:
        """The translations; the second attempt uses a wider beam."""
        for attempt in sorted({request.attempt for request in requests}):
            some = [request for request in requests if request.attempt == attempt]
            yield from zip(some, self._translate(some, attempt), strict=True)

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        if (loaded := self.__dict__.pop("_translator", None)) is not None:
            loaded.unload_model()

    def _translate(self, requests: list[TranslationRequest], attempt: int) -> list[TranslationResponse]:
        tokenizer, around = self._tokenizer, [self._tokens_for(request) for request in requests]
        end = [tokenizer.eos_token] if tokenizer.eos_token else []
        tokens = [
            [*one.source_tokens, *tokenizer.tokenize(one.source_text + request.texts[0]), *end]
            for request, one in zip(requests, around, strict=True)
        ]
        results = self._translator.translate_batch(
            tokens,
            target_prefix=[list(one.target_tokens) or None for one in around]
            if any(one.target_tokens for one in around)
            else None,
            max_batch_size=self.batch_tokens,
            batch_type="tokens",
            beam_size=self.beam + 3 * attempt,
            no_repeat_ngram_size=4 if attempt else 0,
            max_decoding_length=longest_translation(max(map(len, tokens))),
            max_input_length=0,
        )
        return [
            self._read(result.hypotheses[0], len(one.target_tokens), len(source))
            for result, one, source in zip(results, around, tokens, strict=True)
        ]

    def _read(self, tokens: list[str], prefix: int, length: int) -> TranslationResponse:
        ids = self._tokenizer.convert_tokens_to_ids(tokens[prefix:])
        return self._response(
            ids,
            cut=len(tokens) - prefix >= longest_translation(length),
            prompt_tokens=length,
            completion_tokens=len(tokens),
        )

    @cached_property
    def _device(self) -> tuple[str, list[str]]:
        """The kind of the device, and the types that it can compute in."""
        require("translate", "ctranslate2")
        import ctranslate2

        kind, _, number = self.device.partition(":")
        cards = ctranslate2.get_cuda_device_count()
        if kind == "auto":
            kind = "cuda" if cards else "cpu"
        if (number and not number.isdecimal()) or int(number or 0) >= {"cpu": 1, "cuda": cards}.get(kind, 0):
            raise CrossinError(
                f"CTranslate2 finds no device '{self.device}' here",
                field="device",
                hint="use --device auto, cpu, or one card as cuda:0",
            )
        return kind, sorted(ctranslate2.get_supported_compute_types(kind))

    @cached_property
    def _translator(self) -> Any:
        import ctranslate2

        device, _, index = self.device.partition(":")
        try:
            return ctranslate2.Translator(
                str(self.folder),
                device=device,
                device_index=int(index or 0),
                compute_type="auto",
                inter_threads=1,
                intra_threads=self.threads,
            )
        except (RuntimeError, ValueError) as error:
            raise CrossinError(
                f"cannot be loaded: {error}",
                file=self.folder,
                hint="convert the model again, or use --device cpu",
            ) from error
