"""A small XQuAD of our own: two articles in English, German and Turkish, in the form of SQuAD."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

LANGUAGES = ["de", "en", "tr"]
# By article and paragraph: the id, then question and answer in English, German and Turkish. The answers stand
# in the paragraph in this order, each a sentence of its own.
_ARTICLES: dict[str, list[list[tuple[str, ...]]]] = {
    "Harbour": [
        [
            ("h1", "How many ships lie in the harbour?", "forty", "Wie viele Schiffe liegen im Hafen?",
             "vierzig", "Limanda kaç gemi var?", "kırk"),
            ("h2", "How many cranes does it have?", "four", "Wie viele Kräne hat er?", "vier",
             "Kaç vinci var?", "dört"),
            ("h3", "How many sailors live there?", "nine hundred", "Wie viele Seeleute leben dort?",
             "neunhundert", "Orada kaç denizci yaşıyor?", "dokuz yüz"),
            ("h4", "How many gates are open?", "seven", "Wie viele Tore sind offen?", "sieben",
             "Kaç kapı açık?", "yedi"),
            ("h5", "How many boats sank?", "twelve", "Wie viele Boote sanken?", "zwölf",
             "Kaç tekne battı?", "on iki"),
        ],
        [
            ("h6", "Who built the pier?", "Ada Bloom", "Wer baute den Pier?", "Ada Bloom",
             "İskeleyi kim yaptı?", "Ada Bloom"),
            ("h7", "Who paid for the pier?", "Otto Crane", "Wer bezahlte den Pier?", "Otto Crane",
             "İskelenin parasını kim verdi?", "Otto Crane"),
            ("h8", "Why was the pier closed?", "because of the storms", "Warum wurde der Pier geschlossen?",
             "wegen der Stürme", "İskele neden kapandı?", "fırtınalar yüzünden"),
        ],
    ],
    "Bakery": [
        [
            ("b1", "What does the baker sell?", "rye bread", "Was verkauft der Bäcker?", "Roggenbrot",
             "Fırıncı ne satar?", "çavdar ekmeği"),
            ("b2", "What does the baker drink?", "cold milk", "Was trinkt der Bäcker?", "kalte Milch",
             "Fırıncı ne içer?", "soğuk süt"),
        ],
    ],
}  # fmt: skip


def small_xquad() -> dict[str, dict[str, Any]]:
    """The content of each language's file."""
    return {
        language: {
            "version": "1",
            "data": [
                {"title": title, "paragraphs": [_paragraph(asked, place) for asked in paragraphs]}
                for title, paragraphs in _ARTICLES.items()
            ],
        }
        for place, language in enumerate(("en", "de", "tr"))
    }


def _paragraph(asked: list[tuple[str, ...]], place: int) -> dict[str, Any]:
    context, questions = "", []
    for key, *texts in asked:
        question, answer = texts[2 * place : 2 * place + 2]
        questions.append(
            {
                "id": key,
                "question": question,
                "answers": [{"text": answer, "answer_start": len(context) + 3}],
            }
        )
        context += f"X: {answer}. "
    return {"context": context.strip(), "qas": questions}


def write_xquad(folder: Path, content: dict[str, dict[str, Any]] | None = None) -> Path:
    """Write the files; the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for language, value in (content or small_xquad()).items():
        (folder / f"xquad.{language}.json").write_text(json.dumps(value), encoding="utf-8")
    return folder


def changed(language: str, change: Any) -> dict[str, dict[str, Any]]:
    """The content of all files after `change` was called with that of one."""
    content = deepcopy(small_xquad())
    change(content[language]["data"])
    return content
