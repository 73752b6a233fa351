from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossin.corpus import texts
from crossin.corpus.filters import apply_filters
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from tests.helpers.corpus_files import corpus_spec, row, save
from tests.helpers.errors import refused

DATA = {
    "en": [row(1, "abcd", "ef"), row(2, "ab", "c", input="字字"), row(3, "x", ""), row(4, "a" * 50)],
    "zh": [
        row(4, "longer than others", score=1, task="qa", good=False, weight=0.5),
        row(2, score=5, task="code", good=True, weight=2.5),
        row(1, score=4, task="qa", good=True, weight=float("nan")),
        row(3, score=None, task=None, good=None, weight=None),
    ],
}


@pytest.fixture
def corpus(tmp_path: Path) -> ParallelCorpus:
    return filtered(tmp_path, DATA)


def filtered(folder: Path, data: dict[str, list[dict[str, Any]]]) -> ParallelCorpus:
    for language, records in data.items():
        save(folder / f"{language}.jsonl", records)
    spec = corpus_spec(files={language: f"{language}.jsonl" for language in data}, incomplete="keep")
    return read_corpus("test", spec, folder, None, {"score", "task", "good", "weight"}, folder / "work")


def passing(corpus: ParallelCorpus, filters: dict[str, Any]) -> dict[str, list[str]]:
    """The ids that pass, by language; the filters as a recipe has them."""
    spec = corpus_spec(source="x", filter=filters)
    masks = apply_filters(corpus, spec.filter)
    return {
        language: [id for id, passes in zip(corpus.ids.to_pylist(), mask, strict=True) if passes]
        for language, mask in masks.items()
    }


ALL = ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("filters", "passed"),
    [
        ({}, ALL),
        ({"score": {"min": 4}}, ["1", "2"]),
        ({"score": {"max": 4}}, ["1", "4"]),
        ({"score": {"min": 3.5, "max": 4.5}}, ["1"]),
        ({"score": {}}, ["1", "2", "4"]),
        ({"score": [5, 1.0, 1.5]}, ["2", "4"]),
        ({"weight": {"min": 0.5}}, ["2", "4"]),
        ({"weight": [0.5, 3]}, ["4"]),
        ({"task": ["qa", "other"]}, ["1", "4"]),
        ({"task": []}, []),
        ({"good": [True]}, ["1", "2"]),
        ({"good": [True, False]}, ["1", "2", "4"]),
        ({"score": {"min": 4}, "task": ["qa"]}, ["1"]),
    ],
)
def test_a_row_passes_where_its_value_fits(
    corpus: ParallelCorpus, filters: dict[str, Any], passed: list[str]
) -> None:
    # English has none of the columns, so nothing is asked of it.
    assert passing(corpus, filters) == {"en": ALL, "zh": passed}


@pytest.mark.parametrize("large", [False, True])
def test_characters_are_those_of_all_fields(
    corpus: ParallelCorpus, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(texts, "_LARGE", 0)
    # 6, 5, 1 and 52 characters.
    assert passing(corpus, {"characters": {"max": 5}})["en"] == ["2", "3"]
    assert passing(corpus, {"characters": {"min": 6}})["en"] == ["1", "4"]
    assert passing(corpus, {"characters": [1, 52]})["en"] == ["3", "4"]
    # The Chinese file has another order.
    assert passing(corpus, {"characters": {"min": 20}})["zh"] == ["4"]


def test_a_row_that_a_language_lacks_does_not_pass_in_it(tmp_path: Path) -> None:
    corpus = filtered(tmp_path, DATA | {"vi": [row(2), row(5)]})
    assert passing(corpus, {})["vi"] == ["2", "5"]
    assert passing(corpus, {"score": {"min": 4}}) == {"en": ALL, "zh": ["1", "2"], "vi": ["2", "5"]}
    assert passing(corpus, {"characters": {"min": 0}})["vi"] == ["2", "5"]


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"task": {"min": 1}}, ["text in zh", "range"]),
        ({"good": {"min": 1}}, ["true and false in zh"]),
        ({"task": [1]}, ["text in zh", "1"]),
        ({"score": ["5"]}, ["numbers in zh", "'5'"]),
        ({"score": [True]}, ["numbers in zh", "True"]),
        ({"scores": [1]}, ["no row", "'scores'"]),
    ],
)
def test_a_filter_that_does_not_fit_is_an_error(
    corpus: ParallelCorpus, filters: dict[str, Any], words: list[str]
) -> None:
    with refused(*words, field=next(iter(filters))):
        passing(corpus, filters)


def test_the_corpus_is_left_as_it_is(corpus: ParallelCorpus) -> None:
    masks = apply_filters(corpus, {"score": [5]})
    masks["en"][:] = False
    assert corpus.kept.all()
    assert corpus.present("en").all()
    assert masks["zh"].dtype == np.bool_
