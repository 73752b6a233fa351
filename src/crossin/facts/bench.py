"""The facts benchmark: the held-out countries of a facts corpus, four options a question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.coercion import listed
from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.core.hashing import hash64
from crossin.core.paths import as_path
from crossin.core.stages import Stage, stage
from crossin.items.item import Item, finish_bench

# The source and licence of what comes from both.
CLDR_AND_GEONAMES = ("CLDR (Babel) and GeoNames", "Unicode-3.0 and CC-BY-4.0")
_TEXTS = ("fact", "relation", "group", "split", "language", "answer_id")
_LISTS = ("questions", "option_ids", "options")


def build_bench(
    facts: Path | str, out: Path | str, *, split: str | Sequence[str] = "test", other_wording: bool = False
) -> Stage:
    """Build the benchmark of a split (`test`, or `dev` for choosing a recipe), or of several, from a facts
    corpus folder.

    Each item is asked in one of its wordings, the same in every language, chosen by the fact's id alone; with
    `other_wording` in the next one, so that what is learned from is not the text that is tested.
    """
    file = as_path(facts) / "facts.parquet"
    splits = listed(split)
    settings: dict[str, Any] = {"bench": "facts", "split": splits[0] if len(splits) == 1 else splits}
    settings |= {"other_wording": True} if other_wording else {}
    with stage(out, "bench", settings, {"facts": file}) as work:
        if not work.done:
            lines = read_parquet(file, [*_TEXTS, *_LISTS], ["source"]).to_pylist()
            items = [_item(line, other_wording) for one in splits for line in lines if line["split"] == one]
            if not items:
                there = dict.fromkeys(line["split"] for line in lines)
                raise CrossinError(
                    f"there are no facts in the split '{', '.join(splits)}'",
                    file=file,
                    hint=f"use {', '.join(there)}",
                )
            finish_bench(work, items, {})
    return work


def drawn_wording(fact: str, wordings: int) -> int:
    """The wording that a fact is asked in, by its id alone."""
    return (hash64(fact) >> 56) % wordings


def _item(line: dict[str, Any], other: bool) -> Item:
    asked = line["questions"]
    return Item(
        item=line["fact"],
        group=line["group"],
        task=line["relation"],
        language=line["language"],
        context="",
        question=asked[(drawn_wording(line["fact"], len(asked)) + other) % len(asked)],
        options=line["options"],
        option_ids=line["option_ids"],
        answer=line["answer_id"],
        # Facts that are made up have another source.
        source=line.get("source", CLDR_AND_GEONAMES[0]),
        licence=CLDR_AND_GEONAMES[1],
    )
