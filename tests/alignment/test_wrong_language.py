from __future__ import annotations

import numpy as np
import pytest

from crossin.alignment.characters import Flags
from crossin.alignment.measures import measure
from crossin.alignment.wrong_language import Profiles, foreign_script, own_scripts
from tests.helpers.alignment_rows import Rows, columns, parallel_rows


def asked(*instructions: str) -> Rows:
    return [{"instruction": text, "input": "", "output": ""} for text in instructions]


def foreign(text: str, own: str, pivot: str = "Tell me of Rome") -> bool:
    """Whether `text` looks foreign in a file of `own` beside one of `pivot`."""
    scripts = [own_scripts(measure(columns(asked(*[sample] * 5))).scripts) for sample in (own, pivot)]
    return bool(foreign_script(measure(columns(asked(text))).scripts, *scripts)[0])


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        ("告诉我罗马的事", "请写一篇文章", False),
        ("翻译“Bonne chance”", "请写一篇文章", False),
        ("Tell me of Rome", "请写一篇文章", True),
        ("ローマについておしえて", "请写一篇文章", True),
        ("東京についておしえてください", "请写一篇文章", True),
        ("Расскажи о Риме", "请写一篇文章", True),
        ("ローマについて教えて", "東京について書いてください", False),
        ("Nói về Rome", "Hãy viết về Rome", False),
        ("2 + 2 = ?", "请写一篇文章", False),
        ("أخبرني عن روما", "Tell me of Rome", True),
    ],
)
def test_a_row_must_hold_letters_of_its_files_scripts(text: str, own: str, expected: bool) -> None:
    assert foreign(text, own) is expected


def judged(pivot: str, other: str) -> tuple[bool, bool]:
    """What profiles of English and Vietnamese say of one row."""
    sides = parallel_rows(600, ("en", "vi"))
    profiles = Profiles.fit(*(measure(columns(side)).grams for side in sides))
    flags: tuple[Flags, Flags] = profiles.foreign(
        *(measure(columns(asked(text))).grams for text in (pivot, other))
    )
    return bool(flags[0][0]), bool(flags[1][0])


def test_within_a_script_the_profile_tells_the_languages_apart() -> None:
    english, vietnamese = (side[0]["instruction"] for side in parallel_rows(1, ("en", "vi"), seed=9))
    assert judged(english, vietnamese) == (False, False)
    assert judged(vietnamese, english) == (True, True)


def test_what_both_sides_quote_is_no_sign() -> None:
    english, vietnamese = (side[0]["instruction"] for side in parallel_rows(1, ("en", "vi"), seed=9))
    quoted = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich"
    assert judged(f"{english}: {quoted}", f"{vietnamese}: {quoted}") == (False, False)
    assert judged(english, quoted) == (False, True)


def test_rows_of_a_third_language_leave_no_trace_in_the_profile() -> None:
    pivot, other = parallel_rows(600, ("en", "vi"))
    strange = "Zwölf Boxkämpfer jagen Viktor quer über den Deich"
    for row in range(0, 600, 5):
        other[row]["instruction"] = strange
    grams = measure(columns(pivot)).grams, measure(columns(other)).grams
    flags = Profiles.fit(*grams).foreign(*grams)[1]
    assert np.flatnonzero(flags).tolist() == list(range(0, 600, 5))
