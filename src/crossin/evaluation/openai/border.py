"""Which of a server's tokens are the option's, decided by the characters that the tokens spell.

The servers' character offsets are not reliable: vLLM adds up the lengths of tokens decoded one by one, which
counts a character of several tokens several times; SGLang gives none. So the tokens are aligned with the text
of the request, from its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def first_scored(tokens: Sequence[str], text: str, border: int) -> int | None:
    """The number of the first token that ends after the character `border` of `text`, which `tokens` end
    with; None where they do not, or where it is ambiguous.

    Tokens before the text, such as a beginning of sequence or a template, are ignored. A token that is part
    of a character may be spelt as the replacement character, as `bytes:\\xe5` (OpenAI), as its bytes in
    Latin-1 (SGLang), or as nothing before the token that completes the character and spells what both hold
    (vLLM: "" and then " √"); one that begins with a blank may be spelt without it (SentencePiece).
    """
    data = text.encode()
    edge = len(text[:border].encode())
    # Each alignment of the tokens so far: the byte where they begin, and the first scored one where known.
    ways: set[tuple[int, int | None]] = {(len(data), None)}
    following, known = "", False
    for number in reversed(range(len(tokens))):
        token = tokens[number]
        aligned: set[tuple[int, int | None]] = set()
        for end, start in ways:
            part = not token and _begins_unfinished(data, end, following)
            if part:
                # It is scored with the token that completes it; where that holds the border, it is ambiguous.
                aligned.add((end, number if start == number + 1 else start))
                if end != edge:
                    aligned.add((end, start))
            if end > 0 or not part:
                aligned |= {
                    (begin, number if start is None and begin <= edge else start)
                    for begin in _begins(data, end, token)
                }
        if not aligned and known and not token and following.isascii():
            # Part of no character of the option's, such as the prompt's last one where vLLM lost it.
            break
        ways, following = aligned, token or following
        found = {start for _, start in ways}
        known = len(found) == 1 and None not in found
        # A token of nothing before it may be the option's too; what comes before that shows whether it is.
        if not ways or (known and token and (number == 0 or tokens[number - 1])):
            break
    starts = {start for _, start in ways if start is not None}
    return starts.pop() if len(starts) == 1 else None


def _begins_unfinished(data: bytes, end: int, following: str) -> bool:
    """Whether a token spelt as nothing, before `following` at the byte `end`, may be part of a character."""
    return not following.isascii() and (end < 0 or data.startswith(following.encode(), end))


def _begins(data: bytes, end: int, token: str) -> Iterator[int]:
    """Where a token that ends at the byte `end` may begin; -1 is before the text."""
    if end <= 0:
        # Anything may precede the text, but no part of a character.
        if _UNREADABLE not in token and not token.startswith("bytes:"):
            yield end
        return
    if _UNREADABLE in token:
        for size in range(1, min(end, 4 * len(token)) + 1):
            if data[end - size : end].decode("utf-8", "replace") == token:
                yield end - size
        return
    if token.startswith("bytes:"):
        escaped = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), token[6:])
        spellings = {escaped.encode("latin-1", "replace")}
    else:
        spellings = {token.encode()}
        if not token.isascii() and max(token) <= "\xff":
            spellings.add(token.encode("latin-1"))
    for spelt in spellings:
        if spelt and data.endswith(spelt, 0, end):
            yield end - len(spelt)
        if data.endswith(b" " + spelt, 0, end):
            yield end - len(spelt) - 1
        if end < len(spelt) and spelt.endswith(data[:end]):
            yield -1
