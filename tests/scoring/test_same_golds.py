from __future__ import annotations

from pathlib import Path

import pytest

from crossin.scoring.comparison import compare
from crossin.scoring.scores import score
from tests.helpers.polyfact_files import PLAIN, cell, choices, free_text, records, write

UNKNOWN, ODD = "anatomy/test/1", "history/test/2"


def two_runs(folder: Path) -> tuple[Path, Path]:
    """Two runs: the second alone has an item right, and shows that another differs between languages."""
    one = {
        UNKNOWN: {"en": cell(0, False), "zh": cell(1, False)},
        ODD: {"en": cell(2, True), "zh": cell(1, False)},
    }
    two = {
        UNKNOWN: {"en": cell(3, True), "zh": cell(1, False)},
        ODD: {"en": cell(2, True), "zh": cell(2, False)},
    }
    return (
        write(folder, choices(PLAIN | one), "one.json"),
        write(folder, choices(PLAIN | two), "two.json"),
    )


def test_what_one_run_knows_of_the_right_options_counts_for_the_other(tmp_path: Path) -> None:
    found = compare(*two_runs(tmp_path), draws=10)
    assert found.ours.choices is not None and found.theirs.choices is not None
    assert found.ours.choices.items == (*PLAIN, UNKNOWN)
    assert found.ours.choices.gold.tolist() == found.theirs.choices.gold.tolist() == [1] * 20 + [3]
    assert found.choices is not None
    assert found.choices.difference["accuracy/en"].value == pytest.approx(-1 / 21)


def test_the_figures_of_one_run_do_not_depend_on_a_right_option_that_nobody_knows(tmp_path: Path) -> None:
    one, two = two_runs(tmp_path)
    [alone] = score(one, draws=10)
    compared = compare(one, two, draws=10)
    # Alone, the run keeps the item that only the other shows to differ; both languages answer it otherwise.
    assert alone.choices["accuracy/en"].value == 21 / 22
    assert compared.choices is not None
    assert compared.choices.ours["accuracy/en"].value == 20 / 21
    assert compared.choices.ours["wrong_2"].value == 0


def test_replies_in_free_text_are_scored_by_the_entity_that_they_name(tmp_path: Path) -> None:
    found = records()
    found[0]["pred"] = "1. suiza"
    found[0]["correct"] = False
    [scored] = score(write(tmp_path, free_text(found)), draws=10)
    assert scored.choices["accuracy/es"].value == pytest.approx(2 / 3)
    assert scored.choices["accuracy/ja"].value == 1
    assert scored.choices["consistency_2"].value == pytest.approx(2 / 3)
