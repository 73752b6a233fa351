"""Models that are made to translate: one text in, one text out, in the words of their authors."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossin.core.formats import FIELDS
from crossin.translation.prompts import built_in, is_plain, messages, read_prompt
from crossin.translation.requests import TranslationRequest
from crossin.translation.run import translate
from tests.helpers.errors import refused
from tests.helpers.translated_rows import config_of, counts, kept, mock_server, rejected, rows_of, write_home

ROWS = 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_home(tmp_path_factory.mktemp("home"), ROWS)


def test_every_field_is_a_request_and_its_reply_the_translation(home: Path, tmp_path: Path) -> None:
    with mock_server(home / "table.json") as url:
        translate(config_of(home / "rows.jsonl", url, ["es", "zh"], prompt="tower"), tmp_path / "out")
        # More than one for a row in each language.
        assert counts(url)["texts answered"] > 2 * ROWS
    for language in ("es", "zh"):
        found = kept(tmp_path / "out", language)
        for row in rows_of(ROWS):
            assert [found[row["id"]][field] for field in FIELDS] == row[language]
    assert rejected(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tower", "Translate the following text from English into Spanish.\nEnglish: Hi {x}\nSpanish:"),
        (
            "hunyuan-mt",
            "Translate the following segment into Spanish, without additional explanation.\n\nHi {x}",
        ),
        ("hunyuan-mt-zh", "把下面的文本翻译成西班牙语，不要额外解释。\n\nHi {x}"),
        ("hy-mt-zh", "将以下文本翻译为西班牙语，注意只需要输出翻译后的结果，不要额外解释：\n\nHi {x}"),
        (
            "hy-mt2",
            "Translate the following text into Spanish. Note that you should only output the translated"
            " result without any additional explanation:\n\nHi {x}",
        ),
        ("seed-x", "Translate the following English sentence into Spanish:\nHi {x} <es>"),
        ("tower-plus", "Translate the following English source text to Spanish:\nEnglish: Hi {x}\nSpanish: "),
        ("translategemma", "a professional English (en) to Spanish (es) translator"),
    ],
)
def test_prompts_by_name_are_the_published_ones(name: str, words: str) -> None:
    prompt = read_prompt(Path(name))
    assert is_plain(prompt)
    [turn] = messages(TranslationRequest("en", "es", ("text",), ("Hi {x}",)), prompt)
    assert turn["role"] == "user"
    assert words in turn["content"]
    assert "Hi {x}" in turn["content"]


@pytest.mark.parametrize(("target", "tag"), [("pt-BR", "<pt>"), ("zh-Hant", "<zh>"), ("no", "<no>")])
def test_the_tag_of_seed_x_is_the_language_alone(target: str, tag: str) -> None:
    prompt = read_prompt(Path("seed-x"))
    [turn] = messages(TranslationRequest("en", target, ("text",), ("Hi",)), prompt)
    assert turn["content"].endswith(f"Hi {tag}")


def test_every_prompt_by_name_is_in_the_help() -> None:
    from crossin.translation.config import TranslateConfig

    described = TranslateConfig.model_fields["prompt"].description or ""
    assert [name for name in built_in() if name not in described] == []


def test_a_file_may_be_such_a_prompt(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "prompt.txt"
    file.write_text("{source:code}-{target:code}: {text}")
    [turn] = messages(TranslationRequest("en", "pt-BR", ("text",), ("Hi",)), read_prompt(file))
    assert turn["content"] == "en-pt-BR: Hi"
    with refused("prompts by name are: hunyuan-mt", field="prompt"):
        read_prompt(Path("towerr"))
    config = config_of(home / "rows.jsonl", "http://127.0.0.1:9/v1", ["es"], prompt="tower", native=True)
    with refused("does not answer instructions", field="native"):
        config.translator()
