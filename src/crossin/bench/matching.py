"""Which items a benchmark shares with other items, or with texts: the same item, fact or subject.

Texts are compared by their words (`crossin.languages.segmentation.units`): NFKC, any case, without spaces and
punctuation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from crossin.bench.item_words import ItemWords, SubjectNames, words_of_items
from crossin.core.reasons import Reason
from crossin.corpus.contamination import Phrases, item_ngrams
from crossin.items.item import Item
from crossin.languages.segmentation import mostly_single, shown, units

NGRAM = 13
# Characters of a question: shorter ones are in many texts by chance.
_SHORT_QUESTION = 6
# Words in a text that states a fact, at most: longer texts often have two names by chance.
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
    SAME_ITEM = "same_item", "question and options"
    OTHER_OPTIONS = "other_options", "question, with other options"
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
    our_words, their_words = (
        [
            one
            for one in words_of_items(items)
            if one.language in languages or (one.item.item, one.item.source) in ids
        ]
        for items in (ours, theirs)
    )
    our_names, their_names = SubjectNames(our_words), SubjectNames(their_words)
    index = _Index(their_words, our_names, ngram)
    asked = _by_text(our_words)
    found = []
    for version in our_words:
        names = [version.name] if version.name else their_names.mentioned(version.item)
        form = len(asked.get((version.language, version.text), ())) > 1
        if match := next(index.matches(version, names, form=form), None):
            found.append(match)
    return found


class _Index:
    """The items to be compared with; the names are those of the other side."""

    def __init__(self, versions: Sequence[ItemWords], names: SubjectNames, ngram: int) -> None:
        self._by_id: dict[tuple[str, str], list[ItemWords]] = defaultdict(list)
        self._by_text = _by_text(versions)
        # By language, answer and the subject's name; `subjects` by language and name. Of those whose own
        # subject that is, and of those that mention it and have none.
        self._facts: tuple[dict[tuple[str, str, str], ItemWords], ...] = {}, {}
        self._subjects: tuple[dict[tuple[str, str], ItemWords], ...] = {}, {}
        self._groups: dict[tuple[str, str], ItemWords] = {}
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
        items = [version.item for version in versions]
        self._questions, self._contexts = (_Ngrams(items, field, ngram) for field in ("question", "context"))

    def matches(self, ours: ItemWords, names: Sequence[str], *, form: bool) -> Iterator[SharedItem]:
        """All evidence, the surest first; names: of the subject, or what the question mentions."""
        item, language = ours.item, ours.language

        def match(evidence: Evidence, other: str, shared: str) -> SharedItem:
            return SharedItem(item.item, language, evidence, other, shared)

        if _is_same(ours, same := self._by_id.get((item.item, item.source), [])):
            yield match(Evidence.SAME_ID, same[0].item.item, item.item)
        alike = self._by_text.get((language, ours.text), [])
        for other in alike:
            if other.options == ours.options:
                yield match(Evidence.SAME_ITEM, other.item.item, item.question)
        if len(alike) == 1 and not form:
            yield match(Evidence.OTHER_OPTIONS, alike[0].item.item, item.question)
        for words, named in self._questions.found(language, item.question):
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
        for words, named in self._contexts.found(language, item.context):
            yield match(Evidence.SAME_CONTEXT, named, words)


def _is_same(ours: ItemWords, same: Sequence[ItemWords]) -> bool:
    """Whether items with one id and source are one item: another split may have the same numbers."""
    for other in same:
        if other.language == ours.language:
            one, two = set(ours.text.split()), set(other.text.split())
            return len(one & two) >= _ALIKE * len(one | two)
    return bool(same) and ours.item.source not in _NO_SOURCE


def _one_name(one: ItemWords, other: ItemWords) -> bool:
    """Whether two names are of one language: the French Mexico is a city, the English one a country."""
    return not one.named or not other.named or bool(one.named & other.named)


class TextIndex:
    """A benchmark's items, to be found in texts of any language."""

    def __init__(self, items: Sequence[Item], ngram: int = NGRAM) -> None:
        versions = words_of_items(items)
        self._names = SubjectNames(versions)
        self._asked: dict[str, list[ItemWords]] = defaultdict(list)
        self._answers: dict[str, dict[str, ItemWords]] = defaultdict(dict)
        for version in versions:
            for question in filter(None, (" ".join(units(text)) for text in _asked_as(version.item))):
                self._asked[question].append(version)
            for answer in version.answers if version.language in version.named else ():
                self._answers[version.name].setdefault(answer, version)
        self._words: dict[str, tuple[str, str]] = {}
        for language, ngrams in _field_ngrams(items, "question", ngram).items():
            for words, item in ngrams.items():
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


def _asked_as(item: Item) -> list[str]:
    """The question, and where it has a gap, the sentence with the right answer in it."""
    return [item.question, *(map(item.filled, item.right_texts) if item.gap else ())]


def _by_text(versions: Iterable[ItemWords]) -> Mapping[tuple[str, str], list[ItemWords]]:
    found: dict[tuple[str, str], list[ItemWords]] = defaultdict(list)
    for version in versions:
        if version.text:
            found[version.language, version.text].append(version)
    return found


class _Ngrams:
    """The n-grams of a field of items, by language."""

    def __init__(self, items: Sequence[Item], field: str, ngram: int) -> None:
        self._items = _field_ngrams(items, field, ngram)
        self._phrases = {language: Phrases(ngrams) for language, ngrams in self._items.items()}

    def found(self, language: str, text: str) -> Iterator[tuple[str, str]]:
        """Those that a text in a language has, each with its item."""
        if language in self._phrases:
            for _, words in self._phrases[language].within(units(text)):
                yield shown(words), self._items[language][words]


def _field_ngrams(items: Iterable[Item], field: str, ngram: int) -> dict[str, dict[str, str]]:
    """The n-grams of a field of items: language -> words -> item."""
    empty: dict[str, Any] = {"context": "", "question": "", "options": []}
    lines = (
        {**empty, "item": item.item, "language": item.language, field: getattr(item, field)} for item in items
    )
    return item_ngrams(lines, ngram, whole=False)
