from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.evaluation.engine import Request
from crossin.evaluation.hf.tokens import prompt_text, tokenise, tokenise_prompts
from crossin.models.chat import ChatTemplate
from crossin.models.loading import load_tokenizer
from tests.helpers import thinking_templates as templates
from tests.helpers.errors import refused
from tests.helpers.thinking_templates import chat_tokenizer


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer(tiny_model)[0]


def begins_with(tokenizer: Any, token: str) -> Any:
    """The tokenizer, putting `token` before every text, as those of Llama and Gemma do."""
    from tokenizers.processors import TemplateProcessing

    tokenizer.add_special_tokens({"bos_token": token})
    number = tokenizer.convert_tokens_to_ids(token)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{token} $A", special_tokens=[(token, number)]
    )
    return tokenizer


@pytest.mark.parametrize(
    ("prompt", "option"),
    [
        ("Question: What is the capital of France?\nAnswer:", " Paris"),
        ("问题：法国的首都是哪里？\n答案：", "巴黎"),
        ("The capital is Par", "is"),
        ("Ends with a blank: ", " two blanks"),
        ("", "nothing before it"),
    ],
)
def test_scored_are_the_tokens_that_end_behind_the_prompt(tokenizer: Any, prompt: str, option: str) -> None:
    (found,) = tokenise(tokenizer, [Request(prompt, (option,))], longest=None)[0]
    whole = tokenizer(prompt + option)["input_ids"]
    head = len(found.tokens) - len(whole)
    assert list(found.tokens[head:]) == whole
    for place, end in enumerate(len(tokenizer.decode(whole[: count + 1])) for count in range(len(whole))):
        if "\ufffd" not in tokenizer.decode(whole[: place + 1]):
            assert (place + head >= found.start) == (end > len(prompt))


def test_a_token_that_spans_the_border_belongs_to_the_option(tokenizer: Any) -> None:
    assert len(tokenizer(" capital")["input_ids"]) == 1
    (found,) = tokenise(tokenizer, [Request("It is the cap", ("ital city",))], longest=None)[0]
    assert tokenizer.decode(list(found.tokens[found.start :])) == " capital city"


def test_the_first_token_of_all_needs_one_before_it(tokenizer: Any) -> None:
    (found,) = tokenise(tokenizer, [Request("", ("Paris",))], longest=None)[0]
    assert found.tokens[0] == tokenizer.eos_token_id
    assert found.start == 1


def test_a_beginning_of_sequence_comes_exactly_once(tokenizer: Any) -> None:
    tokenizer = begins_with(tokenizer, "<begin>")
    begin = tokenizer.bos_token_id
    for prompt in ("Where?", "<begin>Where?"):
        for found in tokenise(tokenizer, [Request(prompt, (" Here", " There"))], longest=None)[0]:
            assert found.tokens.count(begin) == 1
            assert found.tokens[0] == begin
        ((tokens, _),) = tokenise_prompts(tokenizer, [Request(prompt, max_tokens=4)], longest=None)
        assert tokens.count(begin) == 1


def test_a_conversation_takes_the_models_own_template(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{% for message in messages %}<{{ message.role }}>{{ message.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    request = Request((("user", "Where?"), ("assistant", "Here."), ("user", "And?")), ("There.",))
    assert prompt_text(tokenizer, request, ChatTemplate(tokenizer, {})) == (
        "<user>Where?\n<assistant>Here.\n<user>And?\n<assistant>",
        True,
        "",
    )


@pytest.mark.parametrize("beginning", ["", "<begin>", "<end>"])
def test_the_template_alone_decides_how_a_conversation_begins(tokenizer: Any, beginning: str) -> None:
    tokenizer = begins_with(tokenizer, "<begin>")
    tokenizer.chat_template = beginning + "{% for turn in messages %}[{{ turn.content }}]{% endfor %}"
    request = Request((("user", "Where?"),), ("Here",), max_tokens=4)
    expected = tokenizer.apply_chat_template([{"role": "user", "content": "Where?"}])["input_ids"]
    assert tokenise_prompts(tokenizer, [request], longest=None) == [(tuple(expected), "")]
    (found,) = tokenise(tokenizer, [request], longest=None)[0]
    assert list(found.tokens[: found.start]) == expected


def test_a_conversation_without_a_template_is_an_error(tokenizer: Any) -> None:
    with refused("chat template"):
        tokenise(tokenizer, [Request((("user", "Where?"),), ("Here",))], longest=None)


def test_an_option_without_tokens_names_its_question(tokenizer: Any) -> None:
    with refused("item 'x' in vi", "no tokens"):
        tokenise(tokenizer, [Request("Where?", (" Here", ""), name="item 'x' in vi")], longest=None)


def test_what_the_model_cannot_take_is_an_error_or_is_cut_on_the_left(tokenizer: Any) -> None:
    request = Request("word " * 50 + "end:", (" one", " two three"), name="item 'x' in vi")
    whole = tokenise(tokenizer, [request], longest=None)[0]
    length = max(len(option.tokens) for option in whole) - 1
    assert tokenise(tokenizer, [request], longest=length) == [whole]
    with refused("item 'x' in vi", f"{length} tokens"):
        tokenise(tokenizer, [request], longest=length - 1)
    cut = tokenise(tokenizer, [request], longest=length - 5, truncate=True)[0]
    for before, after in zip(whole, cut, strict=True):
        assert after.tokens == before.tokens[5:]
        assert after.tokens[after.start :] == before.tokens[before.start :]


def test_cutting_keeps_the_beginning_of_sequence(tokenizer: Any) -> None:
    tokenizer = begins_with(tokenizer, "<begin>")
    request = Request("word " * 50, (" one",))
    (cut,) = tokenise(tokenizer, [request], longest=20, truncate=True)[0]
    assert cut.tokens[0] == tokenizer.bos_token_id
    assert len(cut.tokens) - 1 == 20


def test_cutting_keeps_the_beginning_of_sequence_of_a_template(tokenizer: Any) -> None:
    tokenizer = begins_with(tokenizer, "<begin>")
    tokenizer.chat_template = "<begin>{% for turn in messages %}[{{ turn.content }}]{% endfor %}"
    request = Request((("user", "word " * 50),), (" one",), max_tokens=4)
    (cut,) = tokenise(tokenizer, [request], longest=20, truncate=True)[0]
    ((prompt, _),) = tokenise_prompts(tokenizer, [request], longest=20, truncate=True)
    assert cut.tokens[0] == prompt[0] == tokenizer.bos_token_id
    assert len(cut.tokens) - 1 == len(prompt) + 4 == 20


def test_an_option_that_alone_is_too_long_is_an_error_even_so(tokenizer: Any) -> None:
    with refused("tokens long"):
        tokenise(tokenizer, [Request("Where?", (" word" * 50,))], longest=20, truncate=True)


def test_a_prompt_leaves_room_for_its_reply(tokenizer: Any) -> None:
    request = Request("word " * 50, max_tokens=10, name="item 'x' in vi")
    ((tokens, _),) = tokenise_prompts(tokenizer, [request], longest=None)
    assert tokenise_prompts(tokenizer, [request], longest=len(tokens) + 10) == [(tokens, "")]
    with refused("with its reply"):
        tokenise_prompts(tokenizer, [request], longest=len(tokens) + 9)
    assert tokenise_prompts(tokenizer, [request], longest=30, truncate=True) == [(tokens[-20:], "")]


def test_many_texts_come_back_in_their_order(tokenizer: Any) -> None:
    requests = [Request(f"Question {number}", (" a", f" {number}")) for number in range(1000)]
    found = tokenise(tokenizer, requests, longest=None)
    assert len(found) == 1000
    assert all(tokenizer.decode(list(two[1].tokens)) == f"Question {n} {n}" for n, two in enumerate(found))


def test_no_option_is_scored_within_a_thought(tmp_path: Path) -> None:
    asked = Request((("user", "Where?"),), ("Here", "There"), name="item 7")
    for name in ("BEGUN", "ALWAYS_THINKS"):
        always = chat_tokenizer(tmp_path / name, getattr(templates, name))
        with refused("item 7", "thought", hint="--form generate"):
            tokenise(always, [asked], longest=None)
    switched = chat_tokenizer(tmp_path / "switched", templates.SWITCHED)
    with refused("item 7", "thought", hint="--form generate"):
        tokenise(switched, [asked], longest=None, arguments={"enable_thinking": True})
    ((one, _),) = tokenise(switched, [asked], longest=None)
    assert switched.decode(one.tokens[: one.start]).endswith("<|assistant|><think>\n\n</think>\n\n")
    # A plain prompt may speak of thoughts.
    assert tokenise(always, [Request("It ends in <think>", ("Here",))], longest=None)


def test_a_prompt_that_begins_a_thought_says_so(tmp_path: Path) -> None:
    asked = Request((("user", "Where?"),), max_tokens=4)
    always = chat_tokenizer(tmp_path / "always", templates.ALWAYS_THINKS)
    assert tokenise_prompts(always, [asked], longest=None)[0].opening == "<think>\n"
    switched = chat_tokenizer(tmp_path / "switched", templates.SWITCHED)
    assert tokenise_prompts(switched, [asked], longest=None)[0].opening == ""


def test_what_a_template_writes_before_an_answer_is_scored_with_the_option(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ ' ' if m.role == 'assistant' }}{{ m.content }}{% endfor %}"
    spaced = chat_tokenizer(tmp_path / "model", template)
    ((found,),) = tokenise(spaced, [Request((("user", "Where?"),), ("Here",))], longest=None)
    assert spaced.decode(found.tokens[found.start :]) == " Here"


def test_a_conversation_that_the_template_refuses_is_an_error(tmp_path: Path) -> None:
    strict = chat_tokenizer(tmp_path / "model", "{{ raise_exception('say more') }}")
    with refused("item 7", "say more"):
        tokenise(strict, [Request((("user", "Where?"),), ("Here",), name="item 7")], longest=None)
