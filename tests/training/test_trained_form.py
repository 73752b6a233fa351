"""A model that learned a template's form is asked in it: its chat template beside the adapter, and merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_json
from crossin.mixture import compose
from crossin.models.merging import form_note, merge
from crossin.models.talking import open_talk
from crossin.training.run import train
from crossin.training.trained_form import PromptForm, as_chat_template, prompt_form
from tests.helpers.small_corpora import recipe_of, row, write_corpus

ROWS = [{"kind": "base", "rows": 8}]
SMALL = {"method": {"rank": 2, "alpha": 4}, "batches": {"rows": 4}, "max_steps": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"), 20)


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_model)


def mixture_of(data: Path, out: Path, **entries: Any) -> Path:
    return compose(recipe_of(*ROWS, **entries), data, out).folder


def rows_of(mixture: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(mixture / "data").to_pylist()
    return rows


def rendered(tokenizer: Any, *turns: tuple[str, str], asks: bool = True) -> str:
    text: str = tokenizer.apply_chat_template(
        [{"role": role, "content": content} for role, content in turns],
        tokenize=False,
        add_generation_prompt=asks,
    )
    return text


@pytest.mark.parametrize("template", ["alpaca", "cl_boost", "llama", "gemma", "plain"])
def test_the_chat_template_asks_as_the_rows_do(
    data: Path, tokenizer: Any, tmp_path: Path, template: str
) -> None:
    mixture = mixture_of(data, tmp_path / "mixture", template=template)
    form = prompt_form(mixture, tokenizer)
    assert form.name == template
    tokenizer.chat_template = form.chat_template
    without_input = [one for one in rows_of(mixture) if int(one["id"]) % 3]
    assert without_input
    for one in without_input:
        source = row(int(one["id"]), "en")
        asked = ("user", source["instruction"])
        assert rendered(tokenizer, asked) == one["prompt"]
        whole = rendered(tokenizer, asked, ("assistant", source["output"]), asks=False)
        assert whole == one["prompt"] + one["completion"] + tokenizer.eos_token


def test_a_conversation_repeats_the_exchange_below_its_system_text(data: Path, tokenizer: Any) -> None:
    from crossin.mixture.templates import Template

    quoting = Template(with_input='"{instruction}" {input}', without_input='Q: "é{instruction}"\n', end="!")
    tokenizer.chat_template = as_chat_template(quoting, tokenizer)
    end = tokenizer.eos_token
    found = rendered(tokenizer, ("system", "S"), ("user", "a"), ("assistant", "b"), ("user", "c"))
    assert found == f'Q: "éS\n\na"\nb!{end}Q: "éc"\n'


def test_a_beginning_of_sequence_stands_where_training_puts_it(data: Path, tokenizer: Any) -> None:
    from crossin.mixture.templates import load_template

    class Begun:
        bos_token, bos_token_id = "<s>", 5

        def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
            return {"input_ids": ([5] if add_special_tokens else []) + [ord(letter) for letter in text]}

    assert as_chat_template(load_template("alpaca"), Begun()).count("{{ bos_token }}") == 1
    assert "{{ bos_token }}" not in as_chat_template(load_template("alpaca"), tokenizer)


@pytest.mark.parametrize(
    ("entries", "form"),
    [
        ({"format": "messages"}, PromptForm("chat")),
        ({"template": "question"}, PromptForm("question")),
    ],
)
def test_other_forms_have_no_template_of_their_own(
    data: Path, tokenizer: Any, tmp_path: Path, entries: dict[str, str], form: PromptForm
) -> None:
    assert prompt_form(mixture_of(data, tmp_path / "mixture", **entries), tokenizer) == form


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"prompt": "a", "completion": "b"}, ""),
        ({"conversations": [{"from": "human", "value": "a"}]}, "chat"),
    ],
)
def test_rows_from_elsewhere_have_the_form_of_their_columns(
    tokenizer: Any, tmp_path: Path, record: dict[str, Any], name: str
) -> None:
    (tmp_path / "rows.jsonl").write_text(json.dumps(record))
    assert prompt_form(tmp_path / "rows.jsonl", tokenizer) == PromptForm(name)


def test_a_merged_model_and_a_talk_ask_in_the_form_that_was_trained(
    data: Path, tokenizer: Any, tiny_model: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    mixture = mixture_of(data, tmp_path / "mixture", template="alpaca")
    run = train({**SMALL, "model": str(tiny_model), "mixture": str(mixture)}, tmp_path / "run")
    assert run.manifest["counts"]["template"] == "alpaca"
    assert "adapter/chat_template.jinja" in run.manifest["outputs"]
    merged = merge(tiny_model, run.folder, tmp_path / "merged").folder
    asked = [("user", row(1, "en")["instruction"])]
    prompt = "### Instruction:\nalpaca instruction 1 in en\n\n### Response:\n"
    assert rendered(AutoTokenizer.from_pretrained(merged), *asked).endswith(prompt)
    assert "chat_template.jinja" in read_json(merged / "manifest.json")["outputs"]
    assert "'alpaca'" in form_note(run.folder)
    # The tiny model has no chat template of its own.
    open_talk(tiny_model, run.folder, device="cpu", max_tokens=1)(
        [{"role": "user", "content": "Hi"}], lambda _: None
    )


def test_a_base_with_its_template_in_the_settings_gets_the_trained_one(
    data: Path, tokenizer: Any, tiny_model: Path, tmp_path: Path
) -> None:
    import shutil

    from transformers import AutoTokenizer

    base = tmp_path / "base"
    shutil.copytree(tiny_model, base)
    settings = read_json(base / "tokenizer_config.json")
    (base / "tokenizer_config.json").write_text(json.dumps({**settings, "chat_template": "{{ 'other' }}"}))
    mixture = mixture_of(data, tmp_path / "mixture", template="alpaca")
    run = train({**SMALL, "model": str(base), "mixture": str(mixture)}, tmp_path / "run")
    merged = merge(base, run.folder, tmp_path / "merged").folder
    assert "### Response:" in rendered(AutoTokenizer.from_pretrained(merged), ("user", "Hi"))


def test_what_was_trained_on_an_unknown_form_says_so(data: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(
        "".join(json.dumps({"prompt": "a ", "completion": "b"}) + "\n" for _ in "12")
    )
    run = train(
        {**SMALL, "model": str(tiny_model), "mixture": str(tmp_path / "rows.jsonl")}, tmp_path / "run"
    )
    assert "rows of prompt and completion" in form_note(run.folder)
    assert not (run.folder / "adapter" / "chat_template.jinja").exists()
