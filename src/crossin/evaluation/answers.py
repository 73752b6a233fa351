"""Rows of `answers.parquet` from an engine's answers (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.files import write_parquet
from crossin.evaluation.engine import Reply, Scores
from crossin.evaluation.preparation import Choice
from crossin.items import Question
from crossin.items.replies import read_reply

Row = dict[str, Any]
# By name: columns that are written only where a row has another value than this.
_OPTIONAL: Row = {"values": None, "aliases": [], "answer_type": "text", "inventory": "", "entity": ""}


def scored_row(question: Question, found: Scores, bare: Scores | None, choice: Choice) -> Row:
    """The row of a question whose options were scored.

    The answer is the option that is best by `choice` among those whose log-probability the engine knows, the
    first of equals; null where it knows none. Where it lacks one, `logprobs`, `bare_logprobs` or `values` is
    null. Where it lacks that of the right option, nothing can be said of the model, so the answer is null
    too; not where the others are `listed`, since then they are more probable.
    """
    values = option_values(question, found, bare, choice)
    chosen = best_option(values)
    if (
        not (found.listed and bare is None)
        and values[question.item.option_ids.index(question.item.answer)] is None
    ):
        chosen = None
    return _row(
        question,
        found,
        logprobs=_whole(found.logprobs),
        tokens=found.tokens,
        bare_logprobs=None if bare is None else _whole(bare.logprobs),
        values=None if choice == "sum" else _whole(values),
        answer=None if chosen is None else question.item.option_ids[chosen],
    )


def replied_row(question: Question, found: Reply) -> Row:
    """The row of a question that was answered in text; of multiple choice, the option is parsed from it."""
    item, shown = question.item, question.shown
    # JSON can hold half of a character; no file can.
    text = found.text.encode(errors="replace").decode()
    options = [item.options[place] for place in shown]
    read = None if item.free_text else read_reply(text, options, language=item.language)
    return _row(question, found, answer=None if read is None else item.option_ids[shown[read]], reply=text)


def option_values(
    question: Question, found: Scores, bare: Scores | None, choice: Choice
) -> list[float | None]:
    """What decides between the options: each one's log-probability, by `choice` as it is, a token, or a byte;
    less that in `bare` where the options were asked without their question. None where it is not known. Where
    the option fills a gap, tokens and bytes are those of the whole sentence, which all is scored.
    """
    if bare is not None:
        return [
            None if one is None or alone is None else one - alone
            for one, alone in zip(found.logprobs, bare.logprobs, strict=True)
        ]
    if choice == "sum":
        return list(found.logprobs)
    # What separates an option from the prompt is not the option's own length.
    sizes = found.tokens if choice == "token" else [len(text.strip().encode()) for text in question.options]
    return [None if one is None else one / size for one, size in zip(found.logprobs, sizes, strict=True)]


def best_option(values: Sequence[float | None]) -> int | None:
    """The place of the best option among those with a known value, the first of equals; None without any."""
    known = [(value, -place) for place, value in enumerate(values) if value is not None]
    return -max(known)[1] if known else None


def write_answers(path: Path, rows: Sequence[Row]) -> None:
    """Write rows in their order, without the optional columns that no row uses."""
    import pyarrow

    text, numbers = pyarrow.string(), pyarrow.list_(pyarrow.float64())
    optional = {**dict.fromkeys(_OPTIONAL, text), "values": numbers, "aliases": pyarrow.list_(text)}
    used = [name for name, unset in _OPTIONAL.items() if any(row[name] != unset for row in rows)]
    # Explicit, since a column may be null in every row.
    schema = pyarrow.schema(
        {
            **dict.fromkeys(("item", "group", "task", "language", "prompt"), text),
            **dict.fromkeys(("option_ids", "shown"), pyarrow.list_(text)),
            "logprobs": numbers,
            "tokens": pyarrow.list_(pyarrow.int64()),
            "bare_logprobs": numbers,
            **dict.fromkeys(("answer", "gold", "reply"), text),
            **dict.fromkeys(("computed", "saved"), pyarrow.int64()),
            **{name: optional[name] for name in used},
        }.items()
    )
    write_parquet(path, pyarrow.Table.from_pylist(rows, schema))


def _row(question: Question, found: Scores | Reply, **own: Any) -> Row:
    item = question.item
    return {
        "item": item.item,
        "group": item.group,
        "task": item.task,
        "language": item.language,
        "prompt": question.wording,
        "option_ids": item.option_ids,
        "shown": question.shown_ids,
        "gold": item.answer,
        **_OPTIONAL,
        "aliases": item.aliases,
        "answer_type": item.answer_type,
        "inventory": item.inventory,
        "entity": item.entity,
        **dict.fromkeys(("logprobs", "tokens", "bare_logprobs", "answer", "reply")),
        "computed": found.computed,
        "saved": found.saved,
        **own,
    }


def _whole(logprobs: list[float | None]) -> list[float | None] | None:
    return None if None in logprobs else logprobs
