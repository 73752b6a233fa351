"""Answers in a form in which only their words count, in any language; and those words.

After SQuAD (Rajpurkar et al., 2016, arXiv 1606.05250) and MLQA (Lewis et al., 2020, arXiv 1910.07475), made
safe for scripts that they do not treat.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

from crossin.languages.scripts import SPACELESS

# Words that only mark a noun as definite or not; German, English and Spanish as in MLQA. Articles that are
# suffixes (Romanian, the Scandinavian languages) cannot be told from the word. MLQA also leaves out some
# Vietnamese words (classifiers, "of", "is"): these are no articles, and stay.
_ARTICLES = {
    "de": "ein eine einen einem eines einer der die das den dem des",
    "el": "ο η το οι τα τον τη την του τησ των τουσ τισ ένασ μια ένα",
    "en": "a an the",
    "es": "un una unos unas el la los las",
    "fr": "un une le la les l",
    "it": "un uno una il lo la i gli le l",
    "pt": "um uma uns umas o a os as",
}
_WITHOUT_ARTICLES = {language: frozenset(words.split()) for language, words in _ARTICLES.items()}
# The Arabic article begins its word. MLQA cuts these two letters wherever they stand, also within a word.
_ARABIC_ARTICLE = "ال"
# Vowel signs and other marks that Arabic is written with or without, and the stroke that stretches a word.
_TASHKEEL = re.compile(
    "[\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0640]"
)
_DOTLESS = str.maketrans("Iİ", "ıi")
# Where a capital with a dot is cased by the rules of other languages, the dot is left over as a mark.
_DOTTED = "i\u0307"

# A run of other characters, or one character of a script without spaces.
_PIECES = re.compile(f"[{SPACELESS}]|[^{SPACELESS}]+")


def normalise(text: str, language: str) -> str:
    """`text` in `language` (BCP-47) without what does not make an answer another one; '' for a blank text.

    Compatible forms become one (NFKC), case is folded (Turkish and Azerbaijani ı and i stay two letters, the
    Greek ς becomes σ), invisible format characters, Arabic vowel signs and tatweel go, digits of all scripts
    become ASCII, punctuation (and the signs of ASCII: `$+<=>^`|~`, as in SQuAD and MLQA) becomes a space,
    white space one space. A space, where SQuAD deletes: 3.5 is not 35; but 1,000 is not 1000 either. Articles
    go in ar, de, el, en, es, fr, it and pt. A text that would lose everything keeps what it has: the answers
    "A" and "+" stay different from others.
    """
    text = unicodedata.normalize("NFKC", text)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    family = language.split("-")[0]
    if family in ("tr", "az"):
        text = text.translate(_DOTLESS)
    folded = unicodedata.normalize("NFKC", text.casefold()).replace(_DOTTED, "i")
    whole = " ".join(_TASHKEEL.sub("", folded).split())
    bare = "".join(map(_plain, whole)).split()
    articles = _WITHOUT_ARTICLES.get(family, frozenset())
    words = [word for word in bare if word not in articles] or bare
    if family == "ar":
        words = [word.removeprefix(_ARABIC_ARTICLE) if len(word) >= 4 else word for word in words]
    return " ".join(words) or whole


def tokens(text: str, language: str) -> tuple[str, ...]:
    """The words of the normalised text; in scripts that put no space between words, its characters.

    Mixed text is cut run by run: `5G网络` gives `5g`, `网`, `络`. Marks stay with their character.
    """
    found: list[str] = []
    for word in normalise(text, language).split():
        for place, piece in enumerate(_PIECES.findall(word)):
            if place and unicodedata.category(piece[0])[0] == "M":
                found[-1] += piece
            else:
                found.append(piece)
    return tuple(found)


@lru_cache(maxsize=2**16)
def _plain(character: str) -> str:
    if unicodedata.category(character)[0] == "P" or character in string.punctuation:
        return " "
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
