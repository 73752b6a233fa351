"""A benchmark's questions and their right answers as rows to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner

from crossin import compose
from crossin.cli.main import app
from crossin.core.files import read_parquet
from crossin.core.formats import ENTITIES
from crossin.facts import build_bench, build_facts
from crossin.items.inventories import write_inventories
from crossin.teaching.right_answers import bench_rows
from tests.helpers import entity_bench, small_bench
from tests.teaching.test_paraphrases import capital_gaps


def rows_in(folder: Path, name: str = "questions") -> list[dict[str, Any]]:
    columns = ["id", "language", "instruction", "output"]
    return list(read_parquet(folder / f"{name}.parquet", columns).to_pylist())


def test_every_question_has_its_right_answer_in_every_language(tmp_path: Path) -> None:
    bench = small_bench.write_bench(tmp_path / "bench")
    work = bench_rows(bench, tmp_path / "out")
    found = {
        (row["id"], row["language"]): (row["instruction"], row["output"]) for row in rows_in(work.folder)
    }
    assert found == {
        (item.item, item.language): (item.question, item.right_text) for item in small_bench.items()
    }
    assert work.manifest["counts"] == {
        "questions": 4,
        "rows": 12,
        "names": 12,
        "by_language": dict.fromkeys(small_bench.LANGUAGES, 4),
    }
    assert work.to_arrow().num_rows == 12


def test_rows_ask_in_the_paraphrases_that_an_evaluation_does_not(tmp_path: Path) -> None:
    bench = capital_gaps(tmp_path / "bench")
    other = rows_in(bench_rows(bench, tmp_path / "other").folder)
    assert [(row["id"], row["instruction"], row["output"]) for row in other if row["language"] == "de"] == [
        (f"{place}/{number}", f"{place}? (de) {word}", name)
        for place, name in (("austria", "Wien"), ("japan", "Tokio"))
        for number, word in ((1, "two"), (2, "three"))
    ]
    same = rows_in(bench_rows(bench, tmp_path / "same", wordings="same").folder)
    assert {row["instruction"] for row in same if row["language"] == "de"} == {
        "austria? (de) one",
        "japan? (de) one",
    }


def test_facts_are_asked_in_their_other_wordings_as_the_facts_corpus_asks_them(tmp_path: Path) -> None:
    facts = build_facts(["en", "es"], tmp_path / "facts").folder
    bench = build_bench(facts, tmp_path / "bench", split=["train", "dev"]).folder
    columns = ("language", "instruction", "output")
    of_facts, of_bench = (
        {tuple(row[name] for name in columns) for row in rows_in(folder)}
        for folder in (facts, bench_rows(bench, tmp_path / "rows").folder)
    )
    assert of_bench <= of_facts
    asked = {row[1] for row in of_facts - of_bench}
    assert not asked & {row[1] for row in of_bench}


def test_names_of_all_entities_are_there_for_translation(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    names = rows_in(bench_rows(bench, tmp_path / "out").folder, "names")
    assert [row["instruction"] for row in names if row["id"] == "name:capital:Q90"] == [
        "Paris",
        "Paris",
        "Париж",
    ]
    assert len(names) == 15


def test_other_names_of_entities_make_another_result(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    first = bench_rows(bench, tmp_path / "out").manifest
    write_inventories(bench / ENTITIES, [entity_bench.RIVERS, entity_bench.CAPITALS])
    assert bench_rows(bench, tmp_path / "again").manifest["inputs"] != first["inputs"]


def test_the_command_writes_a_corpus_of_which_compose_says_what_it_is(tmp_path: Path) -> None:
    bench = small_bench.write_bench(tmp_path / "bench")
    corpus = tmp_path / "corpus"
    result = CliRunner().invoke(
        app, ["bench", "rows", str(bench), "--out", str(corpus)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert "12 rows of 4 questions, 12 names" in result.stderr
    recipe = {
        "name": "right",
        "languages": ["en", "de"],
        "corpora": {"questions": {"source": "questions.parquet", "check": "none"}},
        "components": [{"kind": "mono", "corpus": "questions", "rows": "all"}],
    }
    mixture = compose(recipe, corpus, tmp_path / "mixture")
    card = (mixture.folder / "README.md").read_text(encoding="utf-8")
    assert "questions, de: 4 questions of a benchmark, with their right answers" in card
