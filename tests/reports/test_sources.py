"""Where the questions of a page are from, and under which licence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossin.core.files import read_json, write_json
from crossin.items.item import read_items, write_items
from crossin.reports.results import load
from crossin.reports.sources import sources_of
from tests.helpers.report_data import write_run


def run_of(folder: Path, *stated: tuple[str, str]) -> Path:
    """An evaluation of the model `one`, whose items state these sources and licences in turn."""
    write_run(folder, "one", {"en": 0.5})
    manifest = read_json(folder / "manifest.json")
    manifest["settings"]["name"] = "one"
    write_json(folder / "manifest.json", manifest)
    items = [
        replace(item, source=stated[place % len(stated)][0], licence=stated[place % len(stated)][1])
        for place, item in enumerate(read_items(folder))
    ]
    write_items(folder / "items.parquet", items)
    return folder


@pytest.mark.parametrize(
    ("source", "licence", "shown"),
    [
        (
            "XQuAD (arXiv 1910.11856)",
            "CC-BY-SA-4.0",
            (
                "XQuAD (arXiv 1910.11856), https://arxiv.org/abs/1910.11856",
                "CC-BY-SA-4.0, https://creativecommons.org/licenses/by-sa/4.0/",
            ),
        ),
        (
            "facebook/belebele@75b399394a9803252cfec289d103de462763db7c",
            "CC BY-NC 4.0",
            (
                "facebook/belebele@75b399394a9803252cfec289d103de462763db7c, "
                "https://huggingface.co/datasets/facebook/belebele",
                "CC BY-NC 4.0, https://creativecommons.org/licenses/by-nc/4.0/",
            ),
        ),
        ("local files", "MIT", ("local files", "MIT")),
    ],
)
def test_a_source_and_a_licence_have_their_addresses_where_they_are_known(
    tmp_path: Path, source: str, licence: str, shown: tuple[str, str]
) -> None:
    run = run_of(tmp_path / "one" / "quiz", (source, licence))
    assert sources_of(load({"one": run})) == [
        {"benchmark": "quiz", "source": shown[0], "licence": shown[1]},
    ]


def test_each_source_of_a_benchmark_has_an_entry(tmp_path: Path) -> None:
    run = run_of(tmp_path / "one" / "quiz", ("CLDR", "Unicode-3.0"), ("GeoNames", "CC-BY-4.0"))
    assert [one["source"] for one in sources_of(load({"one": run}))] == ["CLDR", "GeoNames"]


def test_what_is_not_stated_is_left_out(tmp_path: Path) -> None:
    run = run_of(tmp_path / "one" / "quiz", ("", ""))
    assert sources_of(load({"one": run})) == [{"benchmark": "quiz"}]
