"""Facts of two relations in three languages, in files with the layout of KLAR's."""

from __future__ import annotations

import json
from pathlib import Path

LANGUAGES = ("en", "ru", "zh")
_TEMPLATES = {
    "capital": {
        "en": "Where is <subject>'s capital located? The answer is: <mask>",
        "ru": "Где расположена столица <subject>? Ответ: <mask>",
        "zh": "<subject>的首都在哪里？答案是：<mask>",
    },
    "continent": {
        "en": "On which continent is <subject>? The answer is: <mask>.",
        "ru": "На каком континенте находится <subject>? Ответ: <mask>.",
        "zh": "<subject>位于哪个洲？答案是：<mask>。",
    },
}
# By the fact's index: subject and object in each language.
_FACTS: dict[str, list[tuple[int, tuple[str, str, str], tuple[str, str, str]]]] = {
    "capital": [
        (10, ("Austria", "Австрия", "奥地利"), ("Vienna", "Вена", "维也纳")),
        (11, ("Japan", "Япония", "日本"), ("Tokyo", "Токио", "东京")),
        (12, ("Peru", "Перу", "秘鲁"), ("Lima", "Лима", "利马")),
        (13, ("Kenya", "Кения", "肯尼亚"), ("Nairobi", "Найроби", "内罗毕")),
        (14, ("Norway", "Норвегия", "挪威"), ("Oslo", "Осло", "奥斯陆")),
        (15, ("Cuba", "Куба", "古巴"), ("Havana", "Гавана", "哈瓦那")),
    ],
    "continent": [
        (20, ("Austria", "Австрия", "奥地利"), ("Europe", "Европа", "欧洲")),
        (21, ("Japan", "Япония", "日本"), ("Asia", "Азия", "亚洲")),
        (22, ("Mongolia", "Монголия", "蒙古"), ("Asia", "Азия", "亚洲")),
        (23, ("Kenya", "Кения", "肯尼亚"), ("Africa", "Африка", "非洲")),
        (24, ("Norway", "Норвегия", "挪威"), ("Europe", "Европа", "欧洲")),
        (25, ("Ghana", "Гана", "加纳"), ("Africa", "Африка", "非洲")),
        (26, ("Chad", "Чад", "乍得"), ("Africa", "Африка", "非洲")),
    ],
}


def write_relations(folder: Path) -> Path:
    """The files, one a language and relation; `crossin bench build klar --source` reads them."""
    for place, language in enumerate(LANGUAGES):
        for relation, facts in _FACTS.items():
            file = folder / language / f"{relation}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            samples = [
                {"subject": subject[place], "object": found[place], "index": index}
                for index, subject, found in facts
            ]
            templates = [_TEMPLATES[relation][language]]
            content = {"name": relation, "prompt_templates": templates, "samples": samples}
            file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder
