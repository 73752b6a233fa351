"""What is left out of a corpus is counted, listed, and stops the run where it is much of a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet
from crossin.mixture import compose, preview
from tests.helpers.errors import refused

Row = dict[str, Any]
ROWS = 40


def plain(number: int) -> Row:
    return {"id": number, "instruction": f"Name river {number}.", "input": "", "output": f"River {number}."}


def chat(number: int, *turns: tuple[str, Any]) -> Row:
    exchange = turns or (("user", f"Name river {number}."), ("assistant", f"River {number}."))
    return {"id": number, "messages": [{"role": role, "content": text} for role, text in exchange]}


# By reason: a row as it should be, one that is left out for this reason, and a word of what to do.
FAULTS: dict[str, tuple[Callable[[int], Row], Callable[[int], Row], str]] = {
    "missing_id": (plain, lambda n: {**plain(n), "id": None}, "give each row an id"),
    "duplicate_id": (plain, lambda n: {**plain(n), "id": 0}, "an id of its own"),
    "empty_instruction": (plain, lambda n: {**plain(n), "instruction": " "}, "fill the instructions"),
    "several_exchanges": (
        chat,
        lambda n: chat(n, ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")),
        "one exchange each",
    ),
    "incomplete_exchange": (chat, lambda n: chat(n, ("user", "a")), "one exchange"),
    "other_role": (chat, lambda n: chat(n, ("user", "a"), ("tool", "b")), "one exchange"),
    "turn_without_text": (
        chat,
        lambda n: chat(n, ("user", "a"), ("assistant", None)),
        "write the turn's text",
    ),
}


def write(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)))


def recipe(**entries: Any) -> dict[str, Any]:
    corpus = {"files": {"en": "rows.jsonl"}, "check": "none", **entries.pop("corpus", {})}
    component = {"kind": "base", "corpus": "mine", "rows": 1}
    return {
        "name": "a",
        "languages": ["en"],
        "corpora": {"mine": corpus},
        "components": [component],
        **entries,
    }


def rows_with(reason: str, bad: int) -> list[Row]:
    """`ROWS` rows, the last `bad` of which are left out for a reason."""
    good, wrong, _ = FAULTS[reason]
    return [good(number) for number in range(ROWS - bad)] + [
        wrong(number) for number in range(ROWS - bad, ROWS)
    ]


@pytest.mark.parametrize("reason", FAULTS)
def test_more_than_a_tenth_of_a_file_stops_the_run_and_its_dry_run(tmp_path: Path, reason: str) -> None:
    write(tmp_path / "rows.jsonl", rows_with(reason, 8))
    fix = FAULTS[reason][2]
    for run in (lambda: preview(recipe(), tmp_path), lambda: compose(recipe(), tmp_path, tmp_path / "out")):
        with refused(f"of {ROWS} en rows", file="rows.jsonl", hint=fix) as caught:
            run()
        assert "max_skipped: 1" in str(caught.value.hint)
        assert caught.value.row in (1, ROWS - 7)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("reason", FAULTS)
def test_what_is_left_out_is_counted_and_listed_row_by_row(tmp_path: Path, reason: str) -> None:
    write(tmp_path / "rows.jsonl", rows_with(reason, 3))
    stage = compose(recipe(), tmp_path, tmp_path / "out")
    code = f"{reason}:en"
    listed = read_parquet(stage.folder / "rejects.parquet", ["id", "reason", "detail"]).to_pylist()
    # With an id that occurs twice the first row is rejected, too.
    expected = 4 if reason == "duplicate_id" else 3
    assert stage.manifest["skipped"] == {code: expected}
    assert [row["reason"] for row in listed] == [code] * expected
    if reason not in ("duplicate_id", "empty_instruction"):
        assert [row["detail"] for row in listed] == [f"row {n} of rows.jsonl" for n in (38, 39, 40)]
        assert [row["id"] for row in listed] == [
            "" if reason == "missing_id" else str(n) for n in (37, 38, 39)
        ]
    assert f"- mine: {expected} rows" in (stage.folder / "README.md").read_text()


@pytest.mark.parametrize("where", ["recipe", "argument"])
def test_the_share_can_be_raised_in_the_recipe_or_for_one_run(tmp_path: Path, where: str) -> None:
    write(tmp_path / "rows.jsonl", rows_with("several_exchanges", 30))
    made = recipe(max_skipped=0.8) if where == "recipe" else recipe()
    given = 0.8 if where == "argument" else None
    stage = compose(made, tmp_path, tmp_path / "out", max_skipped=given)
    assert stage.manifest["skipped"] == {"several_exchanges:en": 30}
    assert stage.manifest["settings"]["max_skipped"] == 0.8
    again = compose(stage.folder / "manifest.json", tmp_path, tmp_path / "again")
    assert again.manifest["outputs"] == stage.manifest["outputs"]


def test_a_recipe_may_ask_for_less(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", rows_with("missing_id", 1))
    with refused("1 of 40", file="rows.jsonl", row=40):
        compose(recipe(max_skipped=0), tmp_path, tmp_path / "out")


@pytest.mark.parametrize(("first", "each"), [(0, 3), (1, 3), (2, 3), (2, 20)])
def test_the_one_file_of_a_folder_that_has_no_ids_is_named(tmp_path: Path, first: int, each: int) -> None:
    for number, name in enumerate(["a.jsonl", "b.jsonl", "c.jsonl"]):
        rows = [plain(number * each + k) for k in range(each)]
        write(tmp_path / "rows" / name, [{**row, "id": None} for row in rows] if number == first else rows)
    made = recipe(corpus={"files": {"en": "rows"}})
    with refused(f"{each} of {each} en rows", "no id", file=f"{'abc'[first]}.jsonl", row=1, hint="an id"):
        compose(made, tmp_path, tmp_path / "out")


def test_rows_of_one_language_in_a_file_of_several_are_named_by_their_own_number(tmp_path: Path) -> None:
    rows = [{**plain(n // 2), "language": "en" if n % 2 else "vi"} for n in range(60)]
    for row in rows[30::2]:
        row["id"] = None
    write(tmp_path / "rows.jsonl", rows)
    made = recipe(corpus={"files": {}, "source": "rows.jsonl"}, languages=["en", "vi"])
    with refused("15 of 30 vi rows", file="rows.jsonl", row=31):
        compose(made, tmp_path, tmp_path / "out")


def test_a_handful_of_rows_is_told_with_file_and_remedy_and_does_not_stop(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", [chat(0), chat(1), FAULTS["several_exchanges"][1](2)])
    stage = compose(recipe(), tmp_path, tmp_path / "out")
    (note,) = stage.manifest["counts"]["notes"]
    for word in ("rows.jsonl", "1 of 3", "more than one exchange", "one exchange each"):
        assert word in note
    assert preview(recipe(), tmp_path).notes == [note]


def test_misaligned_rows_count_for_the_language_that_is_at_fault(tmp_path: Path) -> None:
    write(tmp_path / "en.jsonl", [{**plain(n), "output": f"In {1900 + n}."} for n in range(ROWS)])
    write(
        tmp_path / "de.jsonl", [{**plain(n), "output": f"Im Jahr {1900 + n + (n < 9)}."} for n in range(ROWS)]
    )
    corpus = {"files": {"en": "en.jsonl", "de": "de.jsonl"}, "check": "scan"}
    made = recipe(corpus=corpus, languages=["en", "de"])
    with refused("9 of 40 de rows", "a number differs", file="de.jsonl", row=1, hint="check: none"):
        compose(made, tmp_path, tmp_path / "out")
    assert compose(made, tmp_path, tmp_path / "out", max_skipped=1).done


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"filter": {"characters": {"max": 29}}}, "filtered:characters:en"),
        ({"deduplicate": "exact"}, "duplicate"),
        ({}, "missing_translation:vi"),
    ],
)
def test_what_the_recipe_asks_for_may_leave_out_any_number(
    tmp_path: Path, entries: dict[str, Any], code: str
) -> None:
    rows = [plain(n) | ({"output": "a longer answer than the others"} if n % 2 else {}) for n in range(ROWS)]
    if code == "duplicate":
        rows = [{**plain(0), "id": n} for n in range(ROWS)]
    write(tmp_path / "rows.jsonl", rows)
    write(tmp_path / "vi.jsonl", [plain(n) for n in range(10)])
    files = {"en": "rows.jsonl"} | ({"vi": "vi.jsonl"} if "missing" in code else {})
    made = recipe(corpus={"files": files, **entries}, languages=list(files))
    stage = compose(made, tmp_path, tmp_path / "out")
    assert stage.manifest["skipped"][code] > ROWS / 10
    notes = stage.manifest["counts"]["notes"]
    assert any("`incomplete: keep`" in note for note in notes) == ("missing" in code)


def test_a_corpus_without_a_row_that_can_be_drawn_says_why(tmp_path: Path) -> None:
    rows = [
        {**plain(0), "language": "en"},
        {**plain(0), "language": "vi"},
        {**plain(0), "language": "vi"},
    ]
    write(tmp_path / "rows.jsonl", rows)
    made = recipe(corpus={"files": {}, "source": "rows.jsonl", "incomplete": "keep"}, languages=["en", "vi"])
    for most in (None, 1.0):
        with refused("2 ", "the id occurs twice (vi)", hint="an id of its own"):
            preview(made, tmp_path, max_skipped=most)


@pytest.mark.parametrize("reason", FAULTS)
def test_strict_says_the_same_of_a_finished_mixture_as_of_a_new_one(tmp_path: Path, reason: str) -> None:
    write(tmp_path / "rows.jsonl", rows_with(reason, 2))
    compose(recipe(), tmp_path, tmp_path / "out")
    messages = []
    for out in ("out", "new"):
        with refused("'mine'", "rejected", hint="--strict") as caught:
            compose(recipe(), tmp_path, tmp_path / out, strict=True)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert not (tmp_path / "new").exists()


def test_strict_lets_a_finished_mixture_pass_that_a_strict_run_would_make(tmp_path: Path) -> None:
    write(tmp_path / "rows.jsonl", [plain(n) for n in range(20)])
    made = recipe(corpus={"filter": {"characters": {"min": 22}}})
    for strict in (False, True, True):
        assert compose(made, tmp_path, tmp_path / "out", strict=strict).done
