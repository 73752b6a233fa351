"""Small parallel sentences, made for these tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

SENTENCES = {
    "en": [
        "The capital of Peru is Lima.",
        "Which currency do people use in Japan?",
        "Winter is cold.",
        "Brazil lies in South America, and its language is Portuguese.",
        "Two and two make four.",
        "The moon shines over the river tonight.",
    ],
    "es": [
        "La capital de Perú es Lima.",
        "¿Qué moneda usa la gente en Japón?",
        "El invierno es frío.",
        "Brasil está en América del Sur y su lengua es el portugués.",
        "Dos y dos son cuatro.",
        "La luna brilla esta noche sobre el río.",
    ],
    "vi": [
        "Thủ đô của Peru là Lima.",
        "Người ta dùng tiền gì ở Nhật Bản?",
        "Mùa đông lạnh.",
        "Brazil nằm ở Nam Mỹ và ngôn ngữ của nó là tiếng Bồ Đào Nha.",
        "Hai cộng hai bằng bốn.",
        "Đêm nay trăng sáng trên dòng sông.",
    ],
}


def write_texts(folder: Path, sentences: Mapping[str, Sequence[str]] = SENTENCES) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for language, lines in sentences.items():
        (folder / f"{language}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def write_json_lines(path: Path, lines: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def long_lines(sentences: Mapping[str, Sequence[str]] = SENTENCES) -> list[dict[str, str]]:
    return [
        {"item": f"s{number}", "language": language, "text": text}
        for language, texts in sentences.items()
        for number, text in enumerate(texts)
    ]
