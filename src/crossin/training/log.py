"""The log of a run as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.files import write_parquet

# The columns of each table. Speed differs between runs, and so has a table of its own: the others of two
# equal runs are the same bytes.
_COLUMNS = {
    "log": ("step", "loss", "learning_rate", "gradient_norm", "tokens", "learned_tokens"),
    "losses": ("step", "split", "component", "lang_in", "lang_out", "loss", "tokens"),
    "terms": ("step", "term", "value", "weight", "share", "gradient_norm", "pairs"),
    "figures": ("step", "term", "figure", "value"),
    "speed": ("step", "seconds", "tokens_per_second", "memory_mb"),
}
_TEXTS = {"split", "component", "lang_in", "lang_out", "term", "figure"}
Lines = Sequence[dict[str, Any]]


def write_log(out: Path, lines: Lines) -> list[Path]:
    """Write `log.parquet` (a line for each logged step), `losses.parquet` (by group of rows, trained on and
    held out), `terms.parquet` (by term of the loss), `figures.parquet` (of terms that have figures of their
    own) and `speed.parquet`; returns their paths.
    """
    import pyarrow

    steps = [line for line in lines if "loss" in line]
    rows = {
        "log": steps,
        "losses": [{"step": line["step"], **group} for line in lines for group in line.get("groups", [])],
        "terms": [{"step": line["step"], **term} for line in steps for term in line["terms"]],
        "figures": [{"step": line["step"], **one} for line in steps for one in line.get("figures", [])],
        "speed": steps,
    }
    if not rows["figures"]:
        del rows["figures"]
    for name, lines_of in rows.items():
        table = {column: [row[column] for row in lines_of] for column in _COLUMNS[name]}
        kinds = {column: pyarrow.string() for column in _TEXTS & table.keys()}
        # Where there are no rows, the columns are still there.
        columns = {name: pyarrow.array(values, kinds.get(name)) for name, values in table.items()}
        write_parquet(out / f"{name}.parquet", pyarrow.table(columns))
    return [out / f"{name}.parquet" for name in rows]
