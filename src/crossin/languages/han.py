"""Which of the two Chinese scripts a text is in, by the characters that only one of them has."""

from __future__ import annotations

from functools import cache

# GB 2312 encodes simplified Chinese, Big5 traditional: what one has and the other lacks is of one script.
_ENCODINGS = {"Hans": "gb2312", "Hant": "big5"}
# One such character may be a variant: in Hong Kong, 温 is written for 溫.
_LEAST = 2


def is_other_chinese(text: str, script: str) -> bool:
    """Whether a text is in the other Chinese script than `script` (`Hans` or `Hant`); False for any other
    script.

    It is where two characters or more exist in the other script alone, and fewer in this one alone.
    """
    if script not in _ENCODINGS:
        return False
    own, other = (_only(name) for name in (script, "Hant" if script == "Hans" else "Hans"))
    theirs = sum(character in other for character in text)
    return theirs >= _LEAST and theirs > sum(character in own for character in text)


@cache
def _only(script: str) -> frozenset[str]:
    """The characters that this script has and the other lacks."""
    characters = map(chr, range(0x4E00, 0xA000))
    return frozenset(
        one for one in characters if all(_has(one, of) == (name == script) for name, of in _ENCODINGS.items())
    )


def _has(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
