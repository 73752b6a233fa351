"""Languages: their codes, scripts and templates, and which one a text is in."""

from crossin.languages.codes import Language, parse_language, script_of
from crossin.languages.words import (
    LanguagePhrases,
    Words,
    available,
    load_phrases,
    load_words,
    parse_languages,
)

__all__ = [
    "Language",
    "LanguagePhrases",
    "Words",
    "available",
    "load_phrases",
    "load_words",
    "parse_language",
    "parse_languages",
    "script_of",
]
