"""Evaluation folders made by hand, in the format of docs/formats.md."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from crossin.core.files import sha256

HOSTILE = "</script><img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"

# The capital's name in each language's own script, and how the language asks for it.
QUESTIONS = {
    "en": "What is the capital of {}?",
    "zh": "{}的首都是哪里？",
    "vi": "Thủ đô của {} là gì?",
    "es": "¿Cuál es la capital de {}?",
    "ar": "ما هي عاصمة {}؟",
    "th": "เมืองหลวงของ{}คืออะไร",
    "hi": "{} की राजधानी क्या है?",
    "ru": "Столица страны {} — это какой город?",
    "el": "Ποια είναι η πρωτεύουσα της χώρας {};",
    "de": "Was ist die Hauptstadt von {}?",
    "tr": "{} ülkesinin başkenti neresidir?",
    "ro": "Care este capitala țării {}?",
    "ja": "{}の首都はどこですか。",
    "ko": "{}의 수도는 어디입니까?",
    "he": "מהי עיר הבירה של {}?",
}
COUNTRIES = {
    "en": ["Vietnam", "Egypt", "Greece", "Russia"],
    "zh": ["越南", "埃及", "希腊", "俄罗斯"],
    "vi": ["Việt Nam", "Ai Cập", "Hy Lạp", "Nga"],
    "es": ["Vietnam", "Egipto", "Grecia", "Rusia"],
    "ar": ["فيتنام", "مصر", "اليونان", "روسيا"],
    "th": ["เวียดนาม", "อียิปต์", "กรีซ", "รัสเซีย"],
    "hi": ["वियतनाम", "मिस्र", "यूनान", "रूस"],
    "ru": ["Вьетнам", "Египет", "Греция", "Россия"],
    "el": ["Βιετνάμ", "Αίγυπτος", "Ελλάδα", "Ρωσία"],
    "de": ["Vietnam", "Ägypten", "Griechenland", "Russland"],
    "tr": ["Vietnam", "Mısır", "Yunanistan", "Rusya"],
    "ro": ["Vietnam", "Egipt", "Grecia", "Rusia"],
    "ja": ["ベトナム", "エジプト", "ギリシャ", "ロシア"],
    "ko": ["베트남", "이집트", "그리스", "러시아"],
    "he": ["וייטנאם", "מצרים", "יוון", "רוסיה"],
}
CAPITALS = {
    "en": ["Hanoi", "Cairo", "Athens", "Moscow"],
    "zh": ["河内", "开罗", "雅典", "莫斯科"],
    "vi": ["Hà Nội", "Cairo", "Athens", "Moskva"],
    "es": ["Hanói", "El Cairo", "Atenas", "Moscú"],
    "ar": ["هانوي", "القاهرة", "أثينا", "موسكو"],
    "th": ["ฮานอย", "ไคโร", "เอเธนส์", "มอสโก"],
    "hi": ["हनोई", "काहिरा", "एथेंस", "मास्को"],
    "ru": ["Ханой", "Каир", "Афины", "Москва"],
    "el": ["Ανόι", "Κάιρο", "Αθήνα", "Μόσχα"],
    "de": ["Hanoi", "Kairo", "Athen", "Moskau"],
    "tr": ["Hanoi", "Kahire", "Atina", "Moskova"],
    "ro": ["Hanoi", "Cairo", "Atena", "Moscova"],
    "ja": ["ハノイ", "カイロ", "アテネ", "モスクワ"],
    "ko": ["하노이", "카이로", "아테네", "모스크바"],
    "he": ["האנוי", "קהיר", "אתונה", "מוסקבה"],
}
IDS = ["VN", "EG", "GR", "RU"]


def draw(*parts: object) -> float:
    """A number in [0, 1) that depends on nothing but `parts`."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def write_run(
    folder: Path,
    arm: str,
    skill: dict[str, float],
    *,
    items: int = 24,
    questions: dict[str, str] = QUESTIONS,
    missing: float = 0.0,
    stray: str = "",
) -> Path:
    """An evaluation in the languages of `skill`, which says how often the arm is right in each."""
    answers: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for number in range(items):
        right = number % 4
        for language, accuracy in skill.items():
            place = {
                "item": f"capital:{number:03d}",
                "group": f"{IDS[right]}{number // 8}",
                "language": language,
            }
            place["task"] = ("capital", "currency")[number % 2]
            known = draw("known", number, language) * 0.6 + draw(arm, number, language) * 0.4 < accuracy
            # Wrong answers are shared in part, as a model's own bias makes them.
            wrong = (right + 1 + int(3 * draw("wrong", number, arm))) % 4
            chosen = right if known else wrong
            weights = [1 + 6 * draw(arm, number, language, option) for option in range(4)]
            weights[chosen] = 8 + 8 * draw("sure", arm, number, language)
            shares = [weight / sum(weights) / 50 for weight in weights]
            silent = draw("silent", arm, number, language) < missing
            answers.append(
                {
                    **place,
                    "option_ids": IDS,
                    "logprobs": [math.log(share) for share in shares],
                    "tokens": [2, 2, 3, 3],
                    "answer": None if silent else IDS[chosen],
                    "gold": IDS[right],
                }
            )
            question = questions[language].format(COUNTRIES[language][right]) + (stray if number == 0 else "")
            texts.append(
                {
                    **place,
                    "context": "",
                    "question": question,
                    "options": CAPITALS[language],
                    "option_ids": IDS,
                    "answer": IDS[right],
                    "source": "made for a test",
                    "licence": "CC0",
                }
            )
    folder.mkdir(parents=True)
    pyarrow.parquet.write_table(pa.Table.from_pylist(answers), folder / "answers.parquet")
    pyarrow.parquet.write_table(pa.Table.from_pylist(texts), folder / "items.parquet")
    manifest = {
        "stage": "evaluate",
        "fingerprint": "0" * 64,
        "settings": {"arm": arm, "languages": list(skill), "normalise": "none"},
        "inputs": {"benchmark": "1" * 64},
        "outputs": {name: sha256(folder / name) for name in ("answers.parquet", "items.parquet")},
        "counts": {"items": items, "answers": len(answers)},
        "skipped": {"missing_name": 3},
        "versions": {"crossin": "0.1.0"},
        "wall_seconds": 12.5,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def three_arms(
    root: Path, languages: list[str], *, items: int = 24, stray: str = "", missing: float = 0.0
) -> dict[str, Path]:
    """The main job's arms, the last of them the best outside English."""
    skills = {"base model": (0.6, 0.3), "English only": (0.7, 0.4), "CrossIn": (0.7, 0.6)}
    return {
        name: write_run(
            root / name.replace(" ", "-"),
            name,
            {language: english if language == "en" else other for language in languages},
            items=items,
            stray=stray,
            missing=missing,
        )
        for name, (english, other) in skills.items()
    }


def in_wordings(folder: Path, right: dict[str, int]) -> Path:
    """A run of eight questions in two languages, under each wording right in the first so many."""
    write_run(folder, folder.name, {"en": 0.5, "vi": 0.5}, items=8)
    lines = pyarrow.parquet.read_table(folder / "answers.parquet").to_pylist()
    answers = []
    for wording, first in right.items():
        for line in lines:
            wrong = next(option for option in line["option_ids"] if option != line["gold"])
            answer = line["gold"] if int(line["item"][-3:]) < first else wrong
            answers.append({**line, "answer": answer, "prompt": wording})
    pyarrow.parquet.write_table(pa.Table.from_pylist(answers), folder / "answers.parquet")
    return folder
