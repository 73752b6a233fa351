"""Writes rows in each format that a corpus may have."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crossin.corpus.spec import CorpusSpec

FORMATS = ("json", "jsonl", "parquet", "csv", "json.gz", "jsonl.zst", "parquet.gz", "csv.zst")
Records = Sequence[dict[str, Any]]


def corpus_spec(**fields: Any) -> CorpusSpec:
    """A corpus as a recipe writes it: a bare name is a file's path."""
    return CorpusSpec.model_validate(fields)


def row(id: Any, instruction: str = "Say hi", output: str = "hi", **more: Any) -> dict[str, Any]:
    """An Alpaca record; without an id where it is None."""
    found = {"instruction": instruction, "input": "", "output": output, **more}
    return found if id is None else {"id": id, **found}


def save(path: Path, records: Records) -> Path:
    """Write `records` in the format that the name's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = path.name
    for ending in (".gz", ".zst"):
        plain = plain.removesuffix(ending)
    if plain.endswith(".parquet"):
        sink = pa.BufferOutputStream()
        # Small row groups, so that the borders between them are crossed.
        pq.write_table(pa.Table.from_pylist(list(records)), sink, row_group_size=3)
        data = sink.getvalue().to_pybytes()
    elif plain.endswith(".csv"):
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(name for one in records for name in one)))
        writer.writeheader()
        writer.writerows(records)
        data = text.getvalue().encode()
    elif plain.endswith(".jsonl"):
        data = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records).encode()
    else:
        data = json.dumps(list(records), ensure_ascii=False, indent=1).encode()
    return save_bytes(path, data)


def save_bytes(path: Path, data: bytes) -> Path:
    """Write `data`, packed as the name's ending says."""
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(data, mtime=0))
    elif path.name.endswith(".zst"):
        with pa.output_stream(str(path), compression="zstd") as file:
            file.write(data)
    else:
        path.write_bytes(data)
    return path
