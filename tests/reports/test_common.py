"""What all runs have, and what is left out for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from crossin.logs.options import LogOptions
from crossin.reports.arms import find_arms
from crossin.reports.common import common_part
from crossin.reports.results import load
from tests.helpers.errors import refused
from tests.helpers.report_data import IDS, write_run


def run_of(folder: Path, languages: list[str], items: int, **changed: Any) -> Path:
    """Answers to so many questions; `changed` are values of the first question's lines."""
    write_run(folder, folder.name, dict.fromkeys(languages, 0.5), items=items)
    lines = pyarrow.parquet.read_table(folder / "answers.parquet").to_pylist()
    lines = [{**line, **(changed if line["item"] == "capital:000" else {})} for line in lines]
    pyarrow.parquet.write_table(pa.Table.from_pylist(lines), folder / "answers.parquet")
    (folder / "items.parquet").unlink()
    return folder


def test_each_question_that_not_all_runs_have_is_counted_by_reason_and_language(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / "one", ["en", "vi", "th"], 8),
        run_of(tmp_path / "two", ["en", "vi"], 6, gold=IDS[3]),
        run_of(tmp_path / "three", ["vi", "en"], 8),
    ]
    shared, left_out = common_part([arm.answers for arm in find_arms(runs, LogOptions())])
    assert len(shared) == 10
    assert left_out == {
        "language_not_in_all_runs:th": 8,
        "not_asked_of_all_runs:en": 2,
        "not_asked_of_all_runs:vi": 2,
        "differs_between_runs:en": 1,
        "differs_between_runs:vi": 1,
    }
    results = load(runs, common=True)
    assert results.excluded == left_out and len(results.items) == 5
    assert [len(run.cells) for run in results.runs] == [10, 10, 10]


def test_runs_that_have_the_same_leave_nothing_out(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / name, ["en", "vi"], 4) for name in ("one", "two")]
    assert load(runs, common=True).excluded == {}


def test_runs_without_a_common_question_are_an_error(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "one", ["en"], 4), run_of(tmp_path / "two", ["vi"], 4)]
    with refused("no question in common", file="answers.parquet", hint="same benchmark"):
        load(runs, common=True)
