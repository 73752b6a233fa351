"""How items are asked: the form, the prompt of each question, and the continuations to score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.core.settings import Settings, setting
from crossin.items.item import Item
from crossin.items.shots import choose_shots
from crossin.items.wordings import Wording, wordings_in

# A conversation: (role, text) per turn; `user` and `assistant` take turns, and the user begins and ends.
Chat = tuple[tuple[str, str], ...]
# A shot: its question as the form shows it, and its right answer.
_Shot = tuple[str, str]


class Form(Settings):
    """How items are asked. Free-text items are always generated."""

    kind: Literal["text", "letters", "generate"] = setting(
        "text",
        "`text` scores each option's full text, `letters` lists the options and scores each letter, "
        "`generate` lets the model write a reply.",
        flag="--form",
    )
    wordings: tuple[str, ...] = setting(
        ("question",), "How the question is put: `question`, `plain`, `asked`.", min_length=1
    )
    chat: bool = setting(False, "Ask with the model's chat template.")
    shots: int = setting(0, "Worked examples before each question.", ge=0)
    order: Literal["fixed", "rotated"] = setting(
        "fixed", "Listed options begin at the first, or at an option that differs between languages."
    )
    max_tokens: int = setting(256, "Longest reply, in tokens.", ge=1)


@dataclass(frozen=True)
class Question:
    """One item in one language and wording.

    `options` are the continuations to score, in the order of the item's options, each with what separates it
    from the prompt; empty where a reply is generated. Of an item with a gap that is asked by full texts, each
    is the whole sentence with the option in its gap, and the prompt is what stands before the sentence: the
    shots and the context, or nothing. `shown` holds the places in the item of the options that the prompt
    lists, in the order listed. `cue` is the end of the prompt without the question ("Answer:"), for the
    likelihood of an option without its question; a chat has none. A reply to a plain prompt ends before any
    of the texts in `stop`.
    """

    item: Item
    wording: str
    prompt: str | Chat
    options: tuple[str, ...]
    shown: tuple[int, ...] = ()
    cue: str = ""
    stop: tuple[str, ...] = ()

    @property
    def shown_ids(self) -> list[str] | None:
        """The ids of the options in the order listed in the prompt; None where it lists none."""
        return [self.item.option_ids[place] for place in self.shown] or None


def questions(
    items: Sequence[Item], form: Form, *, shots: Sequence[Item] = (), seed: int = 0
) -> list[Question]:
    """Every item in every wording of the form (`wordings_in`): the items in their order, and for each its
    wordings.

    The text of an item is its context, its question and, in `letters` and `generate`, its options, one a line
    ("A. red"). In the order `rotated`, that list begins at an option drawn from seed, language and item.
    Before it come `form.shots` of the items `shots`, those of another split or benchmark, or of the same one
    (`choose_shots`), each with its right answer: the text, or the letter where there is a list.

    In a chat, a user's turn is the wording's words before the question, and the text. The cue ("Answer:") is
    left out: the assistant's turn is the answer itself, so nothing separates the two. Shots are earlier turns
    of both. Of free text whose gap ends the question, the turn is what stands before the gap.

    Outside a chat, two kinds of items with a gap are sentences without words around them, and their shots are
    filled sentences: in `text`, one with options is a sentence to fill (`Question`); one in free text whose
    gap ends the sentence is a sentence to go on with, up to the end of the line. No wording applies to them,
    so they are asked under the form's first; among items without a gap, under each of them, since only items
    of every wording are scored. Elsewhere a question is shown with the mark of its gap.

    A question does not depend on the other items, except that shots from another benchmark must be usable for
    all of them, and that all shots must be there in all languages.
    Raises CrossinError for a wording that does not exist, or not in a language; for too few shots; and for a
    list longer than the alphabet.
    """
    worded = wordings_in((item.language for item in items if not _is_sentence(item, form)), form.wordings)
    chosen = choose_shots(items, shots, form.shots, seed)
    names = form.wordings if worded else form.wordings[:1]
    return [
        _sentence(item, name, chosen[item.item, item.language])
        if _is_sentence(item, form)
        else _question(item, name, worded[name, item.language], form, chosen[item.item, item.language], seed)
        for item in items
        for name in names
    ]


def _is_sentence(item: Item, form: Form) -> bool:
    """Whether an item is asked as a sentence, whose gap the options or the reply fill."""
    if form.chat or not item.gap:
        return False
    return _is_opening(item) if item.free_text else form.kind == "text"


def _is_opening(item: Item) -> bool:
    """Whether an item in free text has a gap that ends its question."""
    return (
        item.free_text and item.gap != "" and not any(map(str.isalnum, item.question.partition(item.gap)[2]))
    )


def _opening(item: Item) -> str:
    return item.question.partition(item.gap)[0].rstrip()


def _sentence(item: Item, name: str, shots: Sequence[Item]) -> Question:
    examples = [f"{_context(shot)}{shot.filled(shot.right_text)}\n\n" for shot in shots]
    before = "".join([*examples, _context(item)])
    if not item.free_text:
        return Question(item, name, before, tuple(map(item.filled, item.options)))
    return Question(item, name, before + _opening(item), (), stop=("\n",))


def _context(item: Item) -> str:
    return f"{item.context}\n" if item.context else ""


def _question(
    item: Item, name: str, wording: Wording, form: Form, shots: Sequence[Item], seed: int
) -> Question:
    shown = _shown(item, form, seed)
    separator = "" if form.chat else wording.separator
    answers = [] if form.kind == "generate" else _answers(item, shown)
    render = _chat if form.chat else _plain
    examples = [_example(shot, form, seed) for shot in shots]
    return Question(
        item=item,
        wording=name,
        prompt=render(_text(item, shown, form), wording, examples),
        options=tuple(separator + answer for answer in answers),
        shown=shown,
        cue="" if form.chat else wording.cue,
        stop=() if form.chat or answers else _stop(wording),
    )


def _plain(text: str, wording: Wording, examples: Sequence[_Shot]) -> str:
    before, after, separator = wording
    answered = [f"{before}{shot}{after}{separator}{answer}" for shot, answer in examples]
    return "\n\n".join([*answered, f"{before}{text}{after}"])


def _chat(text: str, wording: Wording, examples: Sequence[_Shot]) -> Chat:
    turns: list[tuple[str, str]] = []
    for shot, answer in examples:
        turns += [("user", wording.before + shot), ("assistant", answer)]
    return (*turns, ("user", wording.before + text))


def _stop(wording: Wording) -> tuple[str, ...]:
    """Where a reply to a plain prompt ends: a base model continues with a question of its own.

    A single line break does not end it: some models begin with one, in some languages more than in others.
    """
    opening = wording.before.strip().partition("\n")[0]
    return ("\n\n", *([f"\n{opening}"] if opening else []))


def _example(shot: Item, form: Form, seed: int) -> _Shot:
    shown = _shown(shot, form, seed)
    right = shot.answer if shot.free_text else _answers(shot, shown)[shot.option_ids.index(shot.answer)]
    return _text(shot, shown, form), right


def _text(item: Item, shown: Sequence[int], form: Form) -> str:
    question = _opening(item) if form.chat and _is_opening(item) else item.question
    listed = [
        f"{letter}. {item.options[place]}" for letter, place in zip(ascii_uppercase, shown, strict=False)
    ]
    return _context(item) + "\n".join([question, *listed])


def _answers(item: Item, shown: Sequence[int]) -> list[str]:
    """The answer that stands for each option, in the item's order: its letter in a list, else its text."""
    if not shown:
        return item.options
    letters = dict(zip(shown, ascii_uppercase, strict=False))
    return [letters[place] for place in range(len(item.options))]


def _shown(item: Item, form: Form, seed: int) -> tuple[int, ...]:
    """The places in the item of the listed options, in the order of the list; empty without a list."""
    if form.kind == "text" or item.free_text:
        return ()
    count = len(item.options)
    if count > len(ascii_uppercase):
        raise CrossinError(
            f"item '{item.item}' has {count} options, more than there are letters",
            field="options",
            hint="leave the item out, or score options by their full text (--form text)",
        )
    first = hash64(str(seed), "rotate", item.language, item.item) % count if form.order == "rotated" else 0
    return (*range(first, count), *range(first))
