"""Language fidelity: whether a reply is in the language that was asked for.

After the Language Confusion Benchmark (Marchisio et al., 2024, arXiv 2406.20052), whose line-level pass rate
is the share of replies with every line in the language asked, and whose word-level pass rate is the share of
replies in another script without an English word. Here one figure goes by lines, and foreign words count by
their share of a line. Many answers are one name, so the share of undecided replies is reported too.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from crossin.core.extras import require
from crossin.languages.codes import script_of
from crossin.languages.detection import RIGHT, UNDECIDED, WRONG, can_judge, verdict
from crossin.languages.normalisation import tokens
from crossin.metrics.families import Family, mean_family, observed
from crossin.metrics.table import Floats, Integers
from crossin.metrics.texts import TextTable, Words

ABSENT = -2
# Undecided, but a right name in the language asked.
SHARED = -3

# Of the tables in use: they take longer than all other figures of free text, and a page asks for them again.
_verdicts: WeakKeyDictionary[TextTable, Integers] = WeakKeyDictionary()

# The languages of the Language Confusion Benchmark: what models fall into. They are always candidates.
_LIKELY = ("ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "pt", "ru", "tr", "vi", "zh")


def fidelity(table: TextTable) -> Floats:
    """Share of the decided replies that are in the language asked, per language: [L], 0..1; nan where none is
    decided. See `verdicts`.
    """
    found = observed(fidelity_family(table))
    return np.array([found[f"fidelity/{language}"] for language in table.languages])


def fidelity_family(table: TextTable) -> Family:
    """`fidelity/<language>`, and `fidelity`, their mean, which is nan where one of them is;
    `undecided/<language>`, the share of items with a reply of unknown language, and `undecided`, their mean.
    The remaining replies are missing (`missing_family`). `in_language/<language>` is the share of all replies
    that are in the language asked, and `in_language` the mean: those that are right by `verdicts`, and those
    that are a right name in the language asked which other languages share (`Paris`). It is nan in a language
    in which no reply was judged, and in one that can only be recognised by its references (`can_judge`).
    """
    found = verdicts(table)
    right = (found == RIGHT) | (found == SHARED)
    undecided = (found == UNDECIDED) | (found == SHARED)
    # In Galician, which lingua does not know, a share near 0 would say that replies are in another language.
    told = np.array([bool(table.names) or can_judge(language) for language in table.languages])
    judged = told & (right | (found == WRONG)).any(axis=0)
    parts = (
        mean_family("fidelity", table.languages, found == RIGHT, found >= WRONG),
        mean_family("undecided", table.languages, undecided, table.asked),
        mean_family("in_language", table.languages, right, (found != ABSENT) & judged),
    )
    width = 2 * len(table.languages)

    def estimate(sums: Floats) -> dict[str, Floats]:
        figures: dict[str, Floats] = {}
        for place, part in enumerate(parts):
            figures |= part.estimate(sums[:, place * width : (place + 1) * width])
        return figures

    return Family(np.hstack([part.columns for part in parts]), estimate)


def verdicts(table: TextTable) -> Integers:
    """RIGHT, WRONG, UNDECIDED, SHARED or ABSENT (no reply) for each reply: [I, L].

    1. A reply is right if it is the item's reference in this language and in no other of the table, one of
       which shares the script; it is wrong if it is the reference in other languages only. So `Wien` is
       German and not English, and `Paris` is SHARED, which is undecided. Where the table has the names of
       all entities that may answer an item, each of them counts as the reference does.
    2. Else every line is judged; one wrong line makes a reply wrong. Where no line can be judged, they are
       judged together.
    3. A line with fewer than half of its words in the language's script is wrong (characters count as words
       in scripts without spaces; foreign words of the reference do not count, such as HTML). Ten characters
       without kana are not Japanese, and more than a tenth of kana is not Chinese.
    4. Where several candidates share the script, lingua judges lines of five words and more: wrong where some
       other language is ten times likelier than the language asked, right where the latter is ten times
       likelier than any other, else undecided. Candidates are the languages of the table and of the Language
       Confusion Benchmark.
    5. Any other line is right, but undecided in Latin script, where English cannot be excluded.

    A language that lingua does not know (Khmer, Nepali) is judged by script alone; where that script is Latin
    (Galician), only rule 1 applies. Simplified and traditional Chinese are
    distinguished by the characters that only one of them has (`crossin.languages.han`).
    """
    require("text", "lingua")
    if (stored := _verdicts.get(table)) is not None:
        return stored
    known = _known_names(table)
    found = np.full((len(table.items), len(table.languages)), ABSENT, dtype=np.int64)
    for i, (replies, references) in enumerate(zip(table.replies, table.references, strict=True)):
        answers = dict(zip(table.languages, map(_words, references), strict=True))
        names = known[id(table.names[i])] if table.names else {}
        for j, (language, reply) in enumerate(zip(table.languages, replies, strict=True)):
            if reply and _words(reply):
                found[i, j] = _reply_verdict(reply, language, answers, names)
    found.flags.writeable = False
    _verdicts[table] = found
    return found


def _known_names(table: TextTable) -> dict[int, dict[str, set[Words]]]:
    """The words of the names of each inventory, by the identity of its names and by language."""
    different = {id(names): names for names in table.names}
    return {
        identity: {
            language: {words for name in names.get(language, ()) if (words := _words(name))}
            for language in table.languages
        }
        for identity, names in different.items()
    }


def _words(text: str) -> Words:
    # Without removing articles, which show the language as well as other words.
    return tokens(text, "und")


def _reply_verdict(reply: str, language: str, answers: dict[str, Words], names: dict[str, set[Words]]) -> int:
    """The verdict on a reply; `answers` are the words of the item's reference in each language, and `names`
    those of all entities that may answer it.
    """
    words = _words(reply)
    equal = {other for other, answer in answers.items() if words == answer}
    equal |= {other for other, known in names.items() if words in known}
    known = {script_of(x) for x, answer in answers.items() if answer and x != language}
    if equal == {language} and script_of(language) in known:
        return RIGHT
    if equal and language not in equal:
        return WRONG

    others = (*answers, *_LIKELY)

    def judged(text: str) -> int:
        return verdict(text, _words(text), language, others, ignored=answers[language])

    decided = [found for line in reply.splitlines() if (found := judged(line)) != UNDECIDED]
    verdict_of_all = min(decided) if decided else judged(" ".join(reply.split()))
    return SHARED if verdict_of_all == UNDECIDED and language in equal else verdict_of_all
