"""When counts of tokens show that a server cuts prompts, and when they do not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from crossin.evaluation.engine import CutPrompts
from crossin.evaluation.openai.prompt_counts import PromptCounts, prompt_size, shortened

# Words that are one token each, of four to ten bytes.
WORDS = ("lime", "maple", "cherry", "chestnut", "eucalyptus", "oak!")
Count = Callable[[int], int]


def prompts(number: int, shortest: int, longest: int, seed: int = 0) -> list[tuple[str, int]]:
    """Texts of words in any order, with their tokens, the numbers of which are spread evenly."""
    made = []
    for place in range(number):
        chance = Random(f"{seed}/{place}")
        tokens = chance.randrange(shortest, longest)
        words = chance.choices(WORDS, k=tokens)
        made.append((" ".join(words), tokens))
    return made


def noticed(
    texts: list[tuple[str, int]], count: Count, *, tiny: int = 3, key: str = "en/question/reply"
) -> tuple[int, CutPrompts] | None:
    """After how many prompts it is certain that they are cut, and the error."""
    counts = PromptCounts()
    counts.saw_tiny(tiny)
    for number, (text, tokens) in enumerate(texts, 1):
        seen = count(tokens)
        if seen and (cut := counts.add(key, text, prompt_size(text), seen, f"item '{number}'")):
            return number, cut
    return None


@pytest.mark.parametrize("context", [300, 512, 777, 1024])
@pytest.mark.parametrize(
    "cut",
    [
        lambda tokens, context: min(tokens, context),
        lambda tokens, context: tokens if tokens <= context else context // 2 + 2,
        lambda tokens, context: tokens if tokens < context - 5 else context - 6,
    ],
    ids=["to the context", "to half of it", "to a little less"],
)
def test_a_count_that_stands_still_is_noticed(cut: Callable[[int, int], int], context: int) -> None:
    found = noticed(prompts(60, context // 3, 3 * context), lambda tokens: cut(tokens, context))
    assert found is not None
    number, error = found
    assert number < 40
    assert f"{error.least:,} tokens" in error.message
    assert cut(10 * context, context) == error.least


def test_five_prompts_are_enough_where_all_are_cut() -> None:
    found = noticed(prompts(8, 700, 2000), lambda _: 640)
    assert found is not None
    assert 4 <= found[0] <= 6


def test_three_prompts_of_each_of_two_languages_are_enough_where_they_are_the_longest() -> None:
    """Counts that grow with the prompts, and then stop."""

    def found(count: Count, longest: int) -> CutPrompts | None:
        counts, cut = PromptCounts(), None
        for place in range(2 * 10):
            # Every tenth of the longest, from the shortest on.
            [(text, tokens)] = prompts(
                1, longest * (1 + place // 2) // 10, longest * (1 + place // 2) // 10 + 9, place
            )
            cut = cut or counts.add(
                ("en", "es")[place % 2], text, prompt_size(text), count(tokens), "an item"
            )
        return cut

    assert found(lambda tokens: min(tokens, 1500), 2000) is not None
    assert found(lambda tokens: tokens, 2000) is None


def test_prompts_with_the_same_examples_before_them_are_compared_by_what_differs() -> None:
    examples = " ".join(WORDS * 200)
    texts = [(examples + text, 1200 + tokens) for text, tokens in prompts(30, 20, 120)]
    assert noticed(texts, lambda tokens: min(tokens, 1000)) is not None
    assert noticed(texts, lambda tokens: tokens) is None


def test_languages_are_added_up() -> None:
    counts = PromptCounts()
    counts.saw_tiny(5)
    found = None
    for number, (text, _) in enumerate(prompts(9, 520, 640)):
        key = ("en", "th", "vi")[number % 3]
        found = counts.add(key, text, prompt_size(text) * (1 + number % 3), 500, f"item '{number}'")
    assert found is not None
    assert "item '" in found.message


@pytest.mark.parametrize(
    ("count", "tiny"),
    [
        (lambda tokens: tokens, 3),
        (lambda tokens: tokens + 90, 93),
        (lambda tokens: -(-tokens // 16) * 16, 16),
        (lambda tokens: -(-tokens // 100) * 100, 100),
        (lambda tokens: -(-tokens // 128) * 128, 128),
        (lambda _: 1000, 1000),
        (lambda _: 0, 0),
        # Nothing but what is not in the cache: of a prompt that was sent before, the last token or block.
        (lambda _: 1, 3),
        (lambda tokens: tokens % 64 + 1, 3),
    ],
    ids=["honest", "template", "by 16", "by 100", "by 128", "constant", "none", "the last", "the last block"],
)
@pytest.mark.parametrize(("shortest", "longest"), [(5, 40), (30, 900), (700, 2500)])
def test_other_counts_are_no_alarm(count: Count, tiny: int, shortest: int, longest: int) -> None:
    for seed in range(4):
        for number in (3, 12, 200):
            assert noticed(prompts(number, shortest, longest, seed), count, tiny=tiny) is None


def test_prompts_of_one_length_are_no_alarm() -> None:
    texts = [(f"{number} + {number + 7} = ?" * 30, 240) for number in range(100, 160)]
    assert noticed(texts, lambda tokens: tokens) is None


def test_the_rest_of_a_cached_paragraph_is_no_alarm() -> None:
    """Five questions on each: the first is counted as a whole, the others from where they differ."""
    counts = PromptCounts()
    counts.saw_tiny(3)
    for place, (paragraph, tokens) in enumerate(prompts(40, 100, 900)):
        for question in range(5):
            text = f"{paragraph} {WORDS[question]}?"
            seen = 12 if question else tokens + 12
            assert counts.add("en", text, prompt_size(text), seen, f"{place}/{question}") is None


def test_options_of_one_question_are_one_prompt() -> None:
    counts = PromptCounts()
    counts.saw_tiny(3)
    for question, tokens in prompts(3, 400, 900):
        for place in range(50):
            assert (
                counts.add("en", question, prompt_size(question, "x" * place), min(tokens, 350), "q") is None
            )


def test_counts_that_hardly_grow_are_noticed() -> None:
    """As of a server that cuts by blocks, so that what is left is not always as long."""
    found = noticed(
        prompts(40, 20, 200) + prompts(30, 2000, 9000),
        lambda tokens: tokens if tokens <= 512 else 256 + tokens % 256,
    )
    assert found is not None
    assert found[1].least <= 256


CHAT = (("user", "One?"), ("assistant", "A"), ("user", "Two?"), ("assistant", "B"), ("user", "Three?"))


def test_a_conversation_without_its_first_example() -> None:
    assert shortened("One?", "#") is None
    assert shortened(CHAT[-1:], "#") is None
    both = shortened((("system", "Answer."), *CHAT), "#")
    assert both is not None
    whole, less = both
    assert whole == (("system", "Answer."), ("user", "#One?"), *CHAT[1:])
    assert less == (("system", "Answer."), ("user", "#Two?"), *CHAT[3:])


@pytest.mark.parametrize(
    ("whole", "less", "cut"), [(90, 80, False), (70, 70, True), (60, 70, True), (0, 0, False), (70, 0, False)]
)
def test_a_conversation_that_counts_no_less_without_an_example(whole: int, less: int, cut: bool) -> None:
    counts = PromptCounts()
    counts.saw_tiny(7)
    found = counts.shortened("item 'a'", (("user", "word " * 99), *CHAT), whole, CHAT, less)
    assert (found is not None) == cut
