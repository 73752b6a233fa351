"""The files of a shard: the rows that are kept, those that are not and why, and where each is from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from crossin.core.files import read_parquet, write_parquet
from crossin.core.formats import DATA_FOLDER, FIELDS
from crossin.translation.scheduler import ResponseCounts
from crossin.translation.shards import Outcome
from crossin.translation.turns import is_conversation, joined_fields, turns_of

DATA, _REJECTS, _PROVENANCE = DATA_FOLDER, "rejects", "provenance"
_KEPT = ("translated", "kept")
_TEXT = pa.string()
_MESSAGES = pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))
_DATA_COLUMNS = {
    "status": _TEXT,
    "language_specific": _TEXT,
    "answer": _TEXT,
    "attempts": pa.int32(),
}
_REJECT_COLUMNS = {
    **dict.fromkeys(("id", "language", "status", "reason", "field", "detail"), _TEXT),
    "attempts": pa.int32(),
    **dict.fromkeys((*FIELDS, *(f"source_{name}" for name in FIELDS)), _TEXT),
}
_PROVENANCE_COLUMNS = {
    **dict.fromkeys(("id", "language", "engine", "model", "prompt", "time"), _TEXT),
    "attempts": pa.int32(),
}
# A key of the provenance file's own metadata: the counts of responses that the shard was made from.
_COUNTS = b"crossin.responses"


def shard_files(language: str, number: int) -> dict[str, str]:
    """The files of a shard (from 0), relative to the folder, by what they hold."""
    name = f"{language}/{number:05d}.parquet"
    return {kind: f"{kind}/{name}" for kind in (DATA, _REJECTS, _PROVENANCE)}


def write_source(out: Path, language: str, number: int, outcomes: Sequence[Outcome]) -> None:
    """Write the rows themselves, in their own language, under the ids of their translations."""
    rows = [{"id": one.row.id, **_columns(one.row.texts)} for one in outcomes]
    write_parquet(out / shard_files(language, number)[DATA], _table(rows, _text_columns(outcomes)))


def _text_columns(outcomes: Sequence[Outcome]) -> dict[str, pa.DataType]:
    """The columns of ids and texts: of a corpus of conversations, all rows are such."""
    conversations = any(is_conversation(one.row.texts) for one in outcomes)
    return {"id": _TEXT, **({"messages": _MESSAGES} if conversations else dict.fromkeys(FIELDS, _TEXT))}


def _columns(texts: Mapping[str, str]) -> dict[str, Any]:
    """A row's texts as columns; a conversation is one column of messages."""
    if not is_conversation(texts):
        return dict(texts)
    return {"messages": [{"role": role, "content": text} for role, text in turns_of(texts)]}


def write_shard(
    out: Path,
    language: str,
    number: int,
    outcomes: Sequence[Outcome],
    identity: Mapping[str, Any],
    counts: ResponseCounts,
) -> None:
    """Write what became of a shard's rows. The data come last: where they are, everything is."""
    files = shard_files(language, number)
    kept = [one for one in outcomes if one.status in _KEPT]
    provenance = [
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
        if one.status == "translated"
    ]
    table = _table(provenance, _PROVENANCE_COLUMNS)
    metadata = {_COUNTS: json.dumps(counts.as_dict())}
    write_parquet(out / files[_PROVENANCE], table.replace_schema_metadata(metadata))
    rejects = [_reject(one, language) for one in outcomes if one.status not in _KEPT]
    write_parquet(out / files[_REJECTS], _table(rejects, _REJECT_COLUMNS))
    figures = sorted({name for one in kept for name in one.figures})
    rows = [
        {
            "id": one.row.id,
            **_columns(one.texts),
            "status": one.status,
            "language_specific": one.language_specific,
            "answer": one.answer,
            "attempts": one.attempts,
            **{f"check_{name}": one.figures.get(name) for name in figures},
        }
        for one in kept
    ]
    columns = {
        **_text_columns(outcomes),
        **_DATA_COLUMNS,
        **{f"check_{name}": pa.float64() for name in figures},
    }
    write_parquet(out / files[DATA], _table(rows, columns))


def joined_rejects(out: Path, shards: Sequence[tuple[str, int]]) -> pa.Table:
    """The rejects of all shards (language, number)."""
    tables = [read_parquet(out / shard_files(*shard)[_REJECTS], list(_REJECT_COLUMNS)) for shard in shards]
    return pa.concat_tables([_table([], _REJECT_COLUMNS), *tables]).combine_chunks()


def count_rows(out: Path, shards: Sequence[tuple[str, int]]) -> dict[str, dict[str, Any]]:
    """What became of the rows of each language: passed at once, repaired, kept unchanged, and left out or
    rejected by reason.
    """
    counts: dict[str, dict[str, Any]] = {}
    for language, number in shards:
        files = shard_files(language, number)
        found = counts.setdefault(
            language, {"passed": 0, "repaired": 0, "kept": 0, "left_out": {}, "rejected": {}}
        )
        for row in read_parquet(out / files[DATA], ["status", "attempts"]).to_pylist():
            kind = "passed" if row["attempts"] <= 1 else "repaired"
            found[kind if row["status"] == "translated" else "kept"] += 1
        for row in read_parquet(out / files[_REJECTS], ["status", "reason"]).to_pylist():
            reasons = found[row["status"]]
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    return counts


def count_responses(out: Path, shards: Sequence[tuple[str, int]]) -> dict[str, int]:
    """The responses that all shards were made from, whichever process made them."""
    total = Counter(ResponseCounts().as_dict())
    for shard in shards:
        metadata = pyarrow.parquet.read_schema(out / shard_files(*shard)[_PROVENANCE]).metadata
        total.update(json.loads(metadata[_COUNTS]))
    return dict(total)


def _reject(outcome: Outcome, language: str) -> dict[str, Any]:
    found = {} if outcome.status == "left_out" or not outcome.texts else joined_fields(outcome.texts)
    source = joined_fields(outcome.row.texts)
    return {
        "id": outcome.row.id,
        "language": language,
        "status": outcome.status,
        **outcome.why(),
        "attempts": outcome.attempts,
        **{name: found.get(name) for name in FIELDS},
        **{f"source_{name}": source[name] for name in FIELDS},
    }


def _table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    return pa.table(
        {name: pa.array([row[name] for row in rows], kind) for name, kind in columns.items()},
        pa.schema(list(columns.items())),
    )
