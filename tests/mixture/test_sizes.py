from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.core.errors import CrossinError
from crossin.core.stages import Stage
from crossin.mixture import Recipe, compose, preview, read_recipe
from crossin.mixture.sizes import check_sizes, shared_rows
from crossin.mixture.tokens import estimated_tokens, token_counter
from tests.helpers.errors import refused
from tests.helpers.small_corpora import corpus_entry, recipe_of, write_corpus
from tests.mixture.test_mixture import rows_of


def composed(tmp_path: Path, *components: dict[str, Any], **more: Any) -> Stage:
    write_corpus(tmp_path, 40)
    return compose(recipe_of(*components, **more), tmp_path, tmp_path / "out")


def sizes(stage: Stage) -> dict[str, int]:
    return {name: amounts["rows"] for name, amounts in stage.manifest["counts"]["components"].items()}


def test_all_is_as_many_as_the_corpus_has_rows(tmp_path: Path) -> None:
    stage = composed(tmp_path, {"kind": "base", "rows": "all"}, {"kind": "x2x", "rows": "all"})
    assert sizes(stage) == {"base/alpaca": 40, "x2x/alpaca": 40}


def test_shares_add_up_to_the_recipes_rows(tmp_path: Path) -> None:
    parts = [
        {"kind": "base", "share": 1 / 3},
        {"kind": "mono", "share": 1 / 3},
        {"kind": "x2x", "share": 1 / 3},
    ]
    stage = composed(tmp_path, *parts, rows=40)
    assert sum(sizes(stage).values()) == 40
    assert set(sizes(stage).values()) == {13, 14}


def test_a_share_of_less_than_a_row_is_an_error(tmp_path: Path) -> None:
    write_corpus(tmp_path, 10)
    made = recipe_of({"kind": "base", "share": 0.001}, rows=10)
    with refused("0.001 of 10 rows", field="components.0.share"):
        compose(made, tmp_path, tmp_path / "out")


def recipe_with(*sizes: dict[str, Any], rows: int | None) -> Recipe:
    parts = [{"kind": "base", "name": f"part {number}", **size} for number, size in enumerate(sizes)]
    return recipe_of(*parts, rows=rows)


@pytest.mark.parametrize(
    ("sizes", "rows", "total", "field"),
    [
        ([{"share": 0.8}, {"share": 0.8}], 20, "make 32 rows, not 20", "components.1.share"),
        ([{"share": 0.3}, {"share": 0.3}], 20, "make 12 rows, not 20", "components.1.share"),
        ([{"share": 1}, {"share": 1}], 5, "make 10 rows, not 5", "components.1.share"),
        ([{"share": 0.5}], 10, "make 5 rows, not 10", "components.0.share"),
        ([{"share": 1}, {"rows": 5}], 20, "make 25 rows, not 20", "components.0.share"),
        ([{"share": 0.5}, {"rows": 5}], 20, "make 15 rows, not 20", "components.0.share"),
        ([{"rows": 5}, {"rows": 5}], 20, "make 10 rows, not 20", "rows"),
        ([{"share": 0.9}, {"share": 0.2}, {"rows": "all"}], 20, "make 22 rows, not 20", "components.1.share"),
        ([{"share": 0.8}, {"share": 0.8}, {"tokens": 50}], 20, "make 32 rows", "components.1.share"),
        ([{"share": 0.333}] * 3, 100_000, "make 99,900 rows, not 100,000", "components.2.share"),
    ],
)
def test_sizes_that_do_not_make_the_recipes_rows_are_an_error_before_anything_is_read(
    tmp_path: Path, sizes: list[dict[str, Any]], rows: int, total: str, field: str
) -> None:
    entries = recipe_with(*sizes, rows=rows).model_dump(exclude_unset=True)
    (tmp_path / "recipe.yaml").write_text(json.dumps({**entries, "languages": ["en"]}))
    for run in (lambda: preview(tmp_path / "recipe.yaml"), lambda: compose_there(tmp_path)):
        with refused(total, "components.0.", file="recipe.yaml", field=field):
            run()
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]


def compose_there(folder: Path) -> Stage:
    return compose(folder / "recipe.yaml", None, folder / "out")


@pytest.mark.parametrize(("sizes", "rows"), [([{"rows": "all"}], 30), ([{"tokens": 100}], 30)])
def test_rows_that_the_corpus_turns_out_not_to_make_are_an_error(
    tmp_path: Path, sizes: list[dict[str, Any]], rows: int
) -> None:
    write_corpus(tmp_path, 40)
    with refused("rows, not 30", field="rows", hint="leave `rows` out"):
        compose(recipe_with(*sizes, rows=rows), tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("sizes", "rows", "expected"),
    [
        ([{"share": 0.1}] * 10, 20, [2] * 10),
        ([{"share": 0.1}] * 10, 15, [2] * 5 + [1] * 5),
        ([{"share": 1 / 3}] * 3, 20, [7, 7, 6]),
        ([{"share": 0.333}] * 3, 20, [7, 7, 6]),
        ([{"share": 0.29}, {"share": 0.71}], 100, [29, 71]),
        ([{"share": 0.57}, {"share": 0.43}], 100, [57, 43]),
        ([{"share": 0.5}, {"rows": 10}], 20, [10, 10]),
        ([{"share": 0.97}, {"share": 0.02}, {"share": 0.01}], 100, [97, 2, 1]),
    ],
)
def test_shares_are_rounded_to_exactly_the_recipes_rows(
    tmp_path: Path, sizes: list[dict[str, Any]], rows: int, expected: list[int]
) -> None:
    write_corpus(tmp_path, 150)
    stage = compose(recipe_with(*sizes, rows=rows), tmp_path, tmp_path / "out")
    found = stage.manifest["counts"]
    assert [amount["rows"] for amount in found["components"].values()] == expected
    assert found["rows"] == rows


@given(
    parts=st.lists(st.integers(1, 1000), min_size=1, max_size=12),
    rows=st.integers(1, 100_000),
    factor=st.sampled_from([1.0, 1.0, 1.0, 0.5, 0.99, 1.01, 1.7]),
)
def test_whatever_the_shares_their_rows_are_the_recipes_or_an_error(
    parts: list[int], rows: int, factor: float
) -> None:
    shares = [min(1.0, factor * part / sum(parts)) for part in parts]
    recipe = recipe_with(*({"share": share} for share in shares), rows=rows)
    try:
        check_sizes(recipe)
    except CrossinError as error:
        assert error.field is not None
        assert error.field.endswith(".share")
        smallest = min(shares) * rows < 1
        assert smallest or abs(sum(shares) * rows - rows) > 0.499
        return
    found = shared_rows(recipe)
    assert sum(found.values()) == rows
    assert all(abs(found[number] - share * rows) < 1.001 for number, share in enumerate(shares))


@pytest.mark.parametrize(
    ("entries", "field", "words"),
    [
        ({"share": "80%"}, "components.0.share", "80% is 0.8"),
        ({"share": 0}, "components.0.share", "greater than 0"),
        ({"share": -0.5}, "components.0.share", "greater than 0"),
        ({"share": 80}, "components.0.share", "less than or equal to 1"),
        ({"share": math.nan}, "components.0.share", "finite"),
        ({"share": math.inf}, "components.0.share", "finite"),
        ({"share": True}, "components.0.share", "got true"),
        ({"share": "half"}, "components.0.share", "'half'"),
        ({"share": 0.5, "rows": 3}, "components.0", "exactly one of"),
        ({"share": 0.5, "tokens": 3}, "components.0", "exactly one of"),
        ({"rows": 2.5}, "components.0.rows", "whole number or 'all'"),
        ({"rows": -2}, "components.0", "at least 1"),
        ({"tokens": 0}, "components.0.tokens", "greater than 0"),
        ({"rows": 3, "epochs": 0}, "components.0.epochs", "greater than 0"),
        ({"rows": 3, "stage": "second"}, "components.0.stage", "whole number"),
        ({"rows": 3, "temperature": 0}, "components.0.temperature", "greater than 0"),
        ({"rows": 3, "sampler": "weights", "weights": {"en": -1}}, "components.0", "not be negative"),
        ({"rows": 3, "sampler": "weights", "weights": {"en": 0}}, "components.0", "not all zero"),
        ({"rows": 3, "sampler": "weights", "weights": {"en": math.nan}}, "components.0.weights.en", "finite"),
    ],
)
def test_a_size_that_is_none_is_named(entries: dict[str, Any], field: str, words: str) -> None:
    with refused(words, field=field):
        read_recipe({"name": "a", "rows": 20, "components": [{"kind": "base", **entries}]})


@pytest.mark.parametrize("sampler", ["uniform", "unimax", "proportional"])
def test_tokens_are_spent_on_the_first_slots_and_no_more(tmp_path: Path, sampler: str) -> None:
    stage = composed(tmp_path, {"kind": "x2en", "tokens": 1000, "sampler": sampler})
    rows = sorted(rows_of(stage.folder), key=lambda row: row["slot"])
    tokens = [
        sum(
            estimated_tokens(pa.array([row[side] for row in rows], pa.large_string()))[number]
            for side in ("prompt", "completion")
        )
        for number, row in enumerate(rows)
    ]
    assert sum(tokens[:-1]) < 1000 <= sum(tokens)


def test_more_tokens_are_more_slots_of_the_same(tmp_path: Path) -> None:
    few = rows_of(composed(tmp_path / "few", {"kind": "x2en", "tokens": 500}).folder)
    many = rows_of(composed(tmp_path / "many", {"kind": "x2en", "tokens": 2000}).folder)
    by_slot = {row["slot"]: row for row in many}
    assert len(many) > len(few) > 1
    assert all(by_slot[row["slot"]] == row for row in few)


def test_tokens_are_spent_from_a_corpus_that_is_smaller_than_the_first_guess(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"en": range(30), "zh": range(3), "vi": range(30)})
    entry = corpus_entry(languages=["en", "zh", "vi"], incomplete="keep")
    made = recipe_of({"kind": "x2en", "tokens": 200}, corpora={"alpaca": entry})
    assert len(rows_of(compose(made, tmp_path, tmp_path / "out").folder)) > 1


def test_a_tokenizer_counts_exactly(tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    texts = ["What is the capital of France?", "法国的首都是哪里？", ""]
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    counted = token_counter(str(tiny_model))(pa.array(texts, pa.large_string()))
    assert counted.tolist() == [len(tokenizer(text)["input_ids"]) for text in texts]
    with refused("'/nowhere'", field="tokenizer", hint="hub id"):
        token_counter("/nowhere")
    assert np.all(estimated_tokens(pa.array(texts, pa.large_string()))[:2] > 0)
