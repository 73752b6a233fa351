"""Characters that no translation has: control characters, and what models write for an unknown word."""

from __future__ import annotations

import re
import unicodedata

from crossin.translation.reasons import TranslationReason

# Tokens of models, the mark of SentencePiece, and its token of a byte of a character that it does not know.
_UNKNOWN = re.compile(r"<unk>|\[UNK\]|<\|unk\|>|⁇|<0x[\dA-F]{2}>", re.IGNORECASE)
# What is left of `\\nabla`, `\\neq` and the like, where JSON read the backslash and the n as a line break.
_CUT_COMMAND = re.compile(r"\n(?:abla|atural|eq|earrow|ewline|exists|leq|geq|otin|warrow)\b")


def character_fault(source: str, target: str) -> tuple[str, str] | None:
    """Why the characters of a translation cannot be right, and a detail; None where they can.

    A model that writes LaTeX into JSON without escaping it leaves control characters: `"\\theta"` is a tab
    and "heta".
    """
    known = set(source)
    for character in dict.fromkeys(target.replace("\r\n", "\n")):
        control = unicodedata.category(character) in ("Cc", "Co", "Cs") and character != "\n"
        if (control or character == "\ufffd") and character not in known:
            return TranslationReason.CONTROL_CHARACTER, f"U+{ord(character):04X}"
    if (found := _CUT_COMMAND.search(target)) and target.count("\n") > source.count("\n"):
        return TranslationReason.CONTROL_CHARACTER, f"line break and '{found[0][1:]}'"
    unknown = _UNKNOWN.findall(target)
    if len(unknown) > len(_UNKNOWN.findall(source)):
        return TranslationReason.UNKNOWN_TOKEN, unknown[0]
    return None
