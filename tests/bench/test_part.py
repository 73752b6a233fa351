"""Parts of a benchmark: by groups or tasks, apart where their shares are, nested by number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossin.bench.part import build_part
from crossin.items import read_items
from crossin.items.inventories import read_inventories
from tests.helpers import entity_bench, small_bench
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Forty items of four tasks in three languages, two to a group."""
    one = next(item for item in small_bench.items() if item.options)
    items = [
        replace(one, item=f"i{number}", group=f"g{number // 2}", task=f"t{number % 4}", language=language)
        for number in range(40)
        for language in small_bench.LANGUAGES
    ]
    return small_bench.write_bench(tmp_path / "bench", items)


def names(folder: Path, field: str = "item") -> set[str]:
    return {getattr(item, field) for item in read_items(folder)}


@pytest.mark.parametrize("by", ["group", "task"])
def test_two_parts_have_every_item_and_share_no_group(bench: Path, tmp_path: Path, by: str) -> None:
    one = build_part(bench, tmp_path / "one", share=(0, 0.5), by=by).folder  # type: ignore[arg-type]
    two = build_part(bench, tmp_path / "two", share=(0.5, 1), by=by).folder  # type: ignore[arg-type]
    assert names(one, by) | names(two, by) == names(bench, by)
    assert not names(one, by) & names(two, by)
    assert len(names(one, by)) == len(names(two, by))
    assert {item.language for item in read_items(one)} == set(small_bench.LANGUAGES)


def test_a_smaller_number_of_items_is_among_a_larger_one(bench: Path, tmp_path: Path) -> None:
    few = build_part(bench, tmp_path / "few", share=(0, 0.8), items=6)
    many = build_part(bench, tmp_path / "many", share=(0, 0.8), items=20)
    assert len(names(few.folder)) == 6
    assert names(few.folder) < names(many.folder)
    assert few.manifest["skipped"] == {"outside_part": 8, "beyond_number": 26}


def test_a_part_keeps_the_inventories_that_it_uses(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    parts = [
        build_part(bench, tmp_path / str(low), share=(low, low + 0.5), by="task").folder for low in (0, 0.5)
    ]
    assert [set(read_inventories(part)) for part in parts] == [names(part, "inventory") for part in parts]
    assert {len(read_inventories(part)) for part in parts} == {1}


@pytest.mark.parametrize("share", [(0.5, 0.5), (0.6, 0.2), (0, 1.5)])
def test_shares_that_are_not_in_order_are_refused(
    bench: Path, tmp_path: Path, share: tuple[float, float]
) -> None:
    with refused("no part goes from", hint="0,0.6"):
        build_part(bench, tmp_path / "out", share=share)


def test_a_part_may_have_some_tasks_only(bench: Path, tmp_path: Path) -> None:
    part = build_part(bench, tmp_path / "out", share=(0, 0.5), tasks=["t1", "t2"]).folder
    assert names(part, "task") == {"t1", "t2"}
    with refused("no items whose task is 't9'", hint="t0"):
        build_part(bench, tmp_path / "wrong", tasks=["t9"])


def test_an_empty_part_is_refused(bench: Path, tmp_path: Path) -> None:
    with refused("has none of the 20 groups", file=bench / "items.parquet"):
        build_part(bench, tmp_path / "out", share=(0, 0.01))


def test_the_command_builds_a_part(bench: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    crossin("bench", "part", bench, "--share", "0,.5", "--items", "4", "--out", out)
    assert len(names(out)) == 4
    with refused("expected two numbers, got 'half'"):
        crossin("bench", "part", bench, "--share", "half", "--out", out)
