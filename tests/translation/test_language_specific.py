"""Which rows make sense in their own language only."""

from __future__ import annotations

import pytest

from crossin.translation.language_specific import language_specific_reason


def reason_of(instruction: str, input: str, output: str, language: str) -> str:
    texts = {"instruction": instruction, "input": input, "output": output}
    return language_specific_reason(texts, language) or ""


@pytest.mark.parametrize(
    ("instruction", "input", "output", "reason"),
    [
        ("Translate the sentence into French.", "It rains.", "Il pleut.", "translation_task"),
        ("Give the Spanish word for fox.", "", "zorro", "translation_task"),
        ("Correct the grammar of this sentence.", "She go home.", "She goes home.", "grammar"),
        ("Rewrite the sentence in the passive voice.", "He ate it.", "It was eaten.", "grammar"),
        ("Identify the verb in this sentence.", "He runs.", "runs", "grammar"),
        ("Fix the spelling mistakes.", "I recieve it.", "I receive it.", "spelling"),
        ("Write a haiku about the sea.", "", "Waves…", "verse"),
        ("Find a word that rhymes with cat.", "", "hat", "verse"),
        ("Unscramble these letters.", "tca", "cat", "word_puzzle"),
        ("How many vowels are in 'banana'?", "", "3", "letters"),
        ("Put these words in alphabetical order.", "b, a", "a, b", "letters"),
        ("Give a synonym for happy.", "", "glad", "word_choice"),
        (
            "Edit the text.",
            "He walked off of the stage today.",
            "He walked off the stage today.",
            "correction",
        ),
        ("6 + 3 = ?", "", "9", "code_only"),
    ],
)
def test_rows_about_words_are_language_specific(
    instruction: str, input: str, output: str, reason: str
) -> None:
    assert reason_of(instruction, input, output, "en") == reason


@pytest.mark.parametrize(
    "instruction",
    [
        "Write a letter of resignation.",
        "Describe the main characters of the play.",
        "Give instructions for making scrambled eggs.",
        "Compare communism and capitalism.",
        "List three vegetables that are used in Italian cooking.",
        "Create a metaphor for sadness.",
        "Explain how a spell checker saves time to a new employee in the office.",
        "Name the capital of France.",
    ],
)
def test_other_rows_are_not(instruction: str) -> None:
    expected = "spelling" if "spell" in instruction else ""
    assert reason_of(instruction, "", "Some answer.", "en") == expected


def test_the_rules_are_for_english() -> None:
    assert reason_of("Corrige la gramática, s'il vous plaît: grammar", "", "bien", "fr") == ""
    assert reason_of("1 + 1 = ?", "", "2", "fr") == "code_only"
