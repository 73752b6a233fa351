"""A shard of a mixture: one file of its rows, complete or absent, the same bytes in any process."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crossin.core.errors import CrossinError
from crossin.core.files import atomic_path
from crossin.core.formats import DATA_FOLDER
from crossin.mixture.job import MixtureJob
from crossin.mixture.recipe import Recipe
from crossin.mixture.rendering import render

# The key of the plan's fingerprint in a file's metadata.
_PLAN = b"crossin.plan"
# Columns with few values, which Parquet writes as a dictionary.
_REPEATING = ["kind", "lang_in", "lang_out", "source", "component"]


def shard_name(recipe: Recipe, number: int) -> str:
    """The file name of a shard (from 0)."""
    return f"mixture-{number:05d}.{'jsonl' if recipe.format == 'messages' else 'parquet'}"


def write_shard(job: MixtureJob, out: Path, number: int) -> int:
    """Write shard `number` below `out`; return its number of rows."""
    size = job.recipe.shard_rows
    part = job.plan.take(slice(number * size, (number + 1) * size))
    table = render(job.style, part, job.corpora)
    path = out / DATA_FOLDER / shard_name(job.recipe, number)
    with atomic_path(path) as temporary:
        if job.recipe.format == "messages":
            _write_messages(temporary, table)
        else:
            _write_parquet(temporary, table, job.plan.fingerprint)
    return len(table)


def check_shard(job: MixtureJob, out: Path, number: int) -> bool:
    """Whether shard `number` exists. Raises CrossinError where it belongs to another plan: the alignment
    check may decide differently on a borderline row on another kind of processor.
    """
    path = out / DATA_FOLDER / shard_name(job.recipe, number)
    if not path.exists() or job.recipe.format == "messages":
        return path.exists()
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowException) as error:
        raise CrossinError("cannot be read as Parquet", file=path, hint="remove it, and run again") from error
    if metadata.get(_PLAN) != job.plan.fingerprint.encode():
        raise CrossinError(
            "was composed from other rows than this machine keeps",
            file=path,
            hint="compose all shards on machines of one kind, or remove misaligned rows beforehand and set "
            "`check: none`",
        )
    return True


def _write_parquet(path: Path, table: pa.Table, plan: str) -> None:
    """Prompts and completions hardly repeat: no dictionary and no statistics for them. Without Arrow's
    schema, readers see plain strings.
    """
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="snappy",
        use_dictionary=_REPEATING,
        write_statistics=False,
        store_schema=False,
    ) as writer:
        writer.add_key_value_metadata({_PLAN: plan})
        writer.write_table(table)


def _write_messages(path: Path, table: pa.Table) -> None:
    """JSON lines: the turns as `messages`, and the other columns beside them."""
    with path.open("w", encoding="utf-8") as file:
        for batch in table.to_batches(max_chunksize=4096):
            for row in batch.to_pylist():
                asked, answered = row.pop("prompt"), row.pop("completion")
                turns = row.pop("messages", None) or [
                    {"role": "user", "content": asked},
                    {"role": "assistant", "content": answered},
                ]
                file.write(json.dumps({"messages": turns, **row}, ensure_ascii=False) + "\n")
