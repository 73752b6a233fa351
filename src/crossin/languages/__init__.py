"""What the project knows of each language: its code, its own words for asking, and its question templates."""

from crossin.languages.codes import Language, parse_language, script_of
from crossin.languages.words import Words, available, load_words, parse_languages

__all__ = ["Language", "Words", "available", "load_words", "parse_language", "parse_languages", "script_of"]
