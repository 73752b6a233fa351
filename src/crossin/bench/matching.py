"""Which items a benchmark shares with other items, or with texts: the same item, fact or subject.

Texts are compared by their words (`crossin.languages.segmentation.units`): NFKC, any case, without spaces and
punctuation. The subject of an item is its group, where that is a name: where it occurs in the question.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from crossin.core.reasons import Reason
from crossin.corpus.contamination import Phrases, item_ngrams
from crossin.items.item import Item
from crossin.languages.segmentation import mostly_single, shown, units

NGRAM = 13
# Characters of a question or a name: shorter ones are in many texts by chance.
_SHORT_QUESTION, _SHORT_NAME = 6, 3
# A text that states a fact has so many words at most: longer ones often have two names by chance.
_STATEMENT = 25
# Of the words of two questions with one id, the share that both have.
_ALIKE = 0.5
# Sources that name no data set.
_NO_SOURCE = ("", "local files")


class Level(Reason):
    """What is shared, the most first."""

    ITEM = "item", "the item"
    TRIPLE = "triple", "subject and answer"
    SUBJECT = "subject", "the subject"


class Evidence(Reason):
    """By what an item is known to be shared, the surest first."""

    SAME_ID = "same_id", "id and source"
    SAME_TEXT = "same_text", "question and options"
    SAME_QUESTION = "same_question", "question, with other options"
    QUESTION_IN_TEXT = "question_in_text", "question, in a text"
    SAME_WORDS = "same_words", "consecutive words of the question"
    SAME_FACT = "same_fact", "subject, answer and task"
    SAME_NAMES = "same_names", "names of subject and answer"
    SAME_GROUP = "same_group", "group and source"
    SAME_SUBJECT = "same_subject", "name of the subject"
    SAME_CONTEXT = "same_context", "consecutive words of the context"

    @property
    def level(self) -> Level:
        """What is shared by this evidence."""
        if self in (Evidence.SAME_FACT, Evidence.SAME_NAMES):
            return Level.TRIPLE
        return Level.ITEM if self.place < Evidence.SAME_FACT.place else Level.SUBJECT

    @property
    def place(self) -> int:
        """Its place among all, from 0: the surest first."""
        return list(Evidence).index(self)


class SharedItem(NamedTuple):
    """The surest evidence that an item is shared, in one language: with the item `other`, or in a text. What
    is the same is in `shared`.
    """

    item: str
    language: str
    evidence: Evidence
    other: str
    shared: str


class _Version(NamedTuple):
    """An item in a language, by its words: texts are folded words, with a space between any two."""

    item: Item
    text: str  # context and question
    options: frozenset[str]
    answers: frozenset[str]
    name: str  # the subject's, '' where the group is not a name
    named: frozenset[str]  # the languages in which it is the name

    @property
    def language(self) -> str:
        return self.item.language


def shared_items(ours: Sequence[Item], theirs: Sequence[Item], ngram: int = NGRAM) -> list[SharedItem]:
    """What the items `ours` share with the items `theirs`: a match at most for each of ours and language.

    An item is shared where id and source are the same (and the questions alike), or context and question
    are, or the questions have `ngram` consecutive words in common; a triple where subject and answer are the
    same in any shared language; a subject where the group or its name is the same. A question that several
    items of one side ask in a language is a form: it is the same item with the same options only.
    """
    languages = {item.language for item in ours} & {item.language for item in theirs}
    # Items of one source may be shared in languages that only one of the two has.
    ids = {(item.item, item.source) for item in ours} & {(item.item, item.source) for item in theirs}
    our_versions, their_versions = (
        [
            one
            for one in _versions(items)
            if one.language in languages or (one.item.item, one.item.source) in ids
        ]
        for items in (ours, theirs)
    )
    our_names, their_names = _Names(our_versions), _Names(their_versions)
    index = _Index(their_versions, our_names, ngram)
    asked = _by_text(our_versions)
    found = []
    for version in our_versions:
        names = [version.name] if version.name else their_names.mentioned(version.item)
        form = len(asked.get((version.language, version.text), ())) > 1
        if match := next(index.matches(version, names, form=form), None):
            found.append(match)
    return found


class _Index:
    """The items to be compared with; the names are those of the other side."""

    def __init__(self, versions: Sequence[_Version], names: _Names, ngram: int) -> None:
        self._by_id: dict[tuple[str, str], list[_Version]] = defaultdict(list)
        self._by_text = _by_text(versions)
        # By language, answer and the subject's name; `subjects` by language and name. Of those whose own
        # subject that is, and of those that mention it and have none.
        self._facts: tuple[dict[tuple[str, str, str], _Version], ...] = {}, {}
        self._subjects: tuple[dict[tuple[str, str], _Version], ...] = {}, {}
        self._groups: dict[tuple[str, str], _Version] = {}
        for version in versions:
            item = version.item
            self._by_id[item.item, item.source].append(version)
            if item.group != item.item:
                self._groups.setdefault((item.group, item.source), version)
            mentioned = not version.name
            for name in names.mentioned(item) if mentioned else [version.name]:
                self._subjects[mentioned].setdefault((item.language, name), version)
                for answer in version.answers:
                    self._facts[mentioned].setdefault((item.language, answer, name), version)
        self._questions, self._contexts = _ngrams([version.item for version in versions], ngram)
        self._of_questions = {language: Phrases(found) for language, found in self._questions.items()}
        self._of_contexts = {language: Phrases(found) for language, found in self._contexts.items()}

    def matches(self, ours: _Version, names: Sequence[str], *, form: bool) -> Iterator[SharedItem]:
        """All evidence, the surest first; names: of the subject, or what the question mentions."""
        item, language = ours.item, ours.language

        def match(evidence: Evidence, other: str, shared: str) -> SharedItem:
            return SharedItem(item.item, language, evidence, other, shared)

        if _is_same(ours, same := self._by_id.get((item.item, item.source), [])):
            yield match(Evidence.SAME_ID, same[0].item.item, item.item)
        alike = self._by_text.get((language, ours.text), [])
        for other in alike:
            if other.options == ours.options:
                yield match(Evidence.SAME_TEXT, other.item.item, item.question)
        if len(alike) == 1 and not form:
            yield match(Evidence.SAME_QUESTION, alike[0].item.item, item.question)
        question = units(item.question)
        for words, named in _found(question, self._of_questions.get(language), self._questions.get(language)):
            yield match(Evidence.SAME_WORDS, named, words)
        for own, facts in zip((True, False), self._facts, strict=True):
            for name in names if ours.name or own else ():
                for answer in sorted(ours.answers):
                    fact = facts.get((language, answer, name))
                    if fact is not None and _one_name(ours, fact):
                        same_task = own and ours.name and item.task.casefold() == fact.item.task.casefold()
                        evidence = Evidence.SAME_FACT if same_task else Evidence.SAME_NAMES
                        yield match(evidence, fact.item.item, f"{shown(name)}: {shown(answer)}")
        if item.group != item.item and (grouped := self._groups.get((item.group, item.source))):
            yield match(Evidence.SAME_GROUP, grouped.item.item, item.group)
        for own, subjects in zip((True, False), self._subjects, strict=True):
            for name in names if ours.name or own else ():
                subject = subjects.get((language, name))
                if subject is not None and _one_name(ours, subject):
                    yield match(Evidence.SAME_SUBJECT, subject.item.item, shown(name))
        context = units(item.context)
        for words, named in _found(context, self._of_contexts.get(language), self._contexts.get(language)):
            yield match(Evidence.SAME_CONTEXT, named, words)


def _is_same(ours: _Version, same: Sequence[_Version]) -> bool:
    """Whether items with one id and source are one item: another split may have the same numbers."""
    for other in same:
        if other.language == ours.language:
            one, two = set(ours.text.split()), set(other.text.split())
            return len(one & two) >= _ALIKE * len(one | two)
    return bool(same) and ours.item.source not in _NO_SOURCE


def _one_name(one: _Version, other: _Version) -> bool:
    """Whether two names are of one language: the French Mexico is a city, the English one a country."""
    return not one.named or not other.named or bool(one.named & other.named)


class TextIndex:
    """A benchmark's items, to be found in texts of any language."""

    def __init__(self, items: Sequence[Item], ngram: int = NGRAM) -> None:
        versions = _versions(items)
        self._names = _Names(versions)
        self._asked: dict[str, list[_Version]] = defaultdict(list)
        self._answers: dict[str, dict[str, _Version]] = defaultdict(dict)
        for version in versions:
            for question in filter(None, (" ".join(units(text)) for text in _asked_as(version.item))):
                self._asked[question].append(version)
            for answer in version.answers if version.language in version.named else ():
                self._answers[version.name].setdefault(answer, version)
        self._words: dict[str, tuple[str, str]] = {}
        for language, found in _ngrams(items, ngram)[0].items():
            for words, item in found.items():
                self._words.setdefault(words, (item, language))
        self._phrases = Phrases([*self._asked, *self._words])
        self._known_answers = Phrases(answer for by in self._answers.values() for answer in by)

    def matches(self, texts: Sequence[str], place: str = "") -> Iterator[SharedItem]:
        """What the texts of a row share with the items, the surest first; place: what a match calls the row.

        A row shares an item where it has the question, as whole words, and the context; where several items
        ask the same, one of the answers too. It shares a triple where it is short and has both names.
        """
        fields = [units(text) for text in texts]
        words = [word for field in fields for word in field]
        phrases = [phrase for _, phrase in self._phrases.within(words)]
        whole = {" ".join(field) for field in fields}
        row = f" {' '.join(words)} "
        for phrase in phrases:
            if len(phrase.replace(" ", "")) < _SHORT_QUESTION and phrase not in whole:
                continue
            asked = self._asked.get(phrase, ())
            form = len({version.item.item for version in asked}) > 1
            for version in asked:
                item, context = version.item, " ".join(units(version.item.context))
                answered = not form or any(f" {answer} " in row for answer in version.answers)
                if answered and (not context or f" {context} " in row):
                    yield SharedItem(
                        item.item, item.language, Evidence.QUESTION_IN_TEXT, place, item.question
                    )
        for phrase in phrases:
            if found := self._words.get(phrase):
                yield SharedItem(*found, Evidence.SAME_WORDS, place, shown(phrase))
        yield from self._facts(" ".join(texts), words, place)

    def _facts(self, text: str, parts: list[str], place: str) -> Iterator[SharedItem]:
        if len(parts) > _STATEMENT * (2 if mostly_single(parts) else 1):
            return
        names = self._names.found(None, text, parts)
        answers = {answer for _, answer in self._known_answers.within(parts)} if names else set()
        for _, name in names:
            for answer, version in self._answers[name].items():
                # Denmark is in each text on the flag of Denmark.
                if answer in answers and f" {answer} " not in f" {name} ":
                    shared = f"{shown(name)}: {shown(answer)}"
                    yield SharedItem(version.item.item, version.language, Evidence.SAME_NAMES, place, shared)


class _Names:
    """The names of subjects, to be found in other questions."""

    def __init__(self, versions: Iterable[_Version]) -> None:
        # By language, and under None of any language.
        self._spelt: dict[str | None, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for version in versions:
            if len(version.name) >= _SHORT_NAME or not version.name.isascii():
                for language in (*version.named, None):
                    self._spelt[language][version.name].add(_plain(version.item.group))
        self._phrases = {language: Phrases(names) for language, names in self._spelt.items()}

    def mentioned(self, item: Item) -> list[str]:
        """The names of its language that an item's question mentions."""
        found = self.found(item.language, item.question, units(item.question))
        return list(dict.fromkeys(name for _, name in found))

    def found(self, language: str | None, text: str, parts: Sequence[str]) -> list[tuple[int, str]]:
        """The names in a text as they are spelt (a novel called It is not in each 'it'), each with the number
        of its first word; without those within a longer one.
        """
        plain, names = _plain(text), self._spelt.get(language, {})
        phrases = self._phrases[language].within(parts) if names else []
        found: list[tuple[int, str]] = []
        end = 0
        for place, name in sorted(phrases, key=lambda one: (one[0], -len(one[1]))):
            if place >= end and any(spelt in plain for spelt in names[name]):
                found.append((place, name))
                end = place + name.count(" ") + 1
        return found


def _versions(items: Sequence[Item]) -> list[_Version]:
    """The items as they are compared."""
    # Options are the same in many items.
    folded = cache(lambda text: " ".join(units(text)))
    questions = [folded(item.question) for item in items]
    named: dict[str, set[str]] = defaultdict(set)
    for item, question in zip(items, questions, strict=True):
        name = folded(item.group)
        # As it is spelt: the country DE is not named by a Spanish 'de'.
        spelt = any(letter.isalpha() for letter in name) and _plain(item.group) in _plain(item.question)
        if spelt and f" {name} " in f" {question} ":
            named[item.item].add(item.language)
    return [
        _Version(
            item=item,
            text=" ".join(filter(None, [folded(item.context), question])),
            options=frozenset(map(folded, item.options)),
            answers=frozenset(filter(None, map(folded, _answers(item)))),
            name=folded(item.group) if item.item in named else "",
            named=frozenset(named.get(item.item, ())),
        )
        for item, question in zip(items, questions, strict=True)
    ]


def _answers(item: Item) -> list[str]:
    """The texts of the right answer."""
    if item.free_text:
        return [item.answer, *item.aliases]
    return [text for key, text in zip(item.option_ids, item.options, strict=True) if key == item.answer]


def _asked_as(item: Item) -> list[str]:
    """The question, and where it has a gap, the sentence with the right answer in it."""
    filled = [item.question.replace(item.gap, answer) for answer in _answers(item)] if item.gap else []
    return [item.question, *filled]


def _by_text(versions: Iterable[_Version]) -> Mapping[tuple[str, str], list[_Version]]:
    found: dict[tuple[str, str], list[_Version]] = defaultdict(list)
    for version in versions:
        if version.text:
            found[version.language, version.text].append(version)
    return found


def _ngrams(items: Iterable[Item], ngram: int) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """The n-grams of the questions, and those of the contexts: language -> words -> item."""
    items = list(items)

    def found(*fields: str) -> dict[str, dict[str, str]]:
        empty: dict[str, Any] = {"context": "", "question": "", "options": []}
        names = ("item", "language", *fields)
        return item_ngrams(
            (empty | {name: getattr(item, name) for name in names} for item in items), ngram, whole=False
        )

    return found("question"), found("context")


def _found(
    parts: Sequence[str], phrases: Phrases | None, named: Mapping[str, str] | None
) -> Iterator[tuple[str, str]]:
    """The words of a text that are among the phrases, each with its item."""
    for _, words in phrases.within(parts) if phrases and named else ():
        yield shown(words), named[words] if named else ""


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
