"""The card of a tuned model holds what a reader of the hub needs, and nothing of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from crossin.evaluation import evaluate
from crossin.mixture import compose
from crossin.models.merging import merge
from crossin.publishing.cards import model_card
from crossin.training.run import train
from tests.helpers.errors import refused
from tests.helpers.small_bench import items, write_bench
from tests.helpers.small_corpora import recipe_of, write_corpus

SMALL = {"method": {"rank": 2, "alpha": 4}, "batches": {"rows": 4}, "max_steps": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A mixture, a training on it, the merged model, and an evaluation of base and adapter."""
    home = tmp_path_factory.mktemp("home")
    recipe = recipe_of({"kind": "x2en", "rows": 8}, template="alpaca", languages=["en", "es"])
    compose(recipe, write_corpus(home / "data", 20), home / "mixture")
    train({**SMALL, "model": str(tiny_model), "mixture": str(home / "mixture")}, home / "run")
    merge(tiny_model, home / "run", home / "merged")
    write_bench(home / "colours", [item for item in items() if item.options])
    models = [f"before={tiny_model}", f"after={home / 'run'}"]
    evaluate({"models": models, "bench": [str(home / "colours")]}, home / "eval")
    return home


def test_a_card_says_what_it_is_made_of_and_how_well_it_does(home: Path) -> None:
    evaluations = [home / "eval" / name / "colours" for name in ("before", "after")]
    card = model_card(
        home / "run",
        base="owner/base",
        mixture=home / "mixture",
        evaluations=evaluations,
        licence="apache-2.0",
        name="x2en",
    )
    _, front, text = card.split("---\n", 2)
    assert yaml.safe_load(front) == {
        "language": ["de", "en", "es", "th"],
        "license": "apache-2.0",
        "base_model": "owner/base",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["crossin", "cross-lingual", "instruction-tuning"],
    }
    for words in (
        "crossin models chat BASE --adapter x2en",
        "| x2en/alpaca | es>en | 8 |",
        "- alpaca: unknown",
        "in 1 steps",
        "rank: 2",
        "### colours",
        "| model | en English | de German | th Thai | accuracy | consistency_2 |",
        "It was measured in",
    ):
        assert words in text, words
    assert text.count("| before |") == text.count("| after |") == 1
    assert str(home) not in card


def test_a_merged_model_and_one_that_was_not_measured_have_a_card_too(home: Path) -> None:
    card = model_card(home / "merged")
    assert "library_name: transformers" in card
    assert "Ask it in its chat template." in card
    assert "Nothing was measured." in card


def test_other_folders_are_refused(home: Path) -> None:
    with refused("not the folder of a training", file="mixture", hint="crossin train"):
        model_card(home / "mixture")
