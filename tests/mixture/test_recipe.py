from __future__ import annotations

from pathlib import Path

import pytest

from crossin.core.errors import CrossinError
from crossin.mixture import read_recipe
from crossin.mixture.recipe import as_yaml
from tests.helpers.paths import ROOT

EXAMPLES = ROOT / "examples"
ONE = "components: [{kind: base, rows: 1}]"


def read(folder: Path, text: str) -> None:
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    read_recipe(folder / "recipe.yaml")


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("name: a\ncomponents: []", "components", "at least 1 item"),
        ("name: a\ncomponents: [{kind: x2y, rows: 1}]", r"components\.0\.kind", "'base', 'mono'"),
        ("name: a\ncomponents: [{kind: base, rows: 0}]", r"components\.0", "at least 1, or `all`"),
        ("name: a\ncomponents: [{kind: base}]", r"components\.0", "exactly one of `rows`, `tokens`, `share`"),
        ("name: a\ncomponents: [{kind: base, rows: 1, tokens: 1}]", r"components\.0", "exactly one"),
        ("name: a\ncomponents: [{kind: base, share: 0.5}]", "", "needs the recipe's `rows`"),
        (f"name: a\n{ONE}\ntemplate: chat", "", "needs a `tokenizer`"),
        ("name: a\ncomponents: [{kind: x2en, rows: 1, sampler: weights}]", r"components\.0", "go together"),
        (
            "name: a\ncomponents: [{kind: base, rows: 1, pairs: [[en, zh]]}]",
            r"components\.0",
            "x2x and trans",
        ),
        (
            "name: a\ncomponents: [{kind: x2x, rows: 1, pairs: [[zh, Chinese]]}]",
            r"components\.0",
            "two different",
        ),
        (
            "name: a\ncomponents: [{kind: mono, rows: 1, direction: to-pivot}]",
            r"components\.0",
            "goes with trans",
        ),
        (
            "name: a\ncomponents: [{kind: mono, rows: 1}, {kind: mono, rows: 2}]",
            r"components\.1",
            "both called",
        ),
        (f"name: a\n{ONE}\ncorpora: {{a: {{}}}}", r"corpora\.a", "needs either `files`"),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{files: {{zh: b, Chinese: c}}}}}}",
            r"corpora\.a\.files",
            "names zh twice",
        ),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{files: {{en: {{}}}}}}}}",
            r"corpora\.a\.files\.en",
            "either `path`",
        ),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, text: str, field: str, words: str) -> None:
    with pytest.raises(CrossinError, match=rf"recipe\.yaml(, field '{field}')?: .*{words}"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "field", "near"),
    [
        (f"name: a\ntemplates: alpaca\n{ONE}", "templates", "template"),
        ("name: a\ncomponents: [{kind: base, row: 1}]", r"components\.0\.row", "rows"),
        (f"name: a\n{ONE}\ncorpora: {{a: {{file: b}}}}", r"corpora\.a\.file", "files"),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{files: {{en: {{pth: b}}}}}}}}",
            r"corpora\.a\.files\.en\.pth",
            "path",
        ),
        (
            f"name: a\n{ONE}\ncorpora: {{a: {{source: b, decontaminate: {{bench: c, n_gram: 4}}}}}}",
            r"corpora\.a\.decontaminate\.n_gram",
            "ngram",
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_valid_one(
    tmp_path: Path, text: str, field: str, near: str
) -> None:
    with pytest.raises(CrossinError, match=rf"field '{field}': there is no key .*did you mean '{near}'\?"):
        read(tmp_path, text)


def test_a_key_that_resembles_none_is_told_all(tmp_path: Path) -> None:
    with pytest.raises(
        CrossinError, match=r"there is no key 'qqq' here.*use one of: components, corpora, format"
    ):
        read(tmp_path, f"name: a\nqqq: 1\n{ONE}")


def test_an_unknown_language_is_named(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="unknown language 'Klingonese'"):
        read(tmp_path, "name: a\nlanguages: [en, Klingonese]\ncomponents: [{kind: base, rows: 1}]")


def test_a_recipe_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match=r"recipe\.yaml"):
        read(tmp_path, "- a\n- b")


def test_language_names_of_any_spelling_become_codes(tmp_path: Path) -> None:
    text = f"name: a\npivot: English\nlanguages: [eng_Latn, zho_Hans, Tiếng Việt]\n{ONE}"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    recipe = read_recipe(tmp_path / "recipe.yaml")
    assert (recipe.pivot, recipe.languages) == ("en", ["en", "zh", "vi"])


RECIPES = [path for path in sorted(EXAMPLES.glob("*.yaml")) if not path.stem.startswith("train-")]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_an_example_reads_and_reads_back_from_what_it_writes(path: Path, tmp_path: Path) -> None:
    recipe = read_recipe(path)
    (tmp_path / "again.yaml").write_text(as_yaml(recipe), encoding="utf-8")
    assert read_recipe(tmp_path / "again.yaml") == recipe


def test_a_manifest_of_another_stage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"stage": "train", "settings": {}}')
    with pytest.raises(CrossinError, match=r"manifest\.json: is no mixture's manifest"):
        read_recipe(tmp_path / "manifest.json")
