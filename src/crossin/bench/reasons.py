"""Codes of why an item is left out of a benchmark, and of what looks wrong with its texts."""

from __future__ import annotations

from dataclasses import dataclass

from crossin.core.reasons import Reason


class NotBuilt(Reason):
    """Why an item is not built, besides the faults in `crossin.items.item.ItemFault`."""

    SEVERAL_ANSWERS = "several_answers", "more than one right answer"
    FEW_DISTRACTORS = "few_distractors", "too few distractors"


class ContentSign(Reason):
    """What looks wrong with an item's texts, besides the reasons of the alignment check."""

    SAME_TEXT = "same_text", "the same text in two languages"
    OPTIONS_SWAPPED = "options_swapped", "options changed places between languages"
    BROKEN_CHARACTERS = "broken_characters", "broken characters"
    WRONG_SCRIPT = "wrong_script", "hardly a letter of the language's script"
    OPTION_IN_OPTION = "option_in_option", "an option within another one"


@dataclass(frozen=True)
class Finding:
    """A reason (a code with details) found for an item in a language; `note` is the text it was found in.

    A structural finding makes figures wrong; another one is a sign, for a reader of the language to look at.
    """

    reason: str
    language: str
    item: str
    structural: bool
    note: str = ""
