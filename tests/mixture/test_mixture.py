from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import crossin
from crossin.core.files import read_parquet, sha256, write_parquet
from crossin.experiments.demo import RECIPE
from crossin.facts import build_bench
from crossin.mixture import Recipe, compose, read_recipe
from crossin.mixture.tokens import estimated_tokens
from tests.helpers.errors import refused
from tests.helpers.paths import ROOT
from tests.helpers.small_corpora import corpus_entry, recipe_of, write_corpus

Rows = list[dict[str, Any]]


def rows_of(folder: Path) -> Rows:
    """All rows of a mixture in the order of its files."""
    rows: Rows = []
    for path in sorted((folder / "data").iterdir()):
        rows += pyarrow.parquet.read_table(path).to_pylist()
    return rows


def files_of(folder: Path) -> dict[str, str]:
    """The mixture's files by name and hash; the manifest tells of the run, not of the mixture."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): sha256(path) for path in paths}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("data"), 60)


MIXED: list[dict[str, Any]] = [
    {"kind": "base", "rows": 30},
    {"kind": "mono", "rows": 20},
    {"kind": "x2en", "rows": 25},
    {"kind": "en2x", "rows": 25},
    {"kind": "x2x", "rows": 40},
    {"kind": "trans", "rows": 33, "side": "output"},
]


def test_both_sides_of_a_row_are_the_same_row(data: Path, tmp_path: Path) -> None:
    rows = rows_of(compose(recipe_of(*MIXED), data, tmp_path / "out").folder)
    assert len(rows) == 173
    for row in rows:
        number, side = row["id"], "output" if row["kind"] == "trans" else "instruction"
        assert f"alpaca {side} {number} in {row['lang_in']}\n" in row["prompt"]
        assert row["completion"] == f"alpaca output {number} in {row['lang_out']}"
        assert row["source"] == "alpaca"


def test_the_manifest_counts_rows_by_component_and_direction(data: Path, tmp_path: Path) -> None:
    stage = compose(recipe_of(*MIXED), data, tmp_path / "out")
    counts, rows = stage.manifest["counts"], rows_of(stage.folder)
    assert counts["rows"] == len(rows)
    for name, amounts in counts["components"].items():
        mine = [f"{row['lang_in']}>{row['lang_out']}" for row in rows if row["component"] == name]
        assert amounts == {"rows": len(mine), **{direction: mine.count(direction) for direction in set(mine)}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shard_rows=st.integers(7, 200), world_size=st.integers(1, 6), seed=st.integers(0, 5), data_=st.data())
def test_the_shards_of_any_number_of_ranks_are_those_of_one_run(
    data: Path,
    tmp_path_factory: pytest.TempPathFactory,
    shard_rows: int,
    world_size: int,
    seed: int,
    data_: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    recipe = recipe_of(*MIXED, shard_rows=shard_rows, seed=seed)
    whole = compose(recipe, data, folder / "whole")
    order = data_.draw(st.permutations(range(world_size)))
    done = [compose(recipe, data, folder / "shared", rank=rank, world_size=world_size).done for rank in order]
    assert done[-1]
    assert files_of(folder / "shared") == files_of(whole.folder)
    assert len(files_of(whole.folder)) == -(-173 // shard_rows) + 4


def test_ranks_on_machines_that_share_no_folder_are_gathered_by_one_more_run(
    data: Path, tmp_path: Path
) -> None:
    recipe = recipe_of(*MIXED, shard_rows=50)
    whole = compose(recipe, data, tmp_path / "whole")
    for rank in (0, 1):
        assert not compose(recipe, data, tmp_path / f"machine {rank}", rank=rank, world_size=2).done
    for path in (tmp_path / "machine 1" / "data").iterdir():
        path.rename(tmp_path / "machine 0" / "data" / path.name)
    gathered = compose(recipe, data, tmp_path / "machine 0")
    assert files_of(gathered.folder) == files_of(whole.folder)


def test_a_shard_that_another_machine_made_from_other_rows_is_refused(tmp_path: Path) -> None:
    recipe = recipe_of(*MIXED, shard_rows=50)
    compose(recipe, write_corpus(tmp_path / "here", 60), tmp_path / "out", rank=0, world_size=2)
    compose(recipe, write_corpus(tmp_path / "there", 70), tmp_path / "other", rank=1, world_size=2)
    for path in (tmp_path / "other" / "data").iterdir():
        path.rename(tmp_path / "out" / "data" / path.name)
    with refused("other rows", file="mixture-00001.parquet"):
        compose(recipe, tmp_path / "here", tmp_path / "out", rank=0, world_size=2)


def test_a_mixture_of_twice_the_rows_begins_with_the_mixture(data: Path, tmp_path: Path) -> None:
    doubled = [{**component, "rows": 2 * component["rows"]} for component in MIXED]
    small = rows_of(compose(recipe_of(*MIXED), data, tmp_path / "small").folder)
    large = rows_of(compose(recipe_of(*doubled), data, tmp_path / "large").folder)
    assert large[: len(small)] == small


def test_a_component_is_the_same_beside_any_others(data: Path, tmp_path: Path) -> None:
    alone = rows_of(compose(recipe_of(MIXED[4]), data, tmp_path / "alone").folder)
    beside = rows_of(compose(recipe_of(*MIXED), data, tmp_path / "beside").folder)
    by_slot = {row["slot"]: row for row in beside if row["kind"] == "x2x"}
    assert {row["slot"]: row for row in alone} == by_slot


@pytest.mark.slow
def test_a_run_that_was_killed_resumes_with_the_missing_shards(data: Path, tmp_path: Path) -> None:
    code = """
import os, signal, sys
from tests.helpers.small_corpora import recipe_of
from tests.mixture.test_mixture import MIXED
from crossin.mixture import compose

def progress(task, done, total, unit, note=""):
    if task.startswith("composing") and done >= 60:
        os.kill(os.getpid(), signal.SIGKILL)

compose(recipe_of(*MIXED, shard_rows=20), sys.argv[1], sys.argv[2], progress=progress)
"""
    command = [sys.executable, "-c", code, str(data), str(tmp_path / "killed")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert ended.returncode == -9
    shards = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "data").glob("*.parquet")}
    assert shards
    recipe = recipe_of(*MIXED, shard_rows=20)
    again = compose(recipe, data, tmp_path / "killed")
    whole = compose(recipe, data, tmp_path / "whole")
    assert files_of(again.folder) == files_of(whole.folder)
    for name, written in shards.items():
        assert (again.folder / "data" / name).stat().st_mtime_ns == written


def test_the_same_mixture_is_made_again_from_its_recipe_or_its_manifest(data: Path, tmp_path: Path) -> None:
    first = compose(recipe_of(*MIXED), data, tmp_path / "a", languages=["en", "vi"], seed=3)
    for name in ("recipe.yaml", "manifest.json"):
        again = compose(first.folder / name, data, tmp_path / name)
        assert files_of(again.folder) == files_of(first.folder)
    assert files_of(
        compose(recipe_of(*MIXED), data, tmp_path / "c", languages=["en", "vi"]).folder
    ) != files_of(first.folder)


def test_a_recipe_may_be_a_mapping(data: Path, tmp_path: Path) -> None:
    recipe = recipe_of(*MIXED)
    entries = recipe.model_dump(exclude_unset=True)
    made = compose(entries, data, tmp_path / "mapping", languages=["English", "zh"], seed=2)
    assert files_of(made.folder) == files_of(
        compose(recipe, data, tmp_path / "recipe", languages=["en", "zh"], seed=2).folder
    )
    with refused(field="components.0.kind"):
        compose({**entries, "components": [{"kind": "x2y", "rows": 1}]}, data, tmp_path / "wrong")


def test_a_mixture_is_made_again_where_another_stages_folder_is_an_input(
    facts_folder: Path, tmp_path: Path
) -> None:
    write_corpus(tmp_path, 60)
    build_bench(facts_folder, tmp_path / "bench")
    entry = corpus_entry(decontaminate={"bench": "bench"})
    first = compose(recipe_of(*MIXED, corpora={"alpaca": entry}), tmp_path, tmp_path / "a")
    again = compose(first.folder / "manifest.json", tmp_path, tmp_path / "b")
    assert files_of(again.folder) == files_of(first.folder)


def test_a_manifest_whose_inputs_have_changed_is_refused(tmp_path: Path) -> None:
    write_corpus(tmp_path, 60)
    first = compose(recipe_of(*MIXED), tmp_path, tmp_path / "a")
    write_corpus(tmp_path, 61)
    with refused("'alpaca/en'", "changed", file="manifest.json", hint="earlier files"):
        compose(first.folder / "manifest.json", tmp_path, tmp_path / "b")


def test_the_package_itself_composes(data: Path, tmp_path: Path) -> None:
    assert crossin.compose(recipe_of(*MIXED), data, str(tmp_path / "out")).done


def test_another_mixtures_folder_is_refused_and_the_difference_named(data: Path, tmp_path: Path) -> None:
    compose(recipe_of(*MIXED), data, tmp_path / "out")
    with refused("another run", "seed: 0 there, 1 here", file="out"):
        compose(recipe_of(*MIXED, seed=1), data, tmp_path / "out")


def test_messages_hold_the_same_rows_without_a_template(data: Path, tmp_path: Path) -> None:
    folder = compose(recipe_of(*MIXED, format="messages"), data, tmp_path / "out").folder
    lines = [json.loads(line) for line in (folder / "data" / "mixture-00000.jsonl").read_text().splitlines()]
    rows = rows_of(compose(recipe_of(*MIXED), data, tmp_path / "rows").folder)
    assert [(line["id"], line["component"], line["slot"]) for line in lines] == [
        (row["id"], row["component"], row["slot"]) for row in rows
    ]
    for line, row in zip(lines, rows, strict=True):
        asked, answered = line["messages"]
        assert (asked["role"], answered["role"], answered["content"]) == (
            "user",
            "assistant",
            row["completion"],
        )
        assert all(part in row["prompt"] for part in asked["content"].split("\n\n"))
        assert "###" not in asked["content"]


def test_the_demos_mixture_composes_from_the_facts(facts_folder: Path, tmp_path: Path) -> None:
    stage = compose(RECIPE, facts_folder, tmp_path / "out", languages=["en", "zh", "vi", "es"])
    for name, component in read_recipe(RECIPE).named():
        rows = [row for row in rows_of(stage.folder) if row["component"] == name]
        prompts, completions = (
            estimated_tokens(pyarrow.array([row[part] for row in rows])) for part in ("prompt", "completion")
        )
        sizes = prompts + completions
        # The fewest rows that have as many tokens: without the last, too few.
        assert sizes.sum() >= (component.tokens or 0) > sizes.sum() - sizes.max()
    assert {row["prompt"].split(" ")[0] for row in rows_of(stage.folder) if row["lang_in"] == "en"} >= {
        "Question:"
    }


def test_a_row_that_lacks_a_language_is_left_out_counted_and_listed(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"en": range(10), "es": range(4)})
    made = recipe_of({"kind": "en2x", "rows": 4}, corpora={"alpaca": corpus_entry(languages=["en", "es"])})
    stage = compose(made, tmp_path, tmp_path / "out")
    assert stage.manifest["skipped"] == {"missing_translation:es": 6}
    assert {row["id"] for row in rows_of(stage.folder)} == {"0", "1", "2", "3"}
    rejects = read_parquet(stage.folder / "rejects.parquet", ["corpus", "id", "reason"]).to_pylist()
    assert rejects == [
        {"corpus": "alpaca", "id": str(number), "reason": "missing_translation:es"} for number in range(4, 10)
    ]
    assert stage.manifest["counts"]["corpora"]["alpaca"]["rejected"] == stage.manifest["skipped"]
    assert "- alpaca: 6 rows, missing in a language (es)" in (stage.folder / "README.md").read_text()


def test_the_manifest_sums_the_rejected_rows_of_all_corpora(tmp_path: Path) -> None:
    corpora = {}
    for name, rows in (("alpaca", 10), ("own", 5)):
        write_corpus(tmp_path, {"en": range(rows), "es": range(2)}, corpus=name)
        corpora[name] = corpus_entry(name, languages=["en", "es"], id_prefix=f"{name}-")
    parts = [{"kind": "en2x", "rows": 2, "corpus": name} for name in corpora]
    stage = compose(recipe_of(*parts, corpora=corpora), tmp_path, tmp_path / "out")
    assert stage.manifest["skipped"] == {"missing_translation:es": 8 + 3}


def test_rows_may_be_drawn_in_the_languages_that_they_have(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"en": range(10), "es": range(4), "vi": range(2, 8)})
    entry = corpus_entry(languages=["en", "es", "vi"], incomplete="keep")
    made = recipe_of({"kind": "en2x", "rows": 10, "sampler": "unimax"}, corpora={"alpaca": entry})
    stage = compose(made, tmp_path, tmp_path / "out")
    assert stage.manifest["counts"]["components"]["en2x/alpaca"] == {"rows": 10, "en>es": 4, "en>vi": 6}
    assert stage.manifest["skipped"] == {}


def test_strict_makes_a_rejected_row_an_error(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"en": range(10), "es": range(4)})
    made = recipe_of({"kind": "en2x", "rows": 4}, corpora={"alpaca": corpus_entry(languages=["en", "es"])})
    with refused("6 rows", "'alpaca'", "(es)", "id '4'", hint="--strict"):
        compose(made, tmp_path, tmp_path / "out", strict=True)


def test_a_file_of_the_callers_takes_the_place_of_a_corpus(tmp_path: Path) -> None:
    write_corpus(tmp_path, 5)
    write_corpus(tmp_path, 5, corpus="own")
    made = recipe_of(
        {"kind": "base", "rows": "all", "corpus": "platypus"}, corpora={"platypus": corpus_entry("platypus")}
    )
    stage = compose(made, tmp_path, tmp_path / "out", files={"platypus": "own_en.json"})
    assert {row["completion"] for row in rows_of(stage.folder)} == {
        f"own output {number} in en" for number in range(5)
    }
    with refused("'platipus'", hint="platypus"):
        compose(made, tmp_path, tmp_path / "other", files={"platipus": "own_en.json"})


def test_a_corpus_that_is_not_there_is_named_with_those_that_are(facts_folder: Path, tmp_path: Path) -> None:
    made = Recipe.model_validate(
        {"name": "t", "languages": ["en"], "components": [{"kind": "base", "rows": 1, "corpus": "alpaca"}]}
    )
    with refused(
        "'alpaca'",
        "alpaca.parquet does not exist",
        field="components.0.corpus",
        hint="facts, names, questions",
    ):
        compose(made, facts_folder, tmp_path / "mixture")
    assert not (tmp_path / "mixture").exists()


@pytest.mark.parametrize(
    ("components", "more", "words"),
    [
        (
            [{"kind": "mono", "rows": 5}],
            {"languages": ["en"]},
            ["'mono/alpaca'", "another language"],
        ),
        (
            [{"kind": "mono", "rows": 5}],
            {"languages": ["en", "th"]},
            ["needs th", "'alpaca'", "en, zh"],
        ),
        (
            [{"kind": "mono", "rows": 5}],
            {"languages": ["es", "vi"]},
            ["pivot 'en'", "es, vi", "--languages en,es,vi"],
        ),
        (
            [{"kind": "base", "rows": 61}],
            {},
            ["'base/alpaca'", "61 rows en>en", "'alpaca' has 60"],
        ),
        ([{"kind": "base", "rows": 5, "filter": {"scor": {"min": 4}}}], {}, ["scor"]),
        (
            [{"kind": "base", "rows": 5, "filter": {"characters": {"min": 999}}}],
            {},
            ["nothing to draw from"],
        ),
        ([{"kind": "base", "tokens": 10**6}], {}, ["1,000,000 tokens", "has about"]),
        (
            [{"kind": "x2en", "rows": 5, "sampler": "weights", "weights": {"th": 1}}],
            {},
            ["weighs th"],
        ),
        (
            [
                {"kind": "x2en", "rows": 5, "draw": "a"},
                {"kind": "en2x", "rows": 5, "draw": "a", "languages": ["zh"]},
            ],
            {},
            ["'x2en/alpaca'", "'en2x/alpaca'", "draw 'a'"],
        ),
    ],
)
def test_what_the_corpora_do_not_give_is_one_clear_error(
    data: Path, tmp_path: Path, components: Rows, more: dict[str, Any], words: list[str]
) -> None:
    with refused(*words):
        compose(recipe_of(*components, **more), data, tmp_path / "out")


def test_corpora_that_call_different_rows_alike_are_refused(tmp_path: Path) -> None:
    write_corpus(tmp_path, 10)
    write_corpus(tmp_path, 5, corpus="platypus")
    parts = [{"kind": "base", "rows": 5, "corpus": "platypus"}, {"kind": "x2x", "rows": 5}]
    both = {"alpaca": corpus_entry(), "platypus": corpus_entry("platypus")}
    with refused("id '0'", "5 clash", field="corpora.alpaca.id_prefix", hint="id_prefix: alpaca-"):
        compose(recipe_of(*parts, corpora=both), tmp_path, tmp_path / "a")
    both["platypus"]["id_prefix"] = "platypus-"
    made = compose(recipe_of(*parts, corpora=both), tmp_path, tmp_path / "b")
    assert {row["id"] for row in rows_of(made.folder) if row["kind"] == "base"} == {
        f"platypus-{n}" for n in range(5)
    }


def test_a_row_with_nothing_to_answer_is_never_drawn(tmp_path: Path) -> None:
    lines = [
        {"id": one, "language": language, "instruction": f"{one} {language}", "input": "", "output": output}
        for one, language, output in (("a", "en", "A"), ("a", "es", "A"), ("b", "en", ""), ("b", "es", ""))
    ]
    write_parquet(tmp_path / "questions.parquet", pyarrow.Table.from_pylist(lines))
    made = Recipe.model_validate(
        {
            "name": "t",
            "languages": ["en", "es"],
            "components": [
                {"kind": "en2x", "rows": "all"},
                {"kind": "trans", "rows": "all", "direction": "to-pivot"},
            ],
        }
    )
    rows = rows_of(compose(made, tmp_path, tmp_path / "out").folder)
    assert [(row["kind"], row["id"]) for row in sorted(rows, key=lambda row: (row["kind"], row["id"]))] == [
        ("en2x", "a"),
        ("trans", "a"),
        ("trans", "b"),
    ]
