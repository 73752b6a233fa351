"""What the words around a name make of it: a part of something longer or of a list, denied, or repeated from
the question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from functools import cache
from itertools import takewhile

from crossin.items.replies.names import SINGLE, Found, Passage, words_of
from crossin.items.replies.texts import Kind, data
from crossin.languages.scripts import SPACELESS

# Letters beside a name that make a copied passage of it, more than "of the"; each of these counts twice.
_COPIED = 4
_DENSE = re.compile(f"[{SPACELESS}\uac00-\ud7a3]")
# A word of so many letters is more than "in" or "the".
_LONG = 4
# Words that a company's name may have or lack.
_COMPANY = frozenset(("company", "corp", "corporation", "incorporated", "limited"))
_NUMBER = re.compile(r"(?<!\w)(\d+)\s?[|~]")
# A mark of lists in Chinese; in Japanese, also what follows an adverb or a date.
_NEXT = re.compile("、 ?(?![ぁ-ん])[^\\W\\d_]")
_PREVIOUS = re.compile("[^\\W\\d_ぁ-ん年月日]、 ?$")
_BREAK = re.compile("[|、]")
# More words that deny a name than those that deny a label.
_DENYING = {
    "en": "nor never unlike wasn't aren't weren't don't doesn't didn't won't",
    **dict.fromkeys(("ca", "es", "fr", "gl"), "ni"),
    "it": "né",
    "pl": "ani",
    "pt": "nem",
    "ru": "ни нет",
    "uk": "ні",
}
_ARABIC_AND = re.compile(r"\s*وال\w")


def in_longer_name(text: Passage, found: Sequence[Found], number: int, plain: Set[str]) -> bool:
    """Whether a long word stands directly beside the name `found[number]`, in a clause without any short one,
    which is no sentence: "Guinea Ecuatorial", "computer science". `plain` words, and other names, do not
    make it longer. In scripts without spaces, a name is found only where it stands apart.
    """
    name = found[number]
    named = {place for one in found for place in range(one.start, one.end)}
    clause = [place for place in range(len(text.words)) if _in_clause(text, place, name)]
    others = [place for place in clause if place not in named]
    long = [
        place
        for place in others
        if _is_long(text.words[place].text) and not plain & {*text.words[place].forms}
    ]
    return len(long) == len(others) and any(place in (name.start - 1, name.end) for place in long)


def repeats(text: Passage, name: Found, question: Passage) -> bool:
    """Whether a name is part of a longer passage that is in the question, too."""
    words, asked = [word.text for word in text.words], [word.text for word in question.words]
    length = name.end - name.start
    for place in range(len(asked) - length + 1):
        if asked[place : place + length] == words[name.start : name.end]:
            before = _alike(reversed(words[: name.start]), reversed(asked[:place]))
            after = _alike(words[name.end :], asked[place + length :])
            weights = (2 if _DENSE.match(one) else 1 for word in before + after for one in word)
            if sum(weights) >= _COPIED:
                return True
    return False


def denied(text: Passage, found: Sequence[Found], number: int, language: str) -> bool:
    """Whether a word such as "not" belongs to the name `found[number]`: in its clause, between the names
    beside it, and not directly before the next one.
    """
    pattern = pattern_of("not", language)
    if pattern is None:
        return False
    before, after = _around(text, found, number)
    last = number + 1 == len(found)
    return pattern.search(before) is not None or any(
        last or match.end() < len(after.rstrip()) for match in pattern.finditer(after)
    )


def in_list(text: Passage, found: Sequence[Found], language: str) -> bool:
    """Whether the names stand in a list with something else: "1. English 2. Igbo", "English and Igbo"."""
    marks = list(_NUMBER.finditer(text.plain))
    if [mark[1] for mark in marks[:2]] == ["1", "2"]:
        ends = [*(mark.start() for mark in marks[1:]), len(text.plain)]
        for mark, end in zip(marks, ends, strict=True):
            if any(map(str.isalpha, text.plain[mark.end() : end])) and not any(
                mark.end() <= text.words[one.start].start < end for one in found
            ):
                return True
    pattern = pattern_of("and_or", language)
    for number, name in enumerate(found):
        before, after = _around(text, found, number)
        start, end = text.words[name.start].start, text.words[name.end - 1].end
        if _NEXT.match(text.plain, end) or _PREVIOUS.search(text.plain[:start]):
            return True
        # "And" is an ending in Korean, and a prefix elsewhere.
        if name.anded and any(
            map(str.isalpha, after if text.words[name.end - 1].text[-1] in "와과" else before)
        ):
            return True
        if pattern is None:
            continue
        *_, last = [None, *pattern.finditer(before)]
        if last is not None and not before[last.end() :].strip() and before[: last.start()].strip():
            return True
        if pattern.match(after.lstrip()) or (language.startswith("ar") and _ARABIC_AND.match(after)):
            return True
    return False


def _alike(words: Iterable[str], others: Iterable[str]) -> list[str]:
    """The words with which both begin."""
    return [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, others, strict=False))]


def _is_long(word: str) -> bool:
    return len(word) >= _LONG and not word[0].isdigit() and not SINGLE.match(word)


def _in_clause(text: Passage, place: int, name: Found) -> bool:
    """Whether no punctuation stands between a name and the word at this place."""
    word, first, last = text.words[place], text.words[name.start], text.words[name.end - 1]
    between = (text.plain[word.end : first.start], text.plain[last.end : word.start])
    return not any(map(_BREAK.search, between))


def _around(text: Passage, found: Sequence[Found], number: int) -> tuple[str, str]:
    """The text before and after a name, in its clause and up to the names beside it."""
    name = found[number]
    begin = text.words[found[number - 1].end - 1].end if number else 0
    end = text.words[found[number + 1].start].start if number + 1 < len(found) else len(text.plain)
    before = _BREAK.split(text.plain[begin : text.words[name.start].start])[-1]
    return before, _BREAK.split(text.plain[text.words[name.end - 1].end : end])[0]


@cache
def pattern_of(kind: Kind, language: str) -> re.Pattern[str] | None:
    """A pattern of a language's words of this kind in `Passage.plain`; None where it has none."""
    family = language.partition("-")[0]
    listed: list[str] = data("words.yaml")[kind].get(family, [])
    if kind == "not":
        listed = [*listed, *_DENYING.get(family, "").split()]
    words = sorted((words_of(word, language).plain.strip() for word in listed), key=len, reverse=True)
    parts = [
        re.escape(word) if _DENSE.match(word) else rf"(?<!\w){re.escape(word)}(?!\w)"
        for word in words
        if word
    ]
    return re.compile("|".join(parts)) if parts else None


@cache
def plain_words(language: str) -> frozenset[str]:
    """A language's words around answers, and those for companies, as they are in `Word.forms`."""
    kinds: tuple[Kind, ...] = ("answer", "option", "not", "correct", "is", "and_or")
    family = language.partition("-")[0]
    return _COMPANY | frozenset(
        form
        for kind in kinds
        for listed in data("words.yaml")[kind].get(family, [])
        for word in words_of(listed, language).words
        for form in word.forms
    )
