"""Normalised answers, and their words, in any language.

After SQuAD (Rajpurkar et al., 2016, arXiv 1606.05250) and MLQA (Lewis et al., 2020, arXiv 1910.07475),
extended to other scripts.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

from crossin.languages.scripts import SPACELESS

# Articles; German, English and Spanish as in MLQA. Articles that are suffixes (Romanian, the Scandinavian
# languages) stay. MLQA also removes some Vietnamese words (classifiers, "of", "is"), which are not articles.
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
# The Arabic article is a prefix. MLQA removes these two letters anywhere in a word.
_ARABIC_ARTICLE = "ال"
# Optional vowel signs and other marks of Arabic, and the stroke that stretches a word.
_TASHKEEL = re.compile(
    "[\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0640]"
)
_DOTLESS = str.maketrans("Iİ", "ıi")
# Casing İ by the rules of other languages leaves the dot as a mark.
_DOTTED = "i\u0307"

# A run of other characters, or one character of a script without spaces.
_PIECES = re.compile(f"[{SPACELESS}]|[^{SPACELESS}]+")


def normalise(text: str, language: str) -> str:
    """`text` in `language` (BCP-47), normalised for comparison; '' for a blank text.

    NFKC; case is folded (Turkish and Azerbaijani ı and i stay two letters, the Greek ς becomes σ); invisible
    format characters, Arabic vowel signs and tatweel are removed; digits of all scripts become ASCII;
    punctuation (and the signs of ASCII: `$+<=>^`|~`, as in SQuAD and MLQA) becomes a space, and white space
    one space. A space, where SQuAD deletes: 3.5 is not 35; but 1,000 is not 1000 either. Articles are removed
    in ar, de, el, en, es, fr, it and pt. A text that would become empty keeps its punctuation and articles:
    the answers "A" and "+" stay different.
    """
    whole = folded(text, language)
    family = language.split("-")[0]
    bare = "".join(map(_plain, whole)).split()
    articles = articles_of(language)
    words = [word for word in bare if word not in articles] or bare
    if family == "ar":
        words = [word.removeprefix(_ARABIC_ARTICLE) if len(word) >= 4 else word for word in words]
    return " ".join(words) or whole


def articles_of(language: str) -> frozenset[str]:
    """The articles that `normalise` removes in a language, folded; none where they are not words."""
    return _WITHOUT_ARTICLES.get(language.split("-")[0], frozenset())


def folded(text: str, language: str) -> str:
    """`text` as `normalise` has it, with its punctuation, its articles and the digits of its script."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    if language.split("-")[0] in ("tr", "az"):
        text = text.translate(_DOTLESS)
    text = unicodedata.normalize("NFKC", text.casefold()).replace(_DOTTED, "i")
    return " ".join(_TASHKEEL.sub("", text).split())


# References, and replies to several figures, come again and again.
@lru_cache(maxsize=2**15)
def tokens(text: str, language: str) -> tuple[str, ...]:
    """The words of the normalised text; in scripts without spaces between words, its characters.

    Mixed text is split by script: `5G网络` gives `5g`, `网`, `络`. Marks stay with their character.
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
