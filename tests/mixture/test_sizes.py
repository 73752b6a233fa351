from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from crossin.core.stages import Stage
from crossin.mixture import compose
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
