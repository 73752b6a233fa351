from __future__ import annotations

import pytest

from crossin.core.suggestions import nearest

KEYS = ["mixture", "model", "batches", "epochs", "learning_rate", "languages", "checkpoint_every"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("epoch", "epochs"),
        ("Epochs", "epochs"),
        ("learning-rate", "learning_rate"),
        ("learnign_rate", "learning_rate"),
        ("lang", "languages"),
        ("batch", "batches"),
        ("checkpoint", "checkpoint_every"),
    ],
)
def test_a_name_that_is_near_or_begins_another_is_suggested(name: str, near: str) -> None:
    assert nearest(name, KEYS) == [near]


@pytest.mark.parametrize("name", ["max_steps", "lr", "m", "", "warmup", "data", "num_train_epochs"])
def test_nothing_is_suggested_where_nothing_is_near(name: str) -> None:
    assert nearest(name, KEYS) == []


def test_the_nearest_come_first_and_no_more_than_wanted() -> None:
    assert nearest("alpaca_fr.json", ["alpaca_en.json", "b", "alpaca_zh.json", "alpaca_fr.jsonl"], 2)[0] == (
        "alpaca_fr.jsonl"
    )
    assert len(nearest("alpaca_fr.json", ["alpaca_en.json", "alpaca_zh.json", "alpaca_vi.json"], 2)) == 2
