from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.compose import Recipe, compose, read_recipe
from crossin.compose.mixture import MIXTURE
from crossin.compose.plan import Draw
from crossin.compose.render import Row, render
from crossin.errors import CrossinError
from crossin.experiment.demo import RECIPE
from crossin.files import read_parquet, sha256, write_parquet

ROWS = {
    ("q", "en"): Row("What is the capital of France?", "", "Paris"),
    ("q", "zh"): Row("法国的首都是哪里？", "", "巴黎"),
    ("q", "es"): Row("¿Cuál es la capital de Francia?", "", "París"),
    ("n", "en"): Row("France", "", ""),
    ("n", "es"): Row("Francia", "", ""),
}


def recipe(kind: str, **more: Any) -> Recipe:
    return Recipe.model_validate({"name": "test", "components": [{"kind": kind, "rows": 12}], **more})


@pytest.mark.parametrize(
    ("kind", "tag", "draw", "prompt", "completion"),
    [
        (
            "base",
            "sentence",
            ("q", "en", "en"),
            "Question: What is the capital of France?\nAnswer:",
            " Paris",
        ),
        ("mono", "sentence", ("q", "zh", "zh"), "问题：法国的首都是哪里？\n答案：", "巴黎"),
        ("x2en", "code", ("q", "zh", "en"), "问题：法国的首都是哪里？\n[en]\n答案：", "Paris"),
        ("en2x", "none", ("q", "en", "es"), "Question: What is the capital of France?\nAnswer:", " París"),
        (
            "x2x",
            "sentence",
            ("q", "zh", "en"),
            "问题：法国的首都是哪里？\nAnswer in English.\n答案：",
            "Paris",
        ),
        (
            "trans",
            "sentence",
            ("n", "es", "en"),
            "Question: Translate into English: Francia\nAnswer:",
            " France",
        ),
    ],
)
def test_a_row_of_each_kind(
    kind: str, tag: str, draw: tuple[str, str, str], prompt: str, completion: str
) -> None:
    row = render(recipe(kind, tag=tag), Draw(0, 7, *draw), ROWS)
    assert (row["prompt"], row["completion"]) == (prompt, completion)
    assert (row["kind"], row["id"], row["lang_in"], row["lang_out"], row["slot"]) == (kind, *draw, 7)


def test_a_translation_of_the_output_side() -> None:
    made = Recipe.model_validate(
        {"name": "test", "components": [{"kind": "trans", "rows": 1, "side": "output"}]}
    )
    row = render(made, Draw(0, 0, "q", "es", "en"), ROWS)
    assert row["prompt"] == "Question: Translate into English: París\nAnswer:"
    assert row["completion"] == " Paris"


def test_the_demos_mixture_is_made_again_from_the_recipe_it_leaves(
    facts_folder: Path, tmp_path: Path
) -> None:
    languages = ["en", "zh", "vi", "es"]
    first = compose(read_recipe(RECIPE), facts_folder, languages, tmp_path / "a", seed=3)
    again = compose(
        read_recipe(first.folder / "recipe.yaml"), facts_folder, languages, tmp_path / "b", seed=3
    )
    other = compose(read_recipe(RECIPE), facts_folder, languages, tmp_path / "c", seed=4)
    assert sha256(first.folder / MIXTURE) == sha256(again.folder / MIXTURE) != sha256(other.folder / MIXTURE)
    counts = first.manifest["counts"]
    assert counts["rows"] == read_recipe(RECIPE).rows == sum(n for key, n in counts.items() if key != "rows")


def test_datasets_and_trainers_find_their_columns(facts_folder: Path, tmp_path: Path) -> None:
    folder = compose(recipe("x2x"), facts_folder, ["en", "zh"], tmp_path / "mixture").folder
    row = read_parquet(folder / MIXTURE, ["prompt", "completion"]).to_pylist()[0]
    assert all(isinstance(text, str) and text for text in row.values())


def test_a_row_that_lacks_a_language_is_left_out_and_counted(tmp_path: Path) -> None:
    lines = [
        {"id": one, "language": language, "instruction": f"{one} {language}", "input": "", "output": language}
        for one, language in (("a", "en"), ("a", "es"), ("b", "en"))
    ]
    write_parquet(tmp_path / "questions.parquet", pyarrow.Table.from_pylist(lines))
    stage = compose(recipe("en2x"), tmp_path, ["en", "es"], tmp_path / "mixture")
    assert stage.manifest["skipped"] == {"row: not in es": 1}
    assert set(read_parquet(stage.folder / MIXTURE, ["id"])["id"].to_pylist()) == {"a"}


def test_a_corpus_that_is_not_there_is_named_with_those_that_are(facts_folder: Path, tmp_path: Path) -> None:
    made = Recipe.model_validate(
        {"name": "t", "components": [{"kind": "base", "rows": 1, "corpus": "alpaca"}]}
    )
    with pytest.raises(CrossinError, match=r"alpaca\.parquet.*use one of: facts, names, questions"):
        compose(made, facts_folder, ["en"], tmp_path / "mixture")
    assert not (tmp_path / "mixture").exists()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("name: a\ncomponents: []", "components"),
        ("name: a\ncomponents: [{kind: x2y, rows: 1}]", r"components\.0\.kind"),
        ("name: a\ncomponents: [{kind: base, rows: 0}]", r"components\.0\.rows"),
        ("name: a\nshuffle: yes\ncomponents: [{kind: base, rows: 1}]", "shuffle"),
    ],
)
def test_a_wrong_entry_in_a_recipe_is_named(tmp_path: Path, text: str, field: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(CrossinError, match=rf"recipe\.yaml, field '{field}'"):
        read_recipe(tmp_path / "recipe.yaml")
