from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.compose import Component, Recipe, plan
from crossin.compose.plan import Draw, directions_of, draw_without_replacement
from crossin.errors import CrossinError

LANGUAGES = ["en", "zh", "vi", "es"]
INDEX = {"questions": [f"q{number}" for number in range(10)], "names": ["n0", "n1"]}


def recipe(*components: tuple[str, int]) -> Recipe:
    made: list[Any] = [{"kind": kind, "rows": rows} for kind, rows in components]
    return Recipe(name="test", components=made)


def drawn(made: Recipe, seed: int = 0) -> list[Draw]:
    return plan(made, INDEX, LANGUAGES, seed)


@given(st.integers(1, 200), st.text(max_size=5), st.integers(0, 3))
def test_each_time_round_every_element_is_drawn_once(size: int, key: str, turn: int) -> None:
    round_ = [draw_without_replacement(turn * size + slot, size, key) for slot in range(size)]
    assert sorted(round_) == list(range(size))


def test_each_time_round_the_order_is_fresh() -> None:
    first = [draw_without_replacement(slot, 50, "key") for slot in range(50)]
    second = [draw_without_replacement(50 + slot, 50, "key") for slot in range(50)]
    assert first != second != list(range(50))


def test_the_seed_decides() -> None:
    made = recipe(("x2x", 30))
    assert drawn(made, 1) == drawn(made, 1) != drawn(made, 2)


def test_a_mixture_of_twice_the_rows_begins_with_the_mixture() -> None:
    small = drawn(recipe(("base", 30), ("x2en", 20), ("trans", 10)))
    large = drawn(recipe(("base", 60), ("x2en", 40), ("trans", 20)))
    assert large[: len(small)] == small


def test_components_are_interleaved() -> None:
    kinds = [draw.component for draw in drawn(recipe(("base", 100), ("mono", 50)))]
    assert 25 <= kinds[:75].count(1) + 1 <= 28


@pytest.mark.parametrize(
    ("kind", "directions"),
    [
        ("base", {("en", "en")}),
        ("mono", {("zh", "zh"), ("vi", "vi"), ("es", "es")}),
        ("x2en", {("zh", "en"), ("vi", "en"), ("es", "en")}),
        ("en2x", {("en", "zh"), ("en", "vi"), ("en", "es")}),
        ("x2x", {(one, other) for one in LANGUAGES for other in LANGUAGES if one != other}),
        ("trans", {(one, other) for one in LANGUAGES for other in LANGUAGES if one != other}),
    ],
)
def test_a_kinds_directions(kind: Any, directions: set[tuple[str, str]]) -> None:
    assert set(directions_of(Component(kind=kind, rows=1), LANGUAGES, "en")) == directions


def test_directions_are_balanced() -> None:
    counts = Counter(draw.language_in for draw in drawn(recipe(("x2en", 30))))
    assert counts == {"zh": 10, "vi": 10, "es": 10}


def test_nothing_to_draw_from_is_an_error() -> None:
    with pytest.raises(CrossinError, match=r"components\.0.*component 1 \(mono\) needs another language"):
        plan(recipe(("mono", 5)), INDEX, ["en"], 0)
    with pytest.raises(CrossinError, match=r"component 1 \(mono\) has nothing to draw from"):
        plan(recipe(("mono", 5)), {"questions": []}, LANGUAGES, 0)


def test_the_pivot_must_be_among_the_languages() -> None:
    with pytest.raises(CrossinError, match=r"pivot 'en' is not among es, vi.*--languages en,es,vi"):
        plan(recipe(("mono", 5)), INDEX, ["es", "vi"], 0)
