"""From a mixture to tokens: what is read, what is learned, and what is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.formats import DATA_FOLDER, MANIFEST
from crossin.core.hashing import hash64
from crossin.core.plain_values import shown
from crossin.core.reasons import Reason
from crossin.corpus.reading.records import read_records
from crossin.corpus.reading.rows import text_of_parts
from crossin.corpus.reasons import CorpusReason
from crossin.models.chat import ChatTemplate
from crossin.models.joining import heading_of, split_spelled
from crossin.training.config import Batches
from crossin.training.tokens import tokenise

_KINDS = (".parquet", ".jsonl", ".json", ".csv")
_HINT = "correct the row, or leave it out"

# A CrossinError that knows its file and row already.
RowError = Callable[..., CrossinError]


class RowReason(Reason):
    """Why a row is not trained on, or not whole."""

    TOO_MANY_TOKENS = (
        "too_many_tokens",
        "more tokens than `batches.longest`",
        "raise `batches.longest`, or cut the prompts with `batches.too_long: cut`",
    )
    COMPLETION_TOO_LONG = (
        "completion_too_long",
        "more tokens in the completion than `batches.longest`",
        "raise `batches.longest`",
    )
    PROMPT_CUT = "prompt_cut", "only the beginning of the prompt", "", True
    SPELLED_TOKEN = (
        "special_token_spelled",
        "a special token is spelled out in a text: it is read as text",
        "",
        True,
    )
    SYSTEM_FOLDED = (
        "system_folded",
        "the chat template has no system turn: its text is put before the user's",
        "",
        True,
    )
    NO_TOKENS = (
        "completion_without_tokens",
        "the completion has no tokens",
        "fill the completions, or leave these rows out of the mixture",
    )


class Group(NamedTuple):
    """What losses are reported by: a row's component (else its kind), and its two languages."""

    component: str
    lang_in: str
    lang_out: str

    @property
    def language(self) -> str:
        """The language of the completion, else of the prompt."""
        return self.lang_out or self.lang_in


@dataclass(frozen=True)
class TrainingRow:
    """One row of the mixture as tokens: those from number `learned_from` (at least 1) on are learned.

    `number` (from 0) is its place in the mixture; `id` is shared by its translations, or empty.
    """

    number: int
    id: str
    group: Group
    tokens: Sequence[int]
    learned_from: int

    @property
    def prompt(self) -> Sequence[int]:
        """The tokens that are only read."""
        return self.tokens[: self.learned_from]

    @property
    def completion(self) -> Sequence[int]:
        """The tokens that are learned."""
        return self.tokens[self.learned_from :]

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return len(self.tokens) - self.learned_from


class RowText(NamedTuple):
    """The texts of a row. A `templated` one has its own heading, and an `ended` one its own end; of a
    `folded` one the system turn is in the user's. `spelled`: places in both texts together, in characters, in
    which special tokens are text.
    """

    prompt: str
    completion: str
    templated: bool = False
    ended: bool = False
    folded: bool = False
    spelled: tuple[tuple[int, int], ...] = ()


def read_rows(
    place: Path, tokenizer: Any, batches: Batches, arguments: Mapping[str, Any] | None = None
) -> tuple[list[TrainingRow], dict[str, int]]:
    """The rows of a mixture folder (as `crossin compose` writes it), or of Parquet, JSON Lines or JSON files:
    one, or a folder of them in the order of their names; and how many rows were left out, by reason code.

    A row has the texts `prompt` and `completion`, or `messages` (or both as lists of messages), whose last
    turn is the assistant's and is learned; the others are read in the tokenizer's own chat template, which
    gets the user's own `arguments`. Optional are `id`, `component` (else `kind`), `lang_in` and `lang_out`.
    JSON may be compressed (.gz, .zst).

    A row's tokens are the tokenizer's heading (such as a beginning of sequence), the prompt, the completion
    and one end of text. Learned are the tokens from the first that holds a character of the completion to the
    end of text, or where a template marks the end of a turn, to this mark.

    Raises CrossinError for a place without rows, and with file, row and field for a row that cannot be
    learned from.
    """
    _end_of(tokenizer)
    ends = _marks(tokenizer)
    template = ChatTemplate(tokenizer, arguments or {}) if tokenizer.chat_template else None
    read = [
        (_id_and_group(record), _text(record, template, ends, partial(CrossinError, file=file, row=row)))
        for file in _files(place)
        for row, record in read_records(file)
    ]
    if not read:
        raise CrossinError("the mixture is empty: no rows", file=place, hint="compose the mixture again")
    rows, skipped = rows_of([(*names, text) for names, text in read], tokenizer, batches)
    return rows, dict(skipped)


def rows_of(
    texts: Sequence[tuple[str, Group, RowText]], tokenizer: Any, batches: Batches
) -> tuple[list[TrainingRow], Counter[str]]:
    """The rows of texts with their ids and groups, numbered in their order; and how many were left out, by
    reason code. `read_rows` says which tokens a row has.
    """
    end = _end_of(tokenizer)
    borders = [len(text.prompt) for *_, text in texts]
    found = tokenise(tokenizer, [text.prompt + text.completion for *_, text in texts], borders)
    heading = heading_of(tokenizer)
    rows: list[TrainingRow] = []
    skipped = Counter[str]()
    for number, ((name, group, text), (tokens, border)) in enumerate(zip(texts, found, strict=True)):
        if text.spelled and tokenizer.is_fast:
            whole, place = text.prompt + text.completion, len(text.prompt)
            tokens, border = split_spelled(tokenizer, whole, place, text.spelled)
            skipped[RowReason.SPELLED_TOKEN] += 1
        learned = list(tokens[border:])
        if text.folded:
            skipped[RowReason.SYSTEM_FOLDED] += 1
        if not learned:
            skipped[RowReason.NO_TOKENS] += 1
            continue
        if not text.ended and learned[-1] != end:
            learned.append(end)
        kept, prompt = _headed(text, tokens[:border], tokenizer, heading)
        excess = len(prompt) + len(learned) - batches.longest
        if excess > 0 and batches.too_long == "skip":
            skipped[RowReason.TOO_MANY_TOKENS] += 1
            continue
        if excess > 0:
            # The first token that is learned needs one before it.
            if len(prompt) - max(1, kept) < excess:
                skipped[RowReason.COMPLETION_TOO_LONG] += 1
                continue
            del prompt[kept : kept + excess]
            skipped[RowReason.PROMPT_CUT] += 1
        rows.append(TrainingRow(number, name, group, [*prompt, *learned], len(prompt)))
    return rows, skipped


def held_out(rows: Sequence[TrainingRow], share: float) -> tuple[list[TrainingRow], list[TrainingRow]]:
    """The rows to train on, and about the `share` of them to hold out; a row's translations are on one
    side.
    """
    sides: tuple[list[TrainingRow], list[TrainingRow]] = ([], [])
    for row in rows:
        sides[hash64("held out", row.id or f"row {row.number}") < share * 2**64].append(row)
    return sides


def _end_of(tokenizer: Any) -> int:
    end: int | None = tokenizer.eos_token_id
    if end is None:
        raise CrossinError(
            "this model's tokenizer has no end-of-text token",
            field="eos_token",
            hint="set its eos_token, and save it",
        )
    return end


def _headed(
    text: RowText, prompt: Sequence[int], tokenizer: Any, heading: tuple[int, ...]
) -> tuple[int, list[int]]:
    """The tokens before the completion with the heading, and how many of them are never cut. A template, or a
    beginning of sequence in the text, is its own heading.
    """
    begin = tokenizer.bos_token
    own = text.templated or bool(begin and (text.prompt + text.completion).startswith(begin))
    if own and prompt:
        return int(prompt[0] == tokenizer.bos_token_id), list(prompt)
    if not heading and not prompt:
        heading = (tokenizer.bos_token_id if begin else tokenizer.eos_token_id,)
    return len(heading), [*heading, *prompt]


def _files(place: Path) -> list[Path]:
    folder = place / DATA_FOLDER if (place / DATA_FOLDER).is_dir() else place
    there = sorted(folder.iterdir()) if folder.is_dir() else [folder] if folder.exists() else []
    found = [file for file in there if _kind(file) and file.name != MANIFEST and file.name[0] != "."]
    if not found:
        raise CrossinError(
            "holds no mixture",
            file=place,
            hint=f"compose one first, or name a file or folder of {', '.join(_KINDS)}",
        )
    # A JSON file beside files of rows tells about them.
    return [file for file in found if _kind(file) != ".json"] or found


def _kind(file: Path) -> str:
    suffix = Path(file.name.removesuffix(".gz").removesuffix(".zst")).suffix
    return suffix if suffix in _KINDS and file.is_file() else ""


def _id_and_group(record: dict[str, Any]) -> tuple[str, Group]:
    name, component, kind, lang_in, lang_out = (
        "" if record.get(field) is None else str(record[field])
        for field in ("id", "component", "kind", "lang_in", "lang_out")
    )
    return name, Group(component or kind, lang_in, lang_out)


def _text(
    record: dict[str, Any], template: ChatTemplate | None, ends: re.Pattern[str], wrong: RowError
) -> RowText:
    if missing := [name for name in ("prompt", "completion") if name not in record]:
        if "messages" in record:
            return _conversation(_with_system(record), template, ends, wrong)
        raise wrong(
            f"there is no such column; there are: {', '.join(record) or 'none'}",
            field=missing[0],
            hint="rename the columns to `prompt` and `completion`, or `messages`",
        )
    prompt, completion = record["prompt"], record["completion"]
    if isinstance(prompt, list) and isinstance(completion, list):
        if len(completion) != 1:
            raise wrong("expected a list of one message", field="completion", hint=_HINT)
        return _conversation([*prompt, *completion], template, ends, wrong)
    prompt, completion = _checked(prompt, "prompt", wrong), _checked(completion, "completion", wrong)
    # The marks of a composed row are its template's; those at the end of any completion are meant as such.
    composed = record.get("component") or record.get("kind")
    body = completion[: len(completion) - _length_of_end(completion, ends)]
    spelled = ends.search(body) and not composed
    first = len(prompt)
    return RowText(prompt, completion, spelled=((first, first + len(body)),) if spelled else ())


def _with_system(record: dict[str, Any]) -> Any:
    """The messages of a record, below its column `system` where they have no system turn of their own."""
    turns, system = record["messages"], record.get("system")
    if not system or not isinstance(turns, list) or not turns or not isinstance(turns[0], dict):
        return turns
    return turns if turns[0].get("role") == "system" else [{"role": "system", "content": system}, *turns]


def _checked(value: Any, field: str, wrong: RowError) -> str:
    if value is None or value == "":
        raise wrong("empty" if value == "" else "empty (null)", field=field, hint=_HINT)
    if not isinstance(value, str):
        raise wrong(f"expected a text, got {shown(value)}", field=field, hint=_HINT)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise wrong(
            f"half a character ({value[error.start]!a})", field=field, hint="save the file as UTF-8"
        ) from error
    return value


def _content_of(turn: dict[str, Any], wrong: RowError) -> str:
    """A message's text; the parts that it may be in are joined."""
    content = text_of_parts(turn.get("content"))
    if content is CorpusReason.OTHER_PART:
        raise wrong(content.sentence, field="messages.content", hint=_HINT)
    return _checked(
        turn.get("content") if isinstance(content, CorpusReason) else content, "messages.content", wrong
    )


def _conversation(
    turns: Any, template: ChatTemplate | None, ends: re.Pattern[str], wrong: RowError
) -> RowText:
    """A conversation in the chat template, which may mark the end of a turn."""
    from jinja2 import TemplateError

    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise wrong("expected a list of messages with `role` and `content`", field="messages", hint=_HINT)
    if len(turns) < 2 or turns[-1].get("role") != "assistant":
        raise wrong("does not end with the assistant's answer to a message", field="messages", hint=_HINT)
    turns = [{**turn, "content": _content_of(turn, wrong)} for turn in turns]
    if template is None:
        raise wrong(
            "this model's tokenizer has no chat template",
            field="messages",
            hint="compose with another template than `messages`, or take a model with a chat template",
        )
    whole = template.folded(turns)
    try:
        found = template.conversation(whole)
    except TemplateError as error:
        raise wrong(f"the chat template rejects it: {error}", field="messages", hint=_HINT) from error
    except ValueError as error:
        raise wrong(
            f"this chat template {error}", field="messages", hint="use rows with `prompt` and `completion`"
        ) from error
    # Templates may change the content: strip it, say.
    end = max(0, found.ends)
    mark = ends.search(found.answer, end)
    end = mark.end() if mark else end or len(found.answer)
    answer = found.answer[:end]
    spelled = _places(found.prompt + answer, [turn["content"] for turn in whole], ends)
    return RowText(
        found.prompt,
        answer,
        templated=True,
        ended=mark is not None,
        folded=whole is not turns,
        spelled=spelled,
    )


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


def _marks(tokenizer: Any) -> re.Pattern[str]:
    """Matches consecutive special tokens, such as those that end a turn."""
    special = {token.content for token in tokenizer.added_tokens_decoder.values() if token.special}
    texts = sorted({*special, tokenizer.eos_token}, key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, texts))})+")
