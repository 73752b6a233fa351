"""Where a thought ends and the answer begins, and what only speaks of a tag."""

from __future__ import annotations

import pytest

from crossin.core.thoughts import (
    begins_within_thought,
    cut_without_a_tag,
    empty_thought_at_end,
    holds_thought,
    lines_within,
    opening_at_end,
    without_thoughts,
)

# A reply of each family, up to within its thought, and on to its answer "Oslo".
FAMILIES = {
    "qwen": ("<think>\nIs it Rome?", "</think>\n\nOslo"),
    "thinking": ("<thinking>Is it Rome?", "</thinking> Oslo"),
    "exaone": ("<thought>Is it Rome?", "</thought>\nOslo"),
    "reasoning": ("<reasoning>Is it Rome?", "</reasoning>\n<answer>Oslo</answer>"),
    "upper case": ("<Thought>Is it Rome?", "</Thought>\n<Output>Oslo</Output>"),
    "seed": ("<seed:think>Is it Rome?", "</seed:think>Oslo"),
    "longcat": ("<longcat_think>Is it Rome?", "</longcat_think>Oslo"),
    "kimi": ("◁think▷Is it Rome?", "◁/think▷Oslo"),
    "magistral": ("[THINK]Is it Rome?", "[/THINK]Oslo"),
    "a bar": ("<|thinking|>Is it Rome?", "<|/thinking|>Oslo"),
    "ponder": ("<ponder>Is it Rome?", "</ponder>Oslo"),
    "behind a byte order mark": ("\ufeff<think>Is it Rome?", "</think>\u200bOslo"),
    "behind a mark of direction": ("\u200f<think>Is it Rome?", "</think>Oslo"),
    "at the end of an answer": ("<think>No</think>Rome<think>Is it?", "</think>Oslo"),
    "command": (
        "<|START_THINKING|>Is it Rome?",
        "<|END_THINKING|><|START_RESPONSE|>Oslo<|END_RESPONSE|>",
    ),
    "openthinker": (
        "<|begin_of_thought|>\nIs it Rome?",
        "<|end_of_thought|>\n\n<|begin_of_solution|>\nOslo\n<|end_of_solution|>",
    ),
    "apertus": ("<|inner_prefix|>Is it Rome?", "<|inner_suffix|>Oslo"),
    "gemma": ("<|channel>thought\nIs it Rome?", "<channel|>Oslo<turn|>"),
    "gpt-oss": (
        "<|channel|>analysis<|message|>Is it Rome?<|end|><|start|>assistant",
        "<|channel|>final<|message|>Oslo<|return|>",
    ),
    "gpt-oss without its tokens": ("analysisIs it Rome?", "assistantfinalOslo"),
    "granite": ("Here is my thought process: Is it Rome?", "\n\nHere is my response: Oslo"),
    "wide characters": ("＜think＞Is it Rome?", "＜／think＞Oslo"),
    "escaped": ("&lt;think&gt;Is it Rome?", "&lt;/think&gt;Oslo"),
    "in bold": ("**<think>**Is it Rome?", "**</think>**\nOslo"),
    "behind a role": ("assistant\n<think>Is it Rome?", "</think>Oslo"),
    "behind a token": ("<s><think>Is it Rome?", "</think>Oslo"),
    "behind a sentence": ("Let me see.\n<think>Is it Rome?", "</think>Oslo"),
    "begun twice": ("<think>\n<think>\nIs it Rome?", "</think>\nOslo"),
    "one after the other": ("<think>Is it Rome?</think>\n<think>No", "</think>Oslo"),
    "one within the other": ("<think>Is it <think>Rome?</think> or Paris", "</think> Oslo"),
    "another within": ("<thinking>Is it <reflection>Rome?</reflection> or Paris", "</thinking> Oslo"),
    "one that speaks of tags": ("<think>I write in <think> tags. Rome?", "</think>Oslo"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_thought_that_is_cut_has_no_answer(family: str) -> None:
    assert without_thoughts(FAMILIES[family][0]) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_thought_that_is_whole_leaves_its_answer(family: str) -> None:
    answer = without_thoughts("".join(FAMILIES[family]))
    assert answer is not None
    assert answer.strip().strip("*\u200b").strip() == "Oslo"


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "behind a sentence"])
def test_the_beginning_may_be_in_the_prompt(family: str) -> None:
    answer = without_thoughts("Is it Rome? " + FAMILIES[family][1])
    assert answer is not None
    assert answer.strip().strip("*\u200b").strip() == "Oslo"


@pytest.mark.parametrize(
    "reply",
    [
        "Oslo",
        "",
        "The tag <think> is one of HTML: no.",
        "Oslo. The </think> tag ends a thought.",
        "Models write `<think>` and `</think>` around it.",
        "Use <think>, or <thinking>.",
        "标签<think>是什么",
        "analysis: Oslo",
        "I think so",
        "a < b and c > d",
        "<answer>Oslo</answer>",
    ],
)
def test_what_only_speaks_of_a_tag_is_returned_as_it_is(reply: str) -> None:
    assert without_thoughts(reply) == reply


@pytest.mark.parametrize("reply", ["<think>Rome?</think>", "<think>\n\n</think>\n\n", "Rome?</think>  "])
def test_a_thought_without_an_answer_leaves_nothing_and_is_not_cut(reply: str) -> None:
    answer = without_thoughts(reply)
    assert answer is not None
    assert not answer.strip()


def test_an_answer_before_a_thought_counts_where_none_follows() -> None:
    assert without_thoughts("Oslo\n<think>since it is north</think>") == "Oslo"
    assert without_thoughts("Rome\n<think>or north?</think>\nOslo") == "Oslo"


def test_a_prompt_that_begins_a_thought_is_seen() -> None:
    assert opening_at_end("Where?<|assistant|><think>\n") == "<think>\n"
    assert opening_at_end("Where?<|assistant|>[THINK]") == "[THINK]"
    assert opening_at_end("Where?<think><seed:cot_budget_reflect>") == "<think><seed:cot_budget_reflect>"
    assert opening_at_end("Where is <think>?<|assistant|>") == ""
    assert opening_at_end("Where?<|assistant|><think>\nOkay, ", "Where?") == "<think>\nOkay, "
    assert opening_at_end("Where is <think>?<|assistant|>", "Where is <think>?") == ""
    assert opening_at_end("<think>\nx\n</think>\nWhere?") == ""
    assert opening_at_end("Where?<|assistant|><think>\n\n</think>\n\n") == ""
    assert empty_thought_at_end("Where?<|assistant|><think>\n\n</think>\n\n") == "<think>\n\n</think>\n\n"
    assert empty_thought_at_end("Where?<|assistant|></think>") == "</think>"
    assert empty_thought_at_end("Where?<|assistant|>") == ""


def test_a_reply_that_ends_a_thought_shows_where_it_began() -> None:
    assert begins_within_thought("Rome? No.\n</think>\n\nOslo")
    assert not begins_within_thought("<think>Rome?</think>Oslo")
    assert not begins_within_thought("The </think> tag ends it.")
    assert holds_thought("<think>x")
    assert not holds_thought("the tag <think> is")


def test_replies_without_a_tag_were_cut_where_others_end_a_thought_that_they_did_not_begin() -> None:
    whole, cut = "Rome? No, north.\n</think>\n\nOslo", "Rome? No, it must be"
    assert cut_without_a_tag([whole, cut, whole, cut]) == {1, 3}
    # Too short to have met the limit; and nothing but one stray tag.
    assert cut_without_a_tag([whole, "Oslo", ""]) == set()
    assert cut_without_a_tag([whole, *[cut] * 20]) == set()
    # Here the model begins the thought itself.
    assert cut_without_a_tag([whole, f"<think>{whole}", cut]) == set()
    assert cut_without_a_tag([]) == set()


def test_the_lines_of_a_thought_are_as_they_were_written() -> None:
    assert lines_within("<think>می\u200cخوانم\n\nno</think>") == ["می\u200cخوانم", "no"]
