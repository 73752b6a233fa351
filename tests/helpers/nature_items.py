"""A benchmark of three items in three languages, and files of it, sound or with one thing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from crossin.core.formats import ITEMS
from crossin.items.item import Item, write_items

TEXTS = {
    "en": [
        ("Which animal barks at strangers?", ["a dog", "a fish", "a snail"]),
        ("How many legs do 2 spiders have?", ["8", "16", "20"]),
        ("What falls from clouds in winter?", ["sand", "leaves", "snow"]),
    ],
    "vi": [
        ("Con vật nào sủa người lạ?", ["con chó", "con cá", "con ốc sên"]),
        ("Có bao nhiêu chân ở 2 con nhện?", ["8", "16", "20"]),
        ("Cái gì rơi từ mây vào mùa đông?", ["cát", "lá cây", "tuyết"]),
    ],
    "th": [
        ("สัตว์ชนิดใดเห่าคนแปลกหน้า", ["สุนัข", "ปลา", "หอยทาก"]),
        ("แมงมุม 2 ตัวมีขากี่ขา", ["8", "16", "20"]),
        ("อะไรตกลงมาจากเมฆในฤดูหนาว", ["ทราย", "ใบไม้", "หิมะ"]),
    ],
}
ANSWERS = ("A", "B", "C")


def small_items() -> list[Item]:
    return [
        Item(
            item=f"q{number}",
            group=f"q{number}",
            task="nature",
            language=language,
            context="",
            question=question,
            options=options,
            option_ids=["A", "B", "C"],
            answer=ANSWERS[number],
            source="made for this test",
            licence="Apache-2.0",
        )
        for language, texts in TEXTS.items()
        for number, (question, options) in enumerate(texts)
    ]


def changed(
    item: str, language: str, change: Callable[[Item], Item], items: Iterable[Item] | None = None
) -> list[Item]:
    """The small items with one of them changed."""
    return [
        change(one) if (one.item, one.language) == (item, language) else one
        for one in (small_items() if items is None else items)
    ]


def in_free_text(item: Item) -> Item:
    """The item without its options: the right one is the reference."""
    right = item.options[item.option_ids.index(item.answer)]
    return replace(item, options=[], option_ids=[], answer=right)


def write_bench(folder: Path, items: list[Item]) -> Path:
    write_items(folder / ITEMS, items)
    return folder
