"""Every setting that is a language takes any spelling; a misspelt one is named with its file and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crossin.bench.mapping import DatasetMapping
from crossin.cli.compose import ComposeOptions
from crossin.cli.score import ScoreOptions
from crossin.core.settings import Settings, read_settings
from crossin.evaluation.config import EvaluateConfig
from crossin.experiments.demo import DemoConfig
from crossin.mixture import Recipe
from crossin.probing.config import ProbeConfig
from crossin.training.config import TrainConfig
from crossin.translation.config import TranslateConfig
from tests.helpers.errors import refused

_COMPONENT = {"kind": "x2x", "rows": 3}
_RECIPE = {"name": "r", "components": [_COMPONENT]}
_TRANSLATE = {"corpus": "rows.jsonl", "to": ["es"]}
_MAPPING = {
    "licence": "x",
    "join": "position",
    "task": "t",
    "languages": ["vi"],
    "question": "{q}",
    "options": ["{a}", "{b}"],
    "answer": {"column": "c", "form": "letter"},
}


def _component(**entries: Any) -> dict[str, Any]:
    return {**_RECIPE, "components": [{**_COMPONENT, **entries}]}


def _paired(**entries: Any) -> dict[str, Any]:
    return {"align": {}, "pairs": {"rows": "rows", **entries}}


# Settings, the entries of a file with a language L, and the field that holds it.
FIELDS: list[tuple[type[Settings], Any, str]] = [
    (Recipe, lambda L: {**_RECIPE, "pivot": L}, "pivot"),
    (Recipe, lambda L: {**_RECIPE, "languages": ["en", L]}, "languages.1"),
    (Recipe, lambda L: {**_RECIPE, "corpora": {"a": {"files": {L: "a.json"}}}}, "corpora.a.files.{L}"),
    (Recipe, lambda L: _component(languages=["en", L]), "components.0.languages.1"),
    (Recipe, lambda L: _component(pairs=[["en", L]]), "components.0.pairs.0.1"),
    (Recipe, lambda L: _component(sampler="weights", weights={L: 1.0}), "components.0.weights.{L}"),
    (TrainConfig, lambda L: {"align": {}, "pairs": {"rows": "r", "pivot": L}}, "pairs.pivot"),
    (
        TrainConfig,
        lambda L: {"align": {}, "pairs": {"rows": "r", "languages": ["en", L]}},
        "pairs.languages.1",
    ),
    (TranslateConfig, lambda L: {**_TRANSLATE, "from": L}, "from"),
    (TranslateConfig, lambda L: {**_TRANSLATE, "to": [L]}, "to.0"),
    (TranslateConfig, lambda L: {**_TRANSLATE, "glossary": {L: {"a": "b"}}}, "glossary.{L}"),
    (EvaluateConfig, lambda L: {"models": ["m"], "bench": ["b"], "languages": ["en", L]}, "languages.1"),
    (ProbeConfig, lambda L: {"model": "m", "parallel": "p", "languages": ["en", L]}, "languages.1"),
    (ProbeConfig, lambda L: {"model": "m", "parallel": "p", "pivot": L}, "pivot"),
    (DemoConfig, lambda L: {"languages": ["en", L]}, "languages"),
    (DatasetMapping, lambda L: {**_MAPPING, "languages": {L: "x"}}, "languages"),
    (DatasetMapping, lambda L: {**_MAPPING, "question": {"vi": "{q}", L: "{q}"}}, "question"),
    (DatasetMapping, lambda L: {**_MAPPING, "words": {"q": {"x": {"vi": "y", L: "y"}}}}, "words.q.x"),
    (ComposeOptions, lambda L: {"languages": ["en", L]}, "languages.1"),
    (ScoreOptions, lambda L: {"pivot": L}, "pivot"),
]
_each_field = pytest.mark.parametrize(
    ("model", "entries", "field"), FIELDS, ids=[f"{one[0].__name__}-{one[2]}" for one in FIELDS]
)


def _read(folder: Path, model: type[Settings], entries: dict[str, Any]) -> Settings:
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(entries))
    return read_settings(model, path, hint="look")


@_each_field
def test_a_misspelt_language_is_named_with_file_field_and_the_nearest(
    model: type[Settings], entries: Any, field: str, tmp_path: Path
) -> None:
    named = field.replace("{L}", "Vietnamse")
    with refused("'Vietnamse'", file="settings.yaml", field=named, hint="did you mean Vietnamese?"):
        _read(tmp_path, model, entries("Vietnamse"))


@_each_field
def test_a_countrys_code_is_named_with_file_and_field(
    model: type[Settings], entries: Any, field: str, tmp_path: Path
) -> None:
    with refused("'vn'", file="settings.yaml", field=field.replace("{L}", "vn"), hint="did you mean vi"):
        _read(tmp_path, model, entries("vn"))


@_each_field
@pytest.mark.parametrize("spelling", ["Thai", "ไทย", "tha", "th_TH", "tha_Thai", "TH"])
def test_any_spelling_is_the_code(
    model: type[Settings], entries: Any, field: str, spelling: str, tmp_path: Path
) -> None:
    assert _read(tmp_path, model, entries(spelling)) == _read(tmp_path, model, entries("th"))
    del field


@pytest.mark.parametrize(
    ("model", "entries", "field"),
    [
        (Recipe, _component(sampler="weights", weights={"vi": 1, "Vietnamese": 2}), "components.0.weights"),
        (Recipe, {**_RECIPE, "corpora": {"a": {"files": {"vi": "a", "vie": "b"}}}}, "corpora.a.files"),
        (TranslateConfig, {**_TRANSLATE, "glossary": {"es": {"a": "b"}, "Spanish": {"c": "d"}}}, "glossary"),
    ],
)
def test_two_spellings_of_a_language_do_not_hide_each_other(
    model: type[Settings], entries: dict[str, Any], field: str, tmp_path: Path
) -> None:
    with refused("twice", file="settings.yaml", field=field):
        _read(tmp_path, model, entries)


def test_a_list_of_languages_holds_each_once_and_may_be_written_with_commas(tmp_path: Path) -> None:
    entries = {**_RECIPE, "languages": ["en", "vi", "Vietnamese"]}
    assert _read(tmp_path, Recipe, entries) == _read(tmp_path, Recipe, {**_RECIPE, "languages": "en, vi"})
    read = _read(tmp_path, Recipe, entries)
    assert isinstance(read, Recipe)
    assert read.languages == ["en", "vi"]
