"""What a row of each kind looks like, in every template and with every tag."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.mixture import compose
from tests.helpers.errors import refused
from tests.helpers.small_corpora import corpus_entry, recipe_of
from tests.mixture.test_mixture import rows_of

FRANCE = {
    "en": ("What is the capital of France?", "", "Paris"),
    "zh": ("法国的首都是哪里？", "", "巴黎"),
    "es": ("¿Cuál es la capital de Francia?", "", "París"),
}
SUM = {
    "en": ("Add the numbers.", "2 and 3", "five"),
    "zh": ("将数字相加。", "2 和 3", "五"),
    "es": ("Suma los números.", "2 y 3", "cinco"),
}
ALPACA = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{}\n\n### Input:\n{}\n\n### Response:\n"
)
ALPACA_BARE = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the "
    "request.\n\n### Instruction:\n{}\n\n### Response:\n"
)


def rendered(
    folder: Path, component: dict[str, Any], row: dict[str, tuple[str, str, str]], **more: Any
) -> tuple[str, str]:
    """The prompt and completion of one row, from a corpus of that row alone."""
    for language, (instruction, given, output) in row.items():
        line = {"id": "q", "instruction": instruction, "input": given, "output": output}
        (folder / f"alpaca_{language}.json").write_text(json.dumps([line]), encoding="utf-8")
    entry = corpus_entry(languages=list(row))
    made = compose(
        recipe_of({"rows": 1, **component}, corpora={"alpaca": entry}, **more), folder, folder / "out"
    )
    (found,) = rows_of(made.folder)
    return found["prompt"], found["completion"]


@pytest.mark.parametrize(
    ("component", "tag", "prompt", "completion"),
    [
        ({"kind": "base"}, "sentence", "Question: What is the capital of France?\nAnswer:", " Paris"),
        ({"kind": "mono", "languages": ["zh"]}, "sentence", "问题：法国的首都是哪里？\n答案：", "巴黎"),
        ({"kind": "x2en", "languages": ["zh"]}, "code", "问题：法国的首都是哪里？\n[en]\n答案：", "Paris"),
        (
            {"kind": "en2x", "languages": ["es"]},
            "none",
            "Question: What is the capital of France?\nAnswer:",
            " París",
        ),
        (
            {"kind": "x2x", "pairs": [["zh", "en"]]},
            "sentence",
            "问题：法国的首都是哪里？\nAnswer in English.\n答案：",
            "Paris",
        ),
        (
            {"kind": "trans", "pairs": [["es", "en"]]},
            "sentence",
            "Question: Translate into English: ¿Cuál es la capital de Francia?\nAnswer:",
            " What is the capital of France?",
        ),
        (
            {"kind": "trans", "pairs": [["es", "en"]], "side": "output"},
            "code",
            "Question: Translate into English: París\nAnswer:",
            " Paris",
        ),
    ],
)
def test_a_row_of_each_kind_in_the_languages_own_words(
    tmp_path: Path, component: dict[str, Any], tag: str, prompt: str, completion: str
) -> None:
    assert rendered(tmp_path, component, FRANCE, tag=tag, template="question") == (prompt, completion)


@pytest.mark.parametrize(
    ("component", "prompt", "completion"),
    [
        (
            {"kind": "en2x"},
            "Question: What is the capital of France?\n日本語で答えてください。\nAnswer:",
            " パリ",
        ),
        (
            {"kind": "trans", "pairs": [["en", "ja"]], "side": "output"},
            "質問：日本語に翻訳してください：Paris\n答え：",
            "パリ",
        ),
    ],
)
def test_a_language_without_questions_about_facts_asks_in_its_own_words(
    tmp_path: Path, component: dict[str, Any], prompt: str, completion: str
) -> None:
    row = {"en": FRANCE["en"], "ja": ("フランスの首都はどこですか？", "", "パリ")}
    assert rendered(tmp_path, component, row, template="question") == (prompt, completion)


@pytest.mark.parametrize(
    ("component", "tag", "row", "prompt", "completion"),
    [
        ({"kind": "base"}, "code", FRANCE, ALPACA_BARE.format("What is the capital of France?"), "Paris"),
        ({"kind": "base"}, "code", SUM, ALPACA.format("Add the numbers.", "2 and 3"), "five"),
        # With the authors' tag the form is always the one with an input.
        ({"kind": "en2x"}, "code", FRANCE, ALPACA.format("What is the capital of France?", "[es]"), "París"),
        ({"kind": "en2x"}, "code", SUM, ALPACA.format("Add the numbers.", "2 and 3\n[es]"), "cinco"),
        ({"kind": "x2en"}, "code", SUM, ALPACA.format("Suma los números.", "2 y 3\n[en]"), "five"),
        # A sentence belongs to the instruction.
        (
            {"kind": "en2x"},
            "sentence",
            FRANCE,
            ALPACA_BARE.format("What is the capital of France?\nResponde en español."),
            "París",
        ),
        (
            {"kind": "en2x"},
            "sentence",
            SUM,
            ALPACA.format("Add the numbers.\nResponde en español.", "2 and 3"),
            "cinco",
        ),
        ({"kind": "mono"}, "sentence", SUM, ALPACA.format("Suma los números.", "2 y 3"), "cinco"),
        (
            {"kind": "trans"},
            "code",
            SUM,
            ALPACA.format("Translate the following sentence into English.", "Suma los números."),
            "Add the numbers.",
        ),
    ],
)
def test_a_row_of_each_kind_in_alpacas_template(
    tmp_path: Path, component: dict[str, Any], tag: str, row: dict[str, Any], prompt: str, completion: str
) -> None:
    if component["kind"] == "trans":
        component = {**component, "pairs": [["es", "en"]]}
    elif component["kind"] != "base":
        component = {**component, "languages": ["es"]}
    assert rendered(tmp_path, component, row, tag=tag, template="alpaca") == (prompt, completion)


@pytest.mark.parametrize(
    ("language", "prompt", "completion"),
    [
        ("es", "La capital de Francia es", " París"),
        # Chinese has no space before the answer.
        ("zh", "法国的首都是：", "巴黎"),
    ],
)
def test_a_plain_row_continues_its_instruction(
    tmp_path: Path, language: str, prompt: str, completion: str
) -> None:
    row = {"en": ("The capital of France is", "", "Paris"), language: (prompt, "", completion.strip())}
    found = rendered(tmp_path, {"kind": "mono", "languages": [language]}, row, tag="none", template="plain")
    assert found == (prompt, completion)


def test_a_text_that_looks_like_a_placeholder_is_put_in_as_it_stands(tmp_path: Path) -> None:
    odd = {
        "en": ("Fill {input} and {instruction}.", "{instruction}", "{text}"),
        "es": ("{text} 1", "", "{text}"),
    }
    prompt, completion = rendered(tmp_path, {"kind": "base"}, odd, template="llama")
    assert prompt == "[INST] Fill {input} and {instruction}.\n\n{instruction} [/INST]"
    assert completion == " {text}"
    translation = {"kind": "trans", "pairs": [["es", "en"]]}
    (tmp_path / "again").mkdir()
    prompt, _ = rendered(tmp_path / "again", translation, odd, template="question")
    assert prompt == "Question: Translate into English: {text} 1\nAnswer:"


def test_a_template_ends_the_answer(tmp_path: Path) -> None:
    prompt, completion = rendered(tmp_path, {"kind": "base"}, SUM, template="gemma")
    assert prompt == "<start_of_turn>user\nAdd the numbers.\n\n2 and 3<end_of_turn>\n<start_of_turn>model\n"
    assert completion == "five<end_of_turn>"


def test_a_template_of_the_users_own_lies_in_the_data_folder_and_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        'with_input: "{instruction}|{input}>"\nwithout_input: "{instruction}>"'
    )
    assert rendered(tmp_path, {"kind": "base"}, SUM, template="own.yaml") == (
        "Add the numbers.|2 and 3>",
        "five",
    )
    assert '"template": "' in (tmp_path / "out" / "manifest.json").read_text()


def test_a_language_without_phrases_can_be_tagged_but_not_asked_in_a_sentence(tmp_path: Path) -> None:
    luxembourgish = {"en": SUM["en"], "lb": ("Addéier d'Zuelen.", "2 an 3", "fënnef")}
    with refused("no phrases in lb Luxembourgish", hint="tag: code"):
        rendered(tmp_path, {"kind": "en2x"}, luxembourgish, tag="sentence")
    assert rendered(tmp_path, {"kind": "en2x"}, luxembourgish, tag="code") == (
        ALPACA.format("Add the numbers.", "2 and 3\n[lb]"),
        "fënnef",
    )
