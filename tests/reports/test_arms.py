"""What arms are called, and which of them answer the same benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossin.logs.options import LogOptions
from crossin.reports.arms import by_benchmark, find_arms, names_of
from tests.helpers.report_data import write_run
from tests.helpers.small_bench import write_replies


def replies(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return write_replies(file, [{"item": "capital:000", "language": "en", "reply": "A"}])


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a/one.jsonl", "a/two.jsonl"], ["one", "two"]),
        # Only what differs tells them apart: neither the file's own name nor a folder that both are in.
        (["a/b/one.jsonl", "a/c/one.jsonl"], ["one (b)", "one (c)"]),
        (["b/bench/one.jsonl", "c/bench/one.jsonl"], ["one (b)", "one (c)"]),
        (["a/x/one.jsonl", "b/x/one.jsonl", "a/y/one.jsonl"], ["one (a/x)", "one (b/x)", "one (a/y)"]),
        (["a/bench/one.jsonl", "bench/one.jsonl", "two.jsonl"], ["one (a)", None, "two"]),
    ],
)
def test_models_of_one_name_are_told_apart_by_what_differs_in_their_paths(
    tmp_path: Path, files: list[str], names: list[str | None]
) -> None:
    bench = write_run(tmp_path / "bench-of-all", "bench", {"en": 0.5})
    paths = [replies(tmp_path / file) for file in files]
    found = names_of(find_arms(paths, LogOptions(bench=bench)))
    assert len(set(found)) == len(files)
    for name, expected in zip(found, names, strict=True):
        assert expected is None or name == expected


def test_runs_that_share_most_questions_answer_one_benchmark(tmp_path: Path) -> None:
    capitals = write_run(tmp_path / "capitals", "a", {"en": 0.5, "vi": 0.5}, items=24)
    fewer = write_run(tmp_path / "fewer", "b", {"en": 0.5}, items=8)
    arms = find_arms([capitals, fewer], LogOptions())
    others = find_arms([other_questions(tmp_path / "others")], LogOptions())
    found = [arm.answers for arm in (*arms, *others, *arms)]
    assert by_benchmark(found) == [[0, 1, 3, 4], [2]]


def other_questions(folder: Path) -> Path:
    """Answers in which the items have the same ids, and other right options."""
    import pyarrow as pa
    import pyarrow.parquet

    write_run(folder, "c", {"en": 0.5}, items=24)
    lines = pyarrow.parquet.read_table(folder / "answers.parquet").to_pylist()
    for line in lines:
        ids = line["option_ids"]
        line["gold"] = ids[(ids.index(line["gold"]) + 1) % len(ids)]
    pyarrow.parquet.write_table(pa.Table.from_pylist(lines), folder / "answers.parquet")
    (folder / "items.parquet").unlink()
    return folder
