from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from crossin.core.examples import list_examples
from crossin.core.files import read_parquet
from crossin.languages import load_words
from crossin.mixture import compose, read_recipe
from crossin.mixture.recipe import Recipe, as_yaml
from tests.helpers.errors import refused
from tests.mixture.test_mixture import rows_of
from tests.mixture.test_presets import PRESETS

ONE = "components: [{kind: base, rows: 1}]"


def read(folder: Path, text: str) -> None:
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    read_recipe(folder / "recipe.yaml")


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("name: a\ncomponents: []", "components", "at least 1 item"),
        ("name: a\ncomponents: [{kind: x2y, rows: 1}]", "components.0.kind", "'base', 'mono'"),
        ("name: a\ncomponents: [{kind: base, rows: 0}]", "components.0", "at least 1, or `all`"),
        ("name: a\ncomponents: [{kind: base}]", "components.0", "exactly one of `rows`, `tokens`, `share`"),
        ("name: a\ncomponents: [{kind: base, rows: 1, tokens: 1}]", "components.0", "exactly one"),
        ("name: a\ncomponents: [{kind: base, share: 0.5}]", "", "needs the recipe's `rows`"),
        (f"name: a\n{ONE}\ntemplate: chat", "", "needs a `tokenizer`"),
        ("name: a\ncomponents: [{kind: x2en, rows: 1, sampler: weights}]", "components.0", "go together"),
        (
            "name: a\ncomponents: [{kind: base, rows: 1, pairs: [[en, zh]]}]",
            "components.0",
            "x2x, switch and trans",
        ),
        (
            "name: a\ncomponents: [{kind: x2x, rows: 1, pairs: [[zh, Chinese]]}]",
            "components.0",
            "two different",
        ),
        (
            "name: a\ncomponents: [{kind: mono, rows: 1, direction: to-pivot}]",
            "components.0",
            "goes with trans",
        ),
        (
            "name: a\ncomponents: [{kind: mono, rows: 1}, {kind: mono, rows: 2}]",
            "components",
            "both called",
        ),
        (f"name: a\n{ONE}\ncorpora: {{a: {{}}}}", "corpora.a", "needs either `files`"),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{files: {{zh: b, Chinese: c}}}}}}",
            "corpora.a.files",
            "zh, Chinese",
        ),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{files: {{en: {{}}}}}}}}",
            "corpora.a.files.en",
            "either `path`",
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, field: str, words: str) -> None:
    with refused(words, file="recipe.yaml", field=field or None):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "field", "near"),
    [
        (f"name: a\ntemplates: alpaca\n{ONE}", "templates", "template"),
        ("name: a\ncomponents: [{kind: base, row: 1}]", "components.0.row", "rows"),
        (f"name: a\n{ONE}\ncorpora: {{a: {{file: b}}}}", "corpora.a.file", "files"),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{files: {{en: {{pth: b}}}}}}}}",
            "corpora.a.files.en.pth",
            "path",
        ),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{source: b, decontaminate: {{bench: c, n_gram: 4}}}}}}",
            "corpora.a.decontaminate.n_gram",
            "ngram",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_valid_one(
    tmp_path: Path, text: str, field: str, near: str
) -> None:
    with refused("no key", file="recipe.yaml", field=field, hint=f"'{near}'"):
        read(tmp_path, text)


def test_a_key_that_resembles_none_is_answered_with_all(tmp_path: Path) -> None:
    with refused("'qqq'", hint="components, corpora, format"):
        read(tmp_path, f"name: a\nqqq: 1\n{ONE}")


def test_an_unknown_language_is_named(tmp_path: Path) -> None:
    with refused("'Klingonese'", file="recipe.yaml", field="languages.1"):
        read(tmp_path, "name: a\nlanguages: [en, Klingonese]\ncomponents: [{kind: base, rows: 1}]")


def test_a_recipe_that_is_not_a_mapping_is_refused(tmp_path: Path) -> None:
    with refused("mapping", file="recipe.yaml"):
        read(tmp_path, "- a\n- b")


def test_language_names_of_any_spelling_become_codes(tmp_path: Path) -> None:
    text = f"name: a\npivot: English\nlanguages: [eng_Latn, zho_Hans, Tiếng Việt]\n{ONE}"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    recipe = read_recipe(tmp_path / "recipe.yaml")
    assert (recipe.pivot, recipe.languages) == ("en", ["en", "zh", "vi"])


RECIPES = [one.path for one in list_examples("compose")]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_an_example_reads_and_reads_back_from_what_it_writes(path: Path, tmp_path: Path) -> None:
    recipe = read_recipe(path)
    (tmp_path / "again.yaml").write_text(as_yaml(recipe), encoding="utf-8")
    assert read_recipe(tmp_path / "again.yaml") == recipe


def test_every_recipe_among_the_examples_is_a_tested_preset() -> None:
    assert {path.stem for path in RECIPES} == {*PRESETS, "demo"}


def test_a_manifest_of_another_stage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"stage": "train", "settings": {}}')
    with refused("mixture's manifest", file="manifest.json"):
        read_recipe(tmp_path / "manifest.json")


def test_the_demos_recipe_composes_from_the_facts(facts_folder: Path, tmp_path: Path) -> None:
    languages = ["en", "zh", "vi", "es"]
    stage = compose("demo", facts_folder, tmp_path / "mixture", languages=languages)
    components: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows_of(stage.folder):
        components[row["component"]].append(row)
    assert {name: len(rows) for name, rows in components.items()} == {
        "base/questions": 281,
        "mono/questions": 518,
        "x2en/questions": 60,
        "en2x/questions": 61,
        "x2x/questions": 54,
        "trans/names": 88,
    }
    assert {(row["lang_in"], row["lang_out"]) for row in components["base/questions"]} == {("en", "en")}
    columns = ["id", "language", "instruction", "output"]
    facts = {
        (name, row["id"], row["language"]): row
        for name in ("questions", "names")
        for row in read_parquet(facts_folder / f"{name}.parquet", columns).to_pylist()
    }
    for rows in components.values():
        for row in rows:
            ours, theirs = (facts[row["source"], row["id"], row[side]] for side in ("lang_in", "lang_out"))
            wanted = load_words(row["lang_out"])
            if row["kind"] == "trans":
                words, question = wanted, wanted.translate_here.replace("{text}", ours["instruction"])
                answer = theirs["instruction"]
            else:
                words, question, answer = load_words(row["lang_in"]), ours["instruction"], theirs["output"]
                if row["lang_in"] != row["lang_out"]:
                    question = f"{question}\n{wanted.answer_here}"
            assert row["prompt"] == words.ask(question)
            assert row["completion"] == words.separator + answer


@pytest.mark.parametrize(
    ("corpora", "drawn"), [({"alpaca": {}}, "alpaca"), ({}, "questions"), ({"a": {}, "b": {}}, "questions")]
)
def test_the_only_corpus_is_drawn_from(corpora: dict[str, Any], drawn: str) -> None:
    source = {"files": {"en": {"path": "en.json"}}}
    entries = {
        "name": "a",
        "corpora": dict.fromkeys(corpora, source),
        "components": [{"kind": "base", "rows": 1}, {"kind": "mono", "corpus": "other", "rows": 1}],
    }
    assert [one.corpus for one in Recipe.model_validate(entries).components] == [drawn, "other"]
