"""A real model in both local engines: taught in seconds, converted here by CTranslate2's own converter."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from crossin.core.files import read_parquet
from crossin.core.formats import FIELDS
from crossin.translation.config import TranslateConfig
from crossin.translation.requests import TranslationRequest, TranslationResponse, Translator
from crossin.translation.run import translate
from crossin.translation.translators.ctranslate2 import CTranslate2Translator
from crossin.translation.translators.huggingface import Seq2SeqTranslator
from tests.helpers.errors import refused
from tests.helpers.tiny_translators import LANGUAGES, SENTENCES, convert, write_model

pytest.importorskip("ctranslate2", reason="the extra `translate` is not installed")
REQUESTS = [
    TranslationRequest("en", language, ("text",), (text,)) for text in SENTENCES for language in LANGUAGES[1:]
]


def translated(
    translator: Translator, requests: Sequence[TranslationRequest]
) -> dict[TranslationRequest, TranslationResponse]:
    """The responses to requests that are sent together."""

    async def run() -> list[TranslationResponse]:
        async with translator:
            return await asyncio.gather(*map(translator.translate, requests))

    return dict(zip(requests, asyncio.run(run()), strict=True))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "m2m100")


@pytest.fixture(scope="module")
def converted(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(model, tmp_path_factory.mktemp("models") / "ct2")


@pytest.fixture(params=["hf", "ctranslate2"])
def translator(request: pytest.FixtureRequest, model: Path, converted: Path) -> Translator:
    return Seq2SeqTranslator(model) if request.param == "hf" else CTranslate2Translator(converted)


def test_it_translates_what_it_was_taught(translator: Translator) -> None:
    translator.check("en", LANGUAGES[1:])
    found = translated(translator, REQUESTS)
    texts = {(request.texts[0], request.target): response.texts for request, response in found.items()}
    for source, targets in SENTENCES.items():
        for language, target in zip(LANGUAGES[1:], targets, strict=True):
            assert texts[source, language] == (target,)


def test_small_batches_give_what_large_ones_give(model: Path, converted: Path) -> None:
    for small, large in (
        (Seq2SeqTranslator(model, batch_tokens=10), Seq2SeqTranslator(model)),
        (CTranslate2Translator(converted, batch_tokens=10), CTranslate2Translator(converted)),
    ):
        pair: tuple[Translator, Translator] = (small, large)
        one, other = ([response.texts for response in translated(each, REQUESTS).values()] for each in pair)
        assert one == other


def test_requests_that_wait_are_one_batch(converted: Path) -> None:
    windows = []

    class Counting(CTranslate2Translator):
        def translate_window(
            self, requests: Sequence[TranslationRequest]
        ) -> Iterator[tuple[TranslationRequest, TranslationResponse]]:
            windows.append(len(requests))
            return super().translate_window(requests)

    translated(Counting(converted), REQUESTS)
    assert windows == [len(REQUESTS)]


def test_a_batch_that_fails_is_an_error_of_all_its_requests(converted: Path) -> None:
    class Broken(CTranslate2Translator):
        def translate_window(
            self, requests: Sequence[TranslationRequest]
        ) -> Iterator[tuple[TranslationRequest, TranslationResponse]]:
            raise MemoryError("too large")

    with pytest.raises(MemoryError, match="too large"):
        translated(Broken(converted), REQUESTS[:2])


def test_when_it_is_stopped_no_request_waits_forever(converted: Path) -> None:
    class Stopped(CTranslate2Translator):
        def translate_window(
            self, requests: Sequence[TranslationRequest]
        ) -> Iterator[tuple[TranslationRequest, TranslationResponse]]:
            for request in requests:
                self.stop()
                yield request, TranslationResponse(("done",))

    async def run() -> list[TranslationResponse | BaseException]:
        async with Stopped(converted) as translator:
            found = await asyncio.gather(*map(translator.translate, REQUESTS[:3]), return_exceptions=True)
            return [*found, *await asyncio.gather(translator.translate(REQUESTS[3]), return_exceptions=True)]

    first, *others = asyncio.run(asyncio.wait_for(run(), 60))
    assert isinstance(first, TranslationResponse)
    assert all(isinstance(one, asyncio.CancelledError) for one in others)


def test_a_loop_is_cut(translator: Translator) -> None:
    request = TranslationRequest("en", "es", ("text",), ("zzz qqq xxx " * 3,))
    (response,) = translated(translator, [request]).values()
    assert response.texts is not None
    assert response.completion_tokens <= 3 * response.prompt_tokens + 25


def test_a_language_that_the_model_lacks_is_an_error(translator: Translator) -> None:
    with refused("the language vi", field="to"):
        translator.check("en", ["es", "vi"])


def test_another_model_has_another_identity(translator: Translator, converted: Path) -> None:
    assert translator.identity != CTranslate2Translator(converted, beam=5).identity


def test_it_goes_to_another_process_without_its_weights(translator: Translator) -> None:
    translated(translator, REQUESTS[:1])
    assert len(pickle.dumps(translator)) < 2000
    again = pickle.loads(pickle.dumps(translator))
    assert [response.texts for response in translated(again, REQUESTS[:1]).values()] == [("El gato duerme.",)]


def test_rows_are_split_into_sentences_and_joined_again(translator: Translator, tmp_path: Path) -> None:
    row = {
        "id": "1",
        "instruction": "It rains today. The cat sleeps.",
        "input": "- The dog eats bread.\n\n  - We drink water.",
        "output": "1. She reads a book.\n2. The sun is hot.",
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    config = TranslateConfig(corpus=tmp_path / "rows.jsonl", to=("es", "zh"))
    translate(config, tmp_path / "out", translator=translator)
    for language, texts in (
        (
            "es",
            (
                "Hoy llueve. El gato duerme.",
                "- El perro come pan.\n\n  - Bebemos agua.",
                "1. Ella lee un libro.\n2. El sol está caliente.",
            ),
        ),
        (
            "zh",
            ("今天下雨。猫在睡觉。", "- 狗吃面包。\n\n  - 我们喝水。", "1. 她在读一本书。\n2. 太阳很热。"),
        ),
    ):
        file = tmp_path / "out" / "data" / language / "00000.parquet"
        (found,) = read_parquet(file, list(FIELDS)).to_pylist()
        assert tuple(found[field] for field in FIELDS) == texts


def test_a_folder_without_such_a_model_is_an_error(tmp_path: Path) -> None:
    with refused("CTranslate2's format", file=tmp_path, hint="ct2-transformers-converter"):
        CTranslate2Translator(tmp_path)
    with refused("tokenizer", file=tmp_path, hint="--tokenizer"):
        Seq2SeqTranslator(tmp_path).check("en", ["es"])
