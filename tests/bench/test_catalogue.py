from __future__ import annotations

from pathlib import Path

import pytest

from crossin.bench.catalogue import BUILT_IN, MAPPINGS, build_named, known, names
from crossin.items.item import read_items
from tests.helpers.errors import refused


def test_every_name_is_known_with_its_licence_and_every_mapping_has_a_name() -> None:
    assert list(known()) == names()
    assert set(names()) == {*BUILT_IN, *(path.stem for path in MAPPINGS.glob("*.yaml"))}
    assert {"facts", "cross-xquad", "cross-mmlu", "belebele", "bmlama"} <= set(names())
    for about in known().values():
        assert about.licence and about.tasks and about.languages > 1


def test_the_facts_suite_is_built_by_name(tmp_path: Path) -> None:
    build_named("facts", tmp_path / "out", languages=["English", "es"], split="dev")
    items = read_items(tmp_path / "out")
    assert {item.language for item in items} == {"en", "es"}
    assert {"capital", "weekday"} <= {item.task for item in items}


@pytest.mark.parametrize(
    ("name", "wishes", "words"),
    [
        ("belebel", {}, "did you mean belebele"),
        ("nothing.yaml", {}, "nothing.yaml"),
        ("facts", {"source": Path("x"), "languages": ["en"]}, "leave out --source"),
        ("cross-mmlu", {"split": "dev"}, "leave out --split"),
        ("cross-xquad", {"split": "dev"}, "leave out --split"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_clear_error(
    name: str, wishes: dict[str, object], words: str, tmp_path: Path
) -> None:
    with refused(words):
        build_named(name, tmp_path / "out", **wishes)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()
