"""The facts benchmark: the held-out countries of a facts corpus, four options a question."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.core.formats import ITEMS
from crossin.core.hashing import hash64
from crossin.core.stages import Stage, begin
from crossin.items.item import Item, write_items

_COLUMNS = [
    "fact",
    "relation",
    "group",
    "split",
    "language",
    "questions",
    "option_ids",
    "options",
    "answer_id",
]


def build_bench(facts: Path, out: Path, *, split: str = "test") -> Stage:
    """Make the benchmark of one split (`test`, or `dev` for choosing a recipe) from a facts corpus folder.

    Each item is asked in one of its wordings, the same in every language, chosen by the fact's name alone.
    """
    stage = begin(out, "bench", {"bench": "facts", "split": split}, {"facts": facts / "facts.parquet"})
    if stage.done:
        return stage
    lines = read_parquet(facts / "facts.parquet", _COLUMNS).to_pylist()
    items = [_item(line) for line in lines if line["split"] == split]
    if not items:
        raise CrossinError(
            f"has no facts in the split '{split}'", file=facts / "facts.parquet", hint="choose dev or test"
        )
    write_items(out / ITEMS, items)
    first = items[0].language
    counts = Counter(item.task for item in items if item.language == first)
    stage.finish(
        [ITEMS],
        {"items": sum(counts.values()), "languages": len({item.language for item in items}), **counts},
    )
    return stage


def _item(line: dict[str, Any]) -> Item:
    wording = (hash64(line["fact"]) >> 56) % len(line["questions"])
    return Item(
        item=line["fact"],
        group=line["group"],
        task=line["relation"],
        language=line["language"],
        context="",
        question=line["questions"][wording],
        options=line["options"],
        option_ids=line["option_ids"],
        answer=line["answer_id"],
        source="CLDR (Babel) and GeoNames",
        licence="Unicode-3.0 and CC-BY-4.0",
    )
