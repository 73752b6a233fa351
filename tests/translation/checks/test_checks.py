"""What each gate lets pass and what it does not, in several languages."""

from __future__ import annotations

import json

import pytest

from crossin.core.formats import FIELDS
from crossin.translation.filters.copied import copied
from crossin.translation.filters.judge import judge, learn
from crossin.translation.filters.language import likelihood
from crossin.translation.filters.look import look
from crossin.translation.filters.meta import remark
from crossin.translation.filters.pair import Pair
from crossin.translation.filters.prose import prose_of, sentences
from crossin.translation.filters.repetition import loops, repetition
from tests.helpers.paths import REAL_DATA

ALPACA = REAL_DATA / "alpaca"
SOURCE = {
    "instruction": "Describe the city of Hanoi in three sentences.",
    "input": "",
    "output": "Hanoi is the capital of Vietnam. It has 8 million inhabitants, and many lakes. Its old "
    "quarter has 36 streets, each of which was once named after a trade.",
}
SPANISH = {
    "instruction": "Describe la ciudad de Hanói en tres frases.",
    "input": "",
    "output": "Hanói es la capital de Vietnam. Tiene 8 millones de habitantes y muchos lagos. Su barrio "
    "antiguo tiene 36 calles, y cada una llevaba antes el nombre de un oficio.",
}


def reason(
    target: dict[str, str], source: dict[str, str] = SOURCE, language: str = "es", **more: bool
) -> str:
    """The reason against one translation, judged by itself."""
    looks = [look(Pair(source, target, **more), "en", language)]
    (verdict,) = judge(looks, learn(looks, "en", language))
    return verdict.reason


def with_output(text: str) -> dict[str, str]:
    return {**SPANISH, "output": text}


def test_a_true_translation_passes() -> None:
    assert reason(SPANISH) == ""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (with_output(""), "empty"),
        ({**SPANISH, "input": "Algo"}, "text out of nothing"),
        (SOURCE, "left untranslated"),
        (with_output(SOURCE["output"]), "left untranslated"),
        (with_output("Lo siento, pero no puedo ayudar con eso."), "refusal"),
        (with_output("I'm sorry, but I cannot translate this."), "refusal"),
        (with_output(f"Aquí está la traducción: {SPANISH['output']}"), "remark about the translation"),
        (with_output(f"Here is the translation:\n{SPANISH['output']}"), "remark about the translation"),
        (
            with_output("Hanoi ist die Hauptstadt von Vietnam. Sie hat 8 Millionen Einwohner und viele Seen. "
                        "Ihre Altstadt hat 36 Straßen, die nach Berufen benannt sind."),
            "wrong language",
        ),
        (with_output(SPANISH["output"] + " de un oficio" * 30), "says the same again"),
        (with_output("Hanói es la capital de"), "sentences are missing"),
    ],
)  # fmt: skip
def test_a_fault_is_told(target: dict[str, str], expected: str) -> None:
    assert reason(target) == expected


def test_a_translation_that_was_cut_at_the_limit_is_told() -> None:
    assert reason(SPANISH, cut=True) == "cut at the limit of tokens"


def test_another_number_is_told() -> None:
    assert reason(with_output(SPANISH["output"].replace("36", "59"))) == "a number differs"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("One. Two! Three?", 3),
        ("一。二！三？", 3),
        ("एक है। दो है।", 2),
        ("واحد. اثنان؟", 2),
        ("Dr. Ann Smith came at 3.5 p.m. today.", 1),
        ("1. One\n2. Two\n\n- three", 3),
    ],
)
def test_sentences_are_counted_in_every_script(text: str, count: int) -> None:
    assert len(sentences(text)) == count


def test_code_and_links_are_no_prose() -> None:
    ours, theirs = prose_of("Run `f(x)` at https://a.org now.", "Ejecuta `f(x)` en https://a.org ahora.")
    assert "f(x)" not in ours + theirs and "a.org" not in ours + theirs


@pytest.mark.parametrize(
    ("text", "language", "fits"),
    [
        ("这座城市是越南的首都，有很多湖泊。", "zh", True),
        ("The city is the capital of Vietnam and has many lakes.", "zh", False),
        ("この街はベトナムの首都です。湖がたくさんあります。", "ja", True),
        ("Thành phố này là thủ đô của Việt Nam và có nhiều hồ.", "vi", True),
        ("The city is the capital of Vietnam and has many lakes.", "vi", False),
        ("Diese Stadt ist die Hauptstadt von Vietnam und hat viele Seen.", "es", False),
        ("เมืองนี้เป็นเมืองหลวงของเวียดนาม", "th", True),
        ("Этот город является столицей Вьетнама.", "ar", False),
        ("هذه المدينة هي عاصمة فيتنام وفيها بحيرات كثيرة.", "ar", True),
        ("OK", "zh", True),
        ("Die Katze ist sehr müde.", "vi", False),
        ("Con mèo rất mệt mỏi.", "vi", True),
        ("Muy bien, gracias a todos.", "es", True),
        ("No, gracias.", "pt", True),
    ],
)
def test_a_language_is_told_by_script_and_words(text: str, language: str, fits: bool) -> None:
    pytest.importorskip("lingua", reason="the extra `text` is not installed")
    assert (likelihood(text, "", language, "en") >= 0.1) is fits


def test_names_of_the_source_do_not_make_another_language() -> None:
    text = "越南菜：Bouley，Per Se，Le Bernardin 和 Gotham Bar and Grill。"
    assert likelihood(text, "Bouley, Per Se, Le Bernardin, Gotham Bar and Grill", "zh", "en") >= 0.1


@pytest.mark.parametrize(
    ("source", "target", "same_script", "share"),
    [
        (["The dog sleeps in the garden."], ["El perro duerme."], True, 0.0),
        (["The dog sleeps in the garden."], ["The dog sleeps in the garden."], True, 1.0),
        (["Ann Smith, Bob Jones, Eve Brown"], ["Ann Smith, Bob Jones, Eve Brown"], True, 0.0),
        (["Ann Smith, Bob Jones, Eve Brown"], ["Ann Smith, Bob Jones, Eve Brown"], False, 1.0),
        (["2 x 3 = 6", "2 x 4 = 8"], ["2 x 3 = 6", "2 x 4 = 8"], False, 0.0),
    ],
)
def test_what_was_left_as_it_is(
    source: list[str], target: list[str], same_script: bool, share: float
) -> None:
    assert copied(source, target, same_script) == share


def test_half_of_a_text_left_untranslated_is_half() -> None:
    source = ["The dog sleeps in the garden.", "The cat waits for the birds there."]
    assert 0.4 < copied(source, ["El perro duerme.", source[1]], True) < 0.6


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("Write a letter.", "抱歉，我无法翻译这段文字。", "refusal"),
        ("Write an apology: I am sorry, I cannot come.", "Lo siento, no puedo ir.", ""),
        ("Write a letter.", "以下是翻译：请写一封信。", "remark about the translation"),
        ("Write a letter.", "Viết một lá thư.", ""),
        ("What does 'translation' mean?", "Traducción: el acto de traducir.", ""),
    ],
)
def test_words_about_the_translation(source: str, target: str, expected: str) -> None:
    assert remark(source, target) == expected


def test_a_loop_repeats_itself_and_prose_does_not() -> None:
    assert repetition(SOURCE["output"]) < 0.05
    assert repetition("and again " * 40) > 0.9


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{SPANISH['output']} de un oficio. de un oficio. de un oficio. de un of", True),
        (f"{SPANISH['output']}{' y muchos lagos' * 4}", True),
        (f"{SPANISH['output']}{' y muchos lagos' * 2}", False),
        ("说出三种水果。\n说出三种水果。", True),
        ("Describe la ciudad. Describe la ciudad.", True),
        ("说出三种水果。说出三种蔬菜。", False),
        ("| 1 | 2 |\n| --- | --- |\n| --- | --- | --- | --- | --- | --- |", False),
        ("Espera..........................", False),
        ("bye bye", False),
        ("orang orang", False),
        ("", False),
        (SPANISH["output"], False),
    ],
)
def test_a_text_that_ends_in_a_loop_or_stands_twice(text: str, told: bool) -> None:
    assert loops(text) is told


def test_what_the_source_says_again_and_again_its_translation_may() -> None:
    source = {**SOURCE, "output": "Ha ha ha ha ha ha ha ha ha ha ha ha!"}
    assert reason(with_output("Ja ja ja ja ja ja ja ja ja ja ja ja!"), source) == ""
    assert reason(with_output("Ja ja ja ja ja ja ja ja ja ja ja ja!")) == "says the same again"


def test_the_same_pairs_get_the_same_verdicts() -> None:
    looks = [look(Pair(SOURCE, one), "en", "es") for one in (SPANISH, SOURCE)]
    assert judge(looks, learn(looks, "en", "es")) == judge(looks, learn(looks, "en", "es"))


def test_a_verdict_is_the_same_whatever_else_is_judged() -> None:
    looks = [look(Pair(SOURCE, one), "en", "es") for one in (SPANISH, SOURCE, with_output("Nada."))]
    standard = learn(looks, "en", "es")
    together = judge(looks, standard)
    assert [one.reason for one in together] == ["", "left untranslated", "sentences are missing"]
    assert together == [judge([one], standard)[0] for one in looks]
    assert len({frozenset(one.figures) for one in together}) == 1


def test_where_there_is_nothing_to_learn_from_broad_bands_hold() -> None:
    (good, bad) = judge(
        [look(Pair(SOURCE, one), "en", "es") for one in (SPANISH, SOURCE)], learn([], "en", "es")
    )
    assert (good.reason, bad.reason) == ("", "left untranslated")


def test_real_translations_pass_and_real_faults_do_not() -> None:
    if not (ALPACA / "alpaca_zh.json").exists():
        pytest.skip("needs shared/data/alpaca")
    english, chinese = (
        json.loads((ALPACA / f"alpaca_{code}.json").read_text("utf-8"))[:4000] for code in ("en", "zh")
    )
    pairs = [
        Pair({field: one[field] for field in FIELDS}, {field: other[field] for field in FIELDS})
        for one, other in zip(english, chinese, strict=True)
        if other.get("score") == 5
    ][:1500]
    copies = [Pair(pair.source, pair.source) for pair in pairs[::10]]
    looks = [look(pair, "en", "zh") for pair in [*pairs, *copies]]
    verdicts = judge(looks, learn(looks, "en", "zh"))
    rejected = [bool(verdict.reason) for verdict in verdicts]
    assert sum(rejected[: len(pairs)]) < 0.04 * len(pairs)
    assert sum(rejected[len(pairs) :]) > 0.9 * len(copies)
