"""What each check lets pass and what it does not, in several languages."""

from __future__ import annotations

import json

import pytest

from crossin.core.formats import FIELDS
from crossin.languages.detection import likelihood
from crossin.translation.checks.characters import character_fault
from crossin.translation.checks.features import TranslationPair, features_of, prose_of, sentences_of
from crossin.translation.checks.signals import comment_in, copied_share, loops, repetition
from crossin.translation.checks.verdicts import Verdict, fit_thresholds, verdicts_on
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
    """The reason against one translation, checked by itself."""
    features = [features_of(TranslationPair(source, target, **more), "en", language)]
    (verdict,) = verdicts_on(features, fit_thresholds(features, "en", language))
    return code(verdict)


def code(verdict: Verdict) -> str:
    return verdict.rejection.reason if verdict.rejection else ""


def with_output(text: str) -> dict[str, str]:
    return {**SPANISH, "output": text}


def test_a_true_translation_passes() -> None:
    assert reason(SPANISH) == ""


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (with_output(""), "empty"),
        ({**SPANISH, "input": "Algo"}, "added_text"),
        (SOURCE, "untranslated"),
        (with_output(SOURCE["output"]), "untranslated"),
        (with_output("Lo siento, pero no puedo ayudar con eso."), "refusal"),
        (with_output("I'm sorry, but I cannot translate this."), "refusal"),
        (with_output(f"Aquí está la traducción: {SPANISH['output']}"), "comment"),
        (with_output(f"Here is the translation:\n{SPANISH['output']}"), "comment"),
        (
            with_output("Hanoi ist die Hauptstadt von Vietnam. Sie hat 8 Millionen Einwohner und viele Seen. "
                        "Ihre Altstadt hat 36 Straßen, die nach Berufen benannt sind."),
            "wrong_language",
        ),
        (with_output(SPANISH["output"] + " de un oficio" * 30), "repetition"),
        (with_output("Hanói es la capital de"), "missing_sentences"),
    ],
)  # fmt: skip
def test_a_fault_is_rejected_with_its_reason(target: dict[str, str], expected: str) -> None:
    assert reason(target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        # "\\theta", "\\beta", "\\frac", "\\rho" and "\\nabla" in JSON, with one backslash.
        ("El ángulo es \theta.", "control_character"),
        ("El ángulo es \beta.", "control_character"),
        ("La mitad es \frac{1}{2}.", "control_character"),
        ("La densidad es \rho.", "control_character"),
        ("El gradiente es \nabla.", "control_character"),
        ("El ángulo es \x00.", "control_character"),
        ("El ángulo es \ufffd\ufffd.", "control_character"),
        ("La <unk> y el águila.", "unknown_token"),
        ("La ⁇ y el águila.", "unknown_token"),
        ("La <0xE2><0x96> y el águila.", "unknown_token"),
        ("La \ue000 y el águila.", "control_character"),
        ("La gallina\r\ny el águila.", ""),
        ("La gallina\nno es águila.", ""),
        ("La gallina\ne l'aquila\nu orla", ""),
    ],
)
def test_characters_that_no_translation_has(target: str, expected: str) -> None:
    source = "The angle and the half of the density of the hen and the eagle."
    found = character_fault(source, target)
    assert (found[0] if found else "") == expected
    assert (
        reason({**SPANISH, "input": target}, {**SOURCE, "input": source}) in {expected} - {""} or not expected
    )


def test_characters_that_the_source_has_may_stay() -> None:
    assert character_fault("a\tb <unk> \ufffd", "c\td <unk> \ufffd") is None


def test_a_translation_that_was_cut_at_the_limit_is_rejected() -> None:
    assert reason(SPANISH, cut=True) == "token_limit"


def test_another_number_is_rejected() -> None:
    assert reason(with_output(SPANISH["output"].replace("36", "59"))) == "numbers"


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
    assert len(sentences_of(text)) == count


def test_code_and_links_are_no_prose() -> None:
    prose = prose_of("Run `f(x)` at https://a.org now.")
    assert "f(x)" not in prose and "a.org" not in prose


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
def test_a_language_is_recognised_by_script_and_words(text: str, language: str, fits: bool) -> None:
    pytest.importorskip("lingua", reason="the extra `text` is not installed")
    assert (likelihood(text, language) >= 0.1) is fits


def test_names_of_the_source_do_not_make_another_language() -> None:
    text = "越南菜：Bouley，Per Se，Le Bernardin 和 Gotham Bar and Grill。"
    assert likelihood(text, "zh", source_text="Bouley, Per Se, Le Bernardin, Gotham Bar and Grill") >= 0.1


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
    assert copied_share(source, target, same_script) == share


def test_half_of_a_text_left_untranslated_is_half() -> None:
    source = ["The dog sleeps in the garden.", "The cat waits for the birds there."]
    assert 0.4 < copied_share(source, ["El perro duerme.", source[1]], True) < 0.6


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("Write a letter.", "抱歉，我无法翻译这段文字。", "refusal"),
        ("Write an apology: I am sorry, I cannot come.", "Lo siento, no puedo ir.", ""),
        ("Write a letter.", "以下是翻译：请写一封信。", "comment"),
        ("Write a letter.", "Viết một lá thư.", ""),
        ("What does 'translation' mean?", "Traducción: el acto de traducir.", ""),
    ],
)
def test_words_about_the_translation(source: str, target: str, expected: str) -> None:
    assert comment_in(source, target) == expected


def test_a_loop_repeats_itself_and_prose_does_not() -> None:
    assert repetition(SOURCE["output"]) < 0.05
    assert repetition("and again " * 40) > 0.9


@pytest.mark.parametrize(
    ("text", "repeats"),
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
def test_a_text_that_ends_in_a_loop_or_is_doubled(text: str, repeats: bool) -> None:
    assert loops(text) is repeats


def test_what_the_source_says_again_and_again_its_translation_may() -> None:
    source = {**SOURCE, "output": "Ha ha ha ha ha ha ha ha ha ha ha ha!"}
    assert reason(with_output("Ja ja ja ja ja ja ja ja ja ja ja ja!"), source) == ""
    assert reason(with_output("Ja ja ja ja ja ja ja ja ja ja ja ja!")) == "repetition"


def test_the_same_pairs_get_the_same_verdicts() -> None:
    features = [features_of(TranslationPair(SOURCE, one), "en", "es") for one in (SPANISH, SOURCE)]
    first, second = (verdicts_on(features, fit_thresholds(features, "en", "es")) for _ in range(2))
    assert first == second


def test_a_verdict_depends_on_its_row_alone() -> None:
    targets = (SPANISH, SOURCE, with_output("Nada."))
    features = [features_of(TranslationPair(SOURCE, one), "en", "es") for one in targets]
    thresholds = fit_thresholds(features, "en", "es")
    together = verdicts_on(features, thresholds)
    assert [code(one) for one in together] == ["", "untranslated", "missing_sentences"]
    assert together == [verdicts_on([one], thresholds)[0] for one in features]
    assert len({frozenset(one.figures) for one in together}) == 1


def test_without_rows_to_fit_thresholds_to_broad_ones_hold() -> None:
    features = [features_of(TranslationPair(SOURCE, one), "en", "es") for one in (SPANISH, SOURCE)]
    good, bad = verdicts_on(features, fit_thresholds([], "en", "es"))
    assert (code(good), code(bad)) == ("", "untranslated")


@pytest.mark.slow
def test_real_translations_pass_and_real_faults_do_not() -> None:
    if not (ALPACA / "alpaca_zh.json").exists():
        pytest.skip("needs shared/data/alpaca")
    english, chinese = (
        json.loads((ALPACA / f"alpaca_{code}.json").read_text("utf-8"))[:4000] for code in ("en", "zh")
    )
    pairs = [
        TranslationPair({field: one[field] for field in FIELDS}, {field: other[field] for field in FIELDS})
        for one, other in zip(english, chinese, strict=True)
        if other.get("score") == 5
    ][:1500]
    copies = [TranslationPair(pair.source, pair.source) for pair in pairs[::10]]
    features = [features_of(pair, "en", "zh") for pair in [*pairs, *copies]]
    verdicts = verdicts_on(features, fit_thresholds(features, "en", "zh"))
    rejected = [verdict.rejection is not None for verdict in verdicts]
    assert sum(rejected[: len(pairs)]) < 0.04 * len(pairs)
    assert sum(rejected[len(pairs) :]) > 0.9 * len(copies)
