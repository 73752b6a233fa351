"""The overlap of a benchmark with another one or with rows, and the parts that it is written in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet
import pytest

from crossin.bench.overlap import find_overlap
from crossin.core.formats import ITEMS
from crossin.items import read_items
from crossin.items.item import Item, write_items
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.nature_items import small_items, write_bench
from tests.helpers.paths import REAL_DATA


def town(name: str, subject: str, answer: str, language: str = "en") -> Item:
    question = {"en": f"Who governs {subject}?", "de": f"Wer regiert {subject}?"}[language]
    return Item(name, subject, "mayor", language, "", question, [], [], answer, "towns", "CC0-1.0")


TOWNS = [
    town(name, subject, answer, language)
    for name, subject, answer in (
        ("1", "Ulmstadt", "Ida Berg"),
        ("2", "Oberau", "Karl Roth"),
        ("3", "Seedorf", "Eva Hahn"),
    )
    for language in ("en", "de")
]


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    return write_bench(tmp_path / "towns", TOWNS)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """The first town's fact in other words, in German alone, and the second town's subject."""
    made = [
        replace(town("x", "Ulmstadt", "Ida Berg", "de"), question="Ulmstadt wählte ____."),
        replace(town("y", "Oberau", "um 1200", "de"), question="Wann entstand Oberau?"),
    ]
    return write_bench(tmp_path / "others", [replace(item, source="facts", task="facts") for item in made])


def test_items_are_counted_by_level_evidence_and_language(towns: Path, others: Path) -> None:
    found = find_overlap(towns, others)
    assert found.counts() == {
        "items": 3,
        "level": "triple",
        "shared": {"triple": 1, "subject": 1},
        "contaminated": 1,
        "clean": 2,
    }
    assert found.counted() == [
        {
            "level": "triple",
            "evidence": "same_names",
            "language": "de",
            "count": 1,
            "examples": [{"item": "1", "other": "x", "shared": "ulmstadt: ida berg"}],
        },
        {
            "level": "subject",
            "evidence": "same_subject",
            "language": "de",
            "count": 1,
            "examples": [{"item": "2", "other": "y", "shared": "oberau"}],
        },
    ]
    assert repr(found) == "Overlap(1 of 3 items, by triple)"


@pytest.mark.parametrize(
    ("level", "contaminated"), [("item", set()), ("triple", {"1"}), ("subject", {"1", "2"})]
)
def test_the_level_decides_what_is_contaminated(
    towns: Path, others: Path, tmp_path: Path, level: str, contaminated: set[str]
) -> None:
    find_overlap(towns, others, out=tmp_path / "out", level=level)
    parts = {
        part: {item.item for item in read_items(tmp_path / "out" / part)}
        for part in ("clean", "contaminated")
        if (tmp_path / "out" / part).exists()
    }
    assert parts.get("contaminated", set()) == contaminated
    assert parts["clean"] == {"1", "2", "3"} - contaminated


def test_an_item_goes_to_one_part_in_all_its_languages(towns: Path, others: Path, tmp_path: Path) -> None:
    find_overlap(towns, others, out=tmp_path / "out")
    assert read_items(tmp_path / "out" / "contaminated") == TOWNS[:2]
    assert read_items(tmp_path / "out" / "clean") == TOWNS[2:]
    manifest = json.loads((tmp_path / "out" / "clean" / "manifest.json").read_text())
    assert manifest["counts"] == {"items": 2, "languages": 2, "tasks": {"mayor": 2}}
    rows = pyarrow.parquet.read_table(tmp_path / "out" / "overlap.parquet").to_pylist()
    assert rows[0] == {
        "item": "1",
        "level": "triple",
        "language": "de",
        "other": "x",
        "evidence": "same_names",
        "shared": "ulmstadt: ida berg",
    }
    # The same command finds it done, another one is refused.
    find_overlap(towns, others, out=tmp_path / "out")
    with refused("another run", file=tmp_path / "out"):
        find_overlap(towns, others, out=tmp_path / "out", level="subject")


def test_a_benchmark_is_all_contaminated_by_itself(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench", small_items())
    found = find_overlap(bench, bench / ITEMS, out=tmp_path / "out")
    assert found.contaminated == {"q0", "q1", "q2"}
    assert not (tmp_path / "out" / "clean").exists()


ROWS = [
    {
        "id": 1,
        "messages": [{"role": "user", "content": "Is it raining?"}, {"role": "assistant", "content": "No."}],
    },
    {
        "id": 2,
        "messages": [
            {"role": "user", "content": "Nenne, wer Oberau regiert."},
            {"role": "assistant", "content": "Karl Roth"},
        ],
    },
    {"instruction": "Answer: who GOVERNS Seedorf", "input": "", "output": "It is Eva Hahn."},
]


def test_rows_of_any_form_are_searched(towns: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mixture" / "data"
    folder.mkdir(parents=True)
    (folder / "part.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    for place in (tmp_path / "mixture", folder, folder / "part.jsonl"):
        found = find_overlap(towns, place)
        assert {(one.item, str(one.evidence), one.other) for one in found.matches} == {
            ("2", "same_names", "part.jsonl:2"),
            ("3", "question_in_text", "part.jsonl:3"),
        }


def test_what_is_neither_benchmark_nor_rows_is_refused(towns: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "missing"):
        with refused("neither a benchmark", file=place, hint="mixture"):
            find_overlap(towns, place)
    with refused("no benchmark here", file=tmp_path / "empty"):
        find_overlap(tmp_path / "empty", towns)
    with refused("level", field="level", hint="triple"):
        find_overlap(towns, towns, level="relation")


def test_the_command_lists_and_fails_only_on_demand(towns: Path, others: Path, tmp_path: Path) -> None:
    shown = crossin("bench", "overlap", towns, others, "--out", tmp_path / "out")
    assert "names of subject and answer" in shown.output
    assert "1 = x (ulmstadt: ida berg)" in shown.output
    assert "3 items, 1 by triple, 1 by subject; 1 contaminated, 2 clean, in" in shown.output
    printed = json.loads(crossin("bench", "overlap", towns, others, "--json").stdout)
    assert printed["contaminated"] == 1
    assert printed["findings"][0]["evidence"] == "same_names"
    with pytest.raises(AssertionError):
        crossin("bench", "overlap", towns, others, "--fail")
    crossin("bench", "overlap", towns, others, "--fail", "--level", "item")


@pytest.fixture
def real(tmp_path: Path) -> dict[str, Path]:
    """Benchmarks of real files, in one language each."""
    if not (REAL_DATA / "klar").is_dir():
        pytest.skip(f"no real data in {REAL_DATA}")

    def lines(*file: str) -> list[list[str]]:
        text = REAL_DATA.joinpath(*file).read_text(encoding="utf-8-sig")
        return [line.split("\t") for line in text.splitlines()]

    capitals = json.loads((REAL_DATA / "klar" / "fr" / "capital.json").read_text(encoding="utf-8"))
    truths = json.loads((REAL_DATA / "truthfulqa-multi" / "en.json").read_text(encoding="utf-8"))
    prompt = capitals["prompt_templates"][0].partition("<mask>")[0]
    # Subject, question and answer.
    found: dict[str, list[tuple[str, str, str]]] = {
        "klar": [
            (row["subject"], prompt.replace("<subject>", row["subject"]), row["object"])
            for row in capitals["samples"]
        ],
        "bmlama": [(subject, asked, answer) for asked, answer, _, subject in lines("bmlama17", "fr.tsv")[1:]],
        "sums": [("sum", asked, answer) for asked, answer in lines("mgsm", "mgsm_en.tsv")],
        "truths": [("truth", row["question"], row["mc1_targets"]["choices"][0]) for row in truths],
    }
    for name, rows in found.items():
        items = [
            replace(town(str(number), subject, answer), question=question, source=name)
            for number, (subject, question, answer) in enumerate(rows)
        ]
        write_items(tmp_path / name / ITEMS, items)
    return {name: tmp_path / name for name in found}


def test_the_capitals_of_klar_are_in_bmlama(real: dict[str, Path]) -> None:
    shared = find_overlap(real["klar"], real["bmlama"]).counts()
    assert shared["contaminated"] >= 0.95 * shared["items"] > 100


def test_sums_and_misconceptions_share_nothing(real: dict[str, Path]) -> None:
    assert find_overlap(real["truths"], real["sums"]).matches == ()
