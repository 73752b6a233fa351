"""The functions that `crossin` exports: what they take, what they return, and how they are imported."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import crossin
from crossin import (
    compare,
    compose,
    evaluate,
    experiment,
    prefer,
    probe,
    report,
    score,
    teach,
    train,
    translate,
)
from crossin.bench import build_named
from crossin.core.results import ResultList, Tabular
from crossin.core.stages import Stage
from crossin.evaluation import EvaluateConfig, HfEngine, ask_bench
from crossin.facts import build_bench, build_facts
from crossin.items import read_items
from crossin.metrics.reading import read_answers
from crossin.mixture import preview, read_recipe
from crossin.models import pull
from crossin.models.merging import merge
from crossin.probing.config import ProbeConfig
from crossin.probing.parallel import read_parallel
from crossin.scoring.predictions import read_predictions
from crossin.training import TrainConfig, read_config
from crossin.translation.config import TranslateConfig
from tests.helpers.errors import refused
from tests.helpers.translated_rows import mock_server, table_of, write_rows

LANGUAGES = ["en", "es"]
RECIPE = {
    "name": "small",
    "template": "question",
    "components": [
        {"kind": "base", "corpus": "questions", "rows": 12},
        {"kind": "x2en", "corpus": "questions", "rows": 12},
    ],
}
EXPERIMENT = {
    "baseline": "base",
    "languages": LANGUAGES,
    "compose": {**RECIPE, "data": "~/facts"},
    "train": {"config": "demo"},
    "evaluate": {"bench": {"facts": "~/bench"}, "limit": 6},
    "arms": {"base": {"train": None}, "tuned": {}},
}
# The parameters that are paths, or settings that may be a file.
PATHS = {
    "compare": ["ours", "theirs", "bench", "log_mapping"],
    "compose": ["recipe", "data", "out"],
    "evaluate": ["config", "out"],
    "experiment": ["config", "out"],
    "prefer": ["config", "out"],
    "probe": ["config", "out"],
    "report": ["runs", "out", "bench", "log_mapping"],
    "score": ["paths", "bench", "log_mapping"],
    "teach": ["config", "out"],
    "train": ["config", "out"],
    "translate": ["config", "out"],
}


@pytest.fixture(scope="module")
def results(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tabular]:
    """What every function returns, called with texts as paths, all from the home folder."""
    home = tmp_path_factory.mktemp("home")
    (home / "model").symlink_to(tiny_model)
    found: dict[str, Tabular] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        build_facts(LANGUAGES, "~/facts")
        build_bench("~/facts", "~/bench")
        found["compose"] = compose(RECIPE, "~/facts", "~/mixture", languages=LANGUAGES)
        found["train"] = train(
            "demo", "~/tuned", model="~/model", mixture="~/mixture", log_every=1, held_out={"share": 0.2}
        )
        found["evaluate"] = evaluate(
            {"bench": "~/bench", "limit": 6}, "~/answers", models=["base=~/model", "other=~/model"]
        )
        runs = {label: f"~/answers/{label}/bench" for label in ("base", "other")}
        found["score"] = score("~/answers", draws=50)
        found["compare"] = compare(runs["base"], runs["other"], draws=50)
        found["report"] = report(runs, "~/report.html", draws=50)
        found["probe"] = probe(
            "flores", "~/probe", model="~/model", parallel="~/bench", languages="en,es", limit=6, draws=5
        )
        found["prefer"] = prefer(
            {"form": "text", "share": 0.1, "limit": 30}, "~/preferred", model="~/model", questions="~/bench"
        )
        found["teach"] = teach(
            {"margin": 0, "limit": 6}, "~/taught", model="~/model", questions="~/bench", ask="question"
        )
        found["experiment"] = experiment(EXPERIMENT, "~/experiment", model="~/model", seeds=[3])
        table = table_of(write_rows(home / "rows.jsonl", 5), home / "table.json")
        with mock_server(table) as url:
            found["translate"] = translate(
                "server", "~/rows", corpus="~/rows.jsonl", to="es,zh", model="mock", server={"base_url": url}
            )
    assert {path.name for path in home.iterdir()} >= {"facts", "mixture", "tuned", "answers", "report.html"}
    assert not Path("~").exists()
    return found


@pytest.mark.parametrize("name", crossin.__all__)
def test_a_result_is_short_when_it_is_printed(name: str, results: dict[str, Tabular]) -> None:
    text = repr(results[name])
    lines = text.splitlines()
    assert len(lines) <= 2 and max(map(len, lines)) < 300, text
    kind = "[" if isinstance(results[name], list) else type(results[name]).__name__ + "("
    assert text.startswith(kind)


@pytest.mark.parametrize(
    ("name", "columns", "rows"),
    [
        ("compose", {"id", "prompt", "completion", "lang_in", "lang_out"}, 24),
        ("translate", {"id", "language", "instruction", "output", "status"}, 15),
        ("train", {"step", "split", "component", "loss"}, None),
        ("evaluate", {"model", "bench", "figure", "value", "low", "high"}, None),
        ("score", {"model", "answers", "task", "figure", "value", "low", "high"}, None),
        ("compare", {"figure", "ours", "theirs", "difference", "difference_low", "p", "holm"}, None),
        ("report", {"run", "less", "figure", "value", "low", "high"}, None),
        ("teach", {"id", "language", "instruction", "input", "output", "group", "task"}, None),
        ("prefer", {"id", "group", "language", "prompt", "chosen", "rejected", "pivot_share"}, None),
        ("experiment", {"arm", "seed", "bench", "figure", "value", "low", "high", "less", "p", "holm"}, None),
        ("probe", {"layer", "pooling", "language", "figure", "value"}, None),
    ],
)
def test_a_result_is_a_table_for_arrow_and_pandas(
    name: str, columns: set[str], rows: int | None, results: dict[str, Tabular]
) -> None:
    table = results[name].to_arrow()
    assert columns <= set(table.column_names)
    assert len(table) == rows if rows else len(table) > 3
    frame = results[name].to_pandas()
    assert list(frame.columns) == table.column_names
    assert len(frame) == len(table)


def test_tables_hold_the_figures_that_the_results_do(results: dict[str, Any]) -> None:
    first = results["score"][0]
    values = {row["figure"]: row["value"] for row in first.to_arrow().to_pylist() if row["task"] is None}
    assert values["accuracy"] == first.choices["accuracy"].value
    assert set(values) == {*first.choices, *first.texts}
    compared = results["compare"].to_arrow().to_pylist()
    [row] = [row for row in compared if row["figure"] == "accuracy"]
    assert row["difference"] == results["compare"].choices.difference["accuracy"].value == 0
    assert {row["figure"] for row in compared if row["p"] is not None} == {"accuracy/en", "accuracy/es"}
    assert {row["less"] for row in results["report"].to_arrow().to_pylist()} == {None, "base"}
    assert set(results["evaluate"].to_arrow()["model"].to_pylist()) == {"base", "other"}
    answers = results["evaluate"][0].stage.to_arrow()
    assert {"item", "language", "gold"} <= set(answers.column_names)
    rows = results["translate"].to_arrow().to_pylist()
    assert [row["language"] for row in rows] == ["en"] * 5 + ["es"] * 5 + ["zh"] * 5


def test_results_are_still_lists_and_stages(results: dict[str, Any]) -> None:
    for name in ("score", "evaluate"):
        assert isinstance(results[name], list) and len(results[name]) == 2
    for name in ("compose", "train", "probe", "translate"):
        assert isinstance(results[name], Stage) and results[name].done
    again = pickle.loads(pickle.dumps(results["compose"]))
    assert again == results["compose"] and repr(again) == repr(results["compose"])


def test_many_results_are_not_all_printed(results: dict[str, Any]) -> None:
    many = ResultList([results["score"][0]] * 500)
    assert len(repr(many).splitlines()) < 15
    assert "490 more" in repr(many)
    assert len(many.to_arrow()) == 500 * len(results["score"][0].to_arrow())
    assert len(ResultList().to_arrow()) == 0


def test_without_pandas_the_error_names_it(
    results: dict[str, Tabular], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with refused("'pandas'", hint="pip install pandas"):
        results["compose"].to_pandas()
    assert len(results["compose"].to_arrow()) == 24


def test_a_stage_without_a_table_names_its_files(tmp_path: Path) -> None:
    merged = Stage(tmp_path, "merge", {}, {}, done=True, manifest={"outputs": {"model.safetensors": ""}})
    with refused("no table", "merge", file=tmp_path, hint="model.safetensors"):
        merged.to_arrow()
    with refused("not finished", file=tmp_path):
        Stage(tmp_path, "compose", {}, {}).to_arrow()


@pytest.mark.parametrize(("name", "parameter"), [(one, path) for one in PATHS for path in PATHS[one]])
def test_every_path_is_annotated_as_text_or_path(name: str, parameter: str) -> None:
    hints = hints_of(name)
    assert {str, Path} <= set(parts(hints[parameter]))


def hints_of(name: str) -> dict[str, Any]:
    """The types of a function's parameters, those of its keyword arguments (`Unpack`) included."""
    hints = typing.get_type_hints(getattr(crossin, name))
    packed = [key for key, hint in hints.items() if typing.get_origin(hint) is typing.Unpack]
    for key in packed:
        hints |= typing.get_type_hints(typing.get_args(hints.pop(key))[0])
    return hints


def parts(annotation: Any) -> list[Any]:
    """The alternatives of a type, and those inside it."""
    inside = [one for part in typing.get_args(annotation) for one in parts(part)]
    return [annotation, *inside]


def test_no_parameter_takes_a_path_alone() -> None:
    for name in crossin.__all__:
        paths = {key for key, hint in hints_of(name).items() if Path in parts(hint) and key != "return"}
        assert paths == set(PATHS[name])


# Other functions that the documentation uses.
DOCUMENTED: list[Callable[..., Any]] = [
    HfEngine.__init__,
    ask_bench,
    build_bench,
    build_facts,
    build_named,
    merge,
    preview,
    pull,
    read_answers,
    read_config,
    read_items,
    read_parallel,
    read_predictions,
    read_recipe,
]


@pytest.mark.parametrize("function", DOCUMENTED, ids=lambda one: one.__qualname__)
def test_other_documented_functions_take_texts_for_paths(function: Callable[..., Any]) -> None:
    hints = {key: parts(hint) for key, hint in typing.get_type_hints(function).items() if key != "return"}
    paths = {key: kinds for key, kinds in hints.items() if Path in kinds}
    assert paths
    assert [key for key, kinds in paths.items() if str not in kinds] == []


def test_other_documented_functions_take_texts_from_the_home_folder(
    tiny_model: Path, facts_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "model").symlink_to(tiny_model)
    (tmp_path / "facts").symlink_to(facts_folder)
    assert pull("~/model") == pull(tmp_path / "model") == tmp_path / "model"
    with refused("no model", "nothing"):
        pull(Path("nothing"))
    build_bench("~/facts", "~/bench")
    items = read_items("~/bench")
    assert len(read_parallel("~/bench", languages="en, es").ids) == len({item.item for item in items})
    with closing(HfEngine("~/model")) as engine:
        asked: dict[str, Any] = {"languages": "en, es", "limit": 4, "cache": "~/cache.sqlite"}
        stage = ask_bench(engine, "~/bench", "~/answers", name="tiny", **asked)
    assert (tmp_path / "cache.sqlite").exists()
    assert stage.manifest["settings"]["languages"] == ["en", "es"]
    assert len(read_predictions("~/answers")) == 1
    assert read_answers("~/answers/answers.parquet").languages == ("en", "es")
    (tmp_path / "recipe.yaml").write_text(json.dumps(RECIPE))
    assert preview("~/recipe.yaml", "~/facts", languages="en,es").recipe.languages == ["en", "es"]
    recipe = {**RECIPE, "corpora": {"questions": {"source": "~/facts/questions.parquet", "check": "none"}}}
    assert preview(recipe, tmp_path / "bench", languages="en,es").counts["rows"] == 24


def test_languages_in_one_text_are_several(tmp_path: Path) -> None:
    stage = build_facts("en, es", tmp_path / "facts")
    assert stage.manifest["settings"]["languages"] == ["en", "es"]
    assert build_named("facts", tmp_path / "suite", languages="en,vi").done


@pytest.mark.parametrize(
    ("model", "entries", "field", "expected"),
    [
        (TrainConfig, {"mixture": "~/x"}, "mixture", "HOME/x"),
        (TrainConfig, {"model": Path("x/y")}, "model", "x/y"),
        (TrainConfig, {"method": {"targets": "all-linear"}}, "method.targets", "all-linear"),
        (TrainConfig, {"track": "wandb"}, "track", ("wandb",)),
        (ProbeConfig, {"model": Path("m"), "parallel": "~/p"}, "parallel", "HOME/p"),
        (ProbeConfig, {"model": "m", "parallel": "p", "languages": "en,Thai"}, "languages", ("en", "th")),
        (EvaluateConfig, {"models": Path("m"), "bench": "facts"}, "models", ("m",)),
        (EvaluateConfig, {"models": "a, b", "bench": [Path("x")]}, "models", ("a", "b")),
        (EvaluateConfig, {"models": ["a"], "bench": [Path("x"), "y"]}, "bench", ("x", "y")),
        (EvaluateConfig, {"models": "a", "bench": "x", "languages": "en, vi"}, "languages", ("en", "vi")),
        (EvaluateConfig, {"models": "a", "bench": "x", "cache": "~/c"}, "cache", "HOME/c"),
        (TranslateConfig, {"corpus": "~/c.json", "to": "zh"}, "corpus", "HOME/c.json"),
        (TranslateConfig, {"corpus": "c", "to": "zh,vi"}, "to", ("zh", "vi")),
        (TranslateConfig, {"corpus": "c", "to": "zh", "glossary": "~/g.yaml"}, "glossary", "HOME/g.yaml"),
    ],
)
def test_settings_take_texts_for_paths_paths_for_texts_and_one_for_several(
    model: Any, entries: dict[str, Any], field: str, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    found = model(**entries)
    for part in field.split("."):
        found = getattr(found, part)
    if isinstance(expected, str):
        expected = expected.replace("HOME", "/home/someone")
    assert (str(found) if isinstance(found, Path) else found) == expected


@pytest.mark.parametrize("function", [train, evaluate, translate, probe], ids=lambda one: one.__name__)
def test_what_are_no_settings_is_one_clear_error(function: Callable[..., Any], tmp_path: Path) -> None:
    name = function.__name__
    for wrong in (None, 3, SimpleNamespace(model="m")):
        with refused("settings", name, field="config", hint="crossin examples"):
            function(wrong, tmp_path / "out")
    with refused("no key 'modle'", hint="'model"):
        function({"modle": "m"}, tmp_path / "out")
    with refused("no key 'modle'", hint="'model"):
        function({}, tmp_path / "out", modle="m")
    assert not (tmp_path / "out").exists()


# In either order: one function's modules must not hide another function.
@pytest.mark.parametrize("names", [crossin.__all__, crossin.__all__[::-1]], ids=["forward", "backward"])
def test_exported_functions_are_there_in_a_fresh_process(names: list[str]) -> None:
    code = f"""
import crossin, pickle
assert {set(names)} <= set(dir(crossin))
for name in {names}:
    one = getattr(crossin, name)
    assert callable(one) and one.__name__ == name
    assert pickle.loads(pickle.dumps(one)) is one is getattr(crossin, name)
for name in {names}:
    exec(f"from crossin import {{name}} as again")
    assert callable(again) and again is getattr(crossin, name)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_all_are_imported_by_a_star_and_none_is_a_module() -> None:
    namespace: dict[str, Any] = {}
    exec("from crossin import *", namespace)
    assert {*crossin.__all__} <= namespace.keys()
    assert all(inspect.isfunction(namespace[name]) for name in crossin.__all__)
    # Their packages are imported by now, and must not take their place.
    assert all(inspect.isfunction(getattr(crossin, name)) for name in crossin.__all__)


def test_a_mixture_of_messages_is_a_table_too(facts_folder: Path, tmp_path: Path) -> None:
    recipe = {**RECIPE, "template": "alpaca", "format": "messages"}
    table = compose(recipe, facts_folder, tmp_path / "mixture", languages=LANGUAGES).to_arrow()
    assert len(table) == 24
    assert {"messages", "id", "lang_in"} <= set(table.column_names)
