"""Which rows make sense in their own language only."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from crossin.core.formats import FIELDS
from crossin.translation.language_specific import language_specific_reason, reads_instructions, unread_note
from tests.helpers.paths import REAL_DATA, ROOT

ALPACA = REAL_DATA / "alpaca" / "alpaca_en.json"
LABELS = ROOT / "benchmarks" / "language_specific_labels.csv"

# For each reason: instructions about words, and siblings that only look so.
ABOUT_WORDS = {
    "translation_task": [
        "Translate the following sentence into Spanish.",
        "Translate 'good night' to Thai.",
        "Please translate this paragraph.",
        "Translate the proverb into a language of your choice.",
        "Provide a Swahili translation of the greeting.",
        "Convert this paragraph from German to English.",
        "How do you say 'thank you' in Korean?",
        "What does the French word 'pain' mean?",
        "Write a short greeting in Japanese.",
        "Identify the language of the text.",
    ],
    "grammar": [
        "Correct the grammar in this paragraph.",
        "Is this sentence grammatically correct?",
        "Explain why the sentence 'I seen him' is grammatically incorrect.",
        "Put the verb in brackets into the past tense.",
        "Rewrite the sentence in the passive voice.",
        "Underline all the nouns in the sentence.",
        "Is the word 'run' a noun or a verb?",
        "Classify these words as verbs or nouns.",
        "Replace the adjective in the sentence with another one.",
        "Name the part of speech of each word.",
        "Conjugate the verb 'to be'.",
        "What is the plural of ox?",
        "Give the comparative form of 'good'.",
        "Add the missing punctuation to the paragraph.",
        "Add commas where the sentence needs them.",
        "Fix the capitalization errors.",
        "Insert the correct preposition.",
        "Rewrite the sentence without contractions.",
        "Rearrange the words to make a sentence.",
        "Is this a run-on sentence?",
    ],
    "spelling": [
        "How do you spell 'necessary'?",
        "Check the spelling of these words.",
        "Find the typos in the paragraph.",
        "Proofread the following email.",
        "Which of these words is misspelled?",
    ],
    "verse": [
        "Write a limerick about a cat.",
        "Turn this article into a haiku.",
        "Write a poem about tea that rhymes.",
        "Which of these words rhymes with 'moon'?",
        "Invent a tongue twister.",
        "How many syllables has the word 'banana'?",
        "Give an example of alliteration.",
    ],
    "word_puzzle": [
        "Find an anagram of 'listen'.",
        "Is the word 'level' a palindrome?",
        "Unscramble these letters: tca.",
        "What does the acronym NATO stand for?",
        "Make a pun about bread.",
        "Create a mnemonic for the order of the planets.",
        "Write this in pig latin.",
    ],
    "letters": [
        "How many letters are in the word 'strawberry'?",
        "Sort these words alphabetically.",
        "Write the sentence in upper case.",
        'Name five animals that start with the letter "b".',
        "Remove all vowels from the word.",
        "How many words are in this sentence?",
        "Reverse the string.",
        "What is the longest word of this paragraph?",
    ],
    "word_choice": [
        "Give a synonym for 'happy'.",
        "What is the antonym of 'generous'?",
        "Explain the idiom 'kick the bucket'.",
        "Where does the word 'window' come from? Give its etymology.",
        "How is 'colonel' pronounced? Write down its pronunciation.",
        "Give three words with the prefix 'un-'.",
        "What is the difference between the homophones 'their' and 'there'?",
        "Complete the proverb: A stitch in time",
        "Find a word that means 'very tired'.",
        "Rewrite the sentence with a slang term.",
    ],
}
NOT_ABOUT_WORDS = {
    "translation_task": [
        "Explain how mRNA translation works.",
        "What is the role of the ribosome in translation?",
        "How does the cell translate a gene into a protein?",
        "Translate the graph of y = x² by 3 units to the right.",
        "Translate the triangle four units to the left and draw it.",
        "Translate the strategy into concrete actions.",
        "Explain how research is translated into practice.",
        "Describe the plot of the film Lost in Translation.",
        "Translate this Python function to Java.",
        "Translate the sentence into a logical formula.",
        "Translate the phrase 'time is money' into a marketing plan.",
        "Write a program that translates English text to French.",
        "Describe how machine translation from English to French works.",
        "Which languages are spoken in Switzerland?",
        "Plan a trip to the Greek islands.",
        "How do I polish a table to a mirror finish?",
        "Identify the programming language of this snippet.",
    ],
    "grammar": [
        "Explain what grammar is.",
        "What is a verb?",
        "Why is good grammar important in business?",
        "Describe a day at a grammar school.",
        "List five adjectives that describe a castle.",
        "Describe the hotel using five adjectives.",
        "Find the adjective that best describes his character, or the nouns to describe it.",
        "Write a story in the first person.",
        "Write a story in the past tense about a fox.",
        "Rewrite the text in the third person.",
        "Rewrite the statement as a question.",
        "Add a clause about late payment to the contract.",
        "What is a conjugated polymer?",
        "Explain punctuated equilibrium.",
        "How can a company capitalize on a new market?",
        "Which company has the highest market capitalization?",
        "Explain muscle contractions.",
        "Explain active transport in cells.",
        "How do I relax tense shoulders?",
        "Categorize these gestures as verbal or nonverbal communication.",
        "Create a grammatically correct sentence about the weather.",
    ],
    "spelling": [
        "Write a spell with which a witch freezes a lake.",
        "What caused the dry spell?",
        "Explain how a spell checker saves time to a new employee in the office.",
        "Who won the spelling bee?",
        "Spell out your plan for next year.",
        "Suggest a way to proofread a text.",
    ],
    "verse": [
        "What is a haiku?",
        "Write an essay about the history of the limerick.",
        "Summarize the theme of Sonnet 18.",
        "Who wrote this nursery rhyme?",
        "Explain what rhyme is.",
        "Write a non-rhyming poem.",
        "Write a poem about the sea.",
    ],
    "word_puzzle": [
        "What is a palindrome?",
        "Explain palindromic sequences in DNA.",
        "Write a function that checks whether two strings are anagrams.",
        "Is 12321 a palindrome number?",
        "Explain how a computer solves a crossword puzzle.",
        "Why do companies use acronyms?",
    ],
    "letters": [
        "Write a letter of resignation.",
        "Summarize the letters from Van Gogh to his brother.",
        "How many characters are in Hamlet?",
        "Generate a password with one uppercase letter.",
        "Write a regular expression that finds words with the letter 'x'.",
        "Write a program that sorts names alphabetically.",
        "Reduce the word count of this paragraph by half.",
        "What products does Alphabet Inc. sell?",
        "Give a recipe for alphabet soup.",
        "Write a story that begins with a storm.",
    ],
    "word_choice": [
        "What is an antonym?",
        "Explain the proverb 'slow and steady wins the race'.",
        "Discuss the role of slang in youth culture.",
        "What is the dialing prefix of Italy?",
        "Compute the prefix sum of an array.",
        "Fill in the blank: the capital of France is ___.",
        "Define the word 'serendipity'.",
        "Explain the pronounced effect of heat on steel.",
    ],
}


def reason_of(instruction: str, input: str, output: str, language: str = "en") -> str:
    texts = {"instruction": instruction, "input": input, "output": output}
    return language_specific_reason(texts, language) or ""


@pytest.mark.parametrize(
    ("reason", "instruction"), [(reason, one) for reason, all in ABOUT_WORDS.items() for one in all]
)
def test_tasks_about_words_are_language_specific(reason: str, instruction: str) -> None:
    assert reason_of(instruction, "", "Some answer, and more.") == reason


@pytest.mark.parametrize("instruction", [one for all in NOT_ABOUT_WORDS.values() for one in all])
def test_tasks_that_only_speak_of_words_are_not(instruction: str) -> None:
    assert reason_of(instruction, "", "Some answer, and more.") == ""


@pytest.mark.parametrize(
    ("instruction", "input", "output"),
    [
        ("Edit the text.", "He walked off of the stage today.", "He walked off the stage today."),
        ("Edit the sentence:", "She dont like it.", "She doesn't like it."),
        ('Edit the sentence: "We is late"', "", "We are late."),
        ("Find the mistake and correct it.", "He walk home yesterday.", "He walked home yesterday."),
        ("Make it sound more natural.", "I am agree with you.", "I agree with you."),
        ("Format the text correctly.", "its raining again", "It's raining again."),
    ],
)
def test_a_text_whose_words_are_corrected_is_language_specific(
    instruction: str, input: str, output: str
) -> None:
    assert reason_of(instruction, input, output) == "correction"


@pytest.mark.parametrize(
    ("instruction", "input", "output"),
    [
        ("Correct the false fact.", "The capital of Peru is Quito.", "The capital of Peru is Lima."),
        ("Edit the text.", "Cook 500 g of beef.", "Cook 500 g of mushrooms."),
        ("Edit the sentence to make it more concise.", "He is at home now.", "He's home now."),
        ("Edit the sentence to make it negative.", "He was here.", "He wasn't here."),
        ("Find the mistake in the code.", "for i in range(3) print(i)", "for i in range(3): print(i)"),
        ("Put the steps into the correct order.", "mix, bake", "mix, bake"),
        ("Choose the correct answer.", "A. Lima B. Quito", "A. Lima"),
        ("Edit the text.", "The sky is blue", "The sky is blue."),
    ],
)
def test_a_text_whose_content_is_changed_is_not(instruction: str, input: str, output: str) -> None:
    assert reason_of(instruction, input, output) == ""


def test_a_paragraph_that_is_quoted_may_speak_of_words() -> None:
    paragraph = "Writers love synonyms and puns. They revise spelling and grammar by hand, page for page."
    assert reason_of(f'Summarize: "{paragraph}"', "", "Writers revise by hand.") == ""


def test_the_rules_are_for_english_and_say_so() -> None:
    assert reason_of("Corrige la gramática, por favor: grammar", "", "bien", "es") == ""
    assert reason_of("1 + 1 = ?", "", "2", "fr") == "code_only"
    assert reads_instructions("en") and reads_instructions("en-GB")
    assert unread_note("en") == ""
    for language in ("zh", "vi", "es"):
        assert not reads_instructions(language)
        assert language in unread_note(language)


@pytest.mark.slow
@pytest.mark.skipif(not ALPACA.exists(), reason=f"no Alpaca in {REAL_DATA}")
def test_rows_of_alpaca_that_were_read_by_hand_are_rightly_taken() -> None:
    """The labels that precision is measured on (docs/benchmarks.md), without the rows that made the rules."""
    rows = json.loads(Path(ALPACA).read_text("utf-8"))
    taken: Counter[str] = Counter()
    right: Counter[str] = Counter()
    specific = found = 0
    with LABELS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            number, label = int(line["id"]), line["specific"] == "1"
            if number % 3:
                reason = reason_of(*(rows[number][field] for field in FIELDS))
                taken[reason] += 1
                right[reason] += label
                specific += label
                found += label and reason != ""
    for reason in set(taken) - {"", "code_only"}:
        assert right[reason] / taken[reason] >= 0.95, reason
    assert found / specific >= 0.85
