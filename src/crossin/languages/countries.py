"""Codes of countries in the place of a language's: `kr` for Korean, `ua` for Ukrainian, `jp`, `cn`, `vn`.

Many two-letter codes mean one thing in ISO 639 (languages) and another in ISO 3166 (countries). The rule that
decides which of them ask back rests on CLDR's numbers of speakers:

- A code that is a country's and no language's is unknown, with the country's languages as a suggestion. It is
  not read as a name either (there are languages called Ua, Ma and Pe).
- A code that is both is the language, as ISO 639 says (`ar`, `ca`, `et`, `my`, `sl`, `sv`). It asks back only
  where the country's main language has, in that country, a million speakers, and a hundred times as many as
  the language has anywhere (`kr`, `se`, `br`, `ch`). Such a language has its three-letter code everywhere:
  `kau`, `sme`, `bre`, `cha`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import langcodes

# How many times as many speakers make a language's code read as the country's, and the fewest of them.
_TIMES, _MANY = 100, 1_000_000
# Latin and Sanskrit are written by many who do not count as speakers.
_LANGUAGES = {"la", "sa"}
# Better known as countries: `in`, withdrawn for Indonesian in 1989, and `tw`, Twi, which is part of Akan.
_COUNTRIES = {"in", "tw"}
# Further languages of a country with this share of the main one's speakers are suggested too.
_ALSO = 0.25


def is_country(code: str) -> bool:
    """Whether a text is a country's code by ISO 3166, in any case."""
    return len(code) == 2 and code.upper() in _counts()


@cache
def asks_back(code: str) -> bool:
    """Whether a language's two-letter code (lower case) is likelier meant as the country's."""
    import langcodes

    if not is_country(code) or code in _LANGUAGES or not langcodes.tag_is_valid(code):
        return False
    if code in _COUNTRIES:
        return True
    main = _main(code).language or "und"
    there = speakers(code.upper()).get(main, 0)
    language = _macro(code)
    return language != _macro(main) and there >= max(_MANY, _TIMES * _everywhere().get(language, 0))


def speakers(country: str) -> dict[str, int]:
    """How many people in a country speak each language."""
    return _counts().get(country, {})


def country_name(code: str) -> str:
    """The English name of the country with this code."""
    import langcodes

    return str(langcodes.Language.make(territory=code.upper()).territory_name("en"))


def country_beginning(letters: str, language: str) -> str:
    """The code of the country whose English name begins with these letters (lower case), spaces left out; of
    several, the one where the language is spoken. '' where that is no single one.
    """
    found = [code for code, name in _plain_names().items() if name.startswith(letters)]
    if len(found) > 1:
        found = [code for code in found if _macro(language) in map(_macro, speakers(code))]
    return found[0] if len(found) == 1 else ""


@cache
def _plain_names() -> dict[str, str]:
    """The English name of each country in lower case, letters only."""
    return {code: "".join(filter(str.isalpha, country_name(code).lower())) for code in _counts()}


def languages_of(code: str) -> list[str]:
    """The tags of the main languages of the country with this code, the first one first."""
    import langcodes

    full = _main(code)
    first = langcodes.Language.make(language=full.language, script=full.script)
    writers = _counts(written=True).get(code.upper(), {})
    most = _ALSO * writers.get(full.language or "", 0)
    # English is known in most countries, and suggested only where it is the first.
    others = [one for one in writers if writers[one] >= most > 0 and one not in (full.language, "en")]
    return [str(first.to_tag()), *sorted(others, key=writers.__getitem__, reverse=True)[:2]]


def _main(code: str) -> langcodes.Language:
    """The language of a country, with its script (UTS 35, "Likely Subtags")."""
    import langcodes

    return langcodes.get(f"und-{code.upper()}").maximize()


def _macro(code: str) -> str:
    """A language's code without script and country; that of the macrolanguage, as `no` for `nb`."""
    import langcodes

    return str(langcodes.standardize_tag(code, macro=True)).split("-")[0]


@cache
def _counts(*, written: bool = False) -> dict[str, dict[str, int]]:
    """How many people in each country speak (or write) each language."""
    from language_data import population_data as data  # type: ignore[import-untyped, unused-ignore]

    tags = data.LANGUAGE_WRITING_POPULATION if written else data.LANGUAGE_SPEAKING_POPULATION
    found: dict[str, dict[str, int]] = {}
    for tag, count in tags.items():
        language, _, country = tag.partition("-")
        country = country.split("-")[-1]
        if len(country) == 2:
            there = found.setdefault(country, {})
            there[language] = max(there.get(language, 0), count)
    return found


@cache
def _everywhere() -> dict[str, int]:
    """How many people speak each macrolanguage."""
    found: dict[str, int] = {}
    for there in _counts().values():
        for language, count in there.items():
            found[_macro(language)] = found.get(_macro(language), 0) + count
    return found
