"""Translating by a model in CTranslate2's form: NLLB, MADLAD, OPUS (Marian), M2M100."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import sha256
from crossin.translation.engine import Answer, Ask
from crossin.translation.engines.batches import longest_translation, windows
from crossin.translation.engines.language_tokens import Marks, marks
from crossin.translation.engines.tokenizers import open_tokenizer, vocabulary_of, writes

_MARK = "⟦1⟧"


class CTranslate2Translator:
    """The model in the folder `model`, as CTranslate2's converter makes it; the tokenizer of what it was made
    from is in `tokenizer`, or in the same folder.

    `batch_tokens`: tokens of a batch with its padding. `beam`: beam size; 1 is greedy. Loaded when first
    asked. Raises CrossinError, from `check`, for a folder without such a model.
    """

    unit: Literal["row", "sentence"] = "sentence"
    attempts = 2

    def __init__(
        self,
        model: Path,
        *,
        tokenizer: Path | None = None,
        device: str = "auto",
        batch_tokens: int = 2048,
        beam: int = 1,
        threads: int = 0,
    ) -> None:
        self.folder, self.tokenizer_folder = Path(model), Path(tokenizer or model)
        self.device, self.batch_tokens, self.beam, self.threads = device, batch_tokens, beam, threads
        if not (self.folder / "model.bin").is_file():
            raise CrossinError(
                "holds no model in CTranslate2's form (model.bin)",
                file=self.folder,
                hint="convert one: ct2-transformers-converter --model MODEL --output_dir FOLDER",
            )

    @cached_property
    def identity(self) -> Mapping[str, Any]:
        """The hash of the model's file stands for its name."""
        return {
            "engine": "ctranslate2",
            "model": sha256(self.folder / "model.bin")[:16],
            "beam": self.beam,
        }

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError where the model's vocabulary has no mark for one of the languages."""
        for target in targets:
            marks(self._vocabulary, source, target)

    @property
    def by_span(self) -> bool:
        """Whether the vocabulary cannot write placeholders, so that texts must be cut at them."""
        return not writes(self._tokenizer, _MARK)

    def translate(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Answer]]:
        """The translations, a window of asks at a time; the second attempt takes a wider beam."""
        for window in windows(asks):
            for attempt in sorted({ask.attempt for ask in window}):
                some = [ask for ask in window if ask.attempt == attempt]
                yield from zip(some, self._translate(some, attempt), strict=True)

    def close(self) -> None:
        """Let go of the model."""
        if (loaded := self.__dict__.pop("_translator", None)) is not None:
            loaded.unload_model()

    def __getstate__(self) -> dict[str, Any]:
        """Another process loads its own."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def _translate(self, asks: list[Ask], attempt: int) -> list[Answer]:
        around = [self._marks(ask) for ask in asks]
        tokens = [_tokens(self._tokenizer, ask.texts[0], one) for ask, one in zip(asks, around, strict=True)]
        limits = longest_translation(max(map(len, tokens)))
        results = self._translator.translate_batch(
            tokens,
            target_prefix=[list(one.target_tokens) or None for one in around]
            if any(one.target_tokens for one in around)
            else None,
            max_batch_size=self.batch_tokens,
            batch_type="tokens",
            beam_size=self.beam + 3 * attempt,
            no_repeat_ngram_size=4 if attempt else 0,
            max_decoding_length=limits,
            max_input_length=0,
        )
        return [
            self._read(result.hypotheses[0], len(one.target_tokens), len(source))
            for result, one, source in zip(results, around, tokens, strict=True)
        ]

    def _read(self, tokens: list[str], prefix: int, length: int) -> Answer:
        text = self._tokenizer.decode(
            self._tokenizer.convert_tokens_to_ids(tokens[prefix:]), skip_special_tokens=True
        )
        return Answer((text,), "", len(tokens) - prefix >= longest_translation(length), length, len(tokens))

    def _marks(self, ask: Ask) -> Marks:
        return marks(self._vocabulary, ask.source, ask.target)

    @cached_property
    def _tokenizer(self) -> Any:
        return open_tokenizer(self.tokenizer_folder)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        return vocabulary_of(self._tokenizer)

    @cached_property
    def _translator(self) -> Any:
        require("translate", "ctranslate2")
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
                hint="convert the model again, or take --device cpu",
            ) from error


def _tokens(tokenizer: Any, text: str, around: Marks) -> list[str]:
    pieces = tokenizer.tokenize(around.source_text + text)
    end = [tokenizer.eos_token] if tokenizer.eos_token else []
    return [*around.source_tokens, *pieces, *end]
