"""What local models share: waiting requests are translated in batches, in a thread; and tokenizers."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import sha256, sha256_of_value
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.translators.language_tokens import LanguageTokens, tokens_for

# Requests that are sorted by length into batches at once.
WINDOW = 4096
# Endings of files that no tokenizer is made from, and which are large.
_WEIGHTS = {".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx"}
# Characters of a translation that a reason names.
_SHOWN = 80
T = TypeVar("T")


class LocalTranslator(ABC):
    """The base of translators by a model in this process.

    A subclass has the folders `folder` and `tokenizer_folder`, and `translate_window`. Attributes with names
    that begin with `_` are not pickled: another process loads its own model.
    """

    unit: Literal["row", "text", "sentence"] = "sentence"
    attempts = 2
    concurrency = WINDOW
    folder: Path
    tokenizer_folder: Path
    _waiting: list[tuple[TranslationRequest, asyncio.Future[TranslationResponse]]]
    _worker: asyncio.Future[None]
    _stopped: bool

    @abstractmethod
    def translate_window(
        self, requests: Sequence[TranslationRequest]
    ) -> Iterable[tuple[TranslationRequest, TranslationResponse]]:
        """Each request with its response, as they come."""

    async def translate(self, request: TranslationRequest) -> TranslationResponse:
        """The response, from the next batch."""
        if self._stopped:
            raise asyncio.CancelledError
        future: asyncio.Future[TranslationResponse] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, future))
        if self._worker.done():
            self._worker = asyncio.ensure_future(self._work())
        return await future

    def stop(self) -> None:
        """Translate no other batch."""
        self._stopped = True
        for _, future in self._waiting:
            future.cancel()
        self._waiting.clear()

    async def __aenter__(self) -> Self:
        self._waiting = []
        self._worker = asyncio.get_running_loop().create_future()
        self._worker.set_result(None)
        self._stopped = False
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        await self._worker

    def model_hashes(self) -> dict[str, str]:
        """The hashes of all files that a translation depends on: the model's folder, and the tokenizer's. The
        weights that may lie beside a tokenizer are another model's.
        """
        hashes = {"model": sha256(self.folder)[:16]}
        if self.tokenizer_folder != self.folder:
            files = (path for path in sorted(self.tokenizer_folder.glob("*")) if path.is_file())
            found = {path.name: sha256(path) for path in files if path.suffix not in _WEIGHTS}
            hashes["tokenizer"] = sha256_of_value(found)[:16]
        return hashes

    def check(self, source: str, targets: Sequence[str]) -> None:
        """Raise CrossinError where the model's vocabulary has no token for one of the languages."""
        for target in targets:
            tokens_for(self._vocabulary, source, target)

    @property
    def by_span(self) -> bool:
        """Whether the vocabulary cannot write placeholders, so that texts must be split at them."""
        ids = self._tokenizer("⟦1⟧", add_special_tokens=False)["input_ids"]
        return bool(self._tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") != "⟦1⟧")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    async def _work(self) -> None:
        """Translate all that waits, a window at a time."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            # Others that are about to send a request join this window.
            await asyncio.sleep(0)
            window, self._waiting = self._waiting[:WINDOW], self._waiting[WINDOW:]
            futures = dict(window)
            try:
                await asyncio.to_thread(self._translate_into, futures, loop)
            except Exception as error:
                for future in futures.values():
                    if not future.done():
                        future.set_exception(error)
            finally:
                # Those that are left when it is stopped; a future that is done stays as it is.
                for future in futures.values():
                    future.cancel()

    def _translate_into(
        self,
        futures: dict[TranslationRequest, asyncio.Future[TranslationResponse]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        for request, response in self.translate_window(list(futures)):
            loop.call_soon_threadsafe(_set, futures[request], response)
            if self._stopped:
                return

    def _response(
        self, ids: Sequence[int], *, cut: bool, prompt_tokens: int, completion_tokens: int
    ) -> TranslationResponse:
        """The translation that the tokens `ids` are; a failure where the model wrote its unknown token, which
        would leave a word out.
        """
        tokenizer = self._tokenizer
        others = {tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.bos_token_id}
        texts, reason, detail = None, "", ""
        if ({tokenizer.unk_token_id} - others - {None}).intersection(ids):
            reason = TranslationReason.UNKNOWN_TOKEN
            detail = tokenizer.decode([one for one in ids if one not in others])[:_SHOWN]
        else:
            texts = (tokenizer.decode(ids, skip_special_tokens=True),)
        return TranslationResponse(
            texts,
            reason,
            detail,
            cut=cut,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )

    def _tokens_for(self, request: TranslationRequest) -> LanguageTokens:
        return tokens_for(self._vocabulary, request.source, request.target)

    @cached_property
    def _tokenizer(self) -> Any:
        return _open_tokenizer(self.tokenizer_folder)

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """All tokens, including those that were added."""
        return frozenset(self._tokenizer.get_vocab()) | frozenset(self._tokenizer.all_special_tokens)


def batches(items: Sequence[tuple[T, int]], tokens: int) -> Iterator[list[T]]:
    """Items with their lengths, the longest first, in batches of at most `tokens` with padding; a longer item
    is a batch of its own.
    """
    batch: list[T] = []
    widest = 0
    for item, length in sorted(items, key=lambda pair: -pair[1]):
        if batch and (len(batch) + 1) * max(widest, length) > tokens:
            yield batch
            batch, widest = [], 0
        batch.append(item)
        widest = max(widest, length)
    if batch:
        yield batch


def longest_translation(length: int) -> int:
    """The most tokens that the translation of a sentence of `length` tokens may have: more is a loop."""
    return 3 * length + 24


def _set(future: asyncio.Future[TranslationResponse], response: TranslationResponse) -> None:
    if not future.done():
        future.set_result(response)


def _open_tokenizer(folder: Path) -> Any:
    """The tokenizer in a folder; none of its code runs, and nothing is downloaded. Raises CrossinError."""
    require("translate", "transformers")
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        return transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        # The libraries below raise errors of many kinds.
        message = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CrossinError(
            f"no tokenizer that can be read ({message})",
            file=folder,
            hint="name the folder of the model that it was converted from with --tokenizer",
        ) from error
