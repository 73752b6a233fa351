"""A sentence around an answer, in many languages."""

from __future__ import annotations

AROUND = {
    "ar": "الإجابة هي {}.",
    "ca": "La resposta és {}.",
    "de": "Die Antwort ist {}.",
    "el": "Η απάντηση είναι {}.",
    "en": "The answer is {}.",
    "es": "La respuesta es {}.",
    "fa": "پاسخ {} است.",
    "fr": "La réponse est {}.",
    "he": "התשובה היא {}.",
    "hi": "उत्तर {} है।",
    "hu": "A válasz: {}.",
    "ja": "答えは{}です。",
    "ko": "정답은 {}입니다.",
    "nl": "Het antwoord is {}.",
    "ru": "Ответ: {}.",
    "th": "คำตอบคือ{}",
    "tr": "Cevap: {}.",
    "uk": "Відповідь: {}.",
    "vi": "Câu trả lời là {}.",
    "zh": "答案是{}。",
}
