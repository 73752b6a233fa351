from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.apart import crossin
from tests.helpers.small_corpora import corpus_entry, write_corpus

RECIPE = """
name: small
languages: [en, zh, vi, es]
template: question
corpora:
  alpaca: {entry}
components:
  - {{kind: base, corpus: alpaca, rows: 20}}
  - {{kind: x2x, corpus: alpaca, rows: 30}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    write_corpus(tmp_path / "data", 40)
    path = tmp_path / "data" / "recipe.yaml"
    path.write_text(RECIPE.format(entry=json.dumps(corpus_entry())))
    return path


def test_a_recipe_becomes_a_folder_and_is_found_done_the_next_time(recipe: Path, tmp_path: Path) -> None:
    for _ in range(2):
        ended = crossin("compose", str(recipe), "--out", str(tmp_path / "out"))
        assert ended.returncode == 0, ended.stderr
        assert "x2x/alpaca" in ended.stdout
        assert "compose: 50 rows" in ended.stderr
    assert (tmp_path / "out" / "data" / "mixture-00000.parquet").exists()
    assert not (tmp_path / "out" / ".work").exists()


def test_a_dry_run_shows_components_tokens_and_ten_rows_and_writes_nothing(
    recipe: Path, tmp_path: Path
) -> None:
    ended = crossin("compose", str(recipe), "--dry-run", "--out", str(tmp_path / "out"))
    assert ended.returncode == 0, ended.stderr
    assert "small: 50 rows, seed 0" in ended.stdout
    assert "estimated from characters" in ended.stdout
    assert ended.stdout.count(" · slot ") == 10
    assert "Question: alpaca instruction" in ended.stdout
    assert "corpus alpaca: en 40, zh 40, vi 40, es 40 rows read; 40 of 40 ids kept" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_figures_come_as_json(recipe: Path, tmp_path: Path) -> None:
    shown = json.loads(crossin("compose", str(recipe), "--dry-run", "--json").stdout)
    assert (shown["rows"], len(shown["samples"])) == (50, 10)
    assert {line["language in"] for line in shown["components"]} == {"en", "zh", "vi", "es"}
    assert sum(line["tokens"] for line in shown["components"]) > 500
    made = json.loads(crossin("compose", str(recipe), "--out", str(tmp_path / "out"), "--json").stdout)
    assert made["counts"]["components"]["x2x/alpaca"]["rows"] == 30


def test_languages_and_seed_take_the_place_of_the_recipes(recipe: Path) -> None:
    arguments = [
        "compose",
        str(recipe),
        "--dry-run",
        "--json",
        "--languages",
        "English,zho_Hans",
        "--seed",
        "7",
    ]
    lines = json.loads(crossin(*arguments).stdout)["components"]
    assert {line["language in"] for line in lines} == {"en", "zh"}


def test_the_data_may_lie_elsewhere(recipe: Path, tmp_path: Path) -> None:
    moved = recipe.rename(tmp_path / "recipe.yaml")
    ended = crossin("compose", str(moved), "--data", str(tmp_path / "data"), "--dry-run")
    assert ended.returncode == 0, ended.stderr


def test_a_rank_says_what_is_left_to_do(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text() + "shard_rows: 20\n")
    arguments = ["compose", str(recipe), "--out", str(tmp_path / "out"), "--world-size", "2"]
    first = crossin(*arguments, "--rank", "1")
    assert "rank 1 of 2 is done" in first.stderr
    assert "compose: 50 rows" in crossin(*arguments, "--rank", "0").stderr


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ("", ["--engine", "spark"], "there is no engine 'spark'"),
        ("", ["--languages", ","], "field '--languages': names no language"),
        ("", ["--rank", "2", "--world-size", "2"], "there is no rank 2 of 2"),
        ("", ["--corpus", "alpaca"], "'alpaca' names no corpus and file"),
        ("", ["--data", "/nowhere"], "/nowhere: is no folder"),
        ("", ["--languages", "en,th"], "needs th, which the corpus 'alpaca' lacks"),
        ("", ["--languages", "en,Klingonese"], "unknown language 'Klingonese'"),
        ("template: alpacca", [], "did you mean 'alpaca'?"),
        (
            "sed: 1",
            [],
            "recipe.yaml, field 'sed': there is no key 'sed' here. Hint: did you mean 'seed'?",
        ),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_nothing(
    recipe: Path, tmp_path: Path, change: str, arguments: list[str], words: str
) -> None:
    recipe.write_text(recipe.read_text().replace("template: question", "") + change)
    ended = crossin("compose", str(recipe), "--out", str(tmp_path / "out"), *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_it_needs_a_folder_or_a_dry_run(recipe: Path) -> None:
    ended = crossin("compose", str(recipe))
    assert (ended.returncode, "--out DIR, or look first with --dry-run" in ended.stderr) == (2, True)


def test_a_missing_file_is_named(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "alpaca_vi.json").unlink()
    ended = crossin("compose", str(recipe), "--out", str(tmp_path / "out"))
    assert ended.returncode == 2
    assert "alpaca_vi.json" in ended.stderr.replace("\n", "")
    assert not (tmp_path / "out").exists()
