"""What SeaEval's rule makes of replies, its oddities included."""

from __future__ import annotations

import pytest

from crossin.scoring.seaeval_rule import align

# SeaEval draws one of all choices.
ANY = (0, 1, 2, 3)
COLOURS = ["(A) red", "(B) dark green", "(C) green", "(D) none of these"]


@pytest.mark.parametrize(
    ("reply", "positions"),
    [
        ("(B)", (1,)),
        ("The answer is （c）。", (2,)),
        ("(D) None of these", (3,)),
        ("(B) RED", (1,)),
        # The label in brackets is found, or the whole choice: the longest counts.
        ("(A) or rather (C) green", (2,)),
        # Of labels of equal length the first option's.
        ("Not (C) but (B)", (1,)),
        # Sentences vote.
        ("(A). It is (B). Yes, (B)!", (1,)),
        ("(A). Or (B).", (0, 1)),
        # Without a mark: a bare letter, or the text.
        ("C", (2,)),
        ("<pad> c", (2,)),
        ("It is dark green, I think.", (1,)),
        # Only a capital A is no article, and it goes before a shorter text.
        ("A", (0,)),
        ("a thing", ANY),
        ("A is green", (0,)),
        # No letter stands alone here.
        ("答案：B", ANY),
        ("**Answer:** A", (0,)),
        ("C) 12", ANY),
        ("", ANY),
        ("  ...  ", ANY),
        ("I do not know", ANY),
    ],
)
def test_reply(reply: str, positions: tuple[int, ...]) -> None:
    assert align(reply, COLOURS) == positions


def test_a_text_with_a_full_stop_is_never_found_without_its_label() -> None:
    assert align("It is 1.5", ["(A) 1.5", "(B) 2.5"]) == (0, 1)
    assert align("B) nets.", ["(A) rods.", "(B) nets."]) == (0, 1)
    assert align("(b) nets.", ["(A) rods.", "(B) nets."]) == (1,)
    # But a capital A between spaces is found.
    assert align("B) A net.", ["(A) A rod.", "(B) A net."]) == (0,)


def test_of_two_choices_with_one_text_the_last_has_it() -> None:
    assert align("It is blue", ["(A) blue", "(B) blue", "(C) red"]) == (1,)


def test_of_a_text_that_begins_with_a_full_stop_the_rest_is_found() -> None:
    assert align("It is 25", ["(A) .25", "(B) .75"]) == (0,)
