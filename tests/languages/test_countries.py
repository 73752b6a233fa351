"""A country's code in the place of a language's asks back where that is likelier, and only there."""

from __future__ import annotations

import pytest

from crossin.languages import parse_language
from crossin.languages.codes import language_label, language_name
from crossin.languages.countries import asks_back, country_name
from tests.helpers.errors import refused


@pytest.mark.parametrize(
    ("code", "language", "country", "meant"),
    [
        ("kr", "Kanuri", "South Korea", "ko (Korean)"),
        ("KR", "Kanuri", "South Korea", "ko (Korean)"),
        ("kr-KR", "Kanuri", "South Korea", "ko (Korean)"),
        ("kr_XX", "Kanuri", "South Korea", "ko (Korean)"),
        ("se", "Northern Sami", "Sweden", "sv (Swedish)"),
        ("br", "Breton", "Brazil", "pt (Portuguese)"),
        ("ch", "Chamorro", "Switzerland", "de (German)"),
        ("co", "Corsican", "Colombia", "es (Spanish)"),
        ("ie", "Interlingue", "Ireland", "en (English)"),
        ("kw", "Cornish", "Kuwait", "ar (Arabic)"),
        ("in", "Indonesian", "India", "hi (Hindi)"),
        ("tw", "Akan", "Taiwan", "zh-Hant (Chinese"),
    ],
)
def test_a_rare_languages_code_that_is_a_populous_countrys_too_asks_back(
    code: str, language: str, country: str, meant: str
) -> None:
    with refused(f"'{code}'", language, country, hint=f"did you mean {meant}"):
        parse_language(code)


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        # Read as a name, this would be Abu' Arapesh.
        ("ua", "uk (Ukrainian)"),
        ("ua-UA", "uk (Ukrainian)"),
        ("cn", "zh (Chinese)"),
        ("jp", "ja (Japanese)"),
        ("JP", "ja (Japanese)"),
        ("vn", "vi (Vietnamese)"),
        ("dk", "da (Danish)"),
        ("cz", "cs (Czech)"),
        ("gr", "el (Greek)"),
        ("at", "de (German)"),
        ("rs", "sr (Serbian)"),
        ("ir", "fa (Persian)"),
        ("ge", "ka (Georgian)"),
        ("pe", "es (Spanish)"),
        ("ma", "ar (Arabic)"),
        ("au", "en (English)"),
        ("us", "en (English)"),
        ("by", "be (Belarusian)"),
        ("il", "he (Hebrew)"),
        ("kh", "km (Khmer)"),
        ("hk", "zh-Hant (Chinese"),
    ],
)
def test_a_countrys_code_that_is_no_languages_gets_the_countrys_language(code: str, meant: str) -> None:
    with refused("unknown", f"'{code}'", country_name(code[:2]), hint=f"did you mean {meant}"):
        parse_language(code)


# Estonian or Ethiopia, Arabic or Argentina, Burmese or Malaysia, Catalan or Canada, ...
USUAL = """
af am ar as az ba be bg bm bn bo bs ca cs cv cy da de el en es et eu fa fi fj fr ga gd gl gn gu he hi hr
hu hy id is it ja ka kg ki kk km kn ko ky la lb li lo lt lu lv mg mk ml mn mr ms mt my nb ne nl nn no om
pa pl ps pt ro ru sa sc sd sg si sk sl sm sn sq sr ss st su sv sw ta te tg th ti tk tn to tr tt ug uk ur
uz ve vi yo za zh zu
"""
ASKING = "ae br ch co cr cu ie in kr kw na ng se tw"


@pytest.mark.parametrize("code", USUAL.split())
def test_the_usual_codes_just_work(code: str) -> None:
    assert parse_language(code) == code


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("kau", "kau Kanuri kau_Latn KAU"),
        ("sme", "sme sme_Latn"),
        ("bre", "bre Breton bre_Latn br-FR"),
        ("cha", "cha Chamorro"),
        ("id", "id ind Indonesian ind_Latn"),
        ("ak", "ak aka twi Twi Akan"),
    ],
)
def test_the_rare_language_has_another_code_which_is_read_again(code: str, spellings: str) -> None:
    assert {parse_language(spelling) for spelling in spellings.split()} == {code}


def test_few_codes_ask_back_and_none_of_a_language_with_templates() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    asking = {one + two for one in letters for two in letters if asks_back(one + two)}
    assert asking == set(ASKING.split())


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("th", "th Thai"),
        ("kau", "kau Kanuri"),
        ("pt-BR", "pt-BR Portuguese (Brazil)"),
        ("?", "?"),
        ("xx", "xx"),
    ],
)
def test_a_language_is_shown_with_its_name(code: str, shown: str) -> None:
    assert language_name(code) == shown


@pytest.mark.parametrize(
    ("code", "name"),
    [("th", "Thai · th"), ("pt-BR", "Portuguese (Brazil) · pt-BR"), ("<b> x", "<b> x"), ("", "")],
)
def test_a_language_has_its_name_first(code: str, name: str) -> None:
    assert language_label(code) == name
