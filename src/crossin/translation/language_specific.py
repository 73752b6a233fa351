"""Rows that make sense in their own language only: they are about its words, letters and rules.

Translated as plain text they teach nonsense: a grammar exercise whose input is right already, a rhyme that
does not rhyme.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher

from crossin.core.formats import FIELDS
from crossin.core.reasons import Reason
from crossin.translation.protection import PLACEHOLDER, protect


class LanguageSpecific(Reason):
    """Why a row makes sense in its own language only."""

    TRANSLATION_TASK = "translation_task", "a translation task"
    GRAMMAR = "grammar", "about grammar"
    SPELLING = "spelling", "about spelling"
    VERSE = "verse", "about rhyme or verse"
    WORD_PUZZLE = "word_puzzle", "a word puzzle"
    LETTERS = "letters", "about the letters of words"
    WORD_CHOICE = "word_choice", "about the choice of words"
    CORRECTION = "correction", "a text that is corrected"
    CODE_ONLY = "code_only", "code only"


_LANGUAGE = (
    "(?:English|French|Spanish|German|Italian|Chinese|Mandarin|Japanese|Korean|Russian|Arabic|Hindi|Greek|"
    "Portuguese|Latin|Dutch|Swedish|Polish|Turkish|Hebrew|Vietnamese|Thai|Indonesian|Swahili|Esperanto|Gaelic)"
)
_CLASS = (
    "(?:adjective|adverb|noun|pronoun|verb|preposition|conjunction|clause|predicate|modifier|gerund|infinitive|"
    "participle)s?"
)
_FIND = (
    "(?:find|identify|name|underline|list|count|highlight|remove|replace|insert|add|choose|select|circle|give|"
    "determine|locate|mark|change|convert)"
)
_TENSE = "(?:past|present|future|perfect|continuous|progressive)"
# What an instruction in English asks for; the first that fits is the reason.
_RULES = {
    LanguageSpecific.TRANSLATION_TASK: [
        r"\btranslat(?:e|ion|ing)\b",
        rf"\b(?:in|into|to|from) {_LANGUAGE}(?=\s*(?:[.?!:,;\"'”)]|$|to\b|using\b|for\b))",
        rf"\b{_LANGUAGE} (?:word|phrase|sentence|translation|equivalent|expression|name)",
    ],
    LanguageSpecific.GRAMMAR: [
        r"\bgramma(?:r|tical)|\bpunctuat|\bconjugat|\bdouble negative|\bcontractions?\b|\bsubject[- ]verb",
        r"\b(?:in)?correct (?:the )?(?:sentence|verb|usage|form|tense)",
        r"\b(?:passive|active) (?:voice|form|construction)|\bparts? of speech|\bverb tense|\btense of\b",
        rf"\b{_TENSE}(?: {_TENSE}| simple)? (?:tense|form)",
        rf"\b{_FIND}\b[^.?!]{{0,60}}\b{_CLASS}\b",
        r"\b(?:plural|singular|comparative|superlative|possessive) (?:form|of|version|noun)",
        r"\b(?:run-on|fragment|compound|complex) sentence|\b(?:in)?definite article",
        r"\bcapitali[sz](?:e|ed|ing|ation)\b|\bhyphenat|\b(?:first|second|third)[- ]person",
    ],
    LanguageSpecific.SPELLING: [
        r"\bspell(?:ing|ings)?\b|\bspelled (?:word|correctly)|\bmisspel|\btypos?\b|\btypographical",
        r"\bproofread",
    ],
    LanguageSpecific.VERSE: [
        r"\brhym|\bhaiku|\blimerick|\balliterat|\bsonnet|\btongue[- ]twister|\bacrostic|\bcouplet",
        r"\bsyllab|\biambic|\bnursery rhyme|\bassonance|\bonomatopoeia",
    ],
    LanguageSpecific.WORD_PUZZLE: [
        r"\banagram|\bpalindrom|\bcrossword|\bunscrambl|\bscrambled (?:word|letter|sentence)|\bacronym",
        r"\babbreviat",
        r"\bpuns?\b|\bword ?play|\bword game|\bhangman|\bportmanteau|\bpig latin|\bmnemonic|\bmad libs?",
    ],
    LanguageSpecific.LETTERS: [
        r"\bletters? (?:in|from) (?:the|this|a|each)|\bthe letters?\b|\bletter [\"'“‘]?[A-Za-z]\b",
        r"\bvowels?\b|\bconsonants?\b",
        r"\balphabet|\b(?:upper|lower)case|\b(?:upper|lower|title|camel|snake)[- ]case",
        r"\breverse (?:the )?(?:string|word|letters|order of the (?:letters|words|characters))",
        r"\b(?:number of|count the) (?:words|letters|characters)|\bword count\b",
        r"\b(?:begin|start|end)(?:s|ning|ing)? with the (?:letter|same)",
        r"\bwords? (?:that |which )?(?:start|begin|end)",
    ],
    LanguageSpecific.WORD_CHOICE: [
        r"\bsynonyms?\b|\bantonyms?\b|\bhomonyms?\b|\bhomophones?\b|\bhypernym|\bidioms?\b|\betymolog|\bslang\b",
        r"\bprefix|\bsuffix|\bfill in the blank|\bword (?:that|which) means|\bcollocation|\bproverb",
        r"\bpronounc|\bpronunciation|\bphonetic",
    ],
}
_PATTERNS = {reason: re.compile("|".join(rules), re.IGNORECASE) for reason, rules in _RULES.items()}
# Characters of an instruction that are searched; what follows is usually the material.
_HEAD = 400
# A text that comes back with a word or two changed was corrected, which a translation undoes.
_CORRECTS = re.compile(
    r"\b(?:edit|fix|correct|clean up|errors?|mistakes?|parallelism|natural)\b", re.IGNORECASE
)
_NEAR, _LONGEST = 0.8, 600


def language_specific_reason(texts: Mapping[str, str], language: str) -> LanguageSpecific | None:
    """Why a row, its texts by field, is specific to its language; None where it is not.

    The rules read instructions in English. In every language a row is `code_only` that holds no letter
    outside of protected spans.
    """
    prose = [PLACEHOLDER.sub("", protect(texts[field]).text) for field in FIELDS]
    if not any(map(str.isalpha, "".join(prose))):
        return LanguageSpecific.CODE_ONLY
    if language.split("-")[0] != "en":
        return None
    head = texts["instruction"][:_HEAD]
    found = next((reason for reason, pattern in _PATTERNS.items() if pattern.search(head)), None)
    if found is None and _CORRECTS.search(head) and _is_near(*prose[1:]):
        return LanguageSpecific.CORRECTION
    return found


def _is_near(input: str, output: str) -> bool:
    one, other = input.strip()[:_LONGEST], output.strip()[:_LONGEST]
    return bool(one and other) and SequenceMatcher(None, one, other).ratio() > _NEAR
