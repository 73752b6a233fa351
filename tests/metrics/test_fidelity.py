from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.languages.detection import RIGHT, UNDECIDED, WRONG
from crossin.metrics.families import observed
from crossin.metrics.language_fidelity import ABSENT, SHARED, fidelity, fidelity_family, verdicts
from crossin.metrics.texts import TextTable, missing_family
from tests.helpers.paths import REAL_DATA
from tests.helpers.text_tables import reordered, text_tables, texts

pytest.importorskip("lingua")

FLORES = REAL_DATA / "flores200"

SENTENCES = {
    "ar": "ذهب الأطفال إلى المدرسة في الصباح الباكر.",
    "de": "Die Kinder gingen am frühen Morgen in die Schule.",
    "el": "Τα παιδιά πήγαν στο σχολείο νωρίς το πρωί.",
    "en": "The children went to school early in the morning.",
    "es": "Los niños fueron a la escuela temprano por la mañana.",
    "fil": "Pumunta ang mga bata sa paaralan nang maaga sa umaga.",
    "hi": "बच्चे सुबह जल्दी स्कूल गए।",
    "ja": "子どもたちは朝早く学校へ行きました。",
    "ko": "아이들은 아침 일찍 학교에 갔습니다.",
    "ru": "Эти дети очень рано пошли в школу, ещё до рассвета.",
    "th": "เด็กๆ ไปโรงเรียนแต่เช้าตรู่",
    "tr": "Çocuklar sabah erkenden okula gittiler.",
    "uk": "Діти рано-вранці пішли до школи.",
    "vi": "Bọn trẻ đi học từ sáng sớm.",
    "zh": "孩子们一大早就去上学了。",
}


def verdict(reply: str | None, language: str, reference: str = "0", **others: str) -> int:
    """The verdict on a reply asked for in `language`; `others` are references in other languages."""
    table = texts([language, *others], [[reply, *(None for _ in others)]], [[reference, *others.values()]])
    return int(verdicts(table)[0, 0])


@pytest.mark.parametrize("written", SENTENCES)
def test_a_sentence_is_right_in_its_own_language_only(written: str) -> None:
    for asked in SENTENCES:
        expected = RIGHT if asked == written else WRONG
        assert verdict(SENTENCES[written], asked, **{x: "0" for x in SENTENCES if x != asked}) == expected, (
            asked
        )


@pytest.mark.parametrize(
    ("reply", "language", "expected"),
    [
        # A name in Latin letters may be of any language.
        ("Paris", "fr", UNDECIDED),
        ("Johann Sebastian Bach", "es", UNDECIDED),
        ("Straßen und Plätze", "es", UNDECIDED),
        ("1998", "zh", UNDECIDED),
        ("!", "ar", UNDECIDED),
        # The wrong script is wrong at once, and the right one is enough where English cannot hide.
        ("Beijing", "zh", WRONG),
        ("北京", "zh", RIGHT),
        ("北京", "en", WRONG),
        ("東京", "ja", RIGHT),
        ("Москва", "ru", RIGHT),
        ("Moscow", "ru", WRONG),
        # Foreign words count by their share.
        ("他在 Microsoft 工作", "zh", RIGHT),
        ("The word is 北京 in Chinese letters", "zh", WRONG),
        ("यह Windows है", "hi", RIGHT),
        # Japanese sentences with many Chinese characters, most of them traditional, and Chinese ones.
        ("東京都知事選挙の投票結果", "zh", WRONG),
        ("北京的の政府工作人数目前很少", "zh", RIGHT),
        ("東京の知事を選ぶ", "zh", WRONG),
        ("北京市人民政府办公厅", "ja", WRONG),
        # Languages that lingua does not know.
        ("ភ្នំពេញ", "km", RIGHT),
        ("Phnom Penh", "km", WRONG),
        ("नेपालको राजधानी काठमाडौं हो भन्ने", "ne", RIGHT),
        ("Os nenos foron á escola cedo pola mañá.", "gl", UNDECIDED),
        ("Los niños fueron a la escuela temprano.", "gl", UNDECIDED),
        ("北京", "gl", UNDECIDED),
        # Written as another script of the same language.
        ("Deca su rano ujutru krenula u školu.", "sr", WRONG),
        (None, "en", ABSENT),
        (" \n", "zh", ABSENT),
    ],
)
def test_a_single_reply(reply: str | None, language: str, expected: int) -> None:
    assert verdict(reply, language) == expected


def test_references_tell_a_name() -> None:
    others = {"en": "Vienna", "fr": "Vienne", "it": "Vienna"}
    assert verdict("Wien.", "de", "Wien", **others) == RIGHT
    assert verdict("vienna", "de", "Wien", **others) == WRONG
    assert verdict("Vienna", "it", "Vienna", en="Vienna", de="Wien") == SHARED
    assert verdict("Graz", "de", "Wien", **others) == UNDECIDED
    # No other language of its script is in the table.
    assert verdict("Wien", "de", "Wien", zh="维也纳") == SHARED


def test_a_foreign_word_of_the_reference_does_not_count() -> None:
    assert verdict("HTML", "zh", "HTML") == SHARED
    assert verdict("答案 HTML CSS SQL", "zh", "HTML 和 CSS 和 SQL") == RIGHT
    assert verdict("HTML", "zh", "超文本标记语言") == WRONG


def test_what_two_languages_of_a_script_share_is_left_open() -> None:
    both = "Вода в школу, дорога в село"
    assert verdict(both, "ru", uk="0") == verdict(both, "uk") == UNDECIDED
    assert verdict(both, "ru") == RIGHT


def test_every_line_counts() -> None:
    english, german = SENTENCES["en"], SENTENCES["de"]
    assert verdict(f"{german}\n{german}", "de") == RIGHT
    assert verdict(f"{german}\n\n{english}", "de") == WRONG
    assert verdict(f"Wien\n{german}", "de") == RIGHT
    # Lines too short to judge are judged together.
    assert verdict("Die Kinder gingen\nam frühen Morgen\nin die Schule", "de") == RIGHT


def test_a_worked_example() -> None:
    german, english = SENTENCES["de"], SENTENCES["en"]
    table = texts(
        ["de", "fr"], [[german, None], [english, "Paris"], ["Bonn", "Lyon"], [german, None]], [["0", "0"]] * 4
    )
    assert verdicts(table).tolist() == [
        [RIGHT, ABSENT],
        [WRONG, UNDECIDED],
        [UNDECIDED, UNDECIDED],
        [RIGHT, ABSENT],
    ]
    assert fidelity(table)[0] == pytest.approx(2 / 3)
    assert isnan(fidelity(table)[1])
    named = observed(fidelity_family(table))
    # A mean over German alone could not be set beside the mean of a model that decides in French, too.
    for undefined in ("fidelity/fr", "fidelity", "in_language/fr", "in_language"):
        assert isnan(named.pop(undefined))
    assert named == pytest.approx(
        {
            "fidelity/de": 2 / 3,
            "undecided/de": 1 / 4,
            "undecided/fr": 1 / 2,
            "undecided": 3 / 8,
            "in_language/de": 2 / 4,
        }
    )


def test_a_name_that_languages_share_is_in_the_language_asked_though_undecided() -> None:
    table = texts(
        ["fr", "de"], [["Paris", "Paris"], ["Vienne", "Vienne"]], [["Paris"] * 2, ["Vienne", "Wien"]]
    )
    assert verdicts(table).tolist() == [[SHARED, SHARED], [RIGHT, WRONG]]
    named = observed(fidelity_family(table))
    assert [named[f"{x}/fr"] for x in ("fidelity", "undecided", "in_language")] == [1, 1 / 2, 1]
    assert [named[f"{x}/de"] for x in ("fidelity", "undecided", "in_language")] == [0, 1 / 2, 1 / 2]


def test_a_language_in_which_no_reply_can_be_judged_has_no_share_in_the_language_asked() -> None:
    named = observed(
        fidelity_family(
            texts(["gl", "ru"], [["un río longo", "река"], ["o mar", "река"]], [["o mar", "море"]] * 2)
        )
    )
    assert isnan(named["in_language/gl"]) and isnan(named["in_language"])
    assert named["in_language/ru"] == 1


def test_the_names_of_an_inventory_tell_wrong_answers_too() -> None:
    table = texts(
        ["de", "es", "zh"], [["Alemania", "Alemania", "Alemania"]], [["Österreich", "Austria", "奥地利"]]
    )
    assert verdicts(table).tolist() == [[UNDECIDED, UNDECIDED, WRONG]]
    names = {"de": {"Deutschland", "Österreich"}, "es": {"Alemania", "Austria"}, "zh": {"德国", "奥地利"}}
    assert verdicts(replace(table, names=(names,))).tolist() == [[WRONG, RIGHT, WRONG]]


@given(text_tables(), st.randoms())
def test_shares_are_shares_in_any_order_of_items(table: TextTable, random: Any) -> None:
    order = list(range(len(table.items)))
    random.shuffle(order)
    named = observed(fidelity_family(table))
    assert all(isnan(value) or 0 <= value <= 1 for value in named.values())
    assert observed(fidelity_family(reordered(table, order))) == pytest.approx(named, nan_ok=True)
    found, absent = verdicts(table), observed(missing_family(table))
    for i, language in enumerate(table.languages):
        decided = float(np.mean([v in (RIGHT, WRONG) for v in found[:, i]]))
        assert decided + named[f"undecided/{language}"] + absent[f"missing/{language}"] == pytest.approx(1)
        if decided:
            share = [v == RIGHT for v in found[:, i] if v in (RIGHT, WRONG)]
            assert named[f"fidelity/{language}"] == pytest.approx(np.mean(share))
            assert fidelity(table)[i] == pytest.approx(np.mean(share))


@pytest.mark.skipif(not FLORES.is_dir(), reason="needs the shared data")
def test_real_sentences_are_distinguished_and_neighbours_left_undecided() -> None:
    lines = {path.stem: path.read_text("utf-8").splitlines()[:20] for path in sorted(FLORES.glob("*.txt"))}
    languages = tuple(lines)
    for language in languages:
        rows = [[text] * len(languages) for text in lines[language]]
        found = verdicts(texts(languages, rows, [["0"] * len(languages)] * 20))
        for i, asked in enumerate(languages):
            decided = found[:, i][found[:, i] != UNDECIDED]
            near = {language, asked} == {"id", "ms"}
            if asked == language:
                assert (decided == RIGHT).mean() >= (0.8 if asked in ("id", "ms") else 0.95), asked
                assert len(decided) >= (7 if asked in ("id", "ms") else 17), asked
            else:
                assert (decided == RIGHT).mean() <= (0.25 if near else 0.05), (language, asked)
                assert len(decided) >= (7 if near else 17), (language, asked)
