"""The files of a shard: the rows that are kept, those that are not and why, and where each is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from crossin.core.files import read_parquet, write_parquet
from crossin.core.formats import FIELDS
from crossin.translation.shard import Outcome

DATA, REJECTS, PROVENANCE = "data", "rejects", "provenance"
_KEPT = ("translated", "kept")
_DATA = {"id": pa.string(), **dict.fromkeys(FIELDS, pa.string())}
# `answer` says who wrote the output: it is a translation, or the answer of a model in the language.
_MORE = {"fate": pa.string(), "bound": pa.string(), "answer": pa.string(), "attempts": pa.int32()}
_REJECTS = {
    "id": pa.string(),
    "language": pa.string(),
    "fate": pa.string(),
    "reason": pa.string(),
    "field": pa.string(),
    "detail": pa.string(),
    "attempts": pa.int32(),
    **dict.fromkeys(FIELDS, pa.string()),
    **{f"source_{name}": pa.string() for name in FIELDS},
}
_PROVENANCE = {
    "id": pa.string(),
    "language": pa.string(),
    "engine": pa.string(),
    "model": pa.string(),
    "prompt": pa.string(),
    "time": pa.string(),
    "attempts": pa.int32(),
}


def shard_files(language: str, number: int) -> dict[str, str]:
    """The files of a shard (from 0), relative to the folder, by what they hold."""
    name = f"{language}/{number:05d}.parquet"
    return {kind: f"{kind}/{name}" for kind in (DATA, REJECTS, PROVENANCE)}


def write_source(out: Path, language: str, number: int, outcomes: Sequence[Outcome]) -> None:
    """The rows themselves, in the language that they came in, under the ids of their translations."""
    rows = [{"id": one.row.id, **one.row.texts} for one in outcomes]
    write_parquet(out / shard_files(language, number)[DATA], _table(rows, _DATA))


def write_shard(
    out: Path, language: str, number: int, outcomes: Sequence[Outcome], identity: Mapping[str, Any]
) -> None:
    """Write what became of a shard's rows. The data come last: where they are, all is there."""
    files = shard_files(language, number)
    kept = [one for one in outcomes if one.fate in _KEPT]
    figures = sorted({name for one in kept for name in one.figures})
    write_parquet(
        out / files[PROVENANCE],
        _table(
            [
                {
                    "id": one.row.id,
                    "language": language,
                    "engine": identity.get("engine"),
                    "model": identity.get("model"),
                    "prompt": identity.get("prompt", ""),
                    "time": one.time,
                    "attempts": one.attempts,
                }
                for one in kept
                if one.fate == "translated"
            ],
            _PROVENANCE,
        ),
    )
    write_parquet(
        out / files[REJECTS],
        _table([_rejected(one, language) for one in outcomes if one.fate not in _KEPT], _REJECTS),
    )
    rows = [
        {
            "id": one.row.id,
            **one.texts,
            "fate": one.fate,
            "bound": one.bound,
            "answer": one.answer,
            "attempts": one.attempts,
            **{f"gate_{name}": one.figures.get(name) for name in figures},
        }
        for one in kept
    ]
    columns = {**_DATA, **_MORE, **{f"gate_{name}": pa.float64() for name in figures}}
    write_parquet(out / files[DATA], _table(rows, columns))


def joined_rejects(out: Path, shards: Sequence[tuple[str, int]]) -> pa.Table:
    """The rejects of all shards (language, number)."""
    tables = [
        read_parquet(out / shard_files(language, number)[REJECTS], list(_REJECTS))
        for language, number in shards
    ]
    return pa.concat_tables([_table([], _REJECTS), *tables]).combine_chunks()


def count_shards(out: Path, shards: Sequence[tuple[str, int]]) -> dict[str, dict[str, Any]]:
    """What became of the rows of each language: passed at once, repaired, kept as they were, and left out or
    rejected by reason.
    """
    counts: dict[str, dict[str, Any]] = {}
    for language, number in shards:
        files = shard_files(language, number)
        found = counts.setdefault(
            language, {"passed": 0, "repaired": 0, "kept as they are": 0, "left out": {}, "rejected": {}}
        )
        kept = read_parquet(out / files[DATA], ["fate", "attempts"]).to_pylist()
        for row in kept:
            translated = "passed" if row["attempts"] <= 1 else "repaired"
            found[translated if row["fate"] == "translated" else "kept as they are"] += 1
        for row in read_parquet(out / files[REJECTS], ["fate", "reason"]).to_pylist():
            reasons = found[row["fate"]]
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    return counts


def _rejected(outcome: Outcome, language: str) -> dict[str, Any]:
    left_out = outcome.fate == "left out"
    return {
        "id": outcome.row.id,
        "language": language,
        "fate": outcome.fate,
        "reason": outcome.bound if left_out else outcome.reason,
        "field": outcome.field,
        "detail": outcome.detail,
        "attempts": outcome.attempts,
        **{name: None if left_out else outcome.texts.get(name) for name in FIELDS},
        **{f"source_{name}": outcome.row.texts[name] for name in FIELDS},
    }


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.table(
        {name: pa.array([row[name] for row in rows], kind) for name, kind in columns.items()},
        pa.schema(list(columns.items())),
    )
