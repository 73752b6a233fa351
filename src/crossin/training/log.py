"""The log of a run as tables, and as a page of curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossin.charts.parts import Plot, PlotAxis, Point, Series, style_of
from crossin.charts.standalone import plots_page
from crossin.core.files import write_parquet, write_text

PAGE = "loss.html"
# The columns of each table. Speed differs between runs, and so has a table of its own: the others of two
# equal runs are the same bytes.
_COLUMNS = {
    "log": ("step", "loss", "learning_rate", "gradient_norm", "tokens", "learned_tokens"),
    "losses": ("step", "split", "component", "lang_in", "lang_out", "loss", "tokens"),
    "terms": ("step", "term", "value", "weight", "share", "gradient_norm", "pairs"),
    "figures": ("step", "term", "figure", "value"),
    "speed": ("step", "seconds", "tokens_per_second", "memory_mb"),
}
# The plots of the page: which losses, the title, and a sentence.
_KINDS = {
    "train": ("Trained on", "By component, and the languages of question and answer."),
    "held-out": ("Held out", "The same of rows that are not trained on."),
    "term": ("Terms of the loss", "Each before its weight."),
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


def write_page(out: Path, lines: Lines) -> Path | None:
    """Write the curves of the losses, trained on and held out, by language and component, and of the terms
    as a page; returns its path, or None without vl-convert (extra `report`).
    """
    if find_spec("vl_convert") is None:
        return None
    # By kind, then by name: the values by step.
    curves: dict[str, dict[str, dict[int, float]]] = {kind: defaultdict(dict) for kind in _KINDS}
    for line in lines:
        for group in line.get("groups", []):
            named = f"{group['component']} {group['lang_in']}>{group['lang_out']}"
            curves[group["split"]][named][line["step"]] = group["loss"]
        for term in line.get("terms", []):
            curves["term"][term["term"]][line["step"]] = term["value"]
    plots = [_plot(kind, named) for kind, named in curves.items() if named]
    summary = "The loss of each logged step, in nats for each learned token."
    write_text(out / PAGE, plots_page(f"Losses: {out.name}", summary, plots))
    return out / PAGE


def _plot(kind: str, named: dict[str, dict[int, float]]) -> Plot:
    title, text = _KINDS[kind]
    series = [
        Series(
            name,
            style_of(place),
            tuple(Point(step, value, f"{name}, step {step}: {value:.3f}") for step, value in values.items()),
            kind="line",
        )
        for place, (name, values) in enumerate(named.items())
    ]
    return Plot(kind, title, text, tuple(series), PlotAxis("step", "d"), PlotAxis("nats per learned token"))
