"""Words about the translation instead of the translation: refusals, apologies, introductions."""

from __future__ import annotations

import re

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
# Such words stand at the beginning, or at the very end.
_HEAD, _TAIL = 160, 120


def remark(source: str, target: str) -> str:
    """`refusal` or `remark about the translation` where the target holds one that answers none of the source;
    '' else. A source that speaks of the like itself excuses the target.
    """
    shown = target[:_HEAD] + "\n" + target[-_TAIL:]
    for pattern, excuse, what in (
        (_REFUSAL, _SORRY, "refusal"),
        (_INTRODUCTION, _TRANSLATES, "remark about the translation"),
    ):
        if pattern.search(shown) and not excuse.search(source):
            return what
    return ""
