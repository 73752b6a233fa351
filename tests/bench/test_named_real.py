"""Named benchmarks from the real files, held against the files themselves."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crossin.bench.catalogue import build_named
from crossin.items.inventories import read_inventories
from crossin.items.item import Item, read_items
from crossin.items.replies.entities import read_entity
from tests.helpers.paths import REAL_DATA
from tests.helpers.sentences import AROUND

pytestmark = pytest.mark.slow


def source(name: str) -> Path:
    """The folder of a real set; the test is skipped where it is absent."""
    folder = REAL_DATA / name
    if not folder.is_dir():
        pytest.skip(f"no {name} in {REAL_DATA}")
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def lines(path: Path) -> list[list[str]]:
    text = path.read_bytes().decode()
    return [line.rstrip("\r").split("\t") for line in text.split("\n") if line]


def right(item: Item) -> str:
    return item.options[item.option_ids.index(item.answer)]


def test_klar_has_every_fact_of_17_languages(tmp_path: Path) -> None:
    folder = source("klar")
    stage = build_named("klar", tmp_path / "out", source=folder)
    assert (stage.manifest["counts"]["items"], stage.manifest["counts"]["languages"]) == (2619, 17)
    assert len(stage.manifest["counts"]["tasks"]) == 20
    # fa and he have facts that no other language has.
    assert stage.manifest["skipped"] == {"missing_language:en": 213}
    items = {(item.item, item.language): item for item in read_items(stage.folder)}
    for code in ("en", "fa", "ja", "ko", "tr"):
        for file in (folder / code).glob("*.json"):
            relation = read(file)
            for sample in relation["samples"]:
                item = items.get((str(sample["index"]), code))
                if item is None:
                    continue
                asked = relation["prompt_templates"][0].replace("<subject>", sample["subject"])
                assert item.question.replace(item.gap, "<mask>") == asked.strip()
                assert (item.answer, item.task) == (sample["object"].strip(), file.stem)
                assert item.group == sample.get("subject_en", sample["subject"])


def test_klar_names_each_entity_in_every_language_so_that_it_is_read(tmp_path: Path) -> None:
    stage = build_named("klar", tmp_path / "out", source=source("klar"))
    counts = stage.manifest["counts"]
    # An English object is one entity of its relation.
    assert (len(counts["entities"]), sum(counts["entities"].values())) == (20, 857)
    # Greek has one name for Istanbul and Constantinople, in two relations.
    assert counts["ambiguous_names"] == {"el": 2}
    inventories = read_inventories(stage.folder)
    missing = []
    for item in read_items(stage.folder):
        inventory = inventories[item.inventory]
        assert inventory.names[item.entity][item.language]
        for reply in (item.answer, AROUND[item.language].format(item.answer)):
            reading = read_entity(reply, inventory, item.language, question=item.question)
            if reading.unread:
                missing.append((item.language, reading.unread))
            else:
                assert reading.entity == item.entity
    assert set(missing) == {("el", "ambiguous_name")}


def test_bmlama17_leaves_out_what_no_language_tells_apart_and_options_that_moved(tmp_path: Path) -> None:
    folder = source("bmlama17")
    codes = ["en", "ja", "tr", "vi"]
    stage = build_named("bmlama17", tmp_path / "out", source=folder, languages=codes)
    left_out = stage.manifest["skipped"]
    assert left_out["two_golds"] == 52
    assert {code.partition(":")[0] for code in left_out} == {"two_golds", "options_moved"}
    assert stage.manifest["counts"]["items"] == 6792 - sum(left_out.values()) >= 6700
    files = {code: lines(folder / f"{code}.tsv")[1:] for code in codes}
    for item in read_items(stage.folder):
        prompt, answer, candidates, _ = files[item.language][int(item.item) - 1]
        assert item.question.replace(item.gap, "<mask>") == prompt.strip()
        assert right(item) == answer
        assert Counter(item.options) == Counter(candidates.split(", "))


def test_mgsm_has_numbers_for_references(tmp_path: Path) -> None:
    folder = source("mgsm")
    stage = build_named("mgsm", tmp_path / "out", source=folder)
    items = read_items(stage.folder)
    assert (stage.manifest["counts"]["items"], len(items)) == (250, 250 * 11)
    assert {item.answer_type for item in items} == {"number"}


def test_truthfulqa_multi_loses_only_questions_with_options_alike(tmp_path: Path) -> None:
    folder = source("truthfulqa-multi")
    stage = build_named("truthfulqa-multi", tmp_path / "out", source=folder)
    assert {reason.split(":")[0] for reason in stage.manifest["skipped"]} == {"options_alike"}
    assert stage.manifest["counts"]["items"] + sum(stage.manifest["skipped"].values()) == 817
    rows = {code: {row["id"]: row for row in read(folder / f"{code}.json")} for code in ("en", "eu", "gl")}
    places = Counter[int]()
    for item in read_items(stage.folder):
        if item.language in rows:
            choices = rows[item.language][int(item.item)]["mc1_targets"]["choices"]
            assert right(item) == choices[0].strip()
            assert sorted(item.options) == sorted(choice.strip() for choice in choices if choice.strip())
            places[item.option_ids.index(item.answer)] += 1
    assert places[0] < places.total() / 2


def test_xwinograd_has_every_sentence_of_the_makers_file(tmp_path: Path) -> None:
    folder = source("xwinograd")
    stage = build_named("xwinograd", tmp_path / "out", source=folder)
    assert stage.manifest["skipped"] == {}
    rows: dict[str, list[list[str]]] = {}
    for row in lines(folder / "dataset.tsv"):
        rows.setdefault({"jp": "ja"}.get(row[0], row[0]), []).append(row)
    items = read_items(stage.folder)
    assert Counter(item.language for item in items) == {code: len(found) for code, found in rows.items()}
    for code, found in rows.items():
        for item, row in zip((item for item in items if item.language == code), found, strict=True):
            pronoun, candidates = json.loads(row[5]), json.loads(row[6])
            assert item.question.replace(item.gap, pronoun[0]) == row[3].strip()
            assert [right(item)] == [text for text, *_, is_right in candidates if is_right]


def test_xcopa_and_the_sets_of_seaeval_build(tmp_path: Path) -> None:
    folder = source("xcopa")
    codes = sorted(
        path.name for path in (folder / "data").iterdir() if (path / f"test.{path.name}.jsonl").is_file()
    )
    stage = build_named("xcopa", tmp_path / "out", source=folder, languages=codes)
    counts = stage.manifest["counts"]["items"] + sum(stage.manifest["skipped"].values())
    assert (counts, stage.manifest["counts"]["languages"]) == (500, 11)
    for name, number in (("cross-mmlu", 150), ("cross-logiqa", 176)):
        built = build_named(name, tmp_path / name, source=source("seaeval"))
        assert built.manifest["counts"]["items"] == number
