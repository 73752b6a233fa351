"""Rows of `answers.parquet` from an engine's answers (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.files import write_parquet
from crossin.evaluation.engine import Reply, Scores
from crossin.items import Question
from crossin.items.replies import read_reply
from crossin.items.scored_options import Choice, best_option, option_values

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
    alone = None if bare is None else bare.logprobs
    values = option_values(question.options, found.logprobs, found.tokens, alone, choice)
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
