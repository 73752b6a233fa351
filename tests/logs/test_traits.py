"""What a log says of where options stood, and how short they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow
from pyarrow.parquet import read_table

from crossin.core.files import write_parquet
from crossin.items import Item
from crossin.logs.traits import option_traits, shortest_options
from crossin.metrics.option_bias import OptionTraits
from crossin.scoring.predictions import read_predictions
from tests.helpers.report_data import write_run


def test_the_shortest_options_are_those_with_the_fewest_bytes() -> None:
    item = Item(
        item="q1",
        group="g1",
        task="t",
        language="ru",
        context="",
        question="?",
        # 6, 6, 8 and, without the space, 7 bytes.
        options=["Рим", "Оша", "Oslo ПА", " Tirana1"],
        option_ids=["a", "b", "c", "d"],
        answer="a",
        source="made for a test",
        licence="CC0",
    )
    assert shortest_options([item]) == {("q1", "ru"): frozenset({"a", "b"})}


def traits_of(folder: Path, **columns: object) -> OptionTraits:
    """Of two questions in English, answered VN and EG where VN and EG are right; `columns` of each line."""
    write_run(folder, "arm", {"en": 1.0}, items=2)
    lines = read_table(folder / "answers.parquet").to_pylist()
    changed = pyarrow.Table.from_pylist([{**line, **columns} for line in lines])
    write_parquet(folder / "answers.parquet", changed)
    [found] = read_predictions(folder)
    assert found.choices is not None
    return option_traits(found, found.choices, shortest_options(found.log.items))


def test_options_that_were_scored_by_their_text_stood_in_no_list(tmp_path: Path) -> None:
    traits = traits_of(tmp_path / "run")
    assert traits.place.tolist() == [[-1], [-1]]
    # Hanoi and Cairo, of Hanoi, Cairo, Athens and Moscow, are the shortest.
    assert traits.shortest.tolist() == traits.gold_shortest.tolist() == [[1], [1]]


def test_a_place_is_that_of_the_list_that_was_shown(tmp_path: Path) -> None:
    traits = traits_of(tmp_path / "run", shown=["RU", "GR", "EG", "VN"], answer="GR")
    assert traits.place.tolist() == [[1], [1]]
    assert traits.gold_place.tolist() == [[3], [2]]
    assert traits.shortest.tolist() == [[0], [0]]


def test_a_reply_answers_a_list_in_the_order_of_the_option_ids(tmp_path: Path) -> None:
    assert traits_of(tmp_path / "run", reply="Cairo", answer="EG").place.tolist() == [[1], [1]]


def test_a_question_without_an_answer_has_no_traits(tmp_path: Path) -> None:
    traits = traits_of(tmp_path / "run", answer=None, shown=["RU", "GR", "EG", "VN"])
    unknown = [[-1], [-1]]
    assert [one.tolist() for one in (traits.place, traits.gold_place, traits.shortest)] == [unknown] * 3


def test_traits_follow_the_order_of_the_table(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "arm", {"en": 0.3, "zh": 0.3}, items=8)
    [found] = read_predictions(tmp_path / "run")
    table, short = found.choices, shortest_options(found.log.items)
    assert table is not None
    turned = replace(
        table,
        languages=table.languages[::-1],
        **{name: getattr(table, name)[::-1] for name in ("items", "groups", "tasks", "gold", "options")},
        answers=table.answers[::-1, ::-1],
    )
    straight, other = option_traits(found, table, short), option_traits(found, turned, short)
    assert other.shortest.tolist() == straight.shortest[::-1, ::-1].tolist()
