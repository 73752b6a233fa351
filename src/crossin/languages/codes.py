"""One spelling for each language: whatever a user, a file or a benchmark calls it becomes one BCP-47 code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, WrapValidator

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown
from crossin.core.settings import as_value_error

if TYPE_CHECKING:
    import langcodes

_SPELLINGS = "write a BCP-47 code (zh, pt-BR), a FLORES code (vie_Latn) or the English name"
# Valid by BCP 47, but not one language: undetermined, several, uncoded, none, "artificial".
_NO_LANGUAGE = {"und", "mul", "mis", "zxx", "art"}
# What data sets write in the place of a code; neither ISO 639 nor CLDR knows them.
# FLORES and Belebele call the script of Korean Hang; CLDR calls it Kore.
_ABBREVIATIONS = {"jap": "ja", "kor_hang": "ko", "kor-hang": "ko", "ko-hang": "ko", "ko_hang": "ko"}
# The word for "language" that speakers put before its name, and CLDR leaves out.
_WORDS_FOR_LANGUAGE = ("bahasa ", "wikang ", "limba ", "lingua ", "langue ", "język ", "ภาษา", "भाषा ")


def parse_language(name: str) -> str:
    """The BCP-47 code, as CLDR spells it, of a language in any usual spelling.

    Accepted are codes in any case and with any separator (`EN`, `zh_CN`), ISO 639-3 with a script as in
    FLORES and NLLB (`vie_Latn`), also with the first letters of a country as in Global-PIQA
    (`por_latn_braz`), mBART's codes (`en_XX`), English names (`Chinese`, `Portuguese (Brazil)`) and own names
    (`中文`, `Tiếng Việt`). The default script and country are left out (`zh-Hans`, `en-US`, `sr-Cyrl` are
    `zh`, `en`, `sr`); others stay (`zh-Hant`, `en-GB`, `sr-Latn`). `pt-BR` stays too, as usual in contrast to
    `pt-PT`. The main members of macrolanguages take their code (`cmn` is `zh`, `zsm` is `ms`, `tgl` is
    `fil`).

    Raises CrossinError for anything else, with similar names, or a country's languages (`jp`). The codes of
    some rare languages are refused where they are countries' too (`kr` is Kanuri), by the rule of
    `crossin.languages.countries`: write such a language by its name or three-letter code (`kau`).
    Source: langcodes, that is CLDR's aliases, names and likely subtags (UTS 35, "Likely Subtags").
    """
    if not isinstance(name, str):
        raise CrossinError(f"{shown(name)} is not a language", hint="write a code or name in quotes: 'no'")
    text = name.strip()
    if meant := _country_code(text):
        raise _country_error(name, meant)
    tag = _parse(text)
    if tag is None:
        near = f"did you mean {', '.join(names)}? Else " if (names := _near(name)) else ""
        raise CrossinError(f"unknown language '{name}'", hint=near + _SPELLINGS)
    return tag


def names_none(name: str) -> bool:
    """Whether what stands in the place of a language names none: nothing, or a code such as `und`."""
    return name.strip().lower() in {"", *_NO_LANGUAGE}


@cache
def language_name(code: str) -> str:
    """A language's code with its English name, as people read it: `th Thai`; other texts are returned
    unchanged.
    """
    import langcodes

    try:
        name = langcodes.get(code).display_name("en")
    except ValueError:
        return code
    return code if name.startswith("Unknown language") else f"{code} {name}"


def language_label(code: str) -> str:
    """A language as a page names it: `Thai · th`; other texts are returned unchanged."""
    name = language_word(code)
    return f"{name} · {code}" if name != code else code


def language_word(code: str) -> str:
    """A language in a sentence: `Thai`; other texts are returned unchanged."""
    return language_name(code).removeprefix(code).strip() or code


def _validated(name: str) -> str:
    with as_value_error():
        return parse_language(name)


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _without_repeats(codes: Iterable[str]) -> Any:
    return type(codes)(dict.fromkeys(codes))  # type: ignore[call-arg]


def _each_once(value: Any, validated: Callable[[Any], Any]) -> Any:
    found = validated(value)
    if found is not None and len(found) < len(value):
        raise ValueError(f"names a language twice, in different spellings: {', '.join(map(str, value))}")
    return found


_List = TypeVar("_List")
_Value = TypeVar("_Value")
# The types of settings that take languages in any spelling and hold their codes: one; a list or tuple of
# them, `Languages[tuple[Language, ...]]`, which may also be written with commas; a value for each.
Language = Annotated[str, BeforeValidator(_validated)]
Languages = Annotated[_List, BeforeValidator(_split), AfterValidator(_without_repeats)]
ByLanguage = Annotated[dict[Language, _Value], WrapValidator(_each_once)]


@cache
def script_of(code: str) -> str:
    """The usual script of a language by its ISO 15924 code (`Latn`, `Hans`); '' where CLDR has none (UTS 35,
    "Likely Subtags").
    """
    import langcodes

    return langcodes.get(code).maximize().script or ""


def _country_code(text: str) -> str:
    """The country's code in the place of a language's, as `kr` or `kr-KR`; '' where there is none."""
    from crossin.languages.countries import asks_back, is_country

    found = re.fullmatch(r"([a-z]{2})(?:[-_](?:\1|xx))?", text.lower())
    if found is None or not is_country(code := found[1]):
        return ""
    # Such as se-SE, which is Northern Sami in Sweden.
    if code != text.lower() and _is_local(code):
        return ""
    return code if asks_back(code) or _by_code(code) is None else ""


def _is_local(code: str) -> bool:
    """Whether the language with this code is spoken in the country with this code."""
    from crossin.languages.countries import speakers

    return code in speakers(code.upper())


def _country_error(name: str, code: str) -> CrossinError:
    from crossin.languages.countries import country_name, languages_of

    found = filter(None, map(_by_code, languages_of(code)))
    names = [f"{one} ({language_name(one).partition(' ')[2]})" for one in found]
    meant = f"did you mean {', '.join(names)}? Else " if names else ""
    country, own = country_name(code), _by_code(code)
    if own is None:
        return CrossinError(
            f"unknown language '{name}': {code.upper()} is a country, {country}", hint=meant + _SPELLINGS
        )
    called = language_name(own).partition(" ")[2]
    message = f"'{name}' is {called}, and the code of a country, {country}"
    return CrossinError(message, hint=f"{meant}write {own} or its name, if you mean {called}")


@cache
def _parse(text: str) -> str | None:
    # The name tables return garbage for some control characters.
    if not text.isprintable():
        return None
    # Codes come first: `mon` is Mongolian, not the language called Mon.
    return _by_code(text) or _by_name(text)


def _by_code(text: str) -> str | None:
    import langcodes

    from crossin.languages.countries import asks_back, country_beginning

    # mBART writes XX where it means no country.
    text = re.sub(r"[-_]xx$", "", text, flags=re.IGNORECASE)
    text = _ABBREVIATIONS.get(text.lower(), text)
    if parts := re.fullmatch(r"([a-z]{2,3})[-_]([a-z]{4})[-_]([a-z]{4})", text.lower()):
        text = f"{parts[1]}-{parts[2]}-{country_beginning(parts[3], parts[1]) or parts[3]}"
    try:
        language = langcodes.get(langcodes.standardize_tag(text, macro=True))
    except ValueError:
        return None
    code = language.language or "und"
    private = "qaa" <= code <= "qtz" and len(code) == 3
    private = private or code.startswith("x-")
    if not language.is_valid() or code in _NO_LANGUAGE or private:
        return None
    short = _shortest(language)
    # A two-letter code that is refused would not be read again.
    return language.to_alpha3() + short[len(code) :] if asks_back(code) else short


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
    for code in sorted((CLDR_LANGUAGES | {key for key in LIKELY_SUBTAGS if len(key) == 2}) - _NO_LANGUAGE):
        language = langcodes.get(code)
        for name in (code, language.display_name("en"), language.autonym()):
            spellings.setdefault(name.casefold(), name)
    return [spellings[key] for key in get_close_matches(text.strip().casefold(), spellings, n=3, cutoff=0.6)]
