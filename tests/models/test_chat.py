"""Conversations in chat templates: the same prompt for an answer that is learned, scored or asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.models.chat import ChatTemplate, thinks
from tests.helpers import thinking_templates as templates
from tests.helpers.thinking_templates import chat_tokenizer

ASKED = {"role": "user", "content": "Where?"}
ANSWERED = {"role": "assistant", "content": "Oslo"}
THOUGHT = "<think>\nNorth of it.\n</think>\n\nOslo"
BEFORE = "<|user|>Where?<|end|><|assistant|>"


def template(folder: Path, text: str, **arguments: Any) -> ChatTemplate:
    return ChatTemplate(chat_tokenizer(folder, text), arguments)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (templates.SWITCHED, "<think>\n\n</think>\n\n"),
        (templates.ASKED_ONLY, "<think></think>"),
        (templates.ALWAYS_EMPTY, "<think>\n\n</think>\n\n"),
        (templates.END_OF_THOUGHT, "</think>"),
        (templates.CHANNELS, "<|channel|>final<|message|>"),
        (templates.BY_WORD, "<think></think>"),
        (templates.PLAIN, ""),
    ],
)
def test_an_answer_begins_behind_a_thought_that_is_closed(tmp_path: Path, text: str, end: str) -> None:
    found = template(tmp_path, text)
    prompt, answer, begins, ends = found.conversation([ASKED, ANSWERED])
    assert prompt == BEFORE + end
    assert (answer, begins, ends) == ("Oslo<|end|>", 0, 4)
    # With it as without.
    assert found.prompt([ASKED]) == prompt
    earlier = [ASKED, ANSWERED, ASKED]
    assert found.conversation([*earlier, ANSWERED]).prompt == found.prompt(earlier)


@pytest.mark.parametrize(
    ("text", "end", "learned"),
    [
        (templates.SWITCHED, "", THOUGHT),
        (templates.ASKED_ONLY, "", THOUGHT),
        (templates.ALWAYS_EMPTY, "", THOUGHT),
        (templates.END_OF_THOUGHT, "<think>", THOUGHT.removeprefix("<think>\n")),
        (templates.ALWAYS_THINKS, "<think>\n", THOUGHT.removeprefix("<think>\n")),
        (templates.BY_WORD, "<think>\n", THOUGHT.removeprefix("<think>\n")),
        (templates.PLAIN, "", THOUGHT),
    ],
)
def test_an_answer_keeps_a_thought_of_its_own(tmp_path: Path, text: str, end: str, learned: str) -> None:
    answered = {**ANSWERED, "content": THOUGHT}
    found = template(tmp_path, text).conversation([ASKED, ANSWERED, ASKED, answered])
    assert found.prompt.endswith(BEFORE + end)
    assert found.answer == learned + "<|end|>"
    assert found.answer[: found.ends] == learned


def test_a_thought_may_have_a_field(tmp_path: Path) -> None:
    answered = {**ANSWERED, "reasoning_content": "North of it."}
    found = template(tmp_path / "a", templates.FIELD).conversation([ASKED, answered])
    assert (found.prompt, found.answer) == (BEFORE, THOUGHT + "<|end|>")
    with pytest.raises(ValueError, match="leaves out the thought"):
        template(tmp_path / "b", templates.PLAIN).conversation([ASKED, answered])


def test_a_template_that_always_thinks_cannot_write_an_answer_without_a_thought(tmp_path: Path) -> None:
    found = template(tmp_path, templates.ALWAYS_THINKS)
    assert found.prompt([ASKED]) == BEFORE + "<think>\n"
    with pytest.raises(ValueError, match="this answer has none"):
        found.conversation([ASKED, ANSWERED])


def test_thinking_is_on_where_the_user_wants_it(tmp_path: Path) -> None:
    switched = template(tmp_path / "a", templates.SWITCHED, enable_thinking=True)
    assert switched.prompt([ASKED]) == BEFORE
    assert (
        template(tmp_path / "b", templates.END_OF_THOUGHT, thinking=True).prompt([ASKED]).endswith("<think>")
    )


def test_what_a_template_writes_before_an_answer_is_the_answers(tmp_path: Path) -> None:
    spaced = (
        "{% for m in messages %}"
        "{{ '[INST] ' + m.content + ' [/INST]' if m.role == 'user' else ' ' + m.content }}{% endfor %}"
    )
    found = template(tmp_path, spaced)
    assert (found.prompt([ASKED]), found.before_answers) == ("[INST] Where? [/INST]", " ")
    assert found.conversation([ASKED, ANSWERED]).answer == " Oslo"


@pytest.mark.parametrize("form", ["%d %B %Y", "%Y-%m-%d", "%A, %-d. %b %y, %H:%M"])
def test_every_day_has_one_date(tmp_path: Path, form: str) -> None:
    from datetime import datetime

    text = templates.DATED.replace("%d %B %Y", form)
    # White space at the beginning of a template stays as it is.
    for beginning in ("", "\n", "  {% if true %}\n  {% endif %}\n"):
        found = template(tmp_path, beginning + text).prompt([ASKED])
        written = f"<|system|>{datetime(2024, 7, 26):{form}}<|end|>{BEFORE}"
        assert found.endswith(written)
        assert found.removesuffix(written) == ("\n" if beginning == "\n" else "")


def test_a_date_may_come_from_a_variable_that_the_user_can_set(tmp_path: Path) -> None:
    text = "{{ date_string }}" + templates.PLAIN
    assert template(tmp_path, text).prompt([ASKED]) == "26 Jul 2024" + BEFORE
    assert template(tmp_path, text, date_string="1 May").prompt([ASKED]) == "1 May" + BEFORE


def test_names_that_a_template_does_not_know_are_noted(tmp_path: Path) -> None:
    found = template(
        tmp_path, "{% generation %}{% endgeneration %}" + templates.SWITCHED, enable_thinkin=True
    )
    assert found.unknown_arguments == ["unknown_template_argument:enable_thinkin"]
    assert template(tmp_path, templates.SWITCHED, enable_thinking=True).unknown_arguments == []


@pytest.mark.parametrize(
    ("arguments", "on"),
    [
        ({}, False),
        ({"enable_thinking": True}, True),
        ({"thinking": False}, False),
        ({"reasoning": True}, True),
        ({"skip_reasoning": True}, False),
        ({"reasoning_effort": "high"}, True),
        ({"reasoning_effort": "none"}, False),
        ({"thinking_budget": 0}, False),
        ({"tools_in_user_message": True}, False),
    ],
)
def test_which_arguments_switch_thinking_on(arguments: dict[str, Any], on: bool) -> None:
    assert thinks(arguments) == on
