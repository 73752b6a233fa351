"""Rows that make sense in their own language only: they are about its words, letters and rules.

Translated as plain text they teach nonsense: a grammar exercise whose input is right already, a rhyme that
does not rhyme.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossin.core.formats import FIELDS
from crossin.translation.corrections import is_correction
from crossin.translation.instruction_rules import LanguageSpecific, asked_for, head_of, is_other_task
from crossin.translation.protection import PLACEHOLDER, protect
from crossin.translation.turns import exchanges_of


def language_specific_reason(texts: Mapping[str, str], language: str) -> LanguageSpecific | None:
    """Why a row, its texts by field, is specific to its language; None where it is not, or where that is not
    known: the rules read instructions in English (`reads_instructions`).

    In every language a row is `code_only` that holds no letter outside of protected spans.
    """
    prose = [PLACEHOLDER.sub("", protect(texts[field]).text) for field in FIELDS]
    if not any(map(str.isalpha, "".join(prose))):
        return LanguageSpecific.CODE_ONLY
    if not reads_instructions(language):
        return None
    head = head_of(texts["instruction"])
    if is_other_task(head, texts["input"]):
        return None
    if (reason := asked_for(head)) is not None:
        return reason
    return LanguageSpecific.CORRECTION if is_correction(head, *prose) else None


def reason_of(texts: Mapping[str, str], language: str) -> LanguageSpecific | None:
    """As `language_specific_reason`, of a row that may be a conversation: one exchange is enough, but code
    alone must be in all.
    """
    found = [language_specific_reason(one, language) for one in exchanges_of(texts)]
    if all(reason is LanguageSpecific.CODE_ONLY for reason in found):
        return LanguageSpecific.CODE_ONLY
    return next((one for one in found if one not in (None, LanguageSpecific.CODE_ONLY)), None)


def reads_instructions(language: str) -> bool:
    """Whether there are rules for instructions in this language."""
    return language.split("-")[0] == "en"


def unread_note(language: str) -> str:
    """What to tell those whose rows the rules cannot read; '' where they can."""
    if reads_instructions(language):
        return ""
    return (
        f"rows that are specific to their language (grammar, spelling, rhyme) are not looked for in "
        f"'{language}': the rules read English. Such rows are translated like all others"
    )
