"""One spelling for each language: whatever a user, a file or a benchmark calls it becomes one BCP-47 code."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown

if TYPE_CHECKING:
    import langcodes

# Valid by BCP 47, but not one language: undetermined, several, uncoded, none, "artificial".
_NO_LANGUAGE = {"und", "mul", "mis", "zxx", "art"}
# The word for "language" that speakers put before its name, and CLDR leaves out.
_WORDS_FOR_LANGUAGE = ("bahasa ", "wikang ", "limba ", "lingua ", "langue ", "język ", "ภาษา", "भाषा ")


def parse_language(name: str) -> str:
    """The BCP-47 code, as CLDR spells it, of a language in any usual spelling.

    Accepted are codes in any case and with any separator (`EN`, `zh_CN`), ISO 639-3 with a script as in
    FLORES and NLLB (`vie_Latn`), mBART's codes (`en_XX`), English names (`Chinese`, `Portuguese (Brazil)`)
    and own names (`中文`, `Tiếng Việt`). The default script and country are left out (`zh-Hans`, `en-US`,
    `sr-Cyrl` are `zh`, `en`, `sr`); others stay (`zh-Hant`, `en-GB`, `sr-Latn`). `pt-BR` stays too, as usual
    in contrast to `pt-PT`. The main members of macrolanguages take their code (`cmn` is `zh`, `zsm` is `ms`,
    `tgl` is `fil`).

    Raises CrossinError for anything else, with similar names.
    Source: langcodes, that is CLDR's aliases, names and likely subtags (UTS 35, "Likely Subtags").
    """
    if not isinstance(name, str):
        raise CrossinError(f"{shown(name)} is not a language", hint="write a code or name in quotes: 'no'")
    tag = _parse(name.strip())
    if tag is None:
        near = f"; did you mean {', '.join(names)}?" if (names := _near(name)) else ""
        hint = "write a BCP-47 code (zh, pt-BR), a FLORES code (vie_Latn) or the English name"
        raise CrossinError(f"unknown language '{name}'{near}", hint=hint)
    return tag


def _validated(name: str) -> str:
    """`parse_language` for a settings model, which adds file and field to a ValueError."""
    try:
        return parse_language(name)
    except CrossinError as error:
        raise ValueError(f"{error.message}; {error.hint}") from error


# The type of a setting that takes a language in any spelling and holds its code.
Language = Annotated[str, BeforeValidator(_validated)]


@cache
def script_of(code: str) -> str:
    """The usual script of a language by its ISO 15924 code (`Latn`, `Hans`); '' where CLDR has none (UTS 35,
    "Likely Subtags").
    """
    import langcodes

    return langcodes.get(code).maximize().script or ""


@cache
def _parse(text: str) -> str | None:
    # The name tables return garbage for some control characters.
    if not text.isprintable():
        return None
    # Codes come first: `mon` is Mongolian, not the language called Mon.
    return _by_code(text) or _by_name(text)


def _by_code(text: str) -> str | None:
    import langcodes

    # mBART writes XX where it means no country.
    text = re.sub(r"[-_]xx$", "", text, flags=re.IGNORECASE)
    try:
        language = langcodes.get(langcodes.standardize_tag(text, macro=True))
    except ValueError:
        return None
    code = language.language or "und"
    private = "qaa" <= code <= "qtz" and len(code) == 3
    if not language.is_valid() or code in _NO_LANGUAGE or private:
        return None
    return _shortest(language)


def _shortest(language: langcodes.Language) -> str:
    """The tag without its likely subtags; a script is preferred to a country."""
    import langcodes

    if language.language == "pt" and language.territory == "BR":
        return str(langcodes.Language.make(language="pt", territory="BR").to_tag())
    if language.variants or language.extensions or language.private or language.extlangs:
        return str(language.to_tag())
    full = language.maximize()
    for kept in ({}, {"script": full.script}, {"territory": full.territory}):
        short = langcodes.Language.make(language=language.language, **kept)
        if short.maximize().to_tag() == full.to_tag():
            return str(short.to_tag())
    return str(language.to_tag())


def _by_name(text: str) -> str | None:
    """By the exact name in English, else in any language; `Portuguese (Brazil)` by its two parts."""
    if found := _named("language", text):
        return _by_code(found)
    for word in _WORDS_FOR_LANGUAGE:
        if text.casefold().startswith(word):
            return _by_name(text[len(word) :])
    parts = re.fullmatch(r"(.+?)\s*[(（](.+)[)）]", text)
    language = _named("language", parts[1]) if parts else None
    if parts is None or language is None:
        return None
    if both := _named("language", f"{parts[2]} {parts[1]}"):
        return _by_code(both)
    for kind in ("script", "territory"):
        if detail := _named(kind, parts[2]):
            return _by_code(f"{language}-{detail}")
    return None


def _named(kind: str, text: str) -> str | None:
    """The subtag of a language, script or territory by its exact name. `langcodes.find` also matches the
    beginning of a text (`Chinese (Traditional)` would be `zh`), so its tables are read directly.
    """
    from language_data.names import (  # type: ignore[import-untyped, unused-ignore]
        get_trie_value,
        load_trie,
        normalize_name,
    )
    from language_data.util import data_filename  # type: ignore[import-untyped, unused-ignore]

    for spoken in ("en", "und"):
        trie = load_trie(data_filename(f"trie/{spoken}/name_to_{kind}.marisa"))
        key = normalize_name(text)
        if key in trie:
            return str(get_trie_value(trie, key))
    return None


def _near(text: str) -> list[str]:
    """Codes and names similar to `text`, best first."""
    from difflib import get_close_matches

    import langcodes
    from langcodes.data_dicts import LIKELY_SUBTAGS
    from langcodes.language_lists import CLDR_LANGUAGES

    spellings: dict[str, str] = {}
    for code in sorted(CLDR_LANGUAGES | {key for key in LIKELY_SUBTAGS if len(key) == 2} - _NO_LANGUAGE):
        language = langcodes.get(code)
        for name in (code, language.display_name("en"), language.autonym()):
            spellings.setdefault(name.casefold(), name)
    return [spellings[key] for key in get_close_matches(text.strip().casefold(), spellings, n=3, cutoff=0.6)]
