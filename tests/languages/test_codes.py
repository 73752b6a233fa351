"""What a language may be called, and the one code that it becomes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crossin.core.errors import CrossinError
from crossin.languages import available, load_words, parse_language, parse_languages, script_of
from crossin.languages.codes import names_none
from tests.helpers.errors import refused


@pytest.mark.parametrize(
    ("code", "spellings"),
    [
        ("en", "en EN eng eng_Latn en-Latn en_US en_XX English ENGLISH"),
        ("fr", "fra_latn_fran FRA-Latn-Fran"),
        ("fr-CA", "fra_latn_cana"),
        ("pt-BR", "por_latn_braz"),
        ("es-MX", "spa_latn_mexi"),
        ("zh-HK", "zho_hant_hong"),
        ("apc-PS", "apc_arab_pale"),
        ("en-GB", "en-GB en_gb en-uk"),
        ("zh", "zh zho chi cmn zh_CN zh-Hans zho_Hans zh_hans_cn zh_CN Chinese Mandarin 中文 简体中文"),
        ("zh-Hant", "zh-TW zho_Hant zh-Hant zh_Hant_TW 繁體中文 中文（繁體）"),
        ("vi", "vi vie vie_Latn vi_VN Vietnamese"),
        ("ms", "ms msa zsm zsm_Latn Malay Melayu"),
        ("fil", "fil tl tgl tgl_Latn Filipino Tagalog"),
        ("pt", "pt por por_Latn Portuguese português"),
        ("pt-BR", "pt-BR pt_br pt-Latn-BR"),
        ("pt-PT", "pt-PT"),
        ("ar", "ar ara arb arb_Arab Arabic العربية"),
        ("fa", "fa fas per pes_Arab Persian Farsi"),
        ("sr", "sr srp srp_Cyrl sr-RS"),
        ("sr-Latn", "sr-Latn srp_Latn sh"),
        ("sr-Cyrl-ME", "sr-Cyrl-ME"),
        ("uz", "uz uzn_Latn Uzbek"),
        ("de", "de ger deu de_DE German Deutsch"),
        ("lo", "lo lao lao_Laoo Lao"),
        ("he", "he iw heb Hebrew"),
        ("ja", "ja jpn jap ja_JP Japanese"),
        ("ko", "ko kor kor_Hang kor_Kore ko-KR Korean"),
    ],
)
def test_every_usual_spelling_is_one_code(code: str, spellings: str) -> None:
    assert {parse_language(spelling) for spelling in spellings.split()} == {code}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (" English ", "en"),
        ("Tiếng Việt", "vi"),
        ("Simplified Chinese", "zh"),
        # langcodes.find alone takes the first word of these two for the whole name.
        ("Chinese (Traditional)", "zh-Hant"),
        ("Serbian (Latin)", "sr-Latn"),
        ("Brazilian Portuguese", "pt-BR"),
        ("Portuguese (Brazil)", "pt-BR"),
        ("Norwegian Bokmål", "nb"),
        ("ภาษาไทย", "th"),
    ],
)
def test_a_name_of_several_words_is_read_whole(name: str, code: str) -> None:
    assert parse_language(name) == code


def test_codes_of_all_languages_with_a_file_stand_as_they_are_and_so_do_their_own_names() -> None:
    for code in available():
        assert parse_language(code) == code
        assert parse_language(load_words(code).name) == code


@pytest.mark.parametrize("code", ["en", "zh-Hant", "pt-BR", "sr-Latn", "zh-HK", "kas_Deva", "taq_Tfng"])
def test_a_code_that_was_read_is_read_as_itself(code: str) -> None:
    assert parse_language(parse_language(code)) == parse_language(code)


@pytest.mark.parametrize(
    ("name", "near"),
    [("Chinesse", "Chinese"), ("Vietnames", "Vietnamese"), ("Chinese nonsense", "Chinese"), ("engl", "")],
)
def test_an_unknown_language_gets_similar_names(name: str, near: str) -> None:
    with refused("unknown", f"'{name}'", near):
        parse_language(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "xx",
        "zz",
        "qaa",
        "und",
        "mul",
        "x",
        "../en",
        "en\0",
        "x-private",
        "eng_latn_unit",
        "slk_latn_sari",
    ],
)
def test_what_stands_for_no_one_language_is_unknown(name: str) -> None:
    with refused("unknown"):
        parse_language(name)


@pytest.mark.parametrize("value", [None, False, 3, ["en"], {"en": 1}])
def test_a_value_that_is_not_text_is_no_language(value: object) -> None:
    # YAML reads a bare `no` (Norwegian) as False.
    with refused("not a language"):
        parse_language(value)  # type: ignore[arg-type]


def test_the_command_lines_list_takes_any_spelling() -> None:
    assert parse_languages("English, Chinese,vie_Latn,ES") == ["en", "zh", "vi", "es"]
    with refused("once each"):
        parse_languages("zh,Chinese")


def test_a_known_language_without_a_file_is_named_by_its_code() -> None:
    with refused("no question templates for 'Klingon' (tlh)", "ar, de"):
        parse_languages("Klingon")


def test_importing_the_package_loads_no_language_data() -> None:
    code = "import sys, crossin.languages.codes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"langcodes", "language_data", "marisa_trie"} & set(loaded.split())


@pytest.mark.parametrize(
    ("code", "script"),
    [("en", "Latn"), ("pt-BR", "Latn"), ("zh", "Hans"), ("zh-Hant", "Hant"), ("sr", "Cyrl")],
)
def test_a_language_has_the_script_that_it_is_usually_written_in(code: str, script: str) -> None:
    assert script_of(code) == script


def test_what_names_no_language_is_not_suggested() -> None:
    assert all(map(names_none, ("", " ", "und", "MUL", "zxx")))
    assert not names_none("undetermined")
    with pytest.raises(CrossinError) as caught:
        parse_language("und")
    assert "did you mean und" not in (caught.value.hint or "")
