"""Facts as sentences with a gap: at the end, at the beginning and inside, in four scripts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from crossin.core.formats import ITEMS
from crossin.items.item import Item, write_items

GAP = "____"
# By item and language: the sentence, and its options, the first of which is right.
FACTS = {
    "river": {
        "en": ("The river Olm flows into ____.", ["Lake Tarn", "the Grey Sea", "Lake Brum"]),
        "tr": ("Olm ırmağı ____'na dökülür.", ["Tarn Gölü", "Gri Deniz", "Brum Gölü"]),
        "th": ("แม่น้ำโอล์มไหลลงสู่____เสมอ", ["ทะเลสาบทาร์น", "ทะเลเทา", "ทะเลสาบบรุม"]),
        "zh": ("奥尔姆河流入____。", ["塔恩湖", "灰海", "布鲁姆湖"]),
    },
    "capital": {
        "en": ("____ is the capital of Norland.", ["Havel", "Tomar", "Brink"]),
        "tr": ("____, Norland'ın başkentidir.", ["Havel", "Tomar", "Brink"]),
        "th": ("____เป็นเมืองหลวงของนอร์แลนด์", ["ฮาเวล", "โทมาร์", "บริงก์"]),
        "zh": ("____是诺兰的首都。", ["哈维尔", "托马尔", "布林克"]),
    },
    "work": {
        "en": ("Lena Quist works as a ____ in Havel.", ["baker", "pilot", "judge"]),
        "tr": ("Lena Quist, Havel'de ____ olarak çalışır.", ["fırıncı", "pilot", "yargıç"]),
        "th": ("ลีนา ควิสต์ทำงานเป็น____ในฮาเวล", ["คนทำขนมปัง", "นักบิน", "ผู้พิพากษา"]),
        "zh": ("莱娜在哈维尔当____。", ["面包师", "飞行员", "法官"]),
    },
}
LANGUAGES = ("en", "tr", "th", "zh")


def gap_item(name: str = "river", language: str = "en", *, free_text: bool = False) -> Item:
    """One of the facts; in free text, the right option is the reference."""
    question, options = FACTS[name][language]
    ids = [f"o{place}" for place in range(len(options))]
    item = Item(name, name, "facts", language, "", question, options, ids, "o0", "made up", "CC0-1.0", GAP)
    return replace(item, options=[], option_ids=[], answer=options[0]) if free_text else item


def gap_items() -> list[Item]:
    return [gap_item(name, language) for name in FACTS for language in LANGUAGES]


def write_gap_bench(folder: Path, items: list[Item] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_items(folder / ITEMS, gap_items() if items is None else items)
    return folder
