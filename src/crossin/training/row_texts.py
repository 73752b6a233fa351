"""From a record to the texts that are learned: a prompt and a completion, or a chat in its template."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
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
    known: bool = False,
) -> list[RowText] | str:
    """The texts of a record, or the code of why it cannot be used. last: of a conversation, the last answer
    is learned. known: whether other records of the file could be used.

    Else all of its answers are learned, or those that the column `turns` says. They are in one text, as far
    as the template writes an answer with later turns as it does alone; else an answer has a text of its own,
    which ends with it. Raises `wrong` for a file that is not of any form, and a chat without a template.
    """
    # Parquet has every column in every row.
    given = {name: value for name, value in record.items() if value is not None}
    chat = next((name for names in (given, record) for name in CHATS if name in names), None)
    system = next((record[name] for name in SYSTEMS if record.get(name)), None)
    columns = record if chat is None else given
    if missing := [name for name in ("prompt", "completion") if name not in columns]:
        if chat is not None:
            turns = _chat(record[chat], system)
        elif isinstance(record.get("prompt"), dict):
            # A tree of replies.
            turns = _chat(record["prompt"], system)
        elif "instruction" in record and "output" in record and template is not None:
            turns = _alpaca(record, system)
        elif known:
            return CorpusReason.MISSING_FIELD
        else:
            raise wrong(
                f"there is no such column; there are: {', '.join(record) or 'none'}",
                field=missing[0],
                hint="rename the columns to `prompt` and `completion`, or `messages`",
            )
        if isinstance(turns, CorpusReason):
            return turns
        changes: list[str] = [CorpusReason.OTHER_SYSTEM] if _has_other_system(turns, system) else []
        return _conversation(turns, template, ends, wrong, last or record.get("turns") == "last", changes)
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        if len(completion) != 1:
            return CorpusReason.INCOMPLETE_EXCHANGE
        return _conversation([*prompt, *completion], template, ends, wrong, True, [])
    for text in (prompt, completion):
        if fault := _fault(text, RowReason.EMPTY_EXCHANGE):
            return fault
    # The marks of a composed row are its template's.
    composed = record.get("component") or record.get("kind")
    return [RowText(prompt, completion) if composed else plain_text(prompt, completion, ends)]


def plain_text(prompt: str, completion: str, ends: re.Pattern[str]) -> RowText:
    """A prompt and its completion, in which special tokens are text but at its end."""
    body = completion[: len(completion) - _length_of_end(completion, ends)]
    if not ends.search(body):
        return RowText(prompt, completion)
    span = (len(prompt), len(prompt) + len(body))
    return RowText(prompt, completion, spelled=(span,), changes=(RowReason.SPELLED_TOKEN,))


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
            return turns
        chat = [{"role": role, "content": text} for role, text in turns]
    if system and chat and chat[0].get("role") != "system":
        return [{"role": "system", "content": system}, *chat]
    return chat


def _has_other_system(turns: Any, system: Any) -> bool:
    """Whether a chat has another system turn than the column beside it."""
    own = turns[0].get("content") if turns and turns[0].get("role") == "system" else system
    return bool(system) and own != system


def _is_message(turn: Any) -> bool:
    return isinstance(turn, dict) and "role" in turn and ("content" in turn or "tool_calls" in turn)


def _alpaca(record: dict[str, Any], system: Any) -> Any:
    """The messages of an Alpaca row: its history, its instruction and input, and its output."""
    asked = "\n\n".join(str(record[name]) for name in ("instruction", "input") if record.get(name))
    earlier = record.get("history") or []
    whole = with_history(earlier, ("user", asked), ("assistant", record["output"]))
    return _chat(whole, system)


def _fault(value: Any, empty: str) -> str:
    """The code of what is wrong with a text; '' where nothing is."""
    if value is None or value == "":
        return empty
    return "" if isinstance(value, str) else CorpusReason.NOT_TEXT


def _conversation(
    turns: Any,
    template: ChatTemplate | None,
    ends: re.Pattern[str],
    wrong: RowError,
    last: bool,
    changes: list[str],
) -> list[RowText] | str:
    """A conversation in the chat template, which may mark the end of a turn."""
    if not all(isinstance(turn, dict) for turn in turns):
        return CorpusReason.NO_CHAT
    kept, left_out = without_loose_ends([turn.get("role") for turn in turns])
    turns, changes = [turns[number] for number in kept], [*changes, *left_out]
    if len(turns) < 2 or turns[-1].get("role") != "assistant":
        return CorpusReason.INCOMPLETE_EXCHANGE
    contents = [text_of_parts(turn.get("content")) for turn in turns]
    for turn, text in zip(turns, contents, strict=True):
        if isinstance(text, CorpusReason):
            return CorpusReason.OTHER_PART if turn.get("tool_calls") else text
        if not text:
            return CorpusReason.TURN_WITHOUT_TEXT
    turns = [{**turn, "content": text} for turn, text in zip(turns, contents, strict=True)]
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
    if isinstance(answers, str):
        return answers
    numbers = [number for number, turn in enumerate(whole) if number and turn.get("role") == "assistant"]
    if not last and len(answers) < len(numbers):
        changes.append(RowReason.ONLY_READ)
    return _texts(answers, [turn["content"] for turn in whole], ends, changes)


def _answers(
    turns: Turns, template: ChatTemplate, ends: re.Pattern[str], wrong: RowError, last: bool
) -> list[_Answer] | str:
    """The answers of a conversation that can be learned; or a code where the template rejects the last one.
    Raises `wrong` for a template that writes it differently as a prompt.
    """
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
                return RowReason.TEMPLATE_REJECTS.about(str(error).replace(":", ";")[:80])
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
