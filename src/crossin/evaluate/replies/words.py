"""Words by which replies say that an answer, an option or another question follows, by language."""

from __future__ import annotations

import re
import unicodedata

from crossin.evaluate.replies.texts import script

# Scripts whose words stand apart; others put words together, or prefixes onto them.
_APART = {"LATIN", "CYRILLIC", "GREEK"}

ANSWER = {
    "ar": ("إجابة", "الإجابة", "جواب", "الجواب"),
    "bg": ("отговор", "отговорът"),
    "bn": ("উত্তর",),
    "cs": ("odpověď", "odpovědí"),
    "da": ("svar", "svaret"),
    "de": ("antwort", "lösung"),
    "el": ("απάντηση", "απάντησή"),
    "en": ("answer", "i choose", "i select", "i pick", "boxed"),
    "es": ("respuesta", "contestación"),
    "et": ("vastus",),
    "fa": ("پاسخ",),
    "fi": ("vastaus", "vastaukseni"),
    "fil": ("sagot", "kasagutan"),
    "fr": ("réponse", "reponse"),
    "he": ("תשובה", "התשובה"),
    "hi": ("उत्तर", "जवाब"),
    "hu": ("válasz", "válaszom", "megoldás"),
    "hy": ("պատասխան",),
    "id": ("jawaban", "jawabannya"),
    "it": ("risposta",),
    "ja": ("答え", "解答", "正解", "回答"),
    "ka": ("პასუხი",),
    "ko": ("정답", "답"),
    "lt": ("atsakymas",),
    "lv": ("atbilde",),
    "ms": ("jawapan", "jawapannya"),
    "nl": ("antwoord",),
    "pl": ("odpowiedź", "odpowiedzią"),
    "pt": ("resposta",),
    "ro": ("răspuns", "răspunsul"),
    "ru": ("ответ",),
    "sw": ("jibu",),
    "ta": ("பதில்", "விடை"),
    "th": ("คำตอบ", "ตอบ"),
    "tr": ("cevap", "cevabı", "cevabım", "yanıt", "yanıtı"),
    "uk": ("відповідь",),
    "vi": ("trả lời", "đáp án"),
    "zh": ("答案", "选择", "選擇", "答"),
}
OPTION = {
    "ar": ("الخيار", "خيار"),
    "bn": ("বিকল্প",),
    "cs": ("možnost",),
    "de": ("option", "möglichkeit", "auswahl"),
    "el": ("επιλογή",),
    "en": ("option", "choice", "alternative"),
    "es": ("opción", "alternativa", "inciso", "literal"),
    "fa": ("گزینه",),
    "fi": ("vaihtoehto",),
    "fil": ("opsyon", "pagpipilian", "titik"),
    "fr": ("option", "choix", "proposition"),
    "he": ("אפשרות",),
    "hi": ("विकल्प",),
    "hu": ("opció",),
    "id": ("opsi", "pilihan"),
    "it": ("opzione", "scelta"),
    "ja": ("選択肢",),
    "ko": ("선택지", "보기"),
    "ms": ("pilihan",),
    "nl": ("optie", "keuze"),
    "pl": ("opcja", "wariant"),
    "pt": ("opção", "alternativa"),
    "ro": ("opțiunea", "varianta"),
    "ru": ("вариант",),
    "sv": ("alternativ",),
    "th": ("ตัวเลือก", "ข้อ"),
    "tr": ("seçenek", "seçeneği", "şık"),
    "uk": ("варіант",),
    "vi": ("lựa chọn", "phương án", "tùy chọn"),
    "zh": ("选项", "選項", "选", "選"),
}
# Between a word for the answer and a label they say which one it is not.
NOT = {
    "ar": ("ليس", "ليست", "خطأ", "خاطئة"),
    "de": ("nicht", "kein", "falsch"),
    "el": ("δεν", "λάθος"),
    "en": ("not", "isn't", "neither", "wrong", "incorrect", "than"),
    "es": ("no", "incorrecta"),
    "fil": ("hindi", "mali"),
    "fr": ("pas", "incorrecte", "fausse"),
    "hi": ("नहीं", "गलत"),
    "id": ("bukan", "tidak", "salah"),
    "it": ("non", "sbagliata"),
    "ja": ("ではない", "間違い"),
    "ko": ("아닌", "틀린"),
    "ms": ("bukan", "tidak", "salah"),
    "pt": ("não", "incorreta", "errada"),
    "ro": ("nu", "greșit"),
    "ru": ("не", "неправильный", "неверный"),
    "th": ("ไม่", "ผิด"),
    "tr": ("değil", "yanlış"),
    "vi": ("không", "sai"),
    "zh": ("不是", "并非", "错误", "錯誤", "不正确"),
}
# Two labels with one of these between them are no choice.
AND_OR = {
    "ar": ("أو", "و"),
    "de": ("und", "oder"),
    "el": ("και", "ή"),
    "en": ("and", "or"),
    "es": ("y", "o"),
    "fil": ("at", "o"),
    "fr": ("et", "ou"),
    "hi": ("और", "या"),
    "id": ("dan", "atau"),
    "it": ("e", "o"),
    "ja": ("と", "または"),
    "ko": ("와", "과", "또는"),
    "pt": ("e", "ou"),
    "ro": ("și", "sau"),
    "ru": ("и", "или"),
    "th": ("และ", "หรือ"),
    "tr": ("ve", "veya"),
    "vi": ("và", "hoặc"),
    "zh": ("和", "或", "与", "與"),
}
QUESTION = {
    "ar": ("سؤال", "السؤال"),
    "bn": ("প্রশ্ন",),
    "cs": ("otázka",),
    "de": ("frage",),
    "el": ("ερώτηση",),
    "en": ("question", "q", "user", "human"),
    "es": ("pregunta",),
    "fa": ("پرسش",),
    "fil": ("tanong",),
    "fr": ("question",),
    "he": ("שאלה",),
    "hi": ("प्रश्न", "सवाल"),
    "hu": ("kérdés",),
    "id": ("pertanyaan",),
    "it": ("domanda",),
    "ja": ("質問", "問題"),
    "ko": ("질문", "문제"),
    "ms": ("soalan",),
    "nl": ("vraag",),
    "pl": ("pytanie",),
    "pt": ("pergunta", "questão"),
    "ro": ("întrebare",),
    "ru": ("вопрос",),
    "sv": ("fråga",),
    "sw": ("swali",),
    "ta": ("கேள்வி",),
    "th": ("คำถาม",),
    "tr": ("soru",),
    "uk": ("питання",),
    "vi": ("câu hỏi",),
    "zh": ("问题", "問題"),
}


def any_of(words: dict[str, tuple[str, ...]]) -> str:
    """A pattern that finds any of these words in NFKC text, the longest first."""
    letter = r"[^\W\d_]"
    patterns = []
    alone = {unicodedata.normalize("NFKC", word) for language in words.values() for word in language}
    for word in sorted(alone, key=lambda word: (-len(word), word)):
        apart = script(word[0]) in _APART
        patterns.append(f"(?<!{letter}){re.escape(word)}(?!{letter})" if apart else re.escape(word))
    return f"(?:{'|'.join(patterns)})"
