"""Names of countries, cities, currencies, continents, languages, days and months, from CLDR through Babel."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from crossin.facts.world import Country
from crossin.languages import script_of

# The continents by GeoNames' code, and what CLDR calls them (UN M.49 regions).
CONTINENTS = {"AF": "002", "AS": "142", "EU": "150", "NA": "003", "OC": "009", "SA": "005"}


def country_name(code: str, language: str) -> str | None:
    """The country's name in `language`, or None where CLDR has none."""
    return _checked(_locale(language).territories.get(code), language)


def answer_name(country: Country, relation: str, language: str) -> str | None:
    """The name of the country's answer for `relation` in `language`, or None where there is none."""
    from babel.dates import get_timezone_location
    from babel.numbers import get_currency_name

    value = country.value(relation)
    if value is None:
        return None
    if relation == "capital":
        name = get_timezone_location(country.zone, locale=_locale(language), return_city=True)
    elif relation == "currency":
        name = get_currency_name(value, locale=_locale(language))
        # Babel returns the code itself where CLDR has no name.
        name = None if name == value else name
    elif relation == "continent":
        name = _locale(language).territories.get(CONTINENTS[value])
    else:
        name = _locale(language).languages.get(value)
    return _checked(name, language)


def weekday_name(day: int, language: str) -> str | None:
    """The name of a day of the week (1 is Monday) as it stands alone, or None where there is none."""
    return _checked(_locale(language).days["stand-alone"]["wide"].get(day - 1), language)


def month_name(month: int, language: str) -> str | None:
    """The name of a month (1 is January) as it stands alone, or None where there is none."""
    return _checked(_locale(language).months["stand-alone"]["wide"].get(month), language)


def number_text(number: int, language: str) -> str:
    """A whole number in digits, grouped as the language writes it: 4.500.000 in German."""
    from babel.numbers import format_decimal

    text: str = format_decimal(number, locale=_locale(language))
    return text


def _checked(name: str | None, language: str) -> str | None:
    """The name in composed Unicode form; None where it is absent, or a Latin spelling in another script.

    CLDR leaves a name out where a Latin-script language spells it as the root locale does; in other scripts
    the root's spelling means that there is no name. Soft hyphens are removed: no model writes them.
    """
    if not name or (name.isascii() and script_of(language) != "Latn"):
        return None
    return unicodedata.normalize("NFC", name.replace("\N{SOFT HYPHEN}", "").strip())


@cache
def _locale(language: str) -> Any:
    from babel import Locale

    return Locale.parse(language, sep="-")
