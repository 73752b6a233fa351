"""Lists and objects that a column holds as text: JSON, or a Python literal; never evaluated as code."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
import warnings
from functools import lru_cache
from typing import Any

# Characters of a text that is read as a list or an object: far more than a question's options have.
_LONGEST = 100_000
_OPENING, _CLOSING = "[({", "])}"
_SIDE_BY_SIDE = re.compile(r"""['"]\s*[a-zA-Z]{0,2}['"]""")


@lru_cache(maxsize=256)
def structured(text: str) -> list[Any] | dict[str, Any]:
    """The list or object that a text holds. Raises ValueError, with what is wrong, where it holds none."""
    text = text.strip()
    if not text or text[0] not in _OPENING or text[-1] not in _CLOSING:
        raise ValueError("the text is not a list")
    if len(text) > _LONGEST:
        raise ValueError(f"the list is longer than {_LONGEST:,} characters")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = _literal(text)
    if isinstance(found, tuple):
        found = list(found)
    if not isinstance(found, list | dict):
        raise ValueError("the text is not a list")
    return found


def opened(value: Any) -> Any:
    """The list or object that a value holds as text; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return structured(value)
    except ValueError:
        return value


def entry(holder: Any, part: str) -> Any:
    """The value at a key of an object, or at a place of a list. Raises KeyError where there is none."""
    if isinstance(holder, dict):
        return holder[part]
    if isinstance(holder, list) and part.isdecimal() and int(part) < len(holder):
        return holder[int(part)]
    raise KeyError(part)


def _literal(text: str) -> Any:
    if _SIDE_BY_SIDE.search(text) and _without_commas(text):
        # Python would join them: ['a' 'b'] is ['ab'].
        raise ValueError("there are no commas between the list's texts, as numpy prints them")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("the list is neither JSON nor a Python literal") from None


def _without_commas(text: str) -> bool:
    """Whether two texts stand side by side in a literal."""
    before = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING and before == tokenize.STRING:
                return True
            if token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT):
                before = token.type
    except (tokenize.TokenError, SyntaxError):
        return False
    return False
