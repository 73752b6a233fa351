"""What an instruction in English asks for, by rules: which tasks are about the words of its language.

A row that only names a part of language is as right in every language: "List five adjectives for a castle",
"Explain what a haiku is". The rules therefore look for what is to be *done* with words.
`benchmarks/language_specific.py` says how often they err; run it after a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crossin.core.reasons import Reason


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


# Pieces of rules. `Polish` needs its capital: "polish" is a verb.
_LANGUAGE = (
    r"(?:English|French|Spanish|German|Italian|Chinese|Mandarin|Cantonese|Japanese|Korean|Russian|Arabic|Hindi|"
    r"Bengali|Urdu|Sanskrit|Greek|Portuguese|Latin|Dutch|Swedish|Norwegian|Danish|Finnish|Czech|Hungarian|"
    r"(?-i:Polish)|Turkish|Hebrew|Vietnamese|Thai|Indonesian|Malay|Swahili|Esperanto|Gaelic|Irish|Welsh)"
)
_CLASS = (
    r"(?:(?:adjective|adverb|noun|pronoun|verb|preposition|conjunction|interjection|gerund|infinitive|"
    r"participle)s?\b|(?:direct|indirect) objects?\b|(?:noun|verb|prepositional|adjective|adverb) phrases?\b|"
    r"(?:subordinate|dependent|independent|relative|noun|adjective|adverb) clauses?\b)"
)
_NAMED_CLASS = r"(?:noun|verb|adjective|adverb)s?"
_TEXT = (
    r"(?:sentence|phrase|word|text|paragraph|passage|statement|string|expression|article|document|essay)s?"
)
THIS = r"(?:(?:the|this|that|these|those|a|an|any|each|every|all|given|following|provided|below|input) )*"
_TENSE = r"(?:past|present|future|perfect|continuous|progressive|simple)"
_FORM = r"(?:haikus?|limericks?|sonnets?(?! \d)|tongue[- ]twisters?|acrostics?|couplets?|villanelles?)"
_QUOTE = "[\"'“‘]"
# What is done *to* given words. "List" and "give" are not here: "Give five adjectives that describe a cat".
_FIND = (
    r"(?:find|identify|locate|underline|highlight|circle|mark|spot|detect|pick out|extract|count|remove|"
    r"delete|replace|change|convert|transform|substitute|swap)"
)
_SORT = r"(?:classify|categori[sz]e|label|tag|sort|group|assign|separate the)"
_CHOOSE = r"(?:choose|select|pick|insert|use|fill in|supply|add|determine|provide|circle)"
_CORRECT = (
    r"(?:correct|check|fix|edit|errors?|mistakes?|proper|rewrite|revise|incorrect|adjust|improve|parse)"
)
_MAKE = (
    r"(?:write|compose|create|generate|make|produce|craft|construct|come up with|give|provide|design|turn|"
    r"transform|convert|rewrite|rephrase|edit|complete|finish|form|find|develop|tell|devise|invent|think of|"
    r"add|put|restructure|show|suggest|share|recite)"
)
# What may stand between "write" and "haiku": a text about a form is not one in that form.
_ABOUT = r"\b(?:essay|article|report|history|guide|lesson|explanation|description|analysis|theme|author)\b"
_OF_THIS_FORM = rf"(?:(?!{_ABOUT})[^.?!])"
# The rest of the sentence, up to so many characters.
_20, _30, _40, _60, _80, _100 = (rf"[^.?!]{{0,{size}}}" for size in (20, 30, 40, 60, 80, 100))
_ANY_30, _ANY_40, _ANY_50, _ANY_60, _ANY_100 = (rf".{{0,{size}}}" for size in (30, 40, 50, 60, 100))

# The first that fits is the reason.
_RULES: Mapping[LanguageSpecific, Iterable[str]] = {
    LanguageSpecific.TRANSLATION_TASK: (
        # With a language: not "translate the graph" or "how mRNA translation works".
        rf"\btranslat\w*\b.{{0,200}}?\b(?:in|into|to|from|for)(?: the)? {_LANGUAGE}\b",
        rf"\b{_LANGUAGE} translation\b",
        rf"\btranslat\w* {_ANY_100}\b(?:foreign|another|other|different|target|given|native|second) language",
        rf"\btranslat\w* {_ANY_60}\blanguage of your",
        # Of words, and not into code, symbols or another style.
        rf"\btranslat(?:e|ing|ion of) {THIS}(?:[\w-]+ )?{_TEXT}\b(?!.*\b(?:in)?to\b)",
        r"\btranslate [\"'“‘][^\"'”’]*[\"'”’](?! (?:in)?to\b)",
        r"\btransliterat",
        # "In Spanish.", "into Thai using …", but not "in Italian cooking".
        rf"\b(?:in|into|to) {_LANGUAGE}(?=\s*(?:[.?!:,;\"'”)]|$|to\b|using\b|for\b))",
        rf"\bfrom {_LANGUAGE} to\b",
        rf"\b{_LANGUAGE} (?:word|phrase|sentence|equivalent|expression|verb|noun|alphabet)s?\b",
        # Which language is this? Not which one a country speaks or programmers use.
        rf"\b(?:identify|detect|determine|recogni[sz]e|guess)\b{_ANY_30}(?<!programming )(?<!figurative )"
        rf"\blanguage(?: is| it| (?:of )?(?:the|this) (?:text|sentence|phrase)|\.|$)",
    ),
    LanguageSpecific.GRAMMAR: (
        # Of given words; "what is grammar?" and "a grammar school" are not.
        rf"\b{_CORRECT}\w*\b{_ANY_60}\bgramma(?:r|tical)",
        rf"\bgramma(?:r|tical)(?:ly)?\b{_ANY_40}\b(?:correct|incorrect|error|mistake|accura|issue|wrong)",
        rf"\bgramma(?:r|tical)(?:ly)?\b{_ANY_40}\bcheck(?!er)",
        r"\bgrammar rules? (?:for|of|in)\b|\bfor (?:\w+ and |its )?grammar\b",
        r"\b(?:use of|good|poor) grammar\b",
        r"\bungrammatical|\bgrammatical(?:ly)?$",
        # "A semantically correct sentence" is new, not given.
        rf"(?<!ly )\b(?:correct|incorrect|fix) {THIS}(?:sentence|verb|usage|tense|pronoun|preposition)s?\b",
        r"\b(?:correct|appropriate|proper|right) (?:verb |past |plural )?"
        r"(?:form(?! of gov)|tense|conjugation)\b",
        r"\bdouble negative|\bsubject[- ]verb|\bparallel (?:form|structure)",
        # Punctuation and capitals; not "punctuated equilibrium" or "capitalize on a market".
        r"\bpunctuate\b|\bpunctuation (?:errors?|mistakes?|(?:to|in|from) the)\b",
        rf"\b(?:{_CORRECT}|{_CHOOSE}|{_FIND})\w*\b{_ANY_50}\bpunctuations?\b",
        rf"\b(?:what|which|missing|appropriate|without|necessary)\w*\b{_ANY_50}\bpunctuations?\b",
        rf"\b(?:comma|semicolon|apostrophe|hyphen)s?\b{_ANY_60}\bsentence|\bhyphenate",
        rf"\bsentence{_ANY_60}\b(?:comma|semicolon)s?\b",
        r"\bcapitali[sz](?:e|ing)\b(?! on)|\bcapitali[sz]ed? (?:letter|word)",
        rf"\bcapitali[sz]ation (?:error|mistake|rule)|\b(?:correct|proper|fix|add)\w*\b{_ANY_30}"
        r"\bcapitali[sz]ation",
        # Contractions of words, not of muscles.
        r"\b(?:into|using|use|with|without|form|expand|remove|replace|include|use of|avoid) "
        rf"(?:the |a |any |all )*contractions?\b|\bcontractions? (?:of|for) {_QUOTE}",
        # Voice and tense.
        r"\b(?:passive|active) voice\b|\bpassive (?:form|construction|sentence)",
        rf"\b{_TENSE}(?:[ -]{_TENSE})*[ -]tense|\bverb tense|\btense of the\b|\bsimple (?:past|present)\b",
        r"\b(?:past|present) (?:participle|continuous|progressive)",
        r"\b(?:past|present|future) perfect\b(?! for)",
        rf"\b(?:changes?|identify|determine|convert|switch|shift|different|another)\b{_ANY_40}\btenses?\b",
        rf"\bconjugat(?:e|ion|ions|ing)\b{_ANY_40}\bverb|\bverb{_ANY_30}\bconjugat|\bconjugate {_QUOTE}",
        # Parts of speech of given words; not "two adjectives that describe him".
        r"\bparts?[- ]of[- ]speech\b|\bsubject(?:,| and) (?:the )?(?:verb|pred)",
        rf"\b{_FIND}\b(?: \w+){{0,6}}? (?:the|all|any|each|every|which)\b"
        rf"(?:(?!suitable|appropriate)[^.?!]){{0,40}}\b{_CLASS}"
        r"(?! (?:to|that|which) (?:best |could )?(?:describ|match|fit))",
        rf"\b(?:what|which) (?:is|are|word\w*|of)\b{_40}\b{_CLASS} (?:in|of|from|for)\b",
        rf"\b{_SORT}\b{_80}\b{_CLASS}",
        rf"\b(?:type of|list (?:all|out|of)(?: of)? the|all the|(?:is|are|as) (?:a|an|either)) {_CLASS}",
        rf"\b(?:is|as|into|whether|either|type of word)\b{_ANY_30}\b{_NAMED_CLASS}(?:,| or) (?:an? |or )?"
        rf"{_NAMED_CLASS}\b",
        rf"\b{_CLASS} (?:in|from) (?:the|this|these|each) (?:following |given )?{_TEXT}",
        rf"\b{_CHOOSE}\b{_30}\b(?:correct|proper)\b{_20}\bverbs?\b",
        rf"\b{_CHOOSE}\b{_30}\b(?:correct|appropriate|proper|right|missing)\b{_20}"
        r"\b(?:pronoun|preposition|conjunction|article)s?\b|\b(?:in)?definite article\b",
        # Forms of words.
        r"\b(?:plural|singular|comparative|superlative|possessive|noun|verb|adverb|adjective) "
        r"(?:form|version)\b",
        r"\birregular (?:verb|noun|plural)s?\b|\bplural of\b|\bplurali[sz]|\bpossessive noun",
        # Kinds of sentences.
        r"\brun-on|\bsentence fragment|\bfragment(?:ed)? sentence",
        rf"\b(?:{_SORT}|identify|determine|which)\b{_60}\b(?:compound|complex) sentence",
        rf"\bsentences?\b{_ANY_60}\b(?:simple|compound)\b.{{0,20}}\b(?:compound|complex)\b",
        # The order of words.
        rf"\b(?:re-?)?(?:arrange|order|organi[sz]e)\b{_40}\bwords?\b{_40}\b(?:sentence|phrase|question)",
        r"\bword order\b|\bwords (?:in|into) the (?:correct|right) order",
        r"\bjumbled (?:up )?(?:word|letter|sentence)",
    ),
    LanguageSpecific.SPELLING: (
        r"\bmisspel|\bspelled\b|\bspellings?\b(?! (?:bee|contest|competition|checker))",
        # Not a magic or a dry spell.
        r"(?<!\ba )(?<!\bthe )\bspell (?:out )?"
        rf"(?:the (?:following |given )?(?:word|name|phrase)|this|these|{_QUOTE})",
        r"\btypos?\b(?!-?squat)|\b(?:typographical|orthographic(?:al)?) (?:error|mistake)",
        rf"(?<!way to )(?<!how to )\bproofread (?:and \w+ )?{THIS}(?:{_TEXT}|email|letter)\b",
    ),
    LanguageSpecific.VERSE: (
        rf"\b{_MAKE}\b{_OF_THIS_FORM}{{0,100}}\b{_FORM}",
        rf"\b(?:into|as|in the (?:form|style) of) an? (?:\w+ )?{_FORM}|\bin haiku (?:form|style)",
        r"(?<!non-)(?<!non)(?<!nursery )\brhym(?:e|es|ed|ing)\b",
        rf"\b{_MAKE}\b{_OF_THIS_FORM}{{0,60}}\bnursery rhyme",
        r"\balliterat|\bsyllable|\biambic|\bassonance|\bonomatopoe",
    ),
    LanguageSpecific.WORD_PUZZLE: (
        # Not palindromic numbers or sequences in DNA.
        r"\banagrams?\b|\bpalindromes?\b|\bpalindromic (?:word|phrase|sentence)|\bportmanteau|\bpig latin",
        r"\bunscrambl|\bscrambled (?:word|letter|sentence)",
        # The letters stand for words.
        r"\bacronym|\babbreviat(?:e|ion (?:of|for))\b",
        rf"\b{_MAKE}\b{_OF_THIS_FORM}{{0,60}}\b(?:crossword puzzle|mnemonic)",
        r"\bpuns?\b|\bword ?play|\bplay on words|\bcompound words?\b",
        rf"\b(?:combin|join|merg|blend)\w+ (?:the )?(?:two |these |following |given )*words?\b{_ANY_30}"
        r"\b(?:new|one|single) (?:word|one|term)\b",
    ),
    LanguageSpecific.LETTERS: (
        # Not the letters that are sent, nor the characters of a play.
        r"\bletters? (?:in|of) (?:the|this|each) (?:word|phrase|name|sentence|string|alphabet)",
        r"\bletter [\"'“‘][A-Za-z][\"'”’]|\bletter (?-i:[A-HJ-Z])\b",
        r"\bletters? (?:to|and) (?:make|form|create)\b",
        r"\b(?:list of|following|these|given) letters\b(?! (?:from|to|of|sent|written))",
        r"\bvowels?\b|\bconsonants?\b|\bsilent letter",
        r"\balphabet(?:s\b|\b(?! inc| soup|'s)|ic|i[sz])",
        r"\b(?:upper|lower|title|camel|snake|sentence)[- ]?case\b|\b(?:all caps|capital letters)\b",
        r"\breverse (?:the )?(?:string|word|letters|order of the (?:letters|words|characters))",
        r"\b(?:how many|count|number of) (?:the )?(?:number of )?(?:words|letters) (?:are |is )?"
        r"(?:there )?(?:in|of)\b",
        r"\b(?:how many|count|number of) (?:the )?(?:number of )?characters (?:are |is )?(?:in|of) "
        rf"{THIS}(?:\w+ )?(?:{_TEXT}|{_QUOTE})",
        r"\bword count (?:of|for|in)\b|\boutput the word count|\bcount the words",
        r"\b(?:start|begin|end)(?:s|ning|ing)? (?:with|in) "
        r"(?:the (?:same )?(?:letter|sound)|[\"'“‘][A-Za-z][\"'”’]|(?-i:[B-HJ-Z])(?=[.?!,]|$| and ))",
        r"\b(?:longest|shortest) word|\b\d(?:st|nd|rd|th) word\b",
        r"\bmost (?:common|frequent) letter|\bmost frequent(?:ly used)? words?\b",
        r"\bmost (?:common|frequent)(?:ly)? (?:used )?words? (?:used )?in\b",
    ),
    LanguageSpecific.WORD_CHOICE: (
        r"\b(?:syn|ant|hom)onyms?\b|\bhomophones?\b|\bhypernym|\bhyponym|\bcollocation",
        # An idiom means something else than its words. A proverb is understood anywhere: only its wording,
        # which one completes, is the language's.
        r"\bidioms?\b|\bidiomatic (?:expression|phrase)",
        rf"\b(?:complete|finish|fill|missing)\b{_ANY_60}\b(?:proverb|saying)",
        r"\betymolog(?:y|ies)\b|\bslang (?:term|word|phrase|expression|version)|\b(?:in)?to slang",
        # Of words, not of telephone numbers.
        rf"\b(?:prefix|suffix)(?:es)?\b{_ANY_60}\b(?:word|meaning|noun|verb|adjective)",
        rf"\bword{_ANY_60}\b(?:prefix|suffix)",
        rf"\b(?:prefix|suffix)(?:es)? (?:{_QUOTE}|-)|[\"'”’-] (?:prefix|suffix)",
        rf"\bwords? (?:that|which) means?\b|\b(?:what|find|give|name|provide)\b{_ANY_40}\bword for an?\b",
        r"\bpronounce\b|\bpronunciation|\bphonetic (?:spell|transcri|alphabet)",
    ),
}
# Tasks that stay right in every language whatever they say about words.
_OTHER_TASKS = (
    # Programs, passwords, numbers.
    r"\b(?:write|create|develop|design|build|generate|implement|construct|make|modify)\b.{0,60}"
    r"\b(?:function|program|script|algorithm|reg(?:ular )?exp(?:ression)?s?|regex|query|code|class|method|"
    r"app|application|software|chatbot|word cloud|command to)\b",
    r"\b(?:passwords?|passcode|python|javascript|java|c\+\+|sql|php|palindrome number|integer)\b",
    # A text of some length or tense, or a sentence that is merely correct.
    r"\b(?:reduce|decrease|increase|limit|shorten)\b.{0,30}\bword count",
    r"\b(?:write|compose|create|generate|tell)\b.{0,40}\b(?:story|essay|paragraph|article|narrative|account|"
    r"letter)\b.{0,60}\btense\b",
    r"\b(?:create|generate|construct|complete|append)\b.{0,60}\bgrammatically correct\b",
)
# Knowledge about language: "Explain what a palindrome is", "Why is grammar important?"
_KNOWLEDGE = (
    r"^\W*(?:please )?(?:what (?:is|are)|define|explain what|state the definition of) "
    r"(?:the term |meant by )?(?:an? )?[\w-]+(?: [\w-]+)?(?: is| are| means)?\W*$",
    r"^\W*(?:please )?(?:explain|describe|discuss|outline|summari[sz]e|list|name)\b.{0,20}\b"
    r"(?:how|why|history|importance|role|purpose|concept|benefits?|origins?|form|structure|features|characteristics|process|"
    r"evolution)\b",
    r"^\W*(?:please )?(?:why|how) (?:do|does|did|can|is|are|should)\b"
    r"(?! (?:you|i|we) (?:say|spell|pronounce|write))",
    r"\b(?:importance|important|history|benefits?|advantages|evolution|popularity) (?:of|to|in|for)\b",
)
# Without any of these an instruction has no words to work on.
_GIVEN_WORDS = r"[\"“‘]|(?<!\w)'|\b(?:sentences?|words?|phrases?|letters?|lines?|text)\b"


def any_of(rules: Iterable[str]) -> re.Pattern[str]:
    """One pattern of several, without regard to case."""
    return re.compile("|".join(rules), re.IGNORECASE)


_PATTERNS = {reason: any_of(rules) for reason, rules in _RULES.items()}
_IS_OTHER_TASK, _IS_KNOWLEDGE, _HAS_GIVEN_WORDS = map(any_of, (_OTHER_TASKS, _KNOWLEDGE, [_GIVEN_WORDS]))
# Characters of an instruction that are searched; what follows is usually the material.
_HEAD = 400
# Long quotations are material too: a paragraph to summarize may speak of synonyms.
_QUOTATION = re.compile(r"[\"“][^\"“”]{60,}[\"”]")


def head_of(instruction: str) -> str:
    """The part of an instruction that says what to do."""
    return _QUOTATION.sub('"…"', instruction[:_HEAD])


def is_other_task(head: str, input: str) -> bool:
    """Whether a task is none about given words, although it may speak of words."""
    if _IS_OTHER_TASK.search(head):
        return True
    return bool(not input and _IS_KNOWLEDGE.search(head) and not _HAS_GIVEN_WORDS.search(head))


def asked_for(head: str) -> LanguageSpecific | None:
    """What an instruction asks for, if that is about words."""
    return next((reason for reason, pattern in _PATTERNS.items() if pattern.search(head)), None)
