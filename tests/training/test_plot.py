"""The page of a run's losses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import sha256
from crossin.training.log import write_log
from crossin.training.plot import plot

STRANGE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    group = {"component": STRANGE, "lang_in": "en", "lang_out": "vi", "tokens": 9}
    term = {"term": "sft", "weight": 1.0, "share": 1.0, "gradient_norm": 0.1, "pairs": 0}
    speed = {"seconds": 1.0, "tokens_per_second": 9.0, "memory_mb": 1.0}
    lines: list[dict[str, Any]] = []
    for step, loss in ((10, 2.5), (20, 1.25)):
        figures = {
            "loss": loss,
            "learning_rate": 1e-3,
            "gradient_norm": 0.5,
            "tokens": 9,
            "learned_tokens": 4,
        }
        groups = [{"split": "train", **group, "loss": loss}]
        lines.append(
            {"step": step, **figures, **speed, "groups": groups, "terms": [{**term, "value": loss + 1}]}
        )
        lines.append({"step": step, "groups": [{"split": "held-out", **group, "loss": loss + 0.5}]})
    write_log(tmp_path, lines)
    return tmp_path


def curves(page: str) -> dict[str, tuple[list[int], list[float]]]:
    """The curves that the page draws, by name."""
    found = re.search(r'Plotly\.newPlot\(\s*"losses",\s*(\[.*?\]),\s*\{"', page, re.DOTALL)
    assert found
    return {one["name"]: (one["x"], one["y"]) for one in json.loads(found[1])}


def test_the_page_draws_what_is_learned_what_is_held_out_and_the_terms(out: Path) -> None:
    page = plot(out)
    assert page == out / "loss.html"
    drawn = {name.rpartition("&gt; ")[2]: values for name, values in curves(page.read_text()).items()}
    assert drawn == {
        "en&gt;vi, train": ([10, 20], [2.5, 1.25]),
        "en&gt;vi, held-out": ([10, 20], [3.0, 1.75]),
        "term sft": ([10, 20], [3.5, 2.25]),
    }


def test_no_name_can_be_taken_for_a_tag(out: Path) -> None:
    page = plot(out)
    assert page
    assert "<img src=x" not in page.read_text()
    assert all("<" not in name for name in curves(page.read_text()))


def test_the_same_log_is_the_same_page_and_fetches_nothing(out: Path) -> None:
    page = plot(out)
    assert page
    before = sha256(page)
    plot(out)
    assert sha256(page) == before
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page.read_text())


def test_without_plotly_there_is_no_page(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.training.plot.find_spec", lambda name: None)
    assert plot(out) is None
    assert not (out / "loss.html").exists()
