from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from tests.helpers.errors import refused
from tests.helpers.messages import messages
from tests.helpers.small_corpora import corpus_entry, row, write_corpus

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


def crossin(*words: str | Path) -> Result:
    """The command `compose` in this process; a user's error is raised."""
    runner = CliRunner(env={"COLUMNS": "200"})
    arguments = ["compose", *map(str, words)]
    return runner.invoke(app, arguments, catch_exceptions=False, standalone_mode=False)


def test_a_recipe_becomes_a_folder_and_is_found_done_the_next_time(recipe: Path, tmp_path: Path) -> None:
    for _ in range(2):
        ended = crossin(recipe, "--out", tmp_path / "out")
        assert "x2x/alpaca" in ended.stdout
        assert "compose: 50 rows" in ended.stderr
    assert (tmp_path / "out" / "data" / "mixture-00000.parquet").exists()
    assert not (tmp_path / "out" / ".work").exists()


def test_a_dry_run_shows_components_tokens_and_ten_rows_and_writes_nothing(
    recipe: Path, tmp_path: Path
) -> None:
    ended = crossin(recipe, "--dry-run", "--out", tmp_path / "out")
    assert "small: 50 rows, seed 0" in ended.stdout
    assert {"vi Vietnamese", "zh Chinese"} <= {cell.strip() for cell in ended.stdout.split("│")}
    assert "estimated from characters" in ended.stdout
    assert ended.stdout.count(" · slot ") == 10
    assert ended.stdout.rindex(" · slot ") < ended.stdout.index("small: 50 rows")
    assert "Question: alpaca instruction" in ended.stdout
    assert "corpus alpaca: en 40, zh 40, vi 40, es 40 rows read; 40 of 40 ids kept" in ended.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_dry_run_of_long_rows_and_many_directions_fits_a_screen(tmp_path: Path) -> None:
    languages = ["en", "zh", "vi", "es", "ar", "de", "id", "th"]
    rows = [row(number, "en", output="word\n" * 2000, instruction="why\n" * 500) for number in range(60)]
    for language in languages:
        (tmp_path / f"alpaca_{language}.json").write_text(json.dumps(rows))
    path = tmp_path / "recipe.yaml"
    made = RECIPE.replace("[en, zh, vi, es]", f"[{', '.join(languages)}]")
    path.write_text(made.format(entry=json.dumps(corpus_entry(languages=languages))))
    ended = crossin(path, "--dry-run")
    assert len(ended.stdout.splitlines()) < 45
    assert [line.split("│")[3].strip() for line in ended.stdout.splitlines() if "x2x/" in line] == ["several"]
    directions = json.loads(crossin(path, "--dry-run", "--json").stdout)["components"]
    assert len(directions) > 20
    assert ended.stderr.splitlines()[-1].startswith("dry run: nothing was written")


def test_rows_that_are_left_out_are_shown_as_sentences_and_counted_as_codes(
    recipe: Path, tmp_path: Path
) -> None:
    write_corpus(tmp_path / "data", {"vi": range(35)})
    assert "left out: 5 rows, missing in a language (vi)" in crossin(recipe, "--dry-run").stderr
    skipped = json.loads(crossin(recipe, "--dry-run", "--json").stdout)["skipped"]
    assert skipped == {"missing_translation:vi": 5}


def test_a_finished_mixture_prints_what_the_first_run_did_and_is_as_strict(
    recipe: Path, tmp_path: Path
) -> None:
    write_corpus(tmp_path / "data", {"vi": range(30)})
    words: list[str | Path] = [recipe, "--out", tmp_path / "out"]
    first, again = (crossin(*words) for _ in range(2))
    assert (first.stdout, messages(first.stderr)) == (again.stdout, messages(again.stderr))
    assert "left out: 10 rows, missing in a language (vi)" in again.stderr
    assert "note: alpaca: 10 of 40 rows" in again.stderr
    for out in ("out", "new"):
        with refused("10 rows", "'alpaca'", "missing in a language (vi)", hint="--strict"):
            crossin(recipe, "--out", tmp_path / out, "--strict")


def test_the_share_that_may_be_left_out_is_an_option(recipe: Path, tmp_path: Path) -> None:
    rows = [row(number, "vi", instruction="" if number < 8 else "Hỏi?") for number in range(40)]
    (tmp_path / "data" / "alpaca_vi.json").write_text(json.dumps(rows))
    words: list[str | Path] = [recipe, "--out", tmp_path / "out"]
    with refused(
        "8 of 40 vi rows", "instruction is empty", file="alpaca_vi.json", row=1, hint="--max-skipped"
    ):
        crossin(*words)
    assert "left out: 8 rows" in crossin(*words, "--max-skipped", "0.2").stderr
    with refused("max_skipped: 0.2 there, not set here"):
        crossin(*words)


def test_figures_come_as_json(recipe: Path, tmp_path: Path) -> None:
    shown = json.loads(crossin(recipe, "--dry-run", "--json").stdout)
    assert (shown["rows"], len(shown["samples"]), shown["tokens_are"]) == (50, 10, "estimated")
    assert {line["lang_in"] for line in shown["components"]} == {"en", "zh", "vi", "es"}
    assert sum(line["tokens"] for line in shown["components"]) > 500
    made = json.loads(crossin(recipe, "--out", tmp_path / "out", "--json").stdout)
    assert made["counts"]["components"]["x2x/alpaca"]["rows"] == 30


def test_languages_and_seed_take_the_place_of_the_recipes(recipe: Path) -> None:
    words = ["--dry-run", "--json", "--languages", "English,zho_Hans", "--seed", "7"]
    lines = json.loads(crossin(recipe, *words).stdout)["components"]
    assert {line["lang_in"] for line in lines} == {"en", "zh"}
    assert "seed 7" in crossin(recipe, "--dry-run", "--seed", "7").stdout


def test_any_entry_may_be_set_also_inside_of_lists(recipe: Path, tmp_path: Path) -> None:
    words = ["--set", "components.x2x.rows=7", "--set", "tag=code", "--set", "components.0.languages=[en]"]
    made = json.loads(crossin(recipe, "--out", tmp_path / "out", *words, "--json").stdout)
    assert {name: one["rows"] for name, one in made["counts"]["components"].items()} == {
        "base/alpaca": 20,
        "x2x/alpaca": 7,
    }
    settings = json.loads((tmp_path / "out" / "manifest.json").read_text())["settings"]
    assert settings["tag"] == "code"
    # The mixture is that of a file with these entries.
    recipe.write_text(
        recipe.read_text().replace("rows: 30", "rows: 7").replace("rows: 20", "rows: 20, languages: [en]")
    )
    crossin(recipe, "--out", tmp_path / "file", "--set", "tag=code")
    first, second = (tmp_path / out / "data" / "mixture-00000.parquet" for out in ("out", "file"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("entry", "field", "words"),
    [
        ("components.x2xx.rows=7", "components.x2xx", ["did you mean 'x2x'"]),
        ("components.x2x.row=7", "components.1.row", ["did you mean 'rows'"]),
        ("components.x2x.rows=many", "components.1.rows", ["'many'"]),
        ("components.x2x.share=0.5", "components.1", ["exactly one of"]),
        ("corpora.alpaca.join=name", "corpora.alpaca.join", ["'name'"]),
        ("name.first=x", "name.first", ["'small'"]),
        ("seed", "--set", ["KEY=VALUE"]),
    ],
)
def test_a_wrong_entry_that_is_set_is_no_fault_of_the_file(
    recipe: Path, entry: str, field: str, words: list[str]
) -> None:
    with refused(*words, field=field) as error:
        crossin(recipe, "--dry-run", "--set", entry)
    assert error.value.file is None


def test_a_corpus_may_be_another_file(recipe: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path / "data", 30, corpus="own")
    words = ["--languages", "en", "--corpus", "alpaca=own_en.json", "--dry-run", "--json"]
    recipe.write_text(recipe.read_text().replace("  - {kind: x2x, corpus: alpaca, rows: 30}\n", ""))
    samples: list[dict[str, Any]] = json.loads(crossin(recipe, *words).stdout)["samples"]
    assert all("own instruction" in row["prompt"] for row in samples)


def test_the_data_may_be_elsewhere(recipe: Path, tmp_path: Path) -> None:
    moved = recipe.rename(tmp_path / "recipe.yaml")
    assert "small: 50 rows" in crossin(moved, "--data", tmp_path / "data", "--dry-run").stdout


def test_a_rank_says_what_is_left_to_do(recipe: Path, tmp_path: Path) -> None:
    recipe.write_text(recipe.read_text() + "shard_rows: 20\n")
    words: list[str | Path] = [recipe, "--out", tmp_path / "out", "--world-size", "2"]
    assert "rank 1 of 2 is done" in crossin(*words, "--rank", "1").stderr
    assert "compose: 50 rows" in crossin(*words, "--rank", "0").stderr


def test_the_old_name_of_the_runner_still_works(recipe: Path, tmp_path: Path) -> None:
    assert "compose: 50 rows" in crossin(recipe, "--out", tmp_path / "out", "--engine", "local").stderr
    assert "--engine" not in crossin("--help").stdout
    with pytest.raises(click.BadParameter):
        crossin(recipe, "--out", tmp_path / "out", "--runner", "spark")


@pytest.mark.parametrize(
    ("change", "arguments", "field", "words"),
    [
        ("", ["--languages", ","], "--languages", []),
        ("", ["--rank", "2", "--world-size", "2"], None, ["rank 2 of 2"]),
        ("", ["--corpus", "alpaca"], None, ["'alpaca'", "="]),
        ("", ["--data", "/nowhere"], None, ["/nowhere", "folder"]),
        ("", ["--languages", "en,th"], "components.1", ["needs th", "'alpaca'"]),
        ("", ["--languages", "en,Klingonese"], "--languages", ["'Klingonese'"]),
        ("template: alpacca", [], None, ["did you mean 'alpaca'?"]),
        ("sed: 1", [], "sed", ["recipe.yaml", "did you mean 'seed'?"]),
    ],
)
def test_bad_input_is_one_clear_error_and_leaves_nothing(
    recipe: Path, tmp_path: Path, change: str, arguments: list[str], field: str | None, words: list[str]
) -> None:
    recipe.write_text(recipe.read_text().replace("template: question", "") + change)
    with refused(*words, field=field):
        crossin(recipe, "--out", tmp_path / "out", *arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_it_needs_a_folder_or_a_dry_run(recipe: Path) -> None:
    with refused(hint="--out DIR"):
        crossin(recipe)


def test_a_missing_file_is_named(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "data" / "alpaca_vi.json").unlink()
    with refused(file="alpaca_vi.json"):
        crossin(recipe, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_corpus_in_another_language_is_an_error_that_can_be_overridden(tmp_path: Path) -> None:
    asked = {"en": "What is the capital of country number {}?", "zh": "第{}号国家的首都是哪座城市？"}
    for language, question in asked.items():
        rows = [{"id": n, "instruction": question.format(n), "output": f"{n}"} for n in range(30)]
        (tmp_path / f"{language}.json").write_text(json.dumps(rows), encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    text = (
        "name: r\nlanguages: [en, th]\ncorpora:\n  a: {files: {en: en.json, th: zh.json}ENTRY}\n"
        "components:\n  - {kind: x2en, corpus: a, rows: 5}\n"
    )
    recipe.write_text(text.replace("ENTRY", ""))
    for words in (("--dry-run",), ("--out", tmp_path / "out")):
        with refused(
            "th Thai", "look like", file="zh.json", field="corpora.a.files.th", hint="--no-check-language"
        ):
            crossin(recipe, *words)
    assert not (tmp_path / "out").exists()
    assert "dry run" in crossin(recipe, "--dry-run", "--no-check-language").stderr
    assert "compose: 5 rows" in crossin(recipe, "--out", tmp_path / "out", "--no-check-language").stderr
    # The choice is part of the mixture, and of what composes it again.
    assert "check_language: false" in (tmp_path / "out" / "recipe.yaml").read_text()
    again = crossin(tmp_path / "out" / "manifest.json", "--data", tmp_path, "--out", tmp_path / "again")
    assert "compose: 5 rows" in again.stderr
    recipe.write_text(text.replace("ENTRY", ", check_language: false"))
    assert "compose: 5 rows" in crossin(recipe, "--out", tmp_path / "key").stderr
