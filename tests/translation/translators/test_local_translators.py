"""A real model in both local engines: taught in seconds, converted here by CTranslate2's own converter."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.core.formats import FIELDS
from crossin.translation import translate
from crossin.translation.engine import Ask, Engine
from crossin.translation.engines.ctranslate2 import CTranslate2Translator
from crossin.translation.engines.seq2seq import Seq2SeqTranslator
from crossin.translation.shard import Setup
from tests.helpers.tiny_translators import LANGUAGES, SENTENCES, convert, write_model

pytest.importorskip("ctranslate2", reason="the extra `translate` is not installed")
ASKS = [Ask("en", language, ("text",), (text,)) for text in SENTENCES for language in LANGUAGES[1:]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "m2m100")


@pytest.fixture(scope="module")
def converted(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert(model, tmp_path_factory.mktemp("models") / "ct2")


@pytest.fixture(params=["hf", "ctranslate2"])
def engine(request: pytest.FixtureRequest, model: Path, converted: Path) -> Engine:
    return Seq2SeqTranslator(model) if request.param == "hf" else CTranslate2Translator(converted)


def test_it_translates_what_it_was_taught(engine: Engine) -> None:
    engine.check("en", LANGUAGES[1:])
    found = {(ask.texts[0], ask.target): answer.texts for ask, answer in engine.translate(ASKS)}
    for source, targets in SENTENCES.items():
        for language, target in zip(LANGUAGES[1:], targets, strict=True):
            assert found[source, language] == (target,)


def test_small_batches_give_what_large_ones_give(model: Path, converted: Path) -> None:
    for small, large in (
        (Seq2SeqTranslator(model, batch_tokens=10), Seq2SeqTranslator(model)),
        (CTranslate2Translator(converted, batch_tokens=10), CTranslate2Translator(converted)),
    ):
        engines: tuple[Engine, Engine] = (small, large)
        one, other = ({ask: answer.texts for ask, answer in engine.translate(ASKS)} for engine in engines)
        assert one == other


def test_a_loop_is_cut(engine: Engine) -> None:
    ((_, answer),) = engine.translate([Ask("en", "es", ("text",), ("zzz qqq xxx " * 3,))])
    assert answer.texts is not None
    assert answer.completion_tokens <= 3 * answer.prompt_tokens + 25


def test_a_language_that_the_model_lacks_is_told(engine: Engine) -> None:
    with pytest.raises(CrossinError, match="does not have the language vi"):
        engine.check("en", ["es", "vi"])


def test_another_model_has_another_identity(engine: Engine, converted: Path) -> None:
    assert engine.identity != CTranslate2Translator(converted, beam=5).identity


def test_it_goes_to_another_process_without_its_weights(engine: Engine) -> None:
    list(engine.translate(ASKS[:1]))
    assert len(pickle.dumps(engine)) < 2000
    again = pickle.loads(pickle.dumps(engine))
    assert [answer.texts for _, answer in again.translate(ASKS[:1])] == [("El gato duerme.",)]


def test_rows_are_cut_into_sentences_and_put_together_as_they_were(engine: Engine, tmp_path: Path) -> None:
    row = {
        "id": "1",
        "instruction": "It rains today. The cat sleeps.",
        "input": "- The dog eats bread.\n\n  - We drink water.",
        "output": "1. She reads a book.\n2. The sun is hot.",
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    translate(tmp_path / "rows.jsonl", tmp_path / "out", Setup(engine, "en"), ["es", "zh"])
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


def test_a_folder_without_such_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="no model in CTranslate2's form"):
        CTranslate2Translator(tmp_path)
    with pytest.raises(CrossinError, match="no tokenizer"):
        Seq2SeqTranslator(tmp_path).check("en", ["es"])
