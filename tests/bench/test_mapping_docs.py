"""The pages about mappings and public sets keep their promises: the examples build as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crossin.bench.assemble import NotBuilt
from crossin.bench.catalogue import BUILT_IN, MAPPINGS, build_named, names
from crossin.bench.check import check_bench
from crossin.bench.content import ContentSign
from crossin.bench.mapping import read_mapping
from crossin.bench.matching import Evidence
from crossin.items.inventories import read_inventories
from crossin.items.item import Item, ItemFault, read_items
from tests.helpers.mapping_files import built, only
from tests.helpers.paths import ROOT

DOCS = ROOT / "docs"
# "`folder/file.jsonl`:", and the block below it.
FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
EXAMPLES = ["nests", "rivers", "beaks", "capitals", "sums", "nesting", "facts", "towns", "pairs", "exams"]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def example(folder: Path, name: str) -> list[Item]:
    """The items of an example of mappings.md, built from the files that the page shows."""
    for path, text in FILE.findall(page("mappings.md")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    stage = build_named(folder / f"{name}.yaml", folder / "out", source=folder / name)
    assert stage.manifest["skipped"] == {}
    return read_items(stage.folder)


def test_every_mapping_on_the_page_is_built_here() -> None:
    assert [path for path, _ in FILE.findall(page("mappings.md")) if path.endswith(".yaml")] == [
        f"{name}.yaml" for name in EXAMPLES
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_builds_as_it_stands_and_is_sound(name: str, tmp_path: Path) -> None:
    assert example(tmp_path, name)
    assert check_bench(tmp_path / "out").structural == 0


def test_birds(tmp_path: Path) -> None:
    row, mapping = (
        re.findall(rf"```{kind}\n(.*?)```", page("mappings.md"), re.DOTALL)[0] for kind in ("json", "yaml")
    )
    (tmp_path / "birds.yaml").write_text(mapping, encoding="utf-8")
    for code in ("en", "sw"):
        (tmp_path / f"birds.{code}.jsonl").write_text(row, encoding="utf-8")
    english, swahili = built(str(tmp_path / "birds.yaml"), tmp_path)
    assert (english.question, swahili.question) == ("the stork: What does it eat?", "the stork: Hula nini?")
    assert (swahili.item, swahili.group, swahili.task) == ("7", "storks", "food")
    assert (swahili.options, swahili.answer) == (["frogs", "grass", "bark"], "A")


def test_nested_objects(tmp_path: Path) -> None:
    german = only(example(tmp_path, "nests"), "n1", "de")
    assert (german.question, german.options, german.answer) == (
        "Wo nisten Störche?",
        ["auf Dächern", "in Höhlen"],
        "A",
    )


def test_options_are_matched_by_their_ids(tmp_path: Path) -> None:
    english, swahili = example(tmp_path, "rivers")
    assert english.option_ids == swahili.option_ids == ["Q3392", "Q3503", "Q3542"]
    assert swahili.options == ["Nili", "Kongo", "Naija"]
    assert english.answer == swahili.answer == "Q3392"


def test_an_absent_option_does_not_exist(tmp_path: Path) -> None:
    english, spanish = example(tmp_path, "beaks")
    assert sorted(english.options) == ["the pelican", "the robin"]
    assert spanish.options[spanish.option_ids.index(spanish.answer)] == "el pelícano"
    assert english.option_ids == spanish.option_ids


def test_aliases(tmp_path: Path) -> None:
    english, french = example(tmp_path, "capitals")
    assert (english.answer, english.aliases) == ("Bern", ["Berne", "City of Bern"])
    assert (french.answer, french.aliases) == ("Berne", [])


def test_numbers(tmp_path: Path) -> None:
    assert [(item.answer, item.answer_type) for item in example(tmp_path, "sums")] == [
        ("1,125", "number"),
        ("1.125", "number"),
    ]


def test_a_gap(tmp_path: Path) -> None:
    english, turkish = example(tmp_path, "nesting")
    assert english.question == "Nests of ____ are built on roofs."
    assert (turkish.question, turkish.gap) == ("____ yuvalarını çatılara yapar.", "____")
    assert (turkish.options[0], turkish.answer) == ("leylekler", "A")


def test_templates_in_the_data(tmp_path: Path) -> None:
    korean = only(example(tmp_path, "facts"), "capital-1", "ko")
    assert (korean.question, korean.answer) == ("케냐의 수도는 ____입니다.", "나이로비")
    assert (korean.group, korean.task) == ("Kenya", "capital")


def test_entities_that_a_reply_may_name(tmp_path: Path) -> None:
    items = example(tmp_path, "towns")
    assert {(item.inventory, item.entity) for item in items} == {
        ("capital", "Nairobi"),
        ("capital", "Santiago"),
    }
    assert read_inventories(tmp_path / "out")["capital"].names["Santiago"] == {
        "en": ("Santiago", "Santiago de Chile"),
        "ko": ("산티아고",),
    }


def test_pairs_of_languages(tmp_path: Path) -> None:
    items = example(tmp_path, "pairs")
    origins = {(item.item, item.language): item.origin for item in items}
    assert origins == {("9", "sw"): "sw", ("9", "de"): "sw", ("10", "sw"): "de", ("10", "de"): "de"}


def test_languages_with_questions_of_their_own(tmp_path: Path) -> None:
    assert [(item.item, item.language, item.answer) for item in example(tmp_path, "exams")] == [
        ("th/1", "th", "A"),
        ("pl/1", "pl", "B"),
    ]


def test_the_page_of_public_sets_has_each_with_its_languages_and_join() -> None:
    rows = re.findall(
        r"^\| \[(.*?)\]\(#\S+\) \| (\d+) \| (.*?) \| (\w+) \|", page("public-sets.md"), re.MULTILINE
    )
    table = {
        name: (int(languages), answer, join)
        for cell, languages, answer, join in rows
        for name in re.findall(r"`([\w-]+)`", cell)
    }
    assert sorted(table) == sorted(names())
    for name in set(names()) - set(BUILT_IN):
        mapping = read_mapping(MAPPINGS / f"{name}.yaml")
        answer = "option" if mapping.options else "number" if mapping.answer.form == "number" else "text"
        gap = " in a gap" if mapping.gap else ""
        assert table[name] == (len(mapping.languages), answer + gap, mapping.join), name
        assert f"`{name}`" in " ".join(re.findall(r"^### (.*)$", page("public-sets.md"), re.MULTILINE)) or (
            name == "xwinograd-tsv"
        )
    assert {name: one.languages for name, one in BUILT_IN.items()} == {
        name: table[name][0] for name in BUILT_IN
    }


def test_the_page_of_benchmarks_lists_every_reason_code() -> None:
    text = page("bench.md")
    building, checking = text[text.index("### What is left out") : text.index("## Overlap")].split(
        "## Checking"
    )
    assert not [code for code in NotBuilt if f"`{code}" not in building]
    assert not [code for code in ItemFault if f"`{code}" not in building and f"`{code}" not in checking]
    assert not [code for code in ContentSign if f"`{code}" not in checking]
    overlap = text[text.index("## Overlap") :]
    assert not [code for code in Evidence if f"`{code}`" not in overlap]
