from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.mixture import Component
from crossin.mixture.planning import Plan, plan
from crossin.mixture.pools import CandidatePool, directions_of
from crossin.mixture.recipe import Kind
from tests.helpers.errors import refused

LANGUAGES = ["en", "zh", "vi", "es"]
KINDS: tuple[Kind, ...] = ("base", "mono", "x2en", "en2x", "x2x", "trans")
Draws = list[tuple[str, int, int, str, str]]


def pool_of(component: Component, rows: int = 100, seed: int = 0) -> CandidatePool:
    """A pool of `rows` rows, each in all languages."""
    directions = directions_of(component, LANGUAGES, "en")
    everything = np.arange(rows, dtype=np.int32)
    name = component.name or component.kind
    labels = [next((one for one in direction if one != "en"), "en") for direction in directions]
    labels = labels if component.by_pivot else [">".join(direction) for direction in directions]
    return CandidatePool(name, component, "en", seed, directions, labels, [everything] * len(directions))


def drawn(*components: tuple[Component, int], seed: int = 0, rows: int = 100) -> Draws:
    """The plan of components of these sizes: (component, slot, row, language in, language out) in its
    order.
    """
    pools = [pool_of(component, rows, seed) for component, _ in components]
    return listed(plan(pools, [count for _, count in components], LANGUAGES))


def listed(made: Plan) -> Draws:
    return [
        (made.components[component], slot, row, made.languages[one], made.languages[other])
        for component, slot, row, one, other in zip(
            made.component.tolist(),
            made.slot.tolist(),
            made.row.tolist(),
            made.language_in.tolist(),
            made.language_out.tolist(),
            strict=True,
        )
    ]


@st.composite
def components(draw: st.DrawFn) -> list[tuple[Component, int]]:
    """Components of all kinds and samplers that fit a corpus of 100 rows."""
    made = []
    for number in range(draw(st.integers(1, 4))):
        sampler = draw(st.sampled_from(("uniform", "proportional", "temperature", "unimax")))
        options: dict[str, Any] = {"replacement": draw(st.booleans()), "sampler": sampler}
        kind = draw(st.sampled_from(KINDS))
        made.append((Component(kind=kind, name=f"c{number}", rows=1, **options), draw(st.integers(1, 50))))
    return made


@given(components(), st.integers(2, 4), st.integers(0, 3))
def test_where_all_sizes_grow_alike_the_larger_mixture_begins_with_the_smaller(
    chosen: list[tuple[Component, int]], factor: int, seed: int
) -> None:
    small = drawn(*chosen, seed=seed, rows=200)
    large = drawn(*((component, factor * count) for component, count in chosen), seed=seed, rows=200)
    assert large[: len(small)] == small


@given(components(), components(), st.integers(0, 3))
def test_adding_a_component_changes_no_row_of_another(
    chosen: list[tuple[Component, int]], more: list[tuple[Component, int]], seed: int
) -> None:
    others = [
        (component.model_copy(update={"name": f"other {component.name}"}), count) for component, count in more
    ]
    before = drawn(*chosen, seed=seed)
    after = [draw for draw in drawn(*others, *chosen, seed=seed) if not draw[0].startswith("other")]
    assert sorted(after) == sorted(before)


@given(components(), st.integers(0, 3))
def test_every_component_has_its_rows_slot_by_slot_in_its_directions(
    chosen: list[tuple[Component, int]], seed: int
) -> None:
    draws = drawn(*chosen, seed=seed)
    for component, count in chosen:
        mine = [draw for draw in draws if draw[0] == component.name]
        assert sorted(slot for _, slot, *_ in mine) == list(range(count))
        assert {(one, other) for *_, one, other in mine} <= set(directions_of(component, LANGUAGES, "en"))
        if not component.replacement:
            assert max(Counter((row, one, other) for _, _, row, one, other in mine).values()) == 1


@pytest.mark.parametrize(
    ("entries", "directions"),
    [
        ({"kind": "base"}, {("en", "en")}),
        ({"kind": "mono"}, {("zh", "zh"), ("vi", "vi"), ("es", "es")}),
        ({"kind": "x2en"}, {("zh", "en"), ("vi", "en"), ("es", "en")}),
        ({"kind": "en2x"}, {("en", "zh"), ("en", "vi"), ("en", "es")}),
        ({"kind": "x2x"}, {(one, other) for one in LANGUAGES for other in LANGUAGES if one != other}),
        ({"kind": "trans"}, {(one, other) for one in LANGUAGES for other in LANGUAGES if one != other}),
        ({"kind": "trans", "direction": "to-pivot"}, {("zh", "en"), ("vi", "en"), ("es", "en")}),
        ({"kind": "trans", "direction": "from-pivot"}, {("en", "zh"), ("en", "vi"), ("en", "es")}),
        ({"kind": "x2x", "languages": ["zh", "Vietnamese"]}, {("zh", "vi"), ("vi", "zh")}),
        ({"kind": "mono", "languages": ["zh"]}, {("zh", "zh")}),
        ({"kind": "x2x", "pairs": [["zh", "vi"]]}, {("zh", "vi")}),
    ],
)
def test_a_kinds_directions(entries: dict[str, Any], directions: set[tuple[str, str]]) -> None:
    component = Component.model_validate({"rows": 1, **entries})
    assert set(directions_of(component, LANGUAGES, "en")) == directions


def test_the_pivot_need_not_be_english() -> None:
    assert directions_of(Component(kind="x2en", rows=1), LANGUAGES, "zh") == [
        ("en", "zh"),
        ("vi", "zh"),
        ("es", "zh"),
    ]
    assert directions_of(Component(kind="base", rows=1), LANGUAGES, "zh") == [("zh", "zh")]


def test_the_seed_decides() -> None:
    chosen = (Component(kind="x2x", rows=30), 30)
    assert drawn(chosen, seed=1) == drawn(chosen, seed=1) != drawn(chosen, seed=2)


def test_directions_are_balanced() -> None:
    counts = Counter(one for *_, one, _ in drawn((Component(kind="x2en", rows=30), 30)))
    assert counts == {"zh": 10, "vi": 10, "es": 10}


def test_components_are_mixed_evenly_and_stages_come_one_after_the_other() -> None:
    base, mono = Component(kind="base", rows=1), Component(kind="mono", rows=1)
    names = [name for name, *_ in drawn((base, 100), (mono, 50))]
    assert 23 <= names[:75].count("mono") <= 27
    late = base.model_copy(update={"stage": 1})
    assert [name for name, *_ in drawn((late, 20), (mono, 10))] == ["mono"] * 10 + ["base"] * 20


def test_components_that_share_a_draw_draw_the_same_rows_and_languages() -> None:
    modes = [
        Component(kind="en2x", rows=1, draw="modes", replacement=True),
        Component(kind="x2en", rows=1, draw="modes", replacement=True),
        Component(kind="trans", rows=1, draw="modes", replacement=True, direction="to-pivot"),
    ]
    draws = drawn(*((mode, 40) for mode in modes))
    by_slot = {
        name: [
            (row, one if one != "en" else other) for kind, _, row, one, other in sorted(draws) if kind == name
        ]
        for name in ("en2x", "x2en", "trans")
    }
    assert by_slot["en2x"] == by_slot["x2en"] == by_slot["trans"]
    assert len(set(by_slot["trans"])) > 20


def test_without_replacement_no_more_can_be_asked_than_there_is() -> None:
    base = Component(kind="base", rows=1)
    with refused("'base'", "101 rows en>en", "has 100"):
        drawn((base, 101))
    with refused("201 rows", "200 in 2 epochs", hint="unimax"):
        drawn((base.model_copy(update={"epochs": 2}), 201))
    assert len(drawn((base.model_copy(update={"epochs": 2}), 200))) == 200
    assert len(drawn((base.model_copy(update={"replacement": True}), 500))) == 500
    with refused("301 rows", "has 300"):
        drawn((Component(kind="mono", rows=1, sampler="unimax"), 301))
