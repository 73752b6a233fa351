"""The losses of a run as a page."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import sha256
from crossin.core.stages import Stage
from crossin.training.loss_page import PAGE, losses_page, page_writer, write_loss_page
from crossin.training.record import lines_so_far, log_writer
from tests.training.test_run import SAME, trained_with

STRANGE = "</script><img src=x onerror=alert(1)>"
COLOUR = re.compile(
    r'aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="line mark".*?stroke="([^"]*)"'
)


def group(split: str, component: str, pair: str, loss: float, tokens: int = 10) -> dict[str, Any]:
    lang_in, lang_out = pair.split(">")
    return {
        "split": split,
        "component": component,
        "lang_in": lang_in,
        "lang_out": lang_out,
        "loss": loss,
        "tokens": tokens,
    }


def made_lines() -> list[dict[str, Any]]:
    """Two steps of three components, and what was held out of one of them."""
    lines: list[dict[str, Any]] = []
    for step in (1, 2):
        groups = [
            group("train", "mono", "en>en", 1.0 / step),
            group("train", "mono", "vi>vi", 2.0 / step),
            group("train", "x2en", "vi>en", 1.5),
            group("train", "x2en", "zh>en", 2.5),
            group("train", "x2x", "en>vi", 1.0, tokens=30),
            group("train", "x2x", "zh>vi", 2.0, tokens=10),
            group("train", "x2x", "vi>zh", 3.0),
        ]
        terms = [{"term": name, "value": 1.0} for name in ("sft", "align")]
        lines += [
            {"step": step, "loss": 1.0, "groups": groups, "terms": terms},
            {"step": step, "groups": [group("held-out", "mono", "vi>vi", 1.7)]},
        ]
    return lines


def figures(page: str) -> dict[str, str]:
    """The figures of a page, by title."""
    found = re.findall(r"<figure.*?</figure>", page, flags=re.DOTALL)
    return {html.unescape(re.findall(r"<h3>(.*?)</h3>", figure)[0]): figure for figure in found}


def values(figure: str) -> list[str]:
    """What the table behind a figure says."""
    return [html.unescape(found) for found in re.findall(r"<tr><td>(.*?)</td>", figure)]


def test_there_is_a_plot_for_each_component_and_one_for_the_terms() -> None:
    found = figures(losses_page("run", made_lines()))
    assert list(found) == ["mono", "x2en", "x2x", "Terms of the loss"]
    assert values(found["Terms of the loss"]) == [
        f"{term}, step {step}: 1.000" for term in ("sft", "align") for step in (1, 2)
    ]


def test_a_plot_has_the_losses_of_each_language_trained_on_and_held_out() -> None:
    assert values(figures(losses_page("run", made_lines()))["mono"]) == [
        "English · en, step 1: 1.000",
        "English · en, step 2: 0.500",
        "Vietnamese · vi, step 1: 2.000",
        "Vietnamese · vi, step 2: 1.000",
        "Vietnamese · vi, held out, step 1: 1.700",
        "Vietnamese · vi, held out, step 2: 1.700",
    ]


def test_pairs_of_languages_are_in_the_table_behind_the_mean_of_their_tokens() -> None:
    said = values(figures(losses_page("run", made_lines()))["x2x"])
    # (30 * 1 + 10 * 2) / 40
    assert "Vietnamese · vi, step 1: 1.250 (en>vi 1.000, zh>vi 2.000)" in said
    assert "Chinese · zh, step 1: 3.000" in said


def test_where_all_answers_are_in_one_language_lines_are_those_of_the_questions() -> None:
    figure = figures(losses_page("run", made_lines()))["x2en"]
    assert [text.partition(",")[0] for text in values(figure)] == [
        *["Vietnamese · vi"] * 2,
        *["Chinese · zh"] * 2,
    ]
    assert "all answers are in English · en" in figure


def test_a_language_has_one_colour_in_all_plots() -> None:
    found = figures(losses_page("run", made_lines()))
    colours = [
        (name, colour) for title in ("mono", "x2en", "x2x") for name, colour in COLOUR.findall(found[title])
    ]
    assert {name for name, _ in colours} == {"English · en", "Vietnamese · vi", "Chinese · zh"}
    assert len(set(colours)) == 3


def test_a_long_run_has_means_over_several_steps() -> None:
    lines = [
        {
            "step": step,
            "groups": [group("train", "mono", "en>en", float(step), tokens=step)],
            "terms": [{"term": "sft", "value": float(step)}],
        }
        for step in range(1, 1002)
    ]
    page = losses_page("run", lines)
    said = values(figures(page)["mono"])
    assert "Each is the mean of 3 steps." in page
    assert len(said) == 334
    # (1 * 1 + 2 * 2 + 3 * 3) / 6
    assert said[:2] == ["English · en, step 1: 2.333", "English · en, step 4: 5.133"]
    assert values(figures(page)["Terms of the loss"])[0] == "sft, step 1: 2.000"


def test_rows_without_component_or_language_are_drawn() -> None:
    lines = [{"step": 1, "groups": [group("train", "", ">", 1.0)]}]
    [(title, figure)] = figures(losses_page("run", lines)).items()
    assert (title, values(figure)) == ("All rows", ["no language given, step 1: 1.000"])


def test_names_are_text_and_nothing_is_fetched() -> None:
    lines = made_lines()
    for line in lines:
        line["groups"] = [{**one, "component": STRANGE, "lang_in": STRANGE} for one in line["groups"]]
    page = losses_page(STRANGE, lines)
    assert "<img src=x" not in page
    assert "<title>Losses: &lt;/script&gt;" in page and 'name="viewport"' in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=(?!\"data:)", page)


def test_the_same_log_is_the_same_page(tmp_path: Path) -> None:
    pages = [write_loss_page(tmp_path, made_lines()) for _ in range(2)]
    assert pages[0] == tmp_path / PAGE
    assert pages[0].read_text("utf-8") == losses_page(tmp_path.name, made_lines())


def test_without_vl_convert_there_is_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.training.loss_page.find_spec", lambda name: None)
    assert write_loss_page(tmp_path, made_lines()) is None
    assert not (tmp_path / PAGE).exists()


def test_the_page_is_not_drawn_again_until_the_time_is_over(tmp_path: Path) -> None:
    lines = made_lines()[:1]
    page_writer(tmp_path, lines, seconds=1e9)()
    assert not (tmp_path / PAGE).exists()
    write = page_writer(tmp_path, lines, seconds=0)
    for known in (1, 4):
        lines[:] = made_lines()[:known]
        write()
        assert (tmp_path / PAGE).read_text("utf-8") == losses_page(tmp_path.name, lines)


def test_the_lines_so_far_are_those_that_were_written_whole(tmp_path: Path) -> None:
    assert lines_so_far(tmp_path) is None
    lines = made_lines()[:1]
    write = log_writer(tmp_path, lines)
    assert lines_so_far(tmp_path) == lines
    lines += made_lines()[1:3]
    write()
    write()
    assert lines_so_far(tmp_path) == made_lines()[:3]
    [file] = (tmp_path / "checkpoints").iterdir()
    with file.open("a") as half:
        half.write('{"step": 3, "gro')
    assert lines_so_far(tmp_path) == made_lines()[:3]
    # A resumed run goes back to its checkpoint.
    log_writer(tmp_path, made_lines()[:2])
    assert lines_so_far(tmp_path) == made_lines()[:2]


def test_a_run_in_progress_has_a_page_and_its_lines_and_ends_with_the_same_bytes(
    entries: dict[str, Any], trained: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "crossin.training.run.page_writer", lambda out, lines: page_writer(out, lines, seconds=0)
    )
    out = tmp_path / trained.folder.name
    seen: dict[int, tuple[bool, list[int]]] = {}

    def stop(_task: str, done: int, *_: object, **__: object) -> None:
        steps = {line["step"] for line in lines_so_far(out) or ()}
        seen[done] = ((out / PAGE).exists(), sorted(steps))
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_with(entries, out, progress=stop)
    # Progress is reported before the lines of the step; there is a checkpoint after every third.
    assert seen == {step: (step > 3, list(range(1, step))) for step in range(1, 6)}
    assert "up to step 3," in (out / PAGE).read_text("utf-8")
    trained_with(entries, out)
    for name in (*SAME, PAGE):
        assert sha256(out / name) == sha256(trained.folder / name), name
    assert not (out / "checkpoints").exists()
