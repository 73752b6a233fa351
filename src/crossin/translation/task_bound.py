"""Rows that make sense in their own language only: what they ask is about its words, letters and rules.

Translated as plain text they teach nonsense: a grammar exercise whose input is right already, a rhyme that
does not rhyme.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from crossin.translation.protect import protect

_PLACEHOLDER = re.compile(r"⟦\d+⟧")
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
# What an instruction in English asks for, in the order in which it is told.
_RULES = {
    "translation task": [
        r"\btranslat(?:e|ion|ing)\b",
        rf"\b(?:in|into|to|from) {_LANGUAGE}(?=\s*(?:[.?!:,;\"'”)]|$|to\b|using\b|for\b))",
        rf"\b{_LANGUAGE} (?:word|phrase|sentence|translation|equivalent|expression|name)",
    ],
    "grammar": [
        r"\bgramma(?:r|tical)|\bpunctuat|\bconjugat|\bdouble negative|\bcontractions?\b|\bsubject[- ]verb",
        r"\b(?:in)?correct (?:the )?(?:sentence|verb|usage|form|tense)",
        r"\b(?:passive|active) (?:voice|form|construction)|\bparts? of speech|\bverb tense|\btense of\b",
        rf"\b{_TENSE}(?: {_TENSE}| simple)? (?:tense|form)",
        rf"\b{_FIND}\b[^.?!]{{0,60}}\b{_CLASS}\b",
        r"\b(?:plural|singular|comparative|superlative|possessive) (?:form|of|version|noun)",
        r"\b(?:run-on|fragment|compound|complex) sentence|\b(?:in)?definite article",
        r"\bcapitali[sz](?:e|ed|ing|ation)\b|\bhyphenat|\b(?:first|second|third)[- ]person",
    ],
    "spelling": [
        r"\bspell(?:ing|ings)?\b|\bspelled (?:word|correctly)|\bmisspel|\btypos?\b|\btypographical",
        r"\bproofread",
    ],
    "rhyme or verse": [
        r"\brhym|\bhaiku|\blimerick|\balliterat|\bsonnet|\btongue[- ]twister|\bacrostic|\bcouplet",
        r"\bsyllab|\biambic|\bnursery rhyme|\bassonance|\bonomatopoeia",
    ],
    "word puzzle": [
        r"\banagram|\bpalindrom|\bcrossword|\bunscrambl|\bscrambled (?:word|letter|sentence)|\bacronym",
        r"\babbreviat",
        r"\bpuns?\b|\bword ?play|\bword game|\bhangman|\bportmanteau|\bpig latin|\bmnemonic|\bmad libs?",
    ],
    "letters of words": [
        r"\bletters? (?:in|from) (?:the|this|a|each)|\bthe letters?\b|\bletter [\"'“‘]?[A-Za-z]\b",
        r"\bvowels?\b|\bconsonants?\b",
        r"\balphabet|\b(?:upper|lower)case|\b(?:upper|lower|title|camel|snake)[- ]case",
        r"\breverse (?:the )?(?:string|word|letters|order of the (?:letters|words|characters))",
        r"\b(?:number of|count the) (?:words|letters|characters)|\bword count\b",
        r"\b(?:begin|start|end)(?:s|ning|ing)? with the (?:letter|same)",
        r"\bwords? (?:that |which )?(?:start|begin|end)",
    ],
    "word choice": [
        r"\bsynonyms?\b|\bantonyms?\b|\bhomonyms?\b|\bhomophones?\b|\bhypernym|\bidioms?\b|\betymolog|\bslang\b",
        r"\bprefix|\bsuffix|\bfill in the blank|\bword (?:that|which) means|\bcollocation|\bproverb",
        r"\bpronounc|\bpronunciation|\bphonetic",
    ],
}
_PATTERNS = {reason: re.compile("|".join(rules), re.IGNORECASE) for reason, rules in _RULES.items()}
# More than this stands before the question itself.
_HEAD = 400
# A text that comes back with a word or two changed was corrected, which a translation undoes.
_CORRECTS = re.compile(
    r"\b(?:edit|fix|correct|clean up|errors?|mistakes?|parallelism|natural)\b", re.IGNORECASE
)
_NEAR, _LONGEST = 0.8, 600


def bound(instruction: str, input: str, output: str, language: str) -> str:
    """Why a row is bound to its language, or '' where it is not.

    The rules read an instruction in English. In every language a row is `code only` that holds no letter
    outside what is protected.
    """
    texts = [_PLACEHOLDER.sub("", protect(text).text) for text in (instruction, input, output)]
    if not any(map(str.isalpha, "".join(texts))):
        return "code only"
    if language.split("-")[0] != "en":
        return ""
    head = instruction[:_HEAD]
    found = next((reason for reason, pattern in _PATTERNS.items() if pattern.search(head)), "")
    if not found and _CORRECTS.search(head) and _is_near(*texts[1:]):
        return "correction"
    return found


def _is_near(input: str, output: str) -> bool:
    one, other = input.strip()[:_LONGEST], output.strip()[:_LONGEST]
    return bool(one and other) and SequenceMatcher(None, one, other).ratio() > _NEAR
