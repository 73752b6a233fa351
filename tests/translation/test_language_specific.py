"""Which rows make sense in their own language only."""

from __future__ import annotations

import pytest

from crossin.translation.task_bound import bound


@pytest.mark.parametrize(
    ("instruction", "input", "output", "reason"),
    [
        ("Translate the sentence into French.", "It rains.", "Il pleut.", "translation task"),
        ("Give the Spanish word for fox.", "", "zorro", "translation task"),
        ("Correct the grammar of this sentence.", "She go home.", "She goes home.", "grammar"),
        ("Rewrite the sentence in the passive voice.", "He ate it.", "It was eaten.", "grammar"),
        ("Identify the verb in this sentence.", "He runs.", "runs", "grammar"),
        ("Fix the spelling mistakes.", "I recieve it.", "I receive it.", "spelling"),
        ("Write a haiku about the sea.", "", "Waves…", "rhyme or verse"),
        ("Find a word that rhymes with cat.", "", "hat", "rhyme or verse"),
        ("Unscramble these letters.", "tca", "cat", "word puzzle"),
        ("How many vowels are in 'banana'?", "", "3", "letters of words"),
        ("Put these words in alphabetical order.", "b, a", "a, b", "letters of words"),
        ("Give a synonym for happy.", "", "glad", "word choice"),
        (
            "Edit the text.",
            "He walked off of the stage today.",
            "He walked off the stage today.",
            "correction",
        ),
        ("6 + 3 = ?", "", "9", "code only"),
    ],
)
def test_rows_about_words_are_bound(instruction: str, input: str, output: str, reason: str) -> None:
    assert bound(instruction, input, output, "en") == reason


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
    assert bound(instruction, "", "Some answer.", "en") == expected


def test_the_rules_are_for_english() -> None:
    assert bound("Corrige la gramática, s'il vous plaît: grammar", "", "bien", "fr") == ""
    assert bound("1 + 1 = ?", "", "2", "fr") == "code only"
