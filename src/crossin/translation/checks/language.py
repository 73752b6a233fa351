"""Whether a text is in the expected language: first by its script, then by lingua."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from crossin.alignment.characters import SCRIPT_NAMES, tables
from crossin.core.extras import require
from crossin.languages.codes import script_of

if TYPE_CHECKING:
    from lingua import LanguageDetector

# The names of ISO 15924 scripts in the table of characters.
_SCRIPTS = {
    "Latn": "Latin",
    "Hans": "Han",
    "Hant": "Han",
    "Jpan": "Han Kana",
    "Kore": "Hangul Han",
    "Cyrl": "Cyrillic",
    "Arab": "Arabic",
    "Aran": "Arabic",
    "Deva": "Devanagari",
    "Thai": "Thai",
    "Grek": "Greek",
    "Hebr": "Hebrew",
    "Beng": "Bengali",
    "Taml": "Tamil",
    "Telu": "Telugu",
    "Knda": "Kannada",
    "Mlym": "Malayalam",
    "Gujr": "Gujarati",
    "Guru": "Gurmukhi",
    "Orya": "Odia",
    "Sinh": "Sinhala",
    "Mymr": "Myanmar",
    "Khmr": "Khmer",
    "Laoo": "Lao",
    "Tibt": "Tibetan",
    "Geor": "Georgian",
    "Armn": "Armenian",
    "Ethi": "Ethiopic",
}
# Languages that models confuse, by the script that they share.
_LIKELY = {
    "Latn": "en es fr de pt it nl vi id tr pl ro sv tl",
    "Cyrl": "ru uk bg sr",
    "Arab": "ar fa ur",
    "Deva": "hi mr",
}
# Codes of lingua that differ from CLDR's.
_LINGUA = {"fil": "tl", "no": "nb"}
# Letters that a text needs to be judged by its script, by lingua where that is sure, and by lingua at all.
_FEW, _SURE, _SOME = 6, 14, 30
_HEAD = 400
# Letters of one alphabet: `和Python` is two words.
_WORD = re.compile(r"[A-Za-zÀ-ɏ'’]+|[^\W\dA-Za-zÀ-ɏ]+")
# A short text is in another language where that is so many times likelier than for a long one.
_MUCH = 5.0


def likelihood(text: str, beside: str, language: str, other: str) -> float:
    """How well a text fits `language`, 0..1; below 0.1 it is in another language, and 1 if it is too short.

    For a script of its own: the share of its letters in that script. For a shared script: how likely lingua
    finds the language, compared with the likeliest one. Words of the source, `beside`, do not count, since
    names do not change; `other` is its language.
    """
    known = {word.casefold() for word in _WORD.findall(beside)}
    words = [word for word in _WORD.findall(text[: 4 * _HEAD]) if word.casefold() not in known]
    own = " ".join(words)[:_HEAD]
    counts = _script_counts(own)
    letters = int(counts.sum())
    names = _SCRIPTS.get(script_of(language), "").split()
    if letters < _FEW or not names:
        return 1.0
    share = float(counts[[SCRIPT_NAMES.index(name) for name in names]].sum()) / letters
    if share < 0.5:
        # Half of the letters in another script is much, but a short text may be all names.
        return share / 5 if letters >= _SOME else share
    kana = int(counts[SCRIPT_NAMES.index("Kana")])
    if language == "ja":
        return 1.0 if kana or letters < _SOME else 0.05
    if names == ["Latin"] or script_of(language) in _LIKELY:
        if letters < _SURE:
            return 1.0
        found = _by_lingua(own, language, other)
        return found if letters >= _SOME else min(1.0, _MUCH * found)
    return share


def require_for(language: str) -> None:
    """Raise CrossinError where a language cannot be recognised without a package that is missing."""
    if script_of(language) in _LIKELY:
        require("text", "lingua")


def _script_counts(text: str) -> npt.NDArray[np.int64]:
    script = tables().script
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), np.int32)
    scripts = script[np.minimum(codes, len(script) - 1)]
    return np.bincount(scripts[scripts >= 0], minlength=len(SCRIPT_NAMES))


def _by_lingua(text: str, language: str, other: str) -> float:
    detector = _detector(language, other)
    if detector is None:
        return 1.0
    values = detector.compute_language_confidence_values(text)
    code = _code(language)
    found = {value.language.iso_code_639_1.name.lower(): value.value for value in values}
    best = max(found.values())
    return float(found.get(code, 0.0) / best) if best else 1.0


@lru_cache(maxsize=64)
def _detector(language: str, other: str) -> LanguageDetector | None:
    """None where lingua does not know the language."""
    from lingua import Language, LanguageDetectorBuilder

    codes = {language.iso_code_639_1.name.lower(): language for language in Language.all()}
    if _code(language) not in codes:
        return None
    wanted = {_code(language), _code(other), "en", *_LIKELY[script_of(language)].split()}
    chosen = [codes[code] for code in sorted(wanted) if code in codes]
    return LanguageDetectorBuilder.from_languages(*chosen).build()


def _code(language: str) -> str:
    code = language.split("-")[0]
    return _LINGUA.get(code, code)
