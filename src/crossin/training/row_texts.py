"""From a record to the texts that are learned: a prompt and a completion, or a chat in its template."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown
from crossin.corpus.reading.chats import (
    CHATS,
    SYSTEMS,
    parsed,
    text_of_parts,
    turns_of,
    with_history,
    without_loose_ends,
)
from crossin.corpus.reasons import CorpusReason
from crossin.models.chat import ChatTemplate
from crossin.training.reasons import RowReason

_HINT = "correct the row, or leave it out"
# A CrossinError that knows its file and row already.
RowError = Callable[..., CrossinError]
Turns = list[dict[str, Any]]


class RowText(NamedTuple):
    """The texts of a row. A `templated` one has its own heading, and an `ended` one its own end. Places are
    in both texts together, in characters: `spelled`, in which special tokens are text; `asides`, parts of the
    completion that are only read. `continued`: it comes from the same record as the text before it.
    `changes`: what was changed in the record, as codes.
    """

    prompt: str
    completion: str
    templated: bool = False
    ended: bool = False
    spelled: tuple[tuple[int, int], ...] = ()
    asides: tuple[tuple[int, int], ...] = ()
    continued: bool = False
    changes: tuple[str, ...] = ()


class _Answer(NamedTuple):
    """An answer of a conversation: what is before it, and its own text with the mark of its end."""

    prompt: str
    text: str
    ended: bool


def texts_of(
    record: dict[str, Any],
    template: ChatTemplate | None,
    ends: re.Pattern[str],
    wrong: RowError,
    *,
    last: bool = False,
) -> list[RowText] | CorpusReason:
    """The texts of a record, or why it cannot be used. last: of a conversation, the last answer is learned.

    Else all of its answers are learned, or those that the column `turns` says. They are in one text, as far
    as the template writes an answer with later turns as it does alone; else an answer has a text of its own,
    which ends with it. Raises `wrong` for a record that is not of any form.
    """
    chat = next((name for name in CHATS if name in record), None)
    system = next((record[name] for name in SYSTEMS if record.get(name)), None)
    if missing := [name for name in ("prompt", "completion") if name not in record]:
        if chat is not None:
            turns = _chat(record[chat], system)
        elif isinstance(record.get("prompt"), dict):
            # A tree of replies.
            turns = _chat(record["prompt"], system)
        elif "instruction" in record and "output" in record and template is not None:
            turns = _alpaca(record, system)
        else:
            raise wrong(
                f"there is no such column; there are: {', '.join(record) or 'none'}",
                field=missing[0],
                hint="rename the columns to `prompt` and `completion`, or `messages`",
            )
        if isinstance(turns, CorpusReason):
            return turns
        return _conversation(turns, template, ends, wrong, last or record.get("turns") == "last")
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        if len(completion) != 1:
            raise wrong("expected a list of one message", field="completion", hint=_HINT)
        return _conversation([*prompt, *completion], template, ends, wrong, True)
    prompt, completion = _checked(prompt, "prompt", wrong), _checked(completion, "completion", wrong)
    # The marks of a composed row are its template's; those at the end of any completion are meant as such.
    composed = record.get("component") or record.get("kind")
    body = completion[: len(completion) - _length_of_end(completion, ends)]
    if composed or not ends.search(body):
        return [RowText(prompt, completion)]
    span = (len(prompt), len(prompt) + len(body))
    return [RowText(prompt, completion, spelled=(span,), changes=(RowReason.SPELLED_TOKEN,))]


def marks_of(tokenizer: Any) -> re.Pattern[str]:
    """Matches consecutive special tokens, such as those that end a turn."""
    special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    texts = sorted({*special, tokenizer.eos_token}, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, texts))})+")


def _chat(chat: Any, system: Any) -> Any:
    """The messages of a chat in any form, below the column `system` where they have no system turn of their
    own; messages with roles as they are: a template may know more fields and roles than we do.
    """
    chat = parsed(chat)
    if not (isinstance(chat, list) and all(map(_is_message, chat))):
        turns = turns_of(chat) if chat else CorpusReason.NO_CHAT
        if isinstance(turns, CorpusReason):
            # What is no chat at all is an error of the file.
            return chat if turns is CorpusReason.NO_CHAT else turns
        chat = [{"role": role, "content": text} for role, text in turns]
    if system and chat and chat[0].get("role") != "system":
        return [{"role": "system", "content": system}, *chat]
    return chat


def _is_message(turn: Any) -> bool:
    return isinstance(turn, dict) and "role" in turn and ("content" in turn or "tool_calls" in turn)


def _alpaca(record: dict[str, Any], system: Any) -> Any:
    """The messages of an Alpaca row: its history, its instruction and input, and its output."""
    asked = "\n\n".join(str(record[name]) for name in ("instruction", "input") if record.get(name))
    earlier = record.get("history") or []
    whole = with_history(earlier, ("user", asked), ("assistant", record["output"]))
    return _chat(whole, system)


def _checked(value: Any, field: str, wrong: RowError) -> str:
    if value is None or value == "":
        raise wrong("empty" if value == "" else "empty (null)", field=field, hint=_HINT)
    if not isinstance(value, str):
        raise wrong(f"expected a text, got {shown(value)}", field=field, hint=_HINT)
    return value


def _conversation(
    turns: Any, template: ChatTemplate | None, ends: re.Pattern[str], wrong: RowError, last: bool
) -> list[RowText] | CorpusReason:
    """A conversation in the chat template, which may mark the end of a turn."""
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise wrong("expected a list of messages with `role` and `content`", field="messages", hint=_HINT)
    kept, left_out = without_loose_ends([turn.get("role") for turn in turns])
    turns, changes = [turns[number] for number in kept], list[str](left_out)
    if len(turns) < 2 or turns[-1].get("role") != "assistant":
        raise wrong("does not end with the assistant's answer to a message", field="messages", hint=_HINT)
    contents = [text_of_parts(turn.get("content")) for turn in turns]
    if CorpusReason.OTHER_PART in contents:
        return CorpusReason.OTHER_PART
    read = zip(turns, contents, strict=True)
    texts = [turn.get("content") if isinstance(text, CorpusReason) else text for turn, text in read]
    turns = [
        {**turn, "content": _checked(text, "messages.content", wrong)}
        for turn, text in zip(turns, texts, strict=True)
    ]
    if template is None:
        raise wrong(
            "this model's tokenizer has no chat template",
            field="messages",
            hint="compose with another template than `messages`, or take a model with a chat template",
        )
    whole: Turns = [dict(turn) for turn in template.folded(turns)]
    if len(whole) < len(turns):
        changes.append(RowReason.SYSTEM_FOLDED)
    answers = _answers(whole, template, ends, wrong, last)
    numbers = [number for number, turn in enumerate(whole) if number and turn.get("role") == "assistant"]
    if not last and len(answers) < len(numbers):
        changes.append(RowReason.ONLY_READ)
    return _texts(answers, [turn["content"] for turn in whole], ends, changes)


def _answers(
    turns: Turns, template: ChatTemplate, ends: re.Pattern[str], wrong: RowError, last: bool
) -> list[_Answer]:
    """The answers of a conversation that can be learned. Raises `wrong` for the last one."""
    from jinja2 import TemplateError

    found = []
    for number, turn in enumerate(turns):
        final = number == len(turns) - 1
        if not number or turn.get("role") != "assistant" or (last and not final):
            continue
        try:
            written = template.conversation(turns[: number + 1])
        except TemplateError as error:
            if final:
                raise wrong(f"the chat template rejects it: {error}", field="messages", hint=_HINT) from error
        except ValueError as error:
            if final:
                hint = "use rows with `prompt` and `completion`"
                raise wrong(f"this chat template {error}", field="messages", hint=hint) from error
        else:
            # Templates may change the content: strip it, say.
            end = max(0, written.ends)
            mark = ends.search(written.answer, end)
            end = mark.end() if mark else end or len(written.answer)
            found.append(_Answer(written.prompt, written.answer[:end], mark is not None))
    return found


def _texts(
    answers: list[_Answer], contents: list[str], ends: re.Pattern[str], changes: list[str]
) -> list[RowText]:
    """The fewest texts that have every answer as the template writes it alone."""
    found: list[RowText] = []
    while answers:
        final = answers[-1]
        text = final.prompt + final.text
        within = [one for one in answers if text.startswith(one.prompt + one.text)]
        answers = [one for one in answers if one not in within]
        spans = [(len(one.prompt), len(one.prompt) + len(one.text)) for one in within]
        first = spans[0][0]
        spelled = _places(text, contents, ends)
        row = RowText(
            text[:first],
            text[first:],
            templated=True,
            ended=final.ended,
            spelled=spelled,
            asides=tuple((one[1], other[0]) for one, other in pairwise(spans)),
            changes=(RowReason.SPELLED_TOKEN,) if spelled else (),
        )
        found.insert(0, row)
    found[0] = found[0]._replace(changes=(*found[0].changes, *changes))
    return [row._replace(continued=number > 0) for number, row in enumerate(found)]


def _places(text: str, contents: Sequence[str], ends: re.Pattern[str]) -> tuple[tuple[int, int], ...]:
    """Where those contents stand in a text that spell out special tokens, in their order."""
    found, start = [], 0
    for content in contents:
        place = text.find(content.strip(), start)
        if place >= 0:
            start = place + len(content.strip())
            if ends.search(content):
                found.append((place, start))
    return tuple(found)


def _length_of_end(text: str, ends: re.Pattern[str]) -> int:
    """How many characters of special tokens, with blanks around them, a text ends with."""
    length = 0
    for mark in ends.finditer(text):
        if not text[mark.end() :].strip():
            length = len(text) - mark.start()
    return length
