"""From a mixture to tokens: what is read, what is learned, and what is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.formats import DATA_FOLDER, MANIFEST
from crossin.core.hashing import hash64
from crossin.core.skipping import MOST_SKIPPED, FileFaults, check_faults
from crossin.corpus.reading.records import kind_of_name, read_batches
from crossin.corpus.reading.text_columns import is_unicode
from crossin.corpus.reasons import CorpusReason
from crossin.models.chat import ChatTemplate
from crossin.models.joining import heading_of, split_spelled
from crossin.training.config import Batches
from crossin.training.reasons import RowReason
from crossin.training.row_texts import RowText, marks_of, texts_of
from crossin.training.tokens import tokenise

_KINDS = ("parquet", "jsonl", "ndjson", "json", "csv", "tsv")


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

    `number` (from 0) is its place in the mixture; `id` is shared by its translations, or empty. `asides`: the
    tokens after `learned_from` that are only read, as from and to: what the user says between answers.
    """

    number: int
    id: str
    group: Group
    tokens: Sequence[int]
    learned_from: int
    asides: tuple[tuple[int, int], ...] = ()

    @property
    def prompt(self) -> Sequence[int]:
        """The tokens that are only read."""
        return self.tokens[: self.learned_from]

    @property
    def completion(self) -> Sequence[int]:
        """The tokens that are learned."""
        if not self.asides:
            return self.tokens[self.learned_from :]
        return [self.tokens[place] for place in self.places]

    @property
    def places(self) -> Sequence[int]:
        """The places of the tokens that are learned."""
        if not self.asides:
            return range(self.learned_from, len(self.tokens))
        starts = [self.learned_from, *(end for _, end in self.asides)]
        ends = [*(start for start, _ in self.asides), len(self.tokens)]
        return [place for span in zip(starts, ends, strict=True) for place in range(*span)]

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return len(self.tokens) - self.learned_from - sum(end - start for start, end in self.asides)


def read_rows(
    place: Path, tokenizer: Any, batches: Batches, arguments: Mapping[str, Any] | None = None
) -> tuple[list[TrainingRow], dict[str, int]]:
    """The rows of a mixture folder (as `crossin compose` writes it), or of Parquet, JSON Lines or JSON files:
    one, or a folder of them in the order of their names; and how many rows were left out, by reason code.

    A row has the texts `prompt` and `completion`, or a chat (`messages`, `conversations`, `conversation`; or
    both texts as lists of messages; or Alpaca's columns) that ends with the assistant. A chat is written in
    the tokenizer's own chat template, which gets the user's own `arguments`; learned are the assistant's
    turns, or the last of them (`batches.turns`, or the row's column `turns`). Optional are `id`, `component`
    (else `kind`), `lang_in` and `lang_out`. JSON may be compressed (.gz, .zst).

    A row's tokens are the tokenizer's heading (such as a beginning of sequence), the prompt, the completion
    and one end of text. Learned are the tokens from the first that holds a character of the completion to the
    end of text, or where a template marks the end of a turn, to this mark. A conversation that is too long
    loses its last turns; one that the template writes differently turn by turn is several rows of one number.

    Raises CrossinError for a place without rows, for files of another form (with file, row and field), and
    where more than a tenth of a file's rows cannot be used.
    """
    _end_of(tokenizer)
    ends = marks_of(tokenizer)
    template = ChatTemplate(tokenizer, arguments or {}) if tokenizer.chat_template else None
    texts: list[tuple[str, Group, RowText]] = []
    unusable = Counter[str]()
    for file in files_of(place):
        faults = FileFaults(file, 0)
        for row, record in _records(file):
            faults.rows += 1
            wrong = partial(CrossinError, file=file, row=row)
            if isinstance(record, CorpusReason):
                faults.add(record, 1, row)
                continue
            one_answer = batches.turns == "last"
            found = texts_of(record, template, ends, wrong, last=one_answer, known=bool(texts))
            if isinstance(found, str):
                faults.add(found, 1, row)
            else:
                texts += [(*_id_and_group(record), text) for text in found]
        check_faults([faults], MOST_SKIPPED, "remove them from the file")
        unusable += faults.reasons
    if not texts:
        raise CrossinError("the mixture is empty: no rows", file=place, hint="compose the mixture again")
    rows, skipped = rows_of(texts, tokenizer, batches)
    return rows, dict(unusable + skipped)


def _records(file: Path) -> Iterator[tuple[int, dict[str, Any] | CorpusReason]]:
    """The records of a file by their row, from 1, or why one cannot be used."""
    for batch in read_batches(file, lenient=True):
        broken = set(batch.broken)
        for place, record in enumerate(batch.to_list()):
            row = int(batch.rows[place]) + 1
            if place in broken:
                yield row, CorpusReason.BROKEN_RECORD
            elif not is_unicode(record):
                yield row, CorpusReason.BROKEN_TEXT
            else:
                yield row, record


def rows_of(
    texts: Sequence[tuple[str, Group, RowText]], tokenizer: Any, batches: Batches
) -> tuple[list[TrainingRow], Counter[str]]:
    """The rows of texts with their ids and groups, numbered by their records; and how many were left out, by
    reason code. `read_rows` says which tokens a row has.
    """
    end = _end_of(tokenizer)
    plain = [text for *_, text in texts if not _is_split(text, tokenizer)]
    borders = [len(text.prompt) for text in plain]
    found = iter(tokenise(tokenizer, [text.prompt + text.completion for text in plain], borders))
    heading = heading_of(tokenizer)
    rows: list[TrainingRow] = []
    skipped = Counter[str]()
    number = -1
    for name, group, text in texts:
        number += not text.continued
        asides: tuple[tuple[int, int], ...] = ()
        if not _is_split(text, tokenizer):
            tokens, border = next(found)
        else:
            places = [len(text.prompt), *(place for span in text.asides for place in span)]
            whole = text.prompt + text.completion
            tokens, (border, *inner) = split_spelled(tokenizer, whole, places, text.spelled)
            asides = tuple(zip(inner[::2], inner[1::2], strict=True))
        skipped.update(text.changes if tokenizer.is_fast else set(text.changes) - {RowReason.SPELLED_TOKEN})
        learned = list(tokens[border:])
        if not learned:
            skipped[RowReason.NO_TOKENS] += 1
            continue
        if not text.ended and learned[-1] != end:
            learned.append(end)
        kept, prompt = _headed(text, tokens[:border], tokenizer, heading)
        shift = len(prompt) - border
        asides = tuple((start + shift, stop + shift) for start, stop in asides)
        whole_row = TrainingRow(number, name, group, [*prompt, *learned], len(prompt), asides)
        row, code = _shortened(whole_row, kept, batches)
        if code is not None:
            skipped[code] += 1
        if row is not None:
            rows.append(row)
    return rows, skipped


def _is_split(text: RowText, tokenizer: Any) -> bool:
    """Whether a text has more borders than that of prompt and completion, or tokens that are text."""
    return bool(text.asides or (text.spelled and tokenizer.is_fast))


def _shortened(row: TrainingRow, kept: int, batches: Batches) -> tuple[TrainingRow | None, RowReason | None]:
    """The row with at most `batches.longest` tokens, and what was done; None where it is left out. A cut
    spares the first `kept` tokens.
    """
    if len(row.tokens) <= batches.longest:
        return row, None
    for number, (start, _) in reversed(list(enumerate(row.asides))):
        if start <= batches.longest:
            shorter = replace(row, tokens=row.tokens[:start], asides=row.asides[:number])
            return shorter, RowReason.TURNS_CUT
    if batches.too_long == "skip":
        return None, RowReason.TOO_MANY_TOKENS
    if row.asides:
        # Of a conversation whose first exchange is too long alone, this exchange.
        row = replace(row, tokens=row.tokens[: row.asides[0][0]], asides=())
    excess = len(row.tokens) - batches.longest
    # The first token that is learned needs one before it.
    if row.learned_from - max(1, kept) < excess:
        return None, RowReason.COMPLETION_TOO_LONG
    tokens = [*row.tokens[:kept], *row.tokens[kept + excess :]]
    return replace(row, tokens=tokens, learned_from=row.learned_from - excess), RowReason.PROMPT_CUT


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


def files_of(place: Path) -> list[Path]:
    """The files of rows of a mixture folder, of a folder of such files, or the one file."""
    folder = place / DATA_FOLDER if (place / DATA_FOLDER).is_dir() else place
    there = sorted(folder.iterdir()) if folder.is_dir() else [folder] if folder.exists() else []
    found = [file for file in there if _kind(file) and file.name != MANIFEST and file.name[0] != "."]
    if not found:
        raise CrossinError(
            "holds no mixture",
            file=place,
            hint=f"compose one first, or name a file or folder of .{', .'.join(_KINDS)}",
        )
    # A JSON file beside files of rows tells about them.
    return [file for file in found if _kind(file) != "json"] or found


def _kind(file: Path) -> str:
    kind = kind_of_name(file.name)
    return kind if kind in _KINDS and file.is_file() else ""


def _id_and_group(record: dict[str, Any]) -> tuple[str, Group]:
    name, component, kind, lang_in, lang_out = (
        "" if record.get(field) is None else str(record[field])
        for field in ("id", "component", "kind", "lang_in", "lang_out")
    )
    return name, Group(component or kind, lang_in, lang_out)
