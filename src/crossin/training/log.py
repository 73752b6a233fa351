"""The log of a run as tables: what it learned, and apart from that how fast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.files import write_parquet

# The columns of each table. How fast a run was differs from run to run, so that is a table of its own: the
# others of two equal runs are the same bytes.
_COLUMNS = {
    "log": ("step", "loss", "learning_rate", "gradient_norm", "tokens", "learned_tokens"),
    "losses": ("step", "split", "component", "lang_in", "lang_out", "loss", "tokens"),
    "terms": ("step", "term", "value", "weight", "share", "gradient_norm", "pairs"),
    "speed": ("step", "seconds", "tokens_per_second", "memory_mb"),
}


def write_log(out: Path, lines: Sequence[dict[str, Any]]) -> list[Path]:
    """Write `log.parquet` (a line for each logged step), `losses.parquet` (by group of rows, trained on and
    held out), `terms.parquet` (by term of the loss) and `speed.parquet`; returns their paths.
    """
    import pyarrow

    steps = [line for line in lines if "loss" in line]
    rows = {
        "log": steps,
        "losses": [{"step": line["step"], **group} for line in lines for group in line.get("groups", [])],
        "terms": [{"step": line["step"], **term} for line in steps for term in line["terms"]],
        "speed": steps,
    }
    paths = []
    for name, columns in _COLUMNS.items():
        paths.append(out / f"{name}.parquet")
        table = [{column: row[column] for column in columns} for row in rows[name]]
        write_parquet(paths[-1], pyarrow.Table.from_pylist(table))
    return paths
