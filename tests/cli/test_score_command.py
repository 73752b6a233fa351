from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from crossin.core.files import write_parquet
from crossin.items import Item
from crossin.items.item import write_items
from tests.helpers.entity_bench import entity_replies, write_entity_bench
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.small_bench import write_replies

OPTIONS = {"en": ["red", "green"], "de": ["rot", "grün"]}


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    asked = [
        Item(
            f"q{n}", f"q{n}", "colour", x, "", f"{n}?", OPTIONS[x], ["red", "green"], "red", "made up", "CC0"
        )
        for n in range(4)
        for x in OPTIONS
    ]
    write_items(tmp_path / "bench" / "items.parquet", asked)
    return tmp_path / "bench"


def replies(path: Path, german: str) -> Path:
    lines: list[dict[str, Any]] = [
        {"item": f"q{n}", "language": x, "reply": "red" if x == "en" else german}
        for n in range(4)
        for x in OPTIONS
    ]
    write_parquet(path, pyarrow.Table.from_pylist(lines))
    return path


def test_score_prints_the_figures_by_language(bench: Path, tmp_path: Path) -> None:
    ended = crossin("score", replies(tmp_path / "mine.parquet", "grün"), "--bench", bench)
    assert "mine: 4 items in 2 languages" in ended.stdout
    [german] = [line for line in ended.stdout.splitlines() if line.startswith(" de")]
    assert german.split()[:2] == ["de", ".00"]
    assert "German" in ended.stdout
    assert "consistency_s" in ended.stdout


def test_a_narrow_terminal_cuts_nothing_off(bench: Path, tmp_path: Path) -> None:
    path = str(replies(tmp_path / "[red]mine[bold].parquet", "grün"))
    narrow = crossin("score", path, path, "--bench", str(bench), "--details", columns=40).stdout
    assert narrow == crossin("score", path, path, "--bench", str(bench), "--details", columns=200).stdout
    assert "[red]mine[bold]: 4 items in 2 languages" in narrow
    assert "…" not in narrow


def test_score_says_which_items_are_not_in_the_file(bench: Path, tmp_path: Path) -> None:
    line = {"item": "q0", "reply": "(A)"}
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps({**line, "language": x}) + "\n" for x in OPTIONS), encoding="utf-8")
    assert "not in the file: 3 items" in crossin("score", str(path), "--bench", str(bench)).stdout
    values = json.loads(crossin("score", str(path), "--bench", str(bench), "--json").stdout)
    assert values["scores"][0]["unanswered"] == 3


def test_score_counts_what_names_no_option(bench: Path, tmp_path: Path) -> None:
    path = replies(tmp_path / "mine.parquet", "keine Ahnung")
    ended = crossin("score", str(path), "--bench", str(bench), "--json", "--draws", "50")
    figures = json.loads(ended.stdout)["scores"][0]["choices"]
    assert figures["missing/de"]["value"] == 1
    assert figures["missing/en"]["value"] == 0


def test_compare_prints_the_difference(bench: Path, tmp_path: Path) -> None:
    one, other = replies(tmp_path / "one.parquet", "rot"), replies(tmp_path / "other.parquet", "grün")
    ended = crossin("compare", one, other, "--bench", bench)
    [german] = [line for line in ended.stdout.splitlines() if line.startswith(" accuracy de")]
    # No mark: after the correction for two languages it may be chance.
    assert german.split()[2:] == ["1.00", ".00", "+1.00", ".125,", ".250"]
    caption = " ".join(ended.stdout.split())
    assert "p ≤ .05 after Holm's correction" in caption and "Intervals are not corrected" in caption
    assert "German" in caption
    values = json.loads(crossin("compare", one, other, "--bench", bench, "--json").stdout)
    assert values["choices"]["difference"]["accuracy/de"]["value"] == 1


@pytest.mark.parametrize(
    ("arguments", "file", "field", "words"),
    [
        (["score", "nowhere.jsonl"], "nowhere.jsonl", None, ["not found"]),
        (["score", "{mine}"], "mine.parquet", None, ["--bench"]),
        (["score", "{mine}", "--bench", "{bench}", "--pivot", "fr"], "mine.parquet", None, ["pivot", "fr"]),
        (["score", "{mine}", "--bench", "{bench}", "--pivot", "tlh-X"], None, "--pivot", ["language"]),
        (["score", "{mine}", "--seaeval"], "mine.parquet", None, ["SeaEval"]),
        (["score", "nowhere.json", "--seaeval"], "nowhere.json", None, ["not found"]),
        (["score", "{mine}", "--bench", "nowhere"], "nowhere", None, ["not found", "--bench"]),
        (["score", "{mine}", "--bench", "{bench}", "--seed", "-1"], None, "--seed", ["0"]),
        (["compare", "{mine}", "nowhere.jsonl", "--bench", "{bench}"], "nowhere.jsonl", None, ["not found"]),
    ],
)
def test_bad_input_is_one_clear_error(
    bench: Path, tmp_path: Path, arguments: list[str], file: str | None, field: str | None, words: list[str]
) -> None:
    mine = replies(tmp_path / "mine.parquet", "rot")
    with refused(*words, file=file, field=field):
        crossin(*(part.format(mine=mine, bench=bench) for part in arguments))


def test_seaevals_own_figures_are_those_of_its_log(tmp_path: Path) -> None:
    choices = ["(A) red", "(B) green"]
    cell = {"question": "?", "choices": choices, "answer": "(A) red", "model_prediction": "(A)"}
    log = tmp_path / "model" / "zero_shot_p1.json"
    log.parent.mkdir()
    log.write_text(json.dumps([{"id": "1", "English": cell, "German": cell}]), encoding="utf-8")
    assert json.loads(crossin("score", log, "--seaeval", "--json").stdout)["overall_acc"] == 1
    [line] = [
        line for line in crossin("score", log, "--seaeval").stdout.splitlines() if "model/zero_shot" in line
    ]
    assert line.split()[1:] == ["1.000", "1.000", "1.000", "0/2", "–"]


def test_replies_without_an_entity_are_counted_by_reason_and_in_detail_by_language(tmp_path: Path) -> None:
    bench = write_entity_bench(tmp_path / "bench")
    changed = {("austria", "de"): "Vienna", ("japan", "ru"): "?", ("japan", "de"): "?"}
    path = write_replies(tmp_path / "mine.jsonl", entity_replies(changed))
    shown = crossin("score", path, "--bench", bench, "--draws", "20").stdout
    assert "unread: 3 of 9 replies" in shown
    assert "2: the reply names no entity of the inventory\n" in shown
    detailed = crossin("score", path, "--bench", bench, "--draws", "20", "--details").stdout
    assert "2: the reply names no entity of the inventory (de 1, ru 1)\n" in detailed
    lenient = crossin("score", path, "--bench", bench, "--draws", "20", "--any-language").stdout
    assert "unread: 2 of 9 replies" in lenient


def test_compare_shows_what_a_difference_is_made_of_and_that_the_prompts_differed(tmp_path: Path) -> None:
    bench = write_entity_bench(tmp_path / "bench")
    ours = write_replies(tmp_path / "ours.jsonl", entity_replies(prompt="plain"))
    theirs = write_replies(tmp_path / "theirs.jsonl", entity_replies({("japan", "en"): "?"}, prompt="polite"))
    shown = crossin("compare", ours, theirs, "--bench", bench, "--draws", "20").stdout
    assert "note: A and B were asked differently" in shown
    assert "prompt plain and polite" in shown
    assert "newly answered" in shown
    assert "B right" not in shown
    assert (
        "B right" in crossin("compare", ours, theirs, "--bench", bench, "--draws", "20", "--details").stdout
    )
    same = crossin("compare", ours, ours, "--bench", bench, "--draws", "20").stdout
    assert "asked differently" not in same
    assert "newly answered" not in same
