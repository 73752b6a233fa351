"""Which of a server's tokens are the option's, decided by the characters that the tokens spell.

Servers tell character offsets in ways that cannot be relied on: vLLM adds up the lengths of tokens decoded
one by one, which counts a character of several tokens several times, SGLang tells none. So the tokens are
laid along the text that was asked, from its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def first_scored(tokens: Sequence[str], text: str, border: int) -> int | None:
    """The number of the first token that ends after the character `border` of `text`, which `tokens` end
    with; None where they do not, or where it cannot be told.

    What stands before the text, such as the beginning of the sequence or a template, is not looked at. A
    token that is part of a character may be spelt as the replacement character, as `bytes:\\xe5` (OpenAI),
    or as nothing before the token that completes the character (vLLM, where a token that completes one and
    begins the next looks as if it did not begin it); one that begins with a blank may be spelt without it
    (SentencePiece).
    """
    data = text.encode()
    edge = len(text[:border].encode())
    # Each way to lay the tokens so far: the byte where they begin, and the first scored one where known.
    ways: set[tuple[int, int | None]] = {(len(data), None)}
    for number in reversed(range(len(tokens))):
        ways = {
            (begin, number if start is None and begin <= edge else start)
            for end, start in ways
            for begin in _begins(data, end, tokens[number])
        }
        found = {start for _, start in ways}
        if not ways or (len(found) == 1 and None not in found):
            break
    starts = {start for _, start in ways if start is not None}
    if len(starts) != 1:
        return None
    first = starts.pop()
    # Tokens of nothing belong to the character that the next token completes.
    whole = any(begin == edge for begin, _ in ways)
    while whole and not text[border].isascii() and first > 0 and not tokens[first - 1]:
        first -= 1
    return first


def _begins(data: bytes, end: int, token: str) -> Iterator[int]:
    """Where a token that ends at the byte `end` may begin; -1 is before the text."""
    if _UNREADABLE in token:
        for size in range(1, min(end, 4 * len(token)) + 1):
            if data[end - size : end].decode("utf-8", "replace") == token:
                yield end - size
        return
    if token.startswith("bytes:"):
        escaped = re.sub(r"\\x([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), token[6:])
        spelt = escaped.encode("latin-1", "replace")
    else:
        spelt = token.encode()
    if data.endswith(spelt, 0, end):
        yield end - len(spelt)
    if data.endswith(b" " + spelt, 0, end):
        yield end - len(spelt) - 1
    if 0 < end < len(spelt) and spelt.endswith(data[:end]):
        yield -1
