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
