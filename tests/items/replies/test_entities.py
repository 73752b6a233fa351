"""Which entity of an inventory a reply names: a specification by example, then properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.items.inventories import Inventory
from crossin.items.replies.entities import EntityReading, Unread, ambiguous_names, read_entity
from tests.helpers.sentences import AROUND


def inventory(
    language: str, names: Mapping[str, str | Sequence[str]], **others: Mapping[str, str]
) -> Inventory:
    """An inventory with names in one language; `others` are names in other ones, by language and entity."""
    found = {
        entity: {language: (called,) if isinstance(called, str) else tuple(called)}
        for entity, called in names.items()
    }
    for code, by_entity in others.items():
        for entity, name in by_entity.items():
            found[entity][code] = (name,)
    return Inventory("facts", found)


COUNTRIES = inventory(
    "en",
    {
        "fr": "France",
        "es": "Spain",
        "gn": "Guinea",
        "pg": "Papua New Guinea",
        "us": ("United States", "USA", "United States of America"),
        "tr": "Turkey",
        "np": "Nepal",
    },
    es={"fr": "Francia", "es": "España", "np": "Nepal"},
    zh={"fr": "法国", "es": "西班牙"},
)
CODES = ("en", "ru", "vi", "hu", "ar", "he", "zh", "ja")
LANGUAGES = {
    "en": "English|английский язык|tiếng Anh|angol nyelv|الإنجليزية|אנגלית|英语|英語",
    "fr": "French|французский язык|tiếng Pháp|francia nyelv|الفرنسية|צרפתית|法语|フランス語",
    "de": "German|немецкий язык|tiếng Đức|német nyelv|الألمانية|גרמנית|德语|ドイツ語",
    "es": "Spanish|испанский язык|tiếng Tây Ban Nha|spanyol nyelv|الإسبانية|ספרדית|西班牙语|スペイン語",
    "ru": "Russian|русский язык|tiếng Nga|orosz nyelv|الروسية|רוסית|俄语|ロシア語",
    "hi": "Hindi|хинди|tiếng Hindi|hindi nyelv|الهندية|הינדי|印地语|ヒンディー語",
}
SPOKEN = Inventory(
    "spoken",
    {
        entity: {code: (name,) for code, name in zip(CODES, names.split("|"), strict=True)}
        for entity, names in LANGUAGES.items()
    },
)


def read(
    reply: str | None, language: str = "en", among: Inventory = COUNTRIES, question: str = ""
) -> str | None:
    return read_entity(reply, among, language, question=question).entity


def unread(
    reply: str | None, language: str = "en", among: Inventory = COUNTRIES, question: str = ""
) -> str | None:
    reading = read_entity(reply, among, language, question=question)
    assert (reading.entity is None) != (reading.unread is None)
    return reading.unread


@pytest.mark.parametrize(
    "reply",
    [
        "France",
        "france",
        "FRANCE.",
        " “France”",
        "**France**",
        "1. France",
        "100% France",
        "</s>France</s>",
        "Ｆｒａｎｃｅ",
        "Fr\u200bance",
        "<think>Spain? No.</think>France",
        "The answer is France.",
        "Answer: France",
        "The answer is:\n\nFrance",
        "It is France, the country of cheese",
        "France's",
        "in France",
        "France\nQuestion 2: Spain?",
        "France\nSpain\nTurkey",
        "1. France 2. France",
        "France (not Spain)",
        "not Spain but France",
        "I am not sure, but France",
        "\\text{France}",
    ],
)
def test_the_entity_that_the_first_line_names_is_read(reply: str) -> None:
    assert read(reply) == "fr"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", Unread.EMPTY),
        (None, Unread.EMPTY),
        (" \n", Unread.EMPTY),
        ("**", Unread.EMPTY),
        ("<think>It may be France", Unread.THOUGHT),
        ("1987", Unread.NONE),
        ("Germany", Unread.NONE),
        ("Fran", Unread.NONE),
        ("Frances", Unread.NONE),
        ("not France", Unread.NONE),
        ("It is not in France", Unread.NONE),
        ("it isn't France", Unread.NONE),
        ("It wasn't in France", Unread.NONE),
        ("neither France nor Spain", Unread.NONE),
        ("France is not the answer", Unread.NONE),
        ("Guinea-Bissau", Unread.NONE),
        ("Equatorial Guinea", Unread.NONE),
        ("Franco-Spain", Unread.NONE),
        ("France and Spain", Unread.SEVERAL),
        ("France, Spain", Unread.SEVERAL),
        ("1. France 2. Spain", Unread.SEVERAL),
        ("1. France 2. Germany", Unread.SEVERAL),
        ("1) France 2) Ger", Unread.SEVERAL),
        ("France or Germany", Unread.SEVERAL),
        ("Germany and France", Unread.SEVERAL),
        ("Francia", Unread.OTHER_LANGUAGE),
        ("法国", Unread.OTHER_LANGUAGE),
    ],
)
def test_no_entity_is_read_without_a_clear_name(reply: str | None, reason: str) -> None:
    assert unread(reply) == reason


def test_the_longest_name_counts() -> None:
    assert read("Papua New Guinea") == "pg"
    assert read("Guinea") == "gn"
    assert read("The United States of America") == "us"


def test_what_brackets_explain_is_read() -> None:
    cities = inventory("es", {"edo": "Edo", "tokyo": "Tokio"})
    assert read("Edo (Tokio)", "es", cities) == "edo"
    assert unread("(Tokio) Edo", "es", cities) == Unread.SEVERAL


@pytest.mark.parametrize(
    ("language", "reply", "entity"),
    [
        ("ru", "французский", "fr"),
        ("ru", "1. русский яз", "ru"),
        ("ru", "хинди язык", "hi"),
        ("vi", "Anh", "en"),
        ("vi", "Là tiếng Pháp.", "fr"),
        ("hu", "francia", "fr"),
        ("zh", "英", None),
        ("ja", "英", None),
    ],
)
def test_a_word_that_most_names_share_may_be_left_out(language: str, reply: str, entity: str | None) -> None:
    assert read(reply, language, SPOKEN) == entity


@pytest.mark.parametrize(
    ("language", "reply", "entity"),
    [
        ("ar", "فرنسية", "fr"),
        ("ar", "الأنجليزية", "en"),
        ("ar", "بالفرنسية", "fr"),
        ("ar", "اللغة الروسية هي", "ru"),
        ("ar", "الفرنسية والإنجليزية", None),
        ("ar", "الفرنسية والبولندية", None),
        ("he", "בצרפתית", "fr"),
        ("he", "השפה היא רוסית", "ru"),
        ("zh", "答案是英语。", "en"),
        ("zh", "官方语言为法语", "fr"),
        ("zh", "英语和法语", None),
        ("zh", "英语和泰语", None),
        ("zh", "英语、泰语", None),
        ("zh", "「英语」", "en"),
        ("ja", "英語です", "en"),
        ("ja", "答えはフランス語です。", "fr"),
        ("ja", "アメリカ英語", None),
        ("ja", "スペイン語と英語", None),
        ("ja", "いつの間にか、英語", "en"),
        ("ja", "タイ語、英語", None),
        ("ja", "英語ではない", None),
    ],
)
def test_where_a_word_ends_depends_on_the_script(language: str, reply: str, entity: str | None) -> None:
    assert read(reply, language, SPOKEN) == entity


@pytest.mark.parametrize(
    ("language", "name", "reply", "read_as"),
    [
        ("tr", "Isparta", "ISPARTA", True),
        ("tr", "İzmir", "izmir", True),
        ("tr", "İzmir", "İzmir'dir", True),
        ("tr", "İzmir", "İzmir değil", False),
        ("az", "Bakı", "BAKI", True),
        ("ru", "Орёл", "Орел", True),
        ("es", "París", "paris", True),
        ("es", "Perú", "PERU", True),
        ("fr", "Inde", "l’Inde", True),
        ("fr", "La Mecque", "mecque", True),
        ("en", "the Nile", "Nile", True),
        ("en", "Nile", "the Nile", True),
        ("es", "Francia", "ni Francia ni España", False),
        ("fr", "Inde", "L'Inde.", True),
        ("vi", "Bà Rịa", "Ba Ria", False),
        ("el", "Αθήνα", "ΑΘΗΝΑ", True),
        ("de", "Gießen", "GIESSEN", True),
        ("ko", "서울", "서울입니다.", True),
        ("ko", "빈", "빈입니다", True),
        ("ko", "서울", "서울이 아니다", False),
        ("ko", "서울", "서울과 부산", False),
        ("zh", "京都", "東京都", False),
        ("zh", "德里", "马德里", False),
        ("zh", "罗马", "罗马尼亚", False),
        ("zh", "巴黎", "他出生在巴黎。", True),
        ("zh", "巴黎", "不是巴黎", False),
        ("ja", "タイ", "タイタニック", False),
        ("ja", "アントニオ", "サン・アントニオ", False),
        ("ja", "ロンドン", "1960年代のロンドン", True),
        ("th", "ปารีส", "คำตอบคือปารีส", True),
        ("th", "ปารีส", "ปารีสน้อย", False),
        ("hi", "दिल्ली", "राजधानी दिल्ली है", True),
        ("hi", "दिल्ली", "दिल्ली नहीं", False),
        ("fa", "ایران", "ايران", True),
        ("ca", "Lincoln (Anglaterra)", "Lincoln", True),
        ("ar", "فينيكس، أريزونا", "فينيكس", True),
        ("es", "Belgrado", "belgrad", False),
        ("en", "Yahoo!", "yahoo", True),
        ("en", "Sony", "Sony Corporation", True),
        ("zh", "索尼", "索尼公司", True),
        ("fr", "Malawi", "3ème malawi", True),
        ("en", "Route 66", "Route ６６", True),
    ],
)
def test_spelling(language: str, name: str, reply: str, read_as: bool) -> None:
    assert (read(reply, language, inventory(language, {"it": name})) == "it") == read_as


def test_a_name_that_two_entities_share_is_read_as_neither() -> None:
    cities = inventory(
        "el", {"istanbul": "Κωνσταντινούπολη", "constantinople": "Κωνσταντινούπολη", "rome": "Ρώμη"}
    )
    assert ambiguous_names(cities, "el") == ["κωνσταντινούπολη"]
    assert unread("Κωνσταντινούπολη", "el", cities) == Unread.AMBIGUOUS
    assert read("Ρώμη", "el", cities) == "rome"
    assert ambiguous_names(COUNTRIES, "en") == []


def test_an_article_may_part_two_names() -> None:
    places = inventory("ar", {"greece": "اليونان", "yunnan": "يونان"})
    assert [read(reply, "ar", places) for reply in ("اليونان", "يونان")] == ["greece", "yunnan"]
    assert unread("باليونان", "ar", places) == Unread.AMBIGUOUS
    assert ambiguous_names(places, "ar") == []


class TestAName:
    """A name from the question."""

    question = "What is the capital of Medina Province? The answer is:"
    cities = inventory("en", {"medina": "Medina", "jeddah": "Jeddah", "province": "Medina Province"})

    def test_does_not_count_in_a_passage_that_the_reply_repeats(self) -> None:
        cities = inventory("en", {"medina": "Medina", "jeddah": "Jeddah"})
        assert read("The capital of Medina Province is Jeddah", "en", cities, self.question) == "jeddah"
        assert unread("The capital of Medina Province", "en", cities, self.question) == Unread.NONE

    def test_counts_by_itself(self) -> None:
        assert read("Medina", "en", self.cities, self.question) == "medina"
        assert read("the city of Medina", "en", self.cities, self.question) == "medina"

    def test_counts_where_the_reply_says_it_again(self) -> None:
        question = "What is the capital of Luxembourg?"
        cities = inventory("en", {"luxembourg": "Luxembourg"})
        assert read("The capital of Luxembourg is Luxembourg", "en", cities, question) == "luxembourg"

    def test_is_found_without_spaces_too(self) -> None:
        question = "法国总统在哪个国家？"
        countries = inventory("zh", {"fr": "法国", "us": "美国"})
        assert read("法国总统是美国", "zh", countries, question) == "us"
        assert read("法国", "zh", countries, question) == "fr"


def test_an_entity_named_in_another_language_may_count() -> None:
    assert read_entity("Francia", COUNTRIES, "en", any_language=True) == EntityReading("fr", None)
    assert read_entity("法国", COUNTRIES, "en", any_language=True).entity == "fr"
    assert read_entity("Francia y España", COUNTRIES, "en", any_language=True).unread == Unread.SEVERAL
    assert read_entity("Nepal", COUNTRIES, "en", any_language=True).entity == "np"


ALL = [(entity, code, name) for entity, of in SPOKEN.names.items() for code, (name,) in of.items()]
LATIN = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9)


@given(st.sampled_from(ALL), st.sampled_from(["{}", " {}.", '"{}"', "**{}**", "1. {}", "- {}", "{}\n"]))
def test_the_plain_name_is_read_in_every_language(one: tuple[str, str, str], form: str) -> None:
    entity, code, name = one
    assert read_entity(form.format(name), SPOKEN, code) == EntityReading(entity, None)


@given(st.sampled_from(ALL))
def test_a_sentence_around_a_name_changes_nothing(one: tuple[str, str, str]) -> None:
    entity, code, name = one
    assert read(AROUND[code].format(name), code, SPOKEN) == entity


@given(
    st.sampled_from(ALL),
    st.sampled_from(ALL),
    st.sampled_from(["{}, {}", "{} / {}", "1. {} 2. {}", "{} ({})"]),
)
def test_two_names_give_none_unless_one_explains_the_other(
    one: tuple[str, str, str], two: tuple[str, str, str], form: str
) -> None:
    other = SPOKEN.names[two[0]][one[1]][0]
    if one[0] != two[0]:
        expected = one[0] if form == "{} ({})" else None
        assert read(form.format(one[2], other), one[1], SPOKEN) == expected


@given(st.lists(LATIN, min_size=2, max_size=6, unique=True))
def test_any_names_are_kept_apart(names: list[str]) -> None:
    among = inventory("en", {name: name.title() for name in names})
    assert [read(name, "en", among) for name in names] == names
    # A part of a name is not a name, unless it is one itself.
    assert read(names[0][:-1], "en", among) == (names[0][:-1] if names[0][:-1] in names else None)
