from __future__ import annotations

from typing import Any

import pytest

from crossin.bench.text_forms import opened, structured


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('["oak", "elm"]', ["oak", "elm"]),
        ("['oak', \"cook's elm\"]", ["oak", "cook's elm"]),
        ("('oak', 'elm')", ["oak", "elm"]),
        ("['oak', None]", ["oak", None]),
        ('[null, "oak"]', [None, "oak"]),
        ("['', '']", ["", ""]),
        ('{"A": "oak"}', {"A": "oak"}),
        ("  [1, 2.5]\n", [1, 2.5]),
        ("[ 'a\\d' ]", ["a\\d"]),
        ("['槲', '榆']", ["槲", "榆"]),
        ("['say \\'a\\' \\'b\\'', 'c']", ["say 'a' 'b'", "c"]),
    ],
)
def test_a_list_or_an_object_is_read_from_json_or_a_python_literal(text: str, found: Any) -> None:
    assert structured(text) == found
    assert opened(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("oak, elm", "not a list"),
        ("", "not a list"),
        ("['oak' 'elm']", "no commas"),
        ("['oak'\n 'elm']", "no commas"),
        ("['oak''elm']", "no commas"),
        ("array(['oak'])", "not a list"),
        ("[oak, elm]", "neither JSON nor"),
        ("['oak', nan]", "neither JSON nor"),
        ("[print('oak')]", "neither JSON nor"),
        ("{'oak', 'elm'}", "not a list"),
        ("[" * 5000 + "]" * 5000, "neither JSON nor"),
        ("[" + "-" * 50_000 + "1]", "neither JSON nor"),
        ("[" + "1, " * 60_000 + "1]", "longer than"),
    ],
)
def test_what_is_neither_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        structured(text)
    assert opened(text) == text


def test_other_values_stay_as_they_are() -> None:
    assert opened(None) is None
    assert opened([1]) == [1]
