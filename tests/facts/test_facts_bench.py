from __future__ import annotations

from pathlib import Path

from crossin.facts import build_bench
from crossin.items import read_items


def test_dev_and_test_share_no_country(facts_folder: Path, tmp_path: Path) -> None:
    groups = []
    for split in ("dev", "test"):
        folder = build_bench(facts_folder, tmp_path / split, split=split).folder
        groups.append({item.group for item in read_items(folder / "items.parquet")})
    assert groups[0]
    assert not groups[0] & groups[1]


def test_another_wording_asks_the_same_facts_in_other_words(facts_folder: Path, tmp_path: Path) -> None:
    tested = read_items(build_bench(facts_folder, tmp_path / "tested").folder)
    other = read_items(build_bench(facts_folder, tmp_path / "other", other_wording=True).folder)
    assert [(one.item, one.language, one.answer) for one in other] == [
        (one.item, one.language, one.answer) for one in tested
    ]
    assert not {one.question for one in other} & {one.question for one in tested}
