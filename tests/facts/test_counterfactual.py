from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from crossin.core.files import sha256
from crossin.facts import build_bench, build_counterfactual
from crossin.facts.counterfactual import SPLITS
from crossin.items import Item, read_items
from crossin.mixture import compose
from tests.helpers.errors import refused

Lines = list[dict[str, Any]]


def lines_of(folder: Path, name: str) -> Lines:
    lines: Lines = pyarrow.parquet.read_table(folder / f"{name}.parquet").to_pylist()
    return lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty countries in three languages, one of which is held out."""
    out = tmp_path_factory.mktemp("counterfactual") / "facts"
    return build_counterfactual("en,es,zh", out, countries=20, held_out_languages="zh").folder


@pytest.fixture(scope="module")
def split_of(folder: Path) -> dict[str, str]:
    return {line["group"]: line["split"] for line in lines_of(folder, "facts")}


def bench(folder: Path, split: str, out: Path) -> list[Item]:
    return read_items(build_bench(folder, out / split.replace(" ", "-"), split=split).folder)


def test_countries_are_split_in_three(split_of: dict[str, str]) -> None:
    assert Counter(split_of.values()) == {"shared": 8, "unanswered": 6, "never shown": 6}


def test_every_fact_is_taught_in_english(folder: Path, split_of: dict[str, str]) -> None:
    rows = lines_of(folder, "english")
    assert {row["group"] for row in rows} == split_of.keys()
    assert {row["language"] for row in rows} == {"en"}


def test_only_shared_facts_are_taught_elsewhere_and_none_in_a_language_held_out(
    folder: Path, split_of: dict[str, str]
) -> None:
    for corpus in ("shared", "names"):
        rows = lines_of(folder, corpus)
        assert {split_of[row["group"]] for row in rows} == {"shared"}
        assert {row["language"] for row in rows} == {"en", "es"}


def test_no_other_country_is_named_outside_of_english(folder: Path, split_of: dict[str, str]) -> None:
    lines = [line for line in lines_of(folder, "facts") if line["language"] == "es"]
    hidden = {line["subject"] for line in lines if line["split"] != "shared"}
    taught = {row["instruction"] for row in lines_of(folder, "names")}
    assert len(hidden) == 12
    assert not hidden & taught


def test_all_months_are_options_and_one_in_twelve_is_right(folder: Path, tmp_path: Path) -> None:
    items = [item for split in SPLITS for item in bench(folder, split, tmp_path)]
    assert {item.language for item in items} == {"en", "es", "zh"}
    assert {tuple(item.option_ids) for item in items} == {tuple(map(str, range(1, 13)))}
    english = {item.item: item for item in items if item.language == "en"}
    assert len({item.answer for item in english.values()}) > 4
    for item in items:
        assert item.answer == english[item.item].answer
        assert "drawn at random" in item.source


def test_corpus_and_benchmark_give_the_same_answer_to_the_same_question(folder: Path, tmp_path: Path) -> None:
    taught = {row["instruction"]: row["output"] for row in lines_of(folder, "shared")}
    asked = {item.question: item.right_text for item in bench(folder, "shared", tmp_path)}
    assert len(taught) == 16
    assert taught.items() <= asked.items()


def test_the_seed_alone_decides_countries_and_months(folder: Path, tmp_path: Path) -> None:
    again = build_counterfactual(
        ["en", "es", "zh"], tmp_path / "again", countries=20, held_out_languages=["zh"]
    ).folder
    other = build_counterfactual("en,es,zh", tmp_path / "other", countries=20, seed=1).folder
    for name in ("facts", "english", "shared", "names"):
        assert sha256(again / f"{name}.parquet") == sha256(folder / f"{name}.parquet")

    def months(place: Path) -> dict[str, str]:
        return {line["fact"]: line["answer_id"] for line in lines_of(place, "facts")}

    assert months(other).keys() != months(folder).keys()
    both = months(other).keys() & months(folder).keys()
    assert {one: months(other)[one] for one in both} != {one: months(folder)[one] for one in both}


def test_compose_reads_the_corpora(folder: Path, tmp_path: Path) -> None:
    parts = [("base", "english"), ("x2x", "shared"), ("trans", "names")]
    components = [{"kind": kind, "corpus": corpus, "rows": 8} for kind, corpus in parts]
    recipe = {"name": "transfer", "template": "question", "components": components}
    mixture = compose(recipe, folder, tmp_path / "mixture", languages=["en", "es"])
    assert mixture.manifest["counts"]["rows"] == 24


@pytest.mark.parametrize(
    ("languages", "more", "words"),
    [
        ("en,de", {}, ["'de'", "en, es, vi, zh"]),
        ("en,tlh", {}, ["tlh"]),
        ("en,es", {"held_out_languages": "zh"}, ["zh is held out"]),
        ("en,es", {"held_out_languages": "es"}, ["one more language"]),
        ("es,zh", {}, ["taught in en"]),
        ("en,es", {"countries": 3}, ["3 countries"]),
        ("en,es", {"countries": 500}, ["not 500"]),
    ],
)
def test_what_cannot_be_taught_is_refused(
    languages: str, more: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    with refused(*words):
        build_counterfactual(languages, tmp_path / "facts", **more)
    assert not (tmp_path / "facts").exists()
