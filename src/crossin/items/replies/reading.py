"""Which option a reply in free text chooses: a few rules, the clearest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from crossin.items.replies.cleaning import cleaned, without_labels, without_listing
from crossin.items.replies.labels import Label, LabelKind, labels_in
from crossin.items.replies.series import Labels, labels_for, labels_of
from crossin.items.replies.texts import any_of, is_distinctive, mentioned, plain, visible

_ANSWER = re.compile(any_of("answer"), re.IGNORECASE)
_OPTION = re.compile(any_of("option"), re.IGNORECASE)
_OPTION_THEN = re.compile(rf"{any_of('option')}[ \t]*:?[ \t]*", re.IGNORECASE)
_NOT = re.compile(any_of("not"), re.IGNORECASE)
# What stands between a word for the answer and the answer: punctuation, a line break, the rest of a sentence.
_GAP = re.compile(r"\W{0,6}(?:[^.!?。\n]|\.(?=\w)|:\s*\n\s*){0,80}")
_AND_OR = re.compile(rf"[ \t]*(?:[,/&+]|{any_of('and_or')})[ \t]*", re.IGNORECASE)
# "B is correct", but not "B सही नहीं है".
_IS_CORRECT = re.compile(
    rf"\W{{0,3}}{any_of('is')}?\s*{any_of('correct')}(?![^\W\d_]{{0,3}}\W{{0,2}}{any_of('not')})",
    re.IGNORECASE,
)
# A label is rejected if a word for "not" follows within this many characters: "A is wrong".
_NEAR = 15
_SAYS = re.compile(r"[\w:]")
_END_OF_CLAUSE = re.compile(r"[,.;:!?、。](?!\w)|\n")
# Many languages end a clause with "is".
_CLAUSE_ENDS = re.compile(rf"\s*(?:{any_of('is')}\s*)?(?:$|{_END_OF_CLAUSE.pattern})")

# The positions of the options that a part of a reply chooses; two are a contradiction.
Claim = set[int]


@dataclass(frozen=True)
class _Reply:
    """A cleaned reply, with those labels in it that are not part of an option's text; options are `plain`."""

    text: str
    labels: tuple[Label, ...]
    options: tuple[str, ...]
    positions: dict[str, int]


def read_reply(
    reply: str, options: Sequence[str], labels: Sequence[str] | None = None, language: str | None = None
) -> int | None:
    """The position of the option that a reply in any language chooses; None where it chooses none or
    contradicts itself. Never a guess.

    `options` are the texts, with or without their labels ("(A) red"); `labels` are those that the prompt
    showed, by default those of the options, or A, B, C and so on. Labels are recognised in any script and
    bracket, and options' texts in any case and punctuation. The item's `language` (a code) decides between
    series of one script: ت is the third in Arabic أ ب ت ث, the fourth in Persian الف ب پ ت. A letter that may
    be two options is not read. The first of these rules that finds a choice decides:

    1. the last statement: a word for the answer, then a label or an option's text in the same sentence; or a
       label followed by "is correct";
    2. lines that hold a label, an option's text, or both, and nothing else; a label with its own text
       corrects a bare one before it ("A", then "(B) red");
    3. a label, or an option's text up to the first punctuation, at the very beginning;
    4. labels that their option's text follows, anywhere;
    5. labels in brackets, or after a word for option, anywhere;
    6. options' texts anywhere, the longest first.

    Except in the first rule, two different choices are a contradiction, and so is a label with the text of
    another option (SeaEval counts the label there). Repeating all options is not a choice. Questions that a
    base model asks and answers after its answer are ignored.
    """
    shown = labels or labels_of([visible(option).strip() for option in options])
    texts = without_labels(options, shown)
    known = labels_for(texts, shown, language)
    text = without_listing(cleaned(reply), texts, known.positions)
    plain_texts = tuple(plain(option) for option in texts)
    read = _Reply(text, tuple(_labels(text, known, plain_texts)), plain_texts, known.positions)
    claims = [claim for _, claim in sorted(_statements(read), key=lambda found: found[0])][-1:]
    for rule in (_lines, _opening, _pairs, _marks, _mentions):
        claims = claims or list(rule(read))
    chosen: Claim = set().union(*claims)
    return chosen.pop() if len(chosen) == 1 else None


def _labels(text: str, known: Labels, options: Sequence[str]) -> Iterator[Label]:
    """The labels of a reply, without those that are part of an option's text: the C of "vitamin C"."""
    begin = 0
    for line in text.split("\n"):
        whole = plain(line)
        spans = [(start, start + len(options[position])) for start, position in mentioned(whole, options)]
        for label in labels_in(line, known):
            place = len(plain(line[: label.start])) if spans else 0
            place += whole[place : place + 1] == " "
            if not any(start <= place < end for start, end in spans):
                yield replace(label, start=begin + label.start, end=begin + label.end)
        begin += len(line) + 1


def _statements(reply: _Reply) -> Iterator[tuple[int, Claim]]:
    """Where the reply states a choice, and which: "The answer is (B)", "答案：B", "B is correct"."""
    for label in reply.labels:
        if label.kind is not LabelKind.DIGIT and _IS_CORRECT.match(reply.text, label.end):
            yield label.start, _claim(label, reply)
    answers = [(word.end(), False) for word in _ANSWER.finditer(reply.text)]
    options = [(word.end(), True) for word in _OPTION.finditer(reply.text)]
    for begin, of_option in sorted(answers + options):
        end = begin + len(_gap(reply.text[begin:]))
        following = _next_label(reply, begin, end)
        between = reply.text[begin : following.start if following else end]
        stated = set() if following else _stated(between, reply.options)
        # "Option B" alone states nothing; "answer B" does, unless "is wrong" follows.
        if _denies(between, [reply.options[x] for x in stated]) or (of_option and not _SAYS.search(between)):
            continue
        if following is None:
            if stated:
                yield begin, stated
        elif not _NOT.match(reply.text, following.end) and (
            _SAYS.search(between)
            or _following(following, reply)
            or not _NOT.search(_gap(reply.text[following.end :]))
        ):
            yield begin, _claim(following, reply)


def _denies(text: str, options: Sequence[str]) -> bool:
    """Whether a text says "not" outside these options: "no" may be one."""
    if not options:
        return _NOT.search(text) is not None
    rest = plain(text)
    for start, position in mentioned(rest, options):
        end = start + len(options[position])
        rest = rest[:start] + " " * (end - start) + rest[end:]
    return _NOT.search(rest) is not None


def _rejected(label: Label, reply: _Reply) -> bool:
    """Whether a label is said to be wrong: "A is wrong", but not "A. Wrong is ..."."""
    rest = _END_OF_CLAUSE.split(reply.text[label.end :], maxsplit=1)[0][:_NEAR]
    apart = reply.text[label.end - 1] in ".:," or rest.lstrip()[:1].isupper()
    return not apart and not _following(label, reply) and _NOT.search(rest) is not None


def _distinctive(option: str) -> bool:
    """Whether an option that occurs anywhere is meant; "không", no, is part of "I do not know"."""
    return is_distinctive(option) and not _NOT.fullmatch(option)


def _gap(text: str) -> str:
    """The beginning of a text that may stand between a word for the answer and the answer."""
    gap = _GAP.match(text)
    return gap[0] if gap else ""


def _stated(text: str, options: Sequence[str]) -> Claim:
    """The options in a part of a sentence; numbers and short words only where they end a clause."""
    stated = {position for _, position in mentioned(plain(text), options) if _distinctive(options[position])}
    for clause in map(plain, _END_OF_CLAUSE.split(text)):
        ending = (x for start, x in mentioned(clause, options) if start + len(options[x]) == len(clause))
        stated.update(ending)
    return stated


def _next_label(reply: _Reply, begin: int, end: int) -> Label | None:
    """The first label in a part of a reply; a digit only if it ends a clause and no letter is there: "2."."""
    labels = [label for label in reply.labels if begin <= label.start < end]
    digits = [label for label in labels if _ends_clause(label, reply)]
    letters = [label for label in labels if label.kind is not LabelKind.DIGIT]
    return next(iter(letters or digits), None)


def _ends_clause(label: Label, reply: _Reply) -> bool:
    """Whether a label ends its clause, or is joined to another; a marked one may include the punctuation."""
    rest = reply.text[label.end - 1 :].partition("\n")[0]
    return rest[0] in ".," or _CLAUSE_ENDS.match(rest, 1) is not None or bool(_coordinated(label, reply))


def _claim(label: Label, reply: _Reply) -> Claim:
    """The option of a label, the one whose text follows it, and that of a label joined by "and" or "or"."""
    claim = _following(label, reply)
    if label.kind is not LabelKind.DIGIT or not claim:
        claim.add(label.position)
    return claim | _coordinated(label, reply)


def _coordinated(label: Label, reply: _Reply) -> Claim:
    """The option of a label that "and" or "or" joins to this one."""
    joined = _AND_OR.match(reply.text, label.end - (reply.text[label.end - 1] == ","))
    return {x.position for x in reply.labels if joined and x.start == joined.end()}


def _following(label: Label, reply: _Reply) -> Claim:
    """The option whose text follows a label in its line."""
    # No further than an option can reach: a line may be long, and hold many labels.
    longest = max(map(len, reply.options))
    line = reply.text[label.end : label.end + 2 * longest + 100].partition("\n")[0]
    return {position for start, position in mentioned(plain(line), reply.options) if start == 0}


def _lines(reply: _Reply) -> Iterator[Claim]:
    """Rule 2: lines that are a label, an option's text, or both, and nothing else."""
    bare: list[Claim] = []
    begin = 0
    for line in reply.text.split("\n"):
        text, start = plain(line), begin
        begin += len(line) + 1
        if text and text in reply.options:
            yield {position for position, option in enumerate(reply.options) if option == text}
            continue
        label = next((x for x in reply.labels if start <= x.start < begin), None)
        if label is None or plain(line[: label.start - start]):
            # Also of a label that is a word: "A dog".
            first, _, own = text.partition(" ")
            if first in reply.positions and own == reply.options[reply.positions[first]] != "":
                yield {reply.positions[first]}
            continue
        rest = plain(line[label.end - start :])
        if not rest:
            bare.append(_claim(label, reply))
        elif rest in reply.options:
            claim = _claim(label, reply)
            bare = [] if claim == {label.position} else bare
            yield claim
    yield from bare


def _opening(reply: _Reply) -> Iterator[Claim]:
    """Rule 3: "B, because ...", "B is right", "Red, since ..."."""
    clause = plain(_END_OF_CLAUSE.split(reply.text, maxsplit=1)[0])
    if clause and clause in reply.options:
        yield {position for _, position in mentioned(plain(reply.text.partition("\n")[0]), reply.options)}
    for label in reply.labels[:1]:
        if label.start == 0 and label.kind is not LabelKind.DIGIT and not _rejected(label, reply):
            yield _claim(label, reply)


def _pairs(reply: _Reply) -> Iterator[Claim]:
    """Rule 4: a label followed by its option's text."""
    for label in reply.labels:
        if _following(label, reply) == {label.position}:
            yield {label.position}


def _marks(reply: _Reply) -> Iterator[Claim]:
    """Rule 5: labels in brackets, or directly after a word for option."""
    after_word = {word.end() for word in _OPTION_THEN.finditer(reply.text)}
    for label in reply.labels:
        marked = label.kind is LabelKind.MARKED or label.start in after_word
        if marked and not _rejected(label, reply):
            yield _claim(label, reply)


def _mentions(reply: _Reply) -> Iterator[Claim]:
    """Rule 6: options' texts; numbers and short words may occur in a reply for other reasons."""
    for _, position in mentioned(plain(reply.text), reply.options):
        if _distinctive(reply.options[position]):
            yield {position}
