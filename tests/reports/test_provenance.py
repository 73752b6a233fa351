"""How results were made: licences and models in short, differences first, hashes folded away."""

from __future__ import annotations

from html import escape
from pathlib import Path

from crossin.reports.provenance import provenance_html
from crossin.reports.results import load
from crossin.reports.summary import Summary, summarize
from tests.helpers.report_data import HOSTILE, three_arms, write_run
from tests.reports.test_lineage import WEIGHTS, evaluated, write_training


def made(runs: dict[str, Path]) -> Summary:
    return summarize(load(runs), draws=50)


def test_the_source_and_the_licence_of_the_questions_come_first(tmp_path: Path) -> None:
    html = provenance_html(made(three_arms(tmp_path, ["en", "vi"])))
    assert html.index("made for a test") < html.index("CC0") < html.index("<h3>Models</h3>")


def test_a_line_that_differs_is_marked_and_one_that_does_not_is_written_once(tmp_path: Path) -> None:
    html = provenance_html(made(three_arms(tmp_path, ["en", "vi"])))
    assert '<tr class="differs"><th scope="row">arm</th><td>base model</td><td>English only</td>' in html
    assert '<tr><th scope="row">normalise</th><td colspan="3">none</td></tr>' in html


def test_hashes_are_folded_away_within_what_is_folded_away(tmp_path: Path) -> None:
    html = provenance_html(made(three_arms(tmp_path, ["en", "vi"])))
    before = html[: html.index("1" * 64)]
    assert before.count("<details") - before.count("</details>") == 2


def test_a_training_is_shown_by_what_differs_to_others(tmp_path: Path) -> None:
    write_training(tmp_path)
    evaluated(tmp_path / "tuned", {"adapter/adapter_model.safetensors": WEIGHTS})
    write_run(tmp_path / "base", "base", {"en": 0.5})
    html = provenance_html(made({"base": tmp_path / "base", "tuned": tmp_path / "tuned"}))
    assert "Settings of the training" in html
    assert '<tr><th scope="row">method.rank</th><td colspan="1">8</td></tr>' in html
    assert "Training" not in provenance_html(made({"base": tmp_path / "base"}))


def test_names_are_only_text(tmp_path: Path) -> None:
    html = provenance_html(made({HOSTILE: write_run(tmp_path / "one", HOSTILE, {"en": 0.5})}))
    assert HOSTILE not in html and escape(HOSTILE) in html


def test_the_same_results_give_the_same_text(tmp_path: Path) -> None:
    write_training(tmp_path)
    evaluated(tmp_path / "tuned", {"adapter/adapter_model.safetensors": WEIGHTS})
    one, other = (provenance_html(made({"tuned": tmp_path / "tuned"})) for _ in range(2))
    assert one == other
