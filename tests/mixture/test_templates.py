"""What stands around a row's instruction and input, and where the words come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.mixture.templates import Template, built_in, chat_template, load_template
from tests.helpers import thinking_templates as templates
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import chat_tokenizer

CHATML = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_2 = (
    "{% for m in messages %}{% if m.role == 'user' %}"
    "{{ bos_token + '[INST] ' + m.content | trim + ' [/INST]' }}"
    "{% else %}{{ ' ' + m.content | trim + ' ' + eos_token }}{% endif %}{% endfor %}"
)
GEMMA = (
    "{{ bos_token }}{% for m in messages %}"
    "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
THINKING = (
    "{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
DATED = "Today: {{ date_string }}{% for m in messages %}|{{ m.content }}{% endfor %}"


def turn(template: Template, instruction: str, given: str, output: str, mark: str = "") -> str:
    """One row in a template, with `mark` between prompt and completion."""
    before, *after = template.parts(bool(given))
    values = [instruction, given] if given else [instruction]
    prompt = before + "".join(value + part for value, part in zip(values, after, strict=True))
    return prompt + mark + template.separator + output + template.end


def tokenizer(folder: Path, template: str | None, eos: str = "<end>") -> str:
    """A tokenizer of a few tokens with this chat template; returns its folder."""
    from tokenizers import Tokenizer, models, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.train_from_iterator(["a b c"], trainers.BpeTrainer(special_tokens=["<s>", eos], show_progress=False))
    fast = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token=eos)
    fast.chat_template = template
    fast.save_pretrained(folder)
    return str(folder)


def user_template(folder: Path, text: str) -> Path:
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_papers_templates_exist() -> None:
    assert built_in() == ["alpaca", "cl_boost", "gemma", "llama"]


def test_alpacas_prompt_is_stanfords() -> None:
    assert load_template("alpaca").parts(True) == (
        "Below is an instruction that describes a task, paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n### Instruction:\n",
        "\n\n### Input:\n",
        "\n\n### Response:\n",
    )
    assert load_template("alpaca").parts(False) == (
        "Below is an instruction that describes a task. Write a response that appropriately completes the "
        "request.\n\n### Instruction:\n",
        "\n\n### Response:\n",
    )


def test_llama_and_gemma_write_one_turn_and_leave_the_sequences_ends_to_the_trainer() -> None:
    llama, gemma = load_template("llama"), load_template("gemma")
    assert turn(llama, "Say it.", "Hi", "Hello") == "[INST] Say it.\n\nHi [/INST] Hello"
    assert turn(gemma, "Say it.", "", "Hello") == (
        "<start_of_turn>user\nSay it.<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>"
    )


def test_cl_boost_differs_from_alpaca_by_what_it_says_of_languages() -> None:
    for has_input in (True, False):
        boost, alpaca = load_template("cl_boost").parts(has_input), load_template("alpaca").parts(has_input)
        assert boost[1:] == alpaca[1:]
        assert "languag" in boost[0]
        assert "languag" not in alpaca[0]


def test_a_users_own_file_is_read_from_the_folder_and_its_other_braces_are_text(tmp_path: Path) -> None:
    user_template(tmp_path, 'with_input: "{{x}} {instruction}|{input}"\nwithout_input: "{instruction} {}"\n')
    template = load_template("mine.yaml", tmp_path)
    assert template.parts(True) == ("{{x}} ", "|", "")
    assert template.parts(False) == ("", " {}")
    assert load_template(str(tmp_path / "mine.yaml")) == template


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('with_input: "{instruction}"\nwithout_input: "{instruction}"', "with_input"),
        ('with_input: "{input}{instruction}"\nwithout_input: "{instruction}"', "with_input"),
        ('with_input: "{instruction}{input}{input}"\nwithout_input: "{instruction}"', "with_input"),
        ('with_input: "{instruction}{input}"\nwithout_input: "{instruction}{input}"', "without_input"),
        ('with_input: "{instruction}{input}"\nwithout_input: ""', "without_input"),
        ('with_input: "{instruction}{input}"', "without_input"),
        ('with_input: "{instruction}{input}"\nwithout_input: "{instruction}"\nstop: x', "stop"),
        ('with_input: "{instruction}{input}"\nwithout_input: "{instruction}"\nend: 3', "end"),
    ],
)
def test_a_faulty_template_is_refused_by_file_and_field(tmp_path: Path, text: str, field: str) -> None:
    with refused(file="mine.yaml", field=field):
        load_template("mine.yaml", user_template(tmp_path, text))


def test_a_file_that_holds_no_template_or_does_not_exist_is_refused(tmp_path: Path) -> None:
    with refused("mapping", file="mine.yaml"):
        load_template("mine.yaml", user_template(tmp_path, "- a list"))
    with refused("cannot be read", file="none.yaml"):
        load_template("none.yaml", tmp_path)


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with refused("'alpacca'", "alpaca, cl_boost", hint="'alpaca'"):
        load_template("alpacca")


@pytest.mark.parametrize(
    ("jinja", "eos", "whole"),
    [
        pytest.param(
            CHATML,
            "<|im_end|>",
            "<|im_start|>user\nQ\n\nI<|im_end|>\n<|im_start|>assistant\n>A<",
            id="chatml",
        ),
        pytest.param(LLAMA_2, "</s>", "[INST] Q\n\nI [/INST]> A <", id="llama 2"),
        pytest.param(
            GEMMA,
            "<eos>",
            "<start_of_turn>user\nQ\n\nI<end_of_turn>\n<start_of_turn>model\n>A<end_of_turn>\n<",
            id="gemma",
        ),
        pytest.param(
            THINKING, "<|e|>", "<|user|>Q\n\nI<|e|><|assistant|><think>\n\n</think>\n\n>A<", id="thinking"
        ),
    ],
)
def test_a_chat_template_gives_one_turn_without_the_tokens_that_the_trainer_adds(
    tmp_path: Path, jinja: str, eos: str, whole: str
) -> None:
    template = load_template("chat", tokenizer=tokenizer(tmp_path, jinja, eos))
    assert turn(template, "Q", "I", "A", mark=">") + "<" == whole


def test_prompt_completion_and_the_trainers_tokens_are_the_conversation_that_the_tokenizer_writes(
    tmp_path: Path,
) -> None:
    from transformers import AutoTokenizer

    for number, (jinja, eos) in enumerate([(CHATML, "<|im_end|>"), (LLAMA_2, "</s>")]):
        folder = tokenizer(tmp_path / str(number), jinja, eos)
        turns = [{"role": "user", "content": "Sum up."}, {"role": "assistant", "content": "Done."}]
        written = AutoTokenizer.from_pretrained(folder).apply_chat_template(turns, tokenize=False)
        template = chat_template(folder)
        assert f"<s>{turn(template, 'Sum up.', '', 'Done.')}{eos}" == written.rstrip("\n")


def test_a_template_that_writes_the_date_gives_the_same_text_every_day(tmp_path: Path) -> None:
    folder = tokenizer(tmp_path, DATED)
    prompt, _, _ = turn(chat_template(folder), "Q", "", "A", mark="\0").partition("\0")
    assert prompt == "Today: 26 Jul 2024|Q"


@pytest.mark.parametrize(
    ("jinja", "words"),
    [
        (None, "no chat template"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "each turn's words"),
        ("{{ raise_exception('no users here') }}", "no users here"),
        ("{input} {% for m in messages %}{{ m.content }}{% endfor %}", "{instruction}"),
        (
            "{% for m in messages %}{{ m.content }}.{% endfor %}{% if add_generation_prompt %}Go{% endif %}",
            "generation prompt",
        ),
    ],
)
def test_a_chat_template_that_cannot_be_used_is_refused(
    tmp_path: Path, jinja: str | None, words: str
) -> None:
    with refused(words, field="tokenizer"):
        chat_template(tokenizer(tmp_path, jinja))


def test_a_tokenizer_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with refused("cannot be loaded"):
        chat_template(str(tmp_path / "none"))
    with refused(field="tokenizer"):
        load_template("chat")


def test_code_that_comes_with_a_tokenizer_is_never_run(tmp_path: Path) -> None:
    folder = Path(tokenizer(tmp_path, CHATML))
    ran = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n", encoding="utf-8")
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    config |= {"auto_map": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}, "tokenizer_class": "Evil"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    try:
        chat_template(str(folder))
    except CrossinError as error:
        assert "cannot be loaded" in str(error)
    assert not ran.exists()


def test_a_template_knows_its_pieces_without_a_file() -> None:
    plain = Template(with_input="{instruction}\n\n{input}", without_input="{instruction}")
    assert plain.parts(True) == ("", "\n\n", "")
    assert plain.parts(False) == ("", "")


@pytest.mark.parametrize(
    "name", ["SWITCHED", "ASKED_ONLY", "ALWAYS_EMPTY", "END_OF_THOUGHT", "CHANNELS", "DATED"]
)
def test_a_composed_prompt_a_trained_one_and_a_scored_one_are_the_same(tmp_path: Path, name: str) -> None:
    from crossin.evaluation.engine import Request
    from crossin.evaluation.hf.tokens import tokenise
    from crossin.training.config import Batches
    from crossin.training.rows import read_rows

    tokenizer = chat_tokenizer(tmp_path / "model", getattr(templates, name))
    composed, _, _ = turn(chat_template(str(tmp_path / "model")), "Q", "", "A", mark="\0").partition("\0")
    messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    (tmp_path / "rows.jsonl").write_text(json.dumps({"messages": messages}), encoding="utf-8")
    (row,), _ = read_rows(tmp_path / "rows.jsonl", tokenizer, Batches())
    ((scored,),) = tokenise(tokenizer, [Request((("user", "Q"),), ("A",))], longest=None)
    assert list(row.prompt) == list(scored.tokens[: scored.start])
    assert tokenizer.decode(row.prompt) == composed
    assert tokenizer.decode(scored.tokens[scored.start :]) == "A"


def test_a_template_gets_the_recipes_arguments_and_its_date_is_in_the_manifest(
    facts_folder: Path, tmp_path: Path
) -> None:
    from crossin.experiments.demo import RECIPE
    from crossin.mixture import compose, read_recipe

    chat_tokenizer(tmp_path / "model", "{{ tone }}" + templates.DATED)
    entries = read_recipe(RECIPE).model_dump(exclude_unset=True)
    entries |= {"template": "chat", "tokenizer": str(tmp_path / "model"), "languages": ["en", "es"]}
    made = compose(
        entries, facts_folder, tmp_path / "out", chat_template_kwargs={"tone": "Calm.", "tome": "Loud."}
    )
    assert made.manifest["settings"]["chat_template_kwargs"] == {"tone": "Calm.", "tome": "Loud."}
    assert made.manifest["counts"]["chat_date"] == "2024-07-26"
    assert any("(tome)" in note for note in made.manifest["counts"]["notes"])
    (file,) = (tmp_path / "out" / "data").iterdir()
    prompts = read_parquet(file, ["prompt"])["prompt"].to_pylist()
    assert all(prompt.startswith("Calm.<|system|>26 July 2024<|end|>") for prompt in prompts)


def test_arguments_of_a_chat_template_need_one() -> None:
    from crossin.mixture import read_recipe

    entries = {
        "name": "r",
        "components": [{"kind": "base", "rows": 1}],
        "chat_template_kwargs": {"tone": "x"},
    }
    with refused("template: chat"):
        read_recipe(entries)
    with refused("add_generation_prompt", field="chat_template_kwargs"):
        read_recipe(entries | {"chat_template_kwargs": {"add_generation_prompt": True}})
