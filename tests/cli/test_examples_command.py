"""`crossin examples`, and names of examples on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from crossin.core.examples import Example, list_examples
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.parallel_files import write_texts


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_examples_are_listed_with_command_and_description() -> None:
    lines = crossin("examples").stdout.splitlines()
    for one in list_examples():
        [line] = [text for text in lines if text.split()[1:4:2] == [one.name, one.command]]
        assert one.about in line


@pytest.mark.parametrize("example", list_examples(), ids=lambda one: f"{one.command}/{one.name}")
def test_an_example_is_printed_as_it_is(example: Example) -> None:
    printed = crossin("examples", f"{example.command}/{example.name}").stdout
    assert printed == example.path.read_text("utf-8")
    assert isinstance(yaml.safe_load(printed), dict)


def test_a_misspelt_example_names_the_nearest() -> None:
    with refused("no example", "first-paper", hint="'first-paper-x2x'"):
        crossin("examples", "first-paper-x2")


def test_every_command_takes_the_name_of_an_example(tiny_model: Path, facts_folder: Path, here: Path) -> None:
    languages = ["--languages", "en,zh,vi,es"]
    composed = crossin("compose", "demo", "--data", facts_folder, *languages, "--dry-run", "--json")
    assert json.loads(composed.stdout)["rows"] > 1000
    crossin("compose", "demo", "--data", facts_folder, *languages, "--out", "mixture")
    trained = crossin("train", "demo", "--model", tiny_model, "--mixture", "mixture", "--dry-run", "--json")
    assert json.loads(trained.stdout)["rows"] > 1000
    assert "en, th, ar" in crossin("demo", "--config", "thai-arabic", "--dry-run").stdout
    assert "mono 12,500" in crossin("demo", "--recipe", "demo", "--dry-run").stdout
    probed = crossin(
        "probe",
        "m",
        "--config",
        "flores",
        "--parallel",
        write_texts(here / "texts"),
        "--languages",
        "en,es",
        "--dry-run",
    )
    assert "sentences: 6" in probed.stdout
    asked = crossin("evaluate", tiny_model, "--config", "facts", "--limit", "2", "--dry-run", "--json")
    assert json.loads(asked.stdout)[0]["languages"] == ["en", "zh", "vi", "es"]


@pytest.mark.parametrize("words", [["server", "rows.jsonl"], ["rows.jsonl", "--config", "server"]])
def test_translate_takes_an_example_beside_its_corpus(words: list[str], here: Path) -> None:
    rows = [{"instruction": f"Name animal number {number}.", "output": "The lion."} for number in range(3)]
    (here / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    more = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--dry-run", "--json"]
    planned = json.loads(crossin("translate", *words, *more).stdout)
    assert [one["language"] for one in planned["languages"]] == ["zh", "vi", "es"]


def test_a_corpus_with_the_name_of_an_example_is_the_corpus(here: Path) -> None:
    (here / "server").mkdir()
    with refused(field="--to"):
        crossin("translate", "server", "--dry-run")


def test_a_file_in_place_of_an_example_is_reported(here: Path) -> None:
    (here / "demo").write_text("epochs: 3\n")
    with refused("missing", field="--model"):
        crossin("train", "demo", "--dry-run")
    (here / "thai-arabic").write_text("languages: [en, ro]\n")
    shown = crossin("demo", "--config", "thai-arabic", "--dry-run")
    assert "en, ro" in shown.stdout
    assert "not the example" in shown.stderr


@pytest.mark.parametrize("data", [[], ["--data", "."]])
def test_an_example_without_its_data_says_what_is_missing_and_where_to_get_it(
    data: list[str], here: Path
) -> None:
    with refused("alpaca_en.json", "alpaca_zh.json", file="platypus_en.json", hint="--data") as caught:
        crossin("compose", "first-paper-x2x", *data, "--dry-run")
    assert caught.value.field == "corpora.platypus.files.en"
    assert "crossin examples compose/first-paper-x2x" in (caught.value.hint or "")
    with refused("no such file", file="platypus_en.json"):
        crossin("compose", "first-paper-x2x", *data, "--out", "mixture")
    assert list(here.iterdir()) == []
