from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.scoring.comparison import Comparison, compare
from crossin.scoring.values import comparison_values
from tests.helpers.errors import refused
from tests.helpers.small_bench import items, replies, write_bench, write_replies


def compared(folder: Path, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> Comparison:
    return compare(
        write_replies(folder / "ours.jsonl", ours),
        write_replies(folder / "theirs.jsonl", theirs),
        bench=write_bench(folder / "bench"),
    )


def test_a_model_does_not_differ_from_itself_whatever_the_order(tmp_path: Path) -> None:
    lines = replies({("sky", "de"): "rot", ("name", "en"): "Wien"})
    made = compared(tmp_path, lines, lines[::-1])
    assert made.choices is not None
    assert made.texts is not None
    for figure in (*made.choices.difference.values(), *made.texts.difference.values()):
        assert not abs(figure.value) > 0
    assert made.p == {"en": 1, "de": 1, "th": 1}


def test_a_difference_is_ours_less_theirs(tmp_path: Path) -> None:
    worse = {("sky", "de"): "rot", ("grass", "de"): "rot", ("name", "de"): "Berlin"}
    made = compared(tmp_path, replies(), replies(worse))
    assert made.choices is not None
    assert made.texts is not None
    assert made.choices.difference["accuracy/de"].value == pytest.approx(2 / 3)
    assert made.choices.difference["accuracy/en"].value == 0
    assert made.texts.difference["exact_match/de"].value == 1
    # Two items for us and none for them: two heads of two fair coins, on either side.
    assert made.p["de"] == pytest.approx(0.5)
    assert made.holm["de"] == 1
    assert comparison_values(made)["mcnemar"]["de"] == {"p": 0.5, "holm": 1.0}


def test_what_chance_gives_is_not_compared(tmp_path: Path) -> None:
    made = compared(tmp_path, replies(), replies({("sky", "de"): "rot"}))
    assert made.choices is not None
    assert {"consistency_2", "kappa_2"} <= made.choices.corrected.keys()
    assert not [name for name in made.choices.corrected if name.startswith("expected")]


def test_paths_may_be_text(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "bench")
    path = write_replies(tmp_path / "mine.jsonl", replies())
    made = compare(str(path), str(path), bench=str(bench), draws=10)
    assert made.ours.file == made.theirs.file == path


def test_other_items_are_not_compared(tmp_path: Path) -> None:
    fewer = [line for line in replies() if line["item"] != "sky"]
    with refused("item 'sky'", file=tmp_path / "theirs.jsonl"):
        compared(tmp_path, replies(), fewer)


def test_other_free_text_is_not_compared(tmp_path: Path) -> None:
    none = [line for line in replies() if line["item"] != "name"]
    with refused("other kinds of answers"):
        compared(tmp_path, replies(), none)
    fewer = [line for line in replies() if (line["item"], line["language"]) != ("name", "th")]
    with refused("other items or languages", "free text"):
        compared(tmp_path, replies(), fewer)


def test_other_references_are_not_compared(tmp_path: Path) -> None:
    changed = [
        replace(x, answer="Vindobona") if (x.item, x.language) == ("name", "en") else x for x in items()
    ]
    ours = write_replies(tmp_path / "ours.jsonl", replies())
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, asked in ((one, items()), (other, changed)):
        write_bench(folder, asked)
        write_replies(folder / "replies.jsonl", replies())
    assert compare(ours, one / "replies.jsonl", bench=one).texts is not None
    with refused("other reference", field="gold"):
        compare(one / "replies.jsonl", other / "replies.jsonl")


def test_several_wordings_are_not_compared_at_once(tmp_path: Path) -> None:
    with refused("2 wordings", "a, b", field="prompt"):
        compared(tmp_path, [*replies(prompt="a"), *replies(prompt="b")], replies())
