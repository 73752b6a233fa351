"""Which language a name is about: tasks, data sets and files of one benchmark differ in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from crossin.core.errors import CrossinError
from crossin.languages import parse_language

# Stands for the language in what the names of one benchmark have in common.
MARK = "{language}"
# Before the first word of a name, and after the last.
_WITHIN = re.compile(r"^[\W_]+|[\W_]+$")
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 3  # words: por_latn_braz
_SHORT = 3  # letters, of a code
# Codes that are words in the names of tasks more often than languages.
_WORDS = {"am", "an", "as", "be", "he", "in", "is", "my", "no", "or", "so", "to"}
# A code with a script, or with a country in capitals; other words after a code are the name's own.
_WITH_SCRIPT = re.compile(
    r"[a-z]{2,3}[-_][a-z]{4}([-_][a-z]{4})?|[a-z]{2,3}[-_](?-i:[A-Z]{2})", re.IGNORECASE
)


class NameParts(NamedTuple):
    """A name without its language, which `MARK` stands for, and the language's code."""

    family: str
    language: str

    @property
    def benchmark(self) -> str:
        """The name of the benchmark: the family, without the place of the language."""
        before, _, after = self.family.partition(MARK)
        if not before or not after:
            return _WITHIN.sub("", before + after) or self.family
        return before + after[1:] if before[-1] == after[0] else before + after


class _Candidate(NamedTuple):
    """What may be the language in a name; `doubtful` where the name alone does not tell."""

    parts: NameParts
    doubtful: bool

    @property
    def family(self) -> str:
        return self.parts.family

    @property
    def language(self) -> str:
        return self.parts.language


def languages_in(names: Iterable[str]) -> dict[str, NameParts]:
    """For each name that has a language in it, the language and the rest.

    A name may have several words that could be one: of `capitals_in_es`, `in` was a code of Indonesian. The
    names decide among them: taken out is what leaves most of them alike. Where they do not tell, it is the
    language with a script (`spa_Latn`), else its name, else a code of two letters, else of three; of several,
    the last. A word such as `in`, and a code of three letters that no other stands for (`mmlu_pro`), need
    other names that differ in it.
    """
    found = {name: _candidates(name) for name in names}
    codes: dict[str, set[str]] = {}
    for candidates in found.values():
        for one in candidates:
            codes.setdefault(one.family, set()).add(one.language)
    chosen = {}
    for name, candidates in found.items():
        sure = [one for one in candidates if len(codes[one.family]) > 1 or not one.doubtful]
        if sure:
            # `max` takes the first of equals, and the candidates are in the order of preference.
            chosen[name] = max(sure, key=lambda one: len(codes[one.family])).parts
    return chosen


@cache
def language_of(text: str) -> str | None:
    """The code of the language that a text names and nothing else; None for another text."""
    try:
        return parse_language(text)
    except CrossinError:
        return None


def _candidates(name: str) -> list[_Candidate]:
    """What may be the language in a name, the likeliest first."""
    words = list(_WORD.finditer(name))
    taken: list[range] = []
    found: list[tuple[int, int, _Candidate]] = []
    for length in range(_LONGEST, 0, -1):
        for first in range(len(words) - length + 1):
            span = range(first, first + length)
            begin, end = words[first].start(), words[span[-1]].end()
            text = name[begin:end]
            if any(set(span) <= set(other) for other in taken):
                continue
            if length == 1 and not text.isalpha():
                continue
            code = language_of(text) if length == 1 or _WITH_SCRIPT.fullmatch(text) else None
            if code is not None:
                taken.append(span)
                parts = NameParts(name[:begin] + MARK + name[end:], code)
                doubtful = text.lower() in _WORDS or len(text) == len(code) == _SHORT
                found.append((_rank(text, length), -begin, _Candidate(parts, doubtful)))
    return [one for _, _, one in sorted(found)]


def _rank(text: str, length: int) -> int:
    """How likely a text that could be a language is meant as one: 0 is the likeliest."""
    if length > 1:
        return 0
    return 1 if len(text) > _SHORT else len(text)
