"""The losses of a run as a page."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crossin.core.files import read_parquet, write_text

PAGE = "loss.html"


def plot(out: Path) -> Path | None:
    """Draw the tables of a run's log (`write_log`) as curves, trained on and held out, by language and
    component, and the terms; returns the page, or None where plotly is not installed (extra `report`).
    """
    if find_spec("plotly") is None:
        return None
    import plotly.graph_objects as graphs

    losses = read_parquet(
        out / "losses.parquet", ["step", "split", "component", "lang_in", "lang_out", "loss"]
    ).to_pylist()
    figure = graphs.Figure()
    for split, dash in (("train", "solid"), ("held-out", "dot")):
        for name, points in _curves([line for line in losses if line["split"] == split]).items():
            figure.add_scatter(
                x=[step for step, _ in points],
                y=[loss for _, loss in points],
                name=f"{_escaped(name)}, {split}",
                line={"dash": dash},
            )
    terms = read_parquet(out / "terms.parquet", ["step", "term", "value"]).to_pylist()
    for term in dict.fromkeys(line["term"] for line in terms):
        points = [(line["step"], line["value"]) for line in terms if line["term"] == term]
        figure.add_scatter(
            x=[step for step, _ in points],
            y=[value for _, value in points],
            name=f"term {_escaped(term)}",
            line={"width": 4},
        )
    figure.update_layout(
        title="Loss by language and component", xaxis_title="step", yaxis_title="nats a learned token"
    )
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, div_id="losses")
    write_text(out / PAGE, page)
    return out / PAGE


def _curves(lines: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for line in lines:
        name = f"{line['component']} {line['lang_in']}>{line['lang_out']}"
        found.setdefault(name, []).append((line["step"], line["loss"]))
    return found


def _escaped(text: str) -> str:
    """Plotly reads tags in names."""
    import html

    return html.escape(text)
