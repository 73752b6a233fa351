"""The log as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossin.core.files import read_parquet, sha256
from crossin.training.log import write_log


def made_line(step: int, seconds: float) -> dict[str, Any]:
    return {
        "step": step,
        "loss": 2.0 / step,
        "learning_rate": 1e-3,
        "gradient_norm": 0.5,
        "tokens": 100,
        "learned_tokens": 40,
        "seconds": seconds,
        "tokens_per_second": 100 / seconds,
        "memory_mb": 50 * seconds,
        "groups": [
            {
                "split": "train",
                "component": "x2x",
                "lang_in": "en",
                "lang_out": lang,
                "loss": 1.5,
                "tokens": 20,
            }
            for lang in ("en", "vi")
        ],
        "terms": [
            {"term": name, "value": 1.0, "weight": 1.0, "share": 0.5, "gradient_norm": 0.1, "pairs": 3}
            for name in ("sft", "align")
        ],
    }


def held_out_line(step: int) -> dict[str, Any]:
    group = {"split": "held-out", "component": "x2x", "lang_in": "en", "lang_out": "vi"}
    return {"step": step, "groups": [{**group, "loss": 1.7, "tokens": 9}]}


def test_a_line_becomes_a_row_a_group_and_a_term_each_in_tables_of_their_own(tmp_path: Path) -> None:
    write_log(tmp_path, [made_line(1, 2.0), held_out_line(1), made_line(2, 2.0)])
    log = read_parquet(tmp_path / "log.parquet", ["step", "loss", "learning_rate", "tokens"]).to_pylist()
    assert log == [
        {"step": 1, "loss": 2.0, "learning_rate": 1e-3, "tokens": 100},
        {"step": 2, "loss": 1.0, "learning_rate": 1e-3, "tokens": 100},
    ]
    losses = read_parquet(tmp_path / "losses.parquet", ["step", "split", "lang_out", "loss"]).to_pylist()
    assert [tuple(line.values()) for line in losses] == [
        (1, "train", "en", 1.5),
        (1, "train", "vi", 1.5),
        (1, "held-out", "vi", 1.7),
        (2, "train", "en", 1.5),
        (2, "train", "vi", 1.5),
    ]
    terms = read_parquet(tmp_path / "terms.parquet", ["step", "term", "share"]).to_pylist()
    assert [(line["step"], line["term"]) for line in terms] == [
        (1, "sft"),
        (1, "align"),
        (2, "sft"),
        (2, "align"),
    ]


def test_how_fast_a_run_was_changes_one_table_only(tmp_path: Path) -> None:
    for name, seconds in (("slow", 9.0), ("fast", 1.0)):
        write_log(tmp_path / name, [made_line(1, seconds), held_out_line(1)])
    for table in ("log", "losses", "terms"):
        files = [tmp_path / name / f"{table}.parquet" for name in ("slow", "fast")]
        assert sha256(files[0]) == sha256(files[1])
    columns = ["seconds", "tokens_per_second", "memory_mb"]
    assert read_parquet(tmp_path / "fast" / "speed.parquet", columns).to_pylist() == [
        {"seconds": 1.0, "tokens_per_second": 100.0, "memory_mb": 50.0}
    ]


def test_the_paths_are_those_of_the_tables_there_are(tmp_path: Path) -> None:
    paths = write_log(tmp_path, [made_line(1, 1.0)])
    assert sorted(paths) == sorted(tmp_path.iterdir())
