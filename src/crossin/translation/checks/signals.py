"""Signals of a bad translation in its text: copied sentences, repetition, and comments of the model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crossin.translation.reasons import TranslationReason

# A shorter sentence, or one with fewer words in small letters, may be a name or a title.
_LETTERS, _SMALL, _WORDS = 16, 3, 4
_RUN = 12
_LONGEST = 4000
# A loop: the longest phrase, how often it occurs at least, and the characters of all that.
_PHRASE, _TIMES, _LOOP = 120, 4, 24
# Characters of a half of a doubled text, at least.
_HALF = 6
# What models say instead of translating, or before it, in the languages in which they say it.
_REFUSALS = (
    r"\bI(?:'m| am) (?:sorry|unable|not able)\b",
    r"\bI (?:cannot|can't|can not|won't) (?:help|assist|translate|provide|comply|fulfil|do that|answer)",
    r"\bas an AI\b|\bAI language model\b|\blanguage model\b[^.]{0,20}\b(?:cannot|can't|unable)",
    r"对不起，?我(?:不能|无法)|抱歉，?(?:我|但)|很抱歉|我(?:不能|无法)(?:提供|翻译|协助|帮助)|作为(?:一个|一名)?(?:AI|人工智能)",
    r"Xin lỗi, (?:tôi|nhưng)|tôi (?:không thể|xin lỗi)[^.]{0,12}(?:giúp|dịch|hỗ trợ|cung cấp)",
    r"là một (?:AI|mô hình ngôn ngữ)",
    r"[Ll]o siento, (?:pero )?no puedo|como (?:una )?(?:IA|modelo de lenguaje)",
    r"[Jj]e suis désolée?|[Jj]e ne peux pas|en tant qu['’]IA",
    r"Es tut mir leid|[Ii]ch kann (?:dabei )?nicht|als KI\b",
    r"申し訳ありません|できません。?$",
    r"죄송합니다|извините, (?:но )?я не могу|к сожалению, я не могу|maaf, saya tidak|عذرًا،? لا|ขออภัย",
)
_INTRODUCTIONS = (
    r"\b(?:here(?:'s| is)|below is|this is) (?:the|your|a|my)?\s*(?:\w+ ){0,2}translat",
    r"^\W*(?:the )?translat(?:ion|ed text)\b[^\n]{0,30}:",
    r"\btranslated (?:in)?to (?:the )?\w+\W*:",
    r"^\W*(?:以下是|这是|下面是)?(?:中文)?(?:的)?(?:翻译|译文)(?:如下)?[^\n]{0,8}[:：]|以下是[^\n]{0,12}翻译",
    r"^\W*(?:đây là |dưới đây là )?bản dịch[^\n]{0,20}:|dưới đây là bản dịch",
    r"(?:aquí (?:está|tienes)|a continuación)[^\n]{0,20}traducci[oó]n|^\W*traducci[oó]n[^\n]{0,15}:",
    r"voici (?:la|une) traduction|^\W*traduction[^\n]{0,15}:",
    r"hier ist die übersetzung|^\W*übersetzung[^\n]{0,15}:",
    r"翻訳(?:は次|です|:|：)|перевод[^\n]{0,12}:|berikut (?:adalah )?terjemahan|الترجمة:|คำแปล|번역:",
    r"\bnote: (?:the|this|i)\b[^\n]{0,60}translat|\bi (?:have )?translated\b",
)
_REFUSAL = re.compile("|".join(_REFUSALS), re.IGNORECASE | re.MULTILINE)
_INTRODUCTION = re.compile("|".join(_INTRODUCTIONS), re.IGNORECASE | re.MULTILINE)
_SORRY = re.compile(
    r"sorry|apolog|regret|unfortunate|unable|\bcan(?:not|'t|’t)|not able|\bAI\b|language model|\bmachine"
)
_TRANSLATES = re.compile(r"translat", re.IGNORECASE)
# Such words come at the beginning, or at the very end.
_HEAD, _TAIL = 160, 120


def copied_share(source: Sequence[str], target: Sequence[str], same_script: bool) -> float:
    """The share (0..1) of the source's letters in sentences that the target has too.

    1 where all is the same, unless it may be names, which do not change between languages of one script.
    """
    if source == target and _is_text(source, same_script):
        return 1.0
    theirs = {sentence.casefold() for sentence in target}
    letters = [sum(map(str.isalpha, sentence)) for sentence in source]
    same = [
        count
        for sentence, count in zip(source, letters, strict=True)
        if sentence.casefold() in theirs and count >= _LETTERS and _is_prose(sentence)
    ]
    return sum(same) / max(sum(letters), 1)


def _is_text(sentences: Sequence[str], same_script: bool) -> bool:
    words = [word for sentence in sentences for word in sentence.split() if sum(map(str.isalpha, word)) > 1]
    return (not same_script and len(words) >= _WORDS) or any(map(_is_prose, sentences))


def _is_prose(sentence: str) -> bool:
    cased = any(letter.isupper() or letter.islower() for letter in sentence)
    return not cased or sum(word[0].islower() and word.isalpha() for word in sentence.split()) >= _SMALL


def repetition(text: str) -> float:
    """The share of a text's runs of 12 characters that occurred in it before, 0..1; 0 for a short text."""
    text = " ".join(text[:_LONGEST].split())
    runs = len(text) - _RUN + 1
    if runs < _RUN:
        return 0.0
    return 1 - len({text[start : start + _RUN] for start in range(runs)}) / runs


def loops(text: str) -> bool:
    """Whether a text ends with a phrase repeated four times or more, or is one text twice."""
    text = " ".join(text.split())
    return _ends_in_a_loop(text) or _is_twice_the_same(text)


def _ends_in_a_loop(text: str) -> bool:
    for period in range(1, min(_PHRASE, len(text) // _TIMES) + 1):
        # What is periodic is equal to itself one period before; the last phrase may be cut off.
        length = max((_TIMES - 1) * period, _LOOP - period)
        if text[-length:] == text[-length - period : -period] and any(map(str.isalpha, text[-period:])):
            return True
    return False


def _is_twice_the_same(text: str) -> bool:
    half = (len(text) + 1) // 2
    first, second = text[:half].rstrip(), text[-half:].lstrip()
    return len(first) >= _HALF and first == second


def comment_in(source: str, target: str) -> str:
    """`refusal` or `comment` where the target holds a refusal, or a comment about the translation; '' else.
    A source that speaks of such things itself excuses the target.
    """
    shown = target[:_HEAD] + "\n" + target[-_TAIL:]
    for pattern, excuse, reason in (
        (_REFUSAL, _SORRY, TranslationReason.REFUSAL),
        (_INTRODUCTION, _TRANSLATES, TranslationReason.COMMENT),
    ):
        if pattern.search(shown) and not excuse.search(source):
            return reason.value
    return ""
