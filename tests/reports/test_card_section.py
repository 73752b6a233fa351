"""A report's results in a model card: its section, its metadata, and all else as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crossin.reports.card_section import check_card, section_of, write_card
from crossin.reports.results import load
from crossin.reports.summary import Summary, summarize
from crossin.reports.table import escaped_markdown
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.report_data import three_arms, write_run
from tests.reports.test_lineage import WEIGHTS, evaluated, write_training

COMMAND = "crossin report base=runs/base tuned=runs/tuned --out page.html"
CARD = """---
# Chosen by hand.
license: apache-2.0
model-index:
- name: my-model
  results:
  - task: {type: text-generation}
    dataset: {name: other, type: other}
    metrics: [{type: accuracy, value: 0.5}]
language: [en, th]
---

# My model

A text.
"""


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    return summarize(load(three_arms(tmp_path_factory.mktemp("runs"), ["en", "th"], items=40)), draws=50)


def front_of(card: Path) -> Any:
    return yaml.safe_load(card.read_text(encoding="utf-8").split("---\n")[1])


def test_a_section_has_sentences_table_licence_settings_and_command(summary: Summary) -> None:
    text = section_of(summary, COMMAND)
    parts = ["## Results", "CrossIn answers", "| figure | base model |", "licence CC0", "Settings: ", COMMAND]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_a_card_that_exists_keeps_all_else(summary: Summary, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text(CARD, encoding="utf-8")
    write_card(card, summary, COMMAND)
    text = card.read_text(encoding="utf-8")
    assert text.startswith("---\n# Chosen by hand.\nlicense: apache-2.0\nmodel-index:\n")
    assert "\nlanguage: [en, th]\n---\n\n# My model\n\nA text.\n\n<!-- begin" in text
    [model] = front_of(card)["model-index"]
    assert model["name"] == "my-model"
    assert [result["dataset"]["name"] for result in model["results"]] == ["other", "questions"]


def test_a_second_report_replaces_the_first(summary: Summary, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text(CARD, encoding="utf-8")
    write_card(card, summary, "crossin report old")
    once = card.read_text(encoding="utf-8")
    card.write_text(once + "\nA text below.\n", encoding="utf-8")
    write_card(card, summary, "crossin report new")
    assert card.read_text(encoding="utf-8") == once.replace("report old", "report new") + "\nA text below.\n"


@pytest.mark.parametrize("text", [None, "", "# Only a title\n", "---\nlicense: mit\n---\n"])
def test_a_card_without_metadata_gets_them(text: str | None, summary: Summary, tmp_path: Path) -> None:
    card = tmp_path / "new.md"
    if text is not None:
        card.write_text(text, encoding="utf-8")
    check_card(card)
    write_card(card, summary, COMMAND)
    [model] = front_of(card)["model-index"]
    assert model["name"] == "CrossIn"
    [result] = model["results"]
    figures = {metric["name"]: metric["value"] for metric in result["metrics"]}
    assert figures["accuracy, mean"] == round(summary.by_arm["CrossIn"]["accuracy"].value, 4)
    assert {metric["type"] for metric in result["metrics"]} >= {"accuracy", "consistency", "kappa", "ac3"}


def test_the_hub_library_reads_the_metadata(summary: Summary, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    card = tmp_path / "README.md"
    write_card(card, summary, COMMAND)
    data = hub.ModelCard.load(card).data
    assert data.model_name == "CrossIn"
    assert {result.dataset_name for result in data.eval_results} == {"questions"}


def test_what_differs_between_trainings_is_in_the_table_and_main_settings_in_a_line(
    tmp_path: Path,
) -> None:
    write_training(tmp_path)
    evaluated(tmp_path / "tuned", {"adapter/adapter_model.safetensors": WEIGHTS})
    write_run(tmp_path / "base", "base", {"en": 0.5})
    runs = {"base": tmp_path / "base", "tuned": tmp_path / "tuned"}
    text = section_of(summarize(load(runs), draws=50), COMMAND)
    assert "| training | – | x2x |" in text
    [line] = [line for line in text.splitlines() if line.startswith("Settings: ")]
    assert "method.rank 8" in line and "mixture.name paper" in line and "45,678" not in line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tuned_v2", "tuned_v2"),
        ("_tuned_", r"\_tuned\_"),
        ("a|b", r"a\|b"),
        ("<img src=x>", r"&lt;img src=x\>"),
        ("[x](http://e.org)", r"[x\](http:\//e.org)"),
        ("![x][y]", r"![x\][y]"),
        ("`rm`\n# x", r"\`rm\` \# x"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("+8 points [5, 11]", "+8 points [5, 11]"),
    ],
)
def test_markdown_shows_a_text_as_it_is(text: str, shown: str) -> None:
    assert escaped_markdown(text) == shown


def test_names_are_only_text_and_end_no_section(tmp_path: Path) -> None:
    name = "x <!-- end of the report -->\n<!-- end of the report --> <script>"
    folder = write_run(tmp_path / "one", "one", {"en": 0.5})
    found = summarize(load({name: folder}), draws=50)
    card = tmp_path / "README.md"
    for _ in range(2):
        write_card(card, found, f"crossin report '{name}=one'")
    text = card.read_text(encoding="utf-8")
    assert text.count("\n<!-- begin of the report -->\n") == text.count("\n<!-- end of the report -->\n") == 1
    body = text.split("---\n", 2)[2]
    code = [line for line in body.splitlines() if "<" in line and not line.startswith("    ")]
    assert code == ["<!-- begin of the report -->", "<!-- end of the report -->"]


def test_what_is_no_card_is_refused(tmp_path: Path) -> None:
    with refused(".md", file="card.txt", hint="README.md"):
        check_card(tmp_path / "card.txt")
    card = tmp_path / "card.md"
    card.write_text("---\na: [\n---\n", encoding="utf-8")
    with refused("not YAML", file="card.md"):
        check_card(card)
    card.write_text("---\nmodel-index: 3\n---\n", encoding="utf-8")
    with refused("list of models", file="card.md", field="model-index"):
        check_card(card)


def test_the_command_writes_the_card_beside_the_page(tmp_path: Path) -> None:
    runs = three_arms(tmp_path / "runs", ["en", "th"], items=24)
    card = tmp_path / "card.md"
    named = [f"{name}={folder}" for name, folder in runs.items()]
    shown = crossin("report", *named, "--out", tmp_path / "page.html", "--card", card).stdout
    assert f"Card: {card}" in shown
    text = card.read_text(encoding="utf-8")
    assert "    crossin report 'base model=" in text and "--out" in text
    broken = tmp_path / "broken.md"
    broken.write_text("---\na: [\n---\n", encoding="utf-8")
    with refused("not YAML", file="broken.md"):
        crossin("report", *named, "--out", tmp_path / "other.html", "--card", broken)
    assert not (tmp_path / "other.html").exists()
