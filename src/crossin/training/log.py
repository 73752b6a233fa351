"""The log of a run as tables, and as a page of curves."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossin.core.files import write_parquet, write_text

PAGE = "loss.html"
# The columns of each table. Speed differs between runs, and so has a table of its own: the others of two
# equal runs are the same bytes.
_COLUMNS = {
    "log": ("step", "loss", "learning_rate", "gradient_norm", "tokens", "learned_tokens"),
    "losses": ("step", "split", "component", "lang_in", "lang_out", "loss", "tokens"),
    "terms": ("step", "term", "value", "weight", "share", "gradient_norm", "pairs"),
    "speed": ("step", "seconds", "tokens_per_second", "memory_mb"),
}
Lines = Sequence[dict[str, Any]]


def write_log(out: Path, lines: Lines) -> list[Path]:
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


def write_page(out: Path, lines: Lines) -> Path | None:
    """Write the curves of the losses, trained on and held out, by language and component, and of the terms
    as a page; returns its path, or None without plotly (extra `report`).
    """
    if find_spec("plotly") is None:
        return None
    import plotly.graph_objects as graphs

    figure = graphs.Figure()
    for split, dash in (("train", "solid"), ("held-out", "dot")):
        losses = [
            (f"{group['component']} {group['lang_in']}>{group['lang_out']}", line["step"], group["loss"])
            for line in lines
            for group in line.get("groups", [])
            if group["split"] == split
        ]
        for name, (steps, values) in _curves(losses).items():
            # Plotly reads tags in names.
            figure.add_scatter(x=steps, y=values, name=f"{html.escape(name)}, {split}", line={"dash": dash})
    terms = [(term["term"], line["step"], term["value"]) for line in lines for term in line.get("terms", [])]
    for name, (steps, values) in _curves(terms).items():
        figure.add_scatter(x=steps, y=values, name=f"term {html.escape(name)}", line={"width": 4})
    figure.update_layout(
        title="Loss by language and component", xaxis_title="step", yaxis_title="nats per learned token"
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, div_id="losses")
    write_text(out / PAGE, page)
    return out / PAGE


def _curves(points: Sequence[tuple[str, int, float]]) -> dict[str, tuple[list[int], list[float]]]:
    """Steps and values by name."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for name, step, value in points:
        steps, values = found.setdefault(name, ([], []))
        steps.append(step)
        values.append(value)
    return found
