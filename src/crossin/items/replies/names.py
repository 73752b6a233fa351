"""Finding names of entities in a text: whole words in any script, the longest first."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from crossin.items.replies.texts import any_of, visible
from crossin.languages.normalisation import articles_of, folded
from crossin.languages.scripts import SPACELESS

# A run of katakana is a word; any other character of a script without spaces stands for itself.
_KATAKANA = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
_WORD = re.compile(f"[{_KATAKANA}]+|[{SPACELESS}]|[^{SPACELESS} |~、]+")
SINGLE = re.compile(f"[{SPACELESS}]")
_HIRAGANA = re.compile("[\u3041-\u309f]")
# What joins two words, and what parts a word from its article or ending, within a word: "l'Inde", "Paris'te".
_HYPHENS = frozenset("-‐‑‒–·・゠־")
_APOSTROPHES = frozenset("'’ʼ`´׳")
# Words that may stand directly beside a name where no space is written, besides Japanese endings.
_BEFORE = re.compile(
    f"(?:{any_of('is', 'and_or', 'answer', 'not')}|(?:使用|信仰|信奉|[在于於即叫到由说說讲講及向自从從的]))$"
)
_AFTER = re.compile(f"{any_of('is', 'and_or', 'not')}|[及是为為也]|公司")
_REACH = 30
# Letters that are written for each other: in Arabic, in other languages of its script, and the Cyrillic ё.
_ALIKE = str.maketrans("أإآٱیکةۀё", "اااايكههе")
_ACCENTED = re.compile("([a-zα-ω])[\u0300-\u036f]+")
# Prefixes, written together with a word, and Korean endings.
_PREFIXES = {"ar": "وفبكل", "he": "ושבלכמה"}
_ENDINGS = re.compile(
    "(?:입니다|이다|이며|이고|이에요|예요|이었다|였다|은|는|이|가|을|를|의|에|에서|로|으로|와|과|도)$"
)
# Letters of a word without its prefix or article.
_SHORTEST = 3
# What tells two of one name apart, and is not said where there is only one: "Lincoln (England)".
_QUALIFIER = re.compile(r"(?<=\w)\s*(?:\(.*\)|（.*）|[,،、，].*)$")
# Entities of an inventory from which words that most of them share are looked for.
_MANY = 5


class Word(NamedTuple):
    """A word of a text, with its place, and the forms it may have in a name: without what is attached."""

    text: str
    start: int
    end: int
    forms: tuple[str, ...]


class Passage(NamedTuple):
    """A text by its words. In `plain`, `|` stands for punctuation except `、`, `~` for what joins words."""

    plain: str
    words: tuple[Word, ...]


class Found(NamedTuple):
    """A name in a text: the places of its first word and of the one after its last, and its entity; None
    where several have this name. `anded`: "and" is attached to it, as a prefix or an ending.
    """

    start: int
    end: int
    entity: str | None
    anded: bool = False


class _Marks(dict[int, str]):
    """A table for `str.translate` that keeps letters, marks and digits, and classes all others."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            kept = str(digit)
        elif character in _HYPHENS:
            kept = "~"
        elif character in _APOSTROPHES or character.isspace():
            kept = " "
        else:
            kept = character if unicodedata.category(character)[0] in "LMN" or character == "、" else "|"
        self[code] = kept
        return kept


_MARKS = _Marks()


@lru_cache(maxsize=2**15)
def words_of(text: str, language: str, bare: bool = False) -> Passage:
    """The words of a text, as names are looked for in it. bare: Latin and Greek letters without accents."""
    family = language.partition("-")[0]
    text = folded(visible(text), language)
    if bare and not text.isascii():
        text = unicodedata.normalize("NFC", _ACCENTED.sub(r"\1", unicodedata.normalize("NFD", text)))
    plain = text.translate(_ALIKE).translate(_MARKS)
    return Passage(
        plain,
        tuple(
            Word(found[0], found.start(), found.end(), tuple(_forms(found[0], family)))
            for found in _WORD.finditer(plain)
        ),
    )


def _forms(word: str, family: str) -> Iterator[str]:
    """The word, and what it is without what may be attached to it."""
    if family == "ar":
        yield (bare := _without_article(word))
        if bare != word:
            return
    else:
        yield word
    if family in _PREFIXES:
        prefixes = _PREFIXES[family]
        for length in (1, 2):
            rest = word[length:]
            if word[length - 1 : length] not in prefixes or len(rest) < _SHORTEST:
                return
            yield _without_article(rest) if family == "ar" else rest
            # "لل" is "ل" and the article.
            if family == "ar" and word.startswith("لل"):
                yield word[2:]
                return
    elif family == "ko":
        for start in range(1, len(word)):
            if (start > 1 or len(word) > 2) and _ENDINGS.match(word, start):
                yield word[:start]


def _without_article(word: str) -> str:
    return word[2:] if word.startswith("ال") and len(word) >= _SHORTEST + 2 else word


Key = tuple[str, ...]


class NameIndex:
    """The names of entities, by their first word."""

    def __init__(self, names: Mapping[str, Iterable[str]], language: str, bare: bool = False) -> None:
        """names: each entity's names in the language. bare: without accents, as in `words_of`."""
        exact: dict[Key, set[str]] = defaultdict(set)
        shorter: dict[Key, set[str]] = defaultdict(set)
        # As written: the article parts Yunnan from Greece in Arabic.
        self._spelled: dict[Key, set[str]] = defaultdict(set)
        for entity, called in names.items():
            for name in called:
                self._spelled[_texts(words_of(name, language, bare).words)].add(entity)
                if key := _key(name, language, bare):
                    exact[key].add(entity)
                    short = _key(_QUALIFIER.sub("", name), language, bare)
                    for one in (short, key[1:] if key[0] in articles_of(language) else ()):
                        if one:
                            shorter[one].add(entity)
        # Names of several entities.
        self.ambiguous = [key for key, entities in self._spelled.items() if len(entities) > 1]
        # Words that names may lack.
        self.shared = _shared_words(exact)
        for key, entities in exact.items():
            for short in _without_shared(key, self.shared):
                shorter[short] |= entities
        shorter = {key: entities for key, entities in shorter.items() if key not in exact}
        self._by_first: dict[str, list[tuple[Key, str | None]]] = defaultdict(list)
        for key, entities in [*exact.items(), *shorter.items()]:
            self._by_first[key[0]].append((key, next(iter(entities)) if len(entities) == 1 else None))

    def find(self, text: Passage) -> list[Found]:
        """The names in a text, in order; those that overlap a longer one are not found."""
        found: list[Found] = []
        for place, word in enumerate(text.words):
            for form in word.forms:
                for key, entity in self._by_first.get(form, ()):
                    end = place + len(key)
                    if _is_at(key, text.words, place) and _is_apart(text, place, end):
                        if entity is None:
                            spelled = self._spelled.get(_texts(text.words[place:end]), ())
                            entity = next(iter(spelled)) if len(spelled) == 1 else None
                        anded = _anded(word.text, form) or _anded(text.words[end - 1].text, key[-1])
                        found.append(Found(place, end, entity, anded))
        if len(found) < 2:
            return [one for one in found if not _hyphened(text, one, found)]
        chosen: list[Found] = []
        for one in sorted(found, key=lambda one: (one.start - one.end, one.start)):
            if all(one.end <= other.start or other.end <= one.start for other in chosen):
                chosen.append(one)
        return sorted(one for one in chosen if not _hyphened(text, one, chosen))


def _texts(words: Iterable[Word]) -> Key:
    return tuple(word.text for word in words)


def _key(name: str, language: str, bare: bool) -> Key:
    return tuple(word.forms[0] for word in words_of(name, language, bare).words)


def _shared_words(names: Mapping[Key, set[str]]) -> set[str]:
    """Words that begin or end the names of more than half of the entities, such as "language"."""
    counts: Counter[str] = Counter()
    everybody: set[str] = set()
    having: dict[str, set[str]] = defaultdict(set)
    for key, entities in names.items():
        everybody |= entities
        for word in {key[0], key[-1]} if len(key) > 1 else ():
            if not SINGLE.match(word):
                having[word] |= entities
    counts.update({word: len(entities) for word, entities in having.items()})
    return {word for word, count in counts.items() if count >= _MANY and 2 * count > len(everybody)}


def _without_shared(key: Key, shared: set[str]) -> Iterator[Key]:
    if len(key) > 1 and key[0] in shared:
        yield key[1:]
    if len(key) > 1 and key[-1] in shared:
        yield key[:-1]


def _is_at(key: Key, words: tuple[Word, ...], place: int) -> bool:
    return place + len(key) <= len(words) and all(
        part in words[place + number].forms for number, part in enumerate(key)
    )


def _anded(word: str, form: str) -> bool:
    """Whether what a word has besides this form is "and"."""
    return word != form and (word[0] in "وו" or word[-1] in "와과")


def _is_apart(text: Passage, start: int, end: int) -> bool:
    """Whether a name is a word by itself, where no space says so."""
    return _parted(text, start, before=True) and _parted(text, end, before=False)


def _parted(text: Passage, place: int, *, before: bool) -> bool:
    """Whether a word ends before the word at this place of a text."""
    if not 0 < place < len(text.words):
        return True
    left, right = text.words[place - 1], text.words[place]
    if left.end < right.start:
        return True
    # Another script: "5G网络".
    if not (SINGLE.match(left.text) and SINGLE.match(right.text)):
        return True
    beside, inside = (left, right) if before else (right, left)
    if _HIRAGANA.match(beside.text) and not _HIRAGANA.match(inside.text):
        return True
    around = text.plain[max(0, left.end - _REACH) : left.end] if before else text.plain[right.start :]
    return (_BEFORE.search(around) if before else _AFTER.match(around)) is not None


def _hyphened(text: Passage, one: Found, others: Iterable[Found]) -> bool:
    """Whether a hyphen joins a name to a word that is not part of another name."""
    for inside, beside in ((one.start, one.start - 1), (one.end - 1, one.end)):
        if 0 <= beside < len(text.words):
            first, last = sorted((inside, beside))
            between = text.plain[text.words[first].end : text.words[last].start]
            if between == "~" and not any(other.start <= beside < other.end for other in others):
                return True
    return False
