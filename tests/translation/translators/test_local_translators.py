"""A real model in both local engines: taught in seconds, converted here by CTranslate2's own converter."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from crossin.core.files import read_parquet
from crossin.core.formats import FIELDS
from crossin.translation.config import TranslateConfig
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse, Translator
from crossin.translation.run import translate
from crossin.translation.scheduler import cache_key
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


@pytest.mark.parametrize("engine", ["hf", "ctranslate2"])
def test_a_word_that_the_model_cannot_write_is_not_left_out(
    engine: str, model: Path, converted: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    # A piece of a sentence that the model was taught is its unknown token from now on.
    tokenizer.unk_token = tokenizer.tokenize("El gato duerme.")[1]
    tokenizer.save_pretrained(tmp_path)
    poor: Translator = (
        Seq2SeqTranslator(model, tokenizer=tmp_path)
        if engine == "hf"
        else CTranslate2Translator(converted, tokenizer=tmp_path)
    )
    response = translated(poor, REQUESTS)[TranslationRequest("en", "es", ("text",), ("The cat sleeps.",))]
    assert response.texts is None
    assert response.reason == TranslationReason.UNKNOWN_TOKEN
    assert response.detail.startswith("El")


def test_a_language_that_the_model_lacks_is_an_error(translator: Translator) -> None:
    with refused("the language vi", field="to"):
        translator.check("en", ["es", "vi"])


def test_another_model_has_another_identity(translator: Translator, converted: Path) -> None:
    assert translator.identity != CTranslate2Translator(converted, beam=5).identity


def decisive(folder: Path) -> list[str]:
    """The files of a model's folder."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_whatever_file_of_the_model_or_tokenizer_changes_nothing_is_taken_from_the_cache(
    model: Path, converted: Path, tmp_path: Path
) -> None:
    kinds: tuple[tuple[type[CTranslate2Translator | Seq2SeqTranslator], Path, set[str]], ...] = (
        (CTranslate2Translator, converted, {"model.bin", "config.json", "shared_vocabulary.json"}),
        (Seq2SeqTranslator, model, {"model.safetensors", "config.json", "generation_config.json"}),
    )
    request = REQUESTS[0]
    for made, source, expected in kinds:
        assert {*expected, "tokenizer.json", "tokenizer_config.json"} <= set(decisive(source))
        keys = {cache_key(made(source).identity, request)}
        for number, name in enumerate(decisive(source)):
            changed = shutil.copytree(source, tmp_path / made.__name__ / str(number))
            with (changed / name).open("ab") as file:
                file.write(b"\n")
            keys.add(cache_key(made(changed).identity, request))
        assert len(keys) == 1 + len(decisive(source))


def test_a_tokenizer_from_elsewhere_is_part_of_the_cache_key_but_not_weights_beside_it(
    model: Path, converted: Path, tmp_path: Path
) -> None:
    for made, source in ((CTranslate2Translator, converted), (Seq2SeqTranslator, model)):
        elsewhere = shutil.copytree(model, tmp_path / made.__name__)
        identities = [made(source).identity, made(source, tokenizer=elsewhere).identity]
        (elsewhere / "model.safetensors").write_bytes(b"other weights")
        assert made(source, tokenizer=elsewhere).identity == identities[1]
        for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
            with (elsewhere / name).open("a", encoding="utf-8") as file:
                file.write("\n")
            identities.append(made(source, tokenizer=elsewhere).identity)
        assert [one for number, one in enumerate(identities) if one in identities[:number]] == []


def test_the_tokenizer_that_is_named_is_the_one_that_is_used(model: Path, converted: Path) -> None:
    for made, source in ((CTranslate2Translator, converted), (Seq2SeqTranslator, model)):
        with refused("tokenizer", file=converted.parent):
            made(source, tokenizer=converted.parent).check("en", ["es"])


def test_what_the_device_computes_in_is_part_of_the_cache_key(
    model: Path, converted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ctranslate2

    from crossin.models import loading

    before = [CTranslate2Translator(converted).identity, Seq2SeqTranslator(model).identity]
    assert [CTranslate2Translator(converted, device="cpu").identity, before[1]] == before
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _kind: {"float32"})
    monkeypatch.setattr(loading, "resolve", lambda _device, _dtype: ("cuda:1", "bfloat16"))
    after = [CTranslate2Translator(converted).identity, Seq2SeqTranslator(model).identity]
    assert before[0] != after[0] and before[1] != after[1]


@pytest.mark.parametrize("device", ["cuda:99", "cuda:x", "abacus"])
def test_a_device_that_is_not_there_is_an_error(translator: Translator, device: str) -> None:
    assert isinstance(translator, CTranslate2Translator | Seq2SeqTranslator)
    translator.device = device
    with refused(device):
        translator.check("en", ["es"])


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
