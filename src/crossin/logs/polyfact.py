"""The logs of PolyFact's makers (arXiv 2606.06586): one JSON object for a model and a benchmark.

Answers to KLAR are replies in free text, with the fact that each is about. Answers to Global-MMLU-Lite are
the scores of the options; which option is right is not in the file (`crossin.logs.golds`). Both say of each
answer whether their makers count it as right.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError, located
from crossin.core.reasons import Reason
from crossin.core.skipping import MOST_SKIPPED
from crossin.corpus.reading.records import kind_of_name, read_object, unpacked
from crossin.items import Item, read_items
from crossin.items.inventories import inventories_of
from crossin.logs.answers import LoggedAnswers, Marks
from crossin.logs.evaluation import completed
from crossin.logs.formats import Files, LogFormat, each_alone
from crossin.logs.golds import with_golds
from crossin.logs.lines import Line, checked, complete
from crossin.logs.options import LogOptions

# How much of a file is read to recognise it, and the names near the start of either kind.
_HEAD = 1 << 14
_NAMES = (
    ("match_mode", "per_lang"),
    ("relation", "subject", "target", "pred", "correct"),
    ("per_language_accuracy", "accuracy", "n"),
    ("pred_idx", "correct", "scores"),
)
# Of a record of KLAR.
_TEXTS = ("language", "relation", "subject", "target", "pred")
# One answer: a record of KLAR, or a cell of the scores with its item and language.
_Answer = Mapping[str, Any]


class LeftOut(Reason):
    """Why an answer is left out."""

    NOT_IN_BENCHMARK = "not_in_benchmark", "not in the benchmark"


def _recognises(file: Path) -> bool:
    if kind_of_name(file.name) != "json":
        return False
    with unpacked(file) as stream:
        head = stream.read(_HEAD).decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    return head.startswith("{") and any(all(f'"{name}"' in head for name in names) for names in _NAMES)


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    [file] = files
    log = read_log(file, options.bench)
    return with_golds([log]) if log.marks else [log]


def read_log(file: Path, bench: Path | None = None) -> LoggedAnswers:
    """The answers in a file. Those to Global-MMLU-Lite have no gold yet, but `marks`: see `with_golds`.

    bench: the folder of the benchmark asked, for its groups, inventories and golds. Raises CrossinError, with
    row and field, where the file is malformed, holds other counts than it states, or answers another
    benchmark.
    """
    content = read_object(file)
    with located(file):
        if isinstance(content.get("records"), list):
            return _free_text(content, file, bench)
        if isinstance(content.get("predictions"), dict):
            return _choices(content, file, bench)
        raise _wrong("holds neither 'records' nor 'predictions'")


def _wrong(message: str, row: int | None = None, field: str | None = None) -> CrossinError:
    hint = "get the file again, as PolyFact's makers publish it"
    return CrossinError(message, row=row, field=field, hint=hint)


# Replies to KLAR


def _free_text(content: Mapping[str, Any], file: Path, bench: Path | None) -> LoggedAnswers:
    records = [_record(record, row) for row, record in enumerate(content["records"], start=1)]
    _check_counts("per_lang", _object(content, "per_lang"), _by_language(records))
    # The records do not say which belong to other subsets.
    clean = [record for record in records if not record.get("contaminated")]
    subsets = {"full": records, "clean_all": clean}
    stated = _object(content, "subset_acc")
    _check_counts("subset_acc", {name: stated[name] for name in subsets if name in stated}, subsets)
    lines: list[Line] = [
        {
            "item": str(record["index"]),
            "language": record["language"],
            "gold": record["target"],
            "reply": record["pred"],
        }
        for record in records
    ]
    lines = checked(lines, file)
    model, settings = _model(content, file), {"match_mode": content.get("match_mode")}
    if bench is not None:
        log = completed(model, file, {file: lines}, LogOptions(bench=bench))
    else:
        items = _items(records, lines)
        known = ("group", "task", "option_ids", "inventory", "entity")
        for line, item in zip(lines, items, strict=True):
            line |= {name: getattr(item, name) for name in known} | {"answer": None}
        inventories = {one.name: one for one in inventories_of(items)}
        log = LoggedAnswers(model, "", file, lines, items, inventories)
    return replace(log, benchmark="klar", settings=settings, reported=_accuracy(records, lines))


def _record(record: Any, row: int) -> _Answer:
    if not isinstance(record, dict):
        raise _wrong("expected an object", row, "records")
    for name in _TEXTS:
        if not isinstance(record.get(name), str):
            raise _wrong("missing or not text", row, name)
    if type(record.get("index")) is not int:
        raise _wrong("missing or not a whole number", row, "index")
    if type(record.get("correct")) is not bool:
        raise _wrong("expected true or false", row, "correct")
    return record


def _items(records: Sequence[_Answer], lines: Sequence[Line]) -> list[Item]:
    """What was asked, as far as the records say. A fact's group is its subject in the first language that has
    it, and its entity the target there; the prompt is not known.
    """
    firsts: dict[str, _Answer] = {}
    items = []
    for row, (record, line) in enumerate(zip(records, lines, strict=True), start=1):
        relation, first = record["relation"], firsts.setdefault(line["item"], record)
        if first["relation"] != relation:
            message = (
                f"fact {line['item']} has '{first['relation']}' in {first['language']}, '{relation}' here"
            )
            raise _wrong(message, row, "relation")
        items.append(
            Item(
                item=line["item"],
                group=first["subject"],
                task=relation,
                language=line["language"],
                context="",
                question=f"{record['subject']}: {relation}",
                options=[],
                option_ids=[],
                answer=record["target"],
                source="arXiv 2606.06586",
                licence="not stated",
                inventory=relation,
                entity=first["target"],
            )
        )
    return items


# Scores of the options of Global-MMLU-Lite


def _choices(content: Mapping[str, Any], file: Path, bench: Path | None) -> LoggedAnswers:
    cells: list[_Answer] = []
    for row, (item, found) in enumerate(content["predictions"].items(), start=1):
        cells += _cells(item, found, row)
    part = "per_language_accuracy"
    _check_counts(part, _object(content, part), _by_language(cells))
    items = [] if bench is None else read_items(bench)
    # In the order of the dataset's columns: a benchmark may have shuffled the options, but not their ids.
    ids = {one.item: sorted(one.option_ids) for one in items}
    all_lines = checked([_scored(cell, ids) for cell in cells], file)
    reported = _accuracy(cells, all_lines)
    lines = [line for line in all_lines if not items or line["item"] in ids]
    left_out = len(all_lines) - len(lines)
    if left_out > MOST_SKIPPED * len(all_lines):
        message = (
            f"answers another benchmark: {left_out:,} of its {len(all_lines):,} answers are not in this one"
        )
        raise CrossinError(message, hint="name the benchmark that was asked with --bench")
    marks = _marks(cells, all_lines, {one.item: one.answer for one in items})
    config = _object(content, "config")
    return LoggedAnswers(
        model=_model(config, file),
        benchmark=str(config.get("benchmark") or "global_mmlu_lite"),
        file=file,
        lines=complete(lines, items, file) if items else lines,
        items=items,
        settings={name: config[name] for name in ("split", "score_mode") if name in config},
        skipped={LeftOut.NOT_IN_BENCHMARK: left_out} if left_out else {},
        reported=reported,
        unanswered=len(ids.keys() - {line["item"] for line in lines}),
        marks={line["item"]: marks[line["item"]] for line in lines},
    )


def _cells(item: str, found: Any, row: int) -> list[_Answer]:
    """The answers to an item, one for each language."""
    if not isinstance(found, dict) or not found:
        raise _wrong("expected an answer by language", row, item)
    return [{"item": item, "language": x, **_cell(cell, row, f"{item}.{x}")} for x, cell in found.items()]


def _cell(cell: Any, row: int, field: str) -> _Answer:
    if not isinstance(cell, dict):
        raise _wrong("expected an object", row, field)
    answer, correct, scores = (cell.get(name) for name in ("pred_idx", "correct", "scores"))
    if not isinstance(scores, list) or not all(
        isinstance(one, float | int) and not math.isnan(one) for one in scores
    ):
        raise _wrong("expected numbers, one for each option", row, f"{field}.scores")
    if type(answer) is not int or not 0 <= answer < len(scores):
        raise _wrong("expected the place of one of the scores", row, f"{field}.pred_idx")
    if scores[answer] < max(scores):
        raise _wrong("is not the place of the largest of the scores", row, f"{field}.pred_idx")
    if type(correct) is not bool:
        raise _wrong("expected true or false", row, f"{field}.correct")
    return {"answer": answer, "correct": correct, "scores": scores}


def _scored(cell: _Answer, ids: Mapping[str, Sequence[str]]) -> Line:
    item, scores = cell["item"], cell["scores"]
    line: Line = {"item": item, "language": cell["language"], "values": scores}
    if item not in ids:
        return line | {
            "group": item,
            "task": item.partition("/")[0],
            "option_ids": [str(place) for place in range(len(scores))],
            "answer": str(cell["answer"]),
        }
    if len(ids[item]) != len(scores):
        raise _wrong(f"{len(scores)} scores; the benchmark has {len(ids[item])} options", None, item)
    return line | {"option_ids": list(ids[item]), "answer": ids[item][cell["answer"]]}


def _marks(cells: Sequence[_Answer], lines: Sequence[Line], golds: Mapping[str, str]) -> dict[str, Marks]:
    """What the makers' flags, and the benchmark's `golds` where it is known, say of each item's options."""
    right: dict[str, set[str]] = {item: {gold} for item, gold in golds.items()}
    wrong: dict[str, set[str]] = {}
    for cell, line in zip(cells, lines, strict=True):
        (right if cell["correct"] else wrong).setdefault(line["item"], set()).add(line["answer"])
    return {
        line["item"]: Marks(
            tuple(line["option_ids"]),
            frozenset(right.get(line["item"], ())),
            frozenset(wrong.get(line["item"], ())),
        )
        for line in lines
    }


# Of both


def _object(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object of the file; empty where it has none of this name."""
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _model(content: Mapping[str, Any], file: Path) -> str:
    """The model's name, without its owner's; without any, the file's."""
    named = content.get("model")
    return (named.rpartition("/")[2] if isinstance(named, str) else "") or file.name.partition(".json")[0]


def _accuracy(answers: Sequence[_Answer], lines: Sequence[Line]) -> dict[str, float]:
    """The share of answers that the makers count as right, by language, and the mean."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for answer, line in zip(answers, lines, strict=True):
        right[line["language"]] += answer["correct"]
        asked[line["language"]] += 1
    by_language = {f"accuracy/{language}": right[language] / asked[language] for language in asked}
    return {"accuracy": sum(by_language.values()) / len(by_language), **by_language} if by_language else {}


def _by_language(answers: Iterable[_Answer]) -> dict[str, list[_Answer]]:
    found: dict[str, list[_Answer]] = {}
    for answer in answers:
        found.setdefault(answer["language"], []).append(answer)
    return found


def _check_counts(part: str, stated: Mapping[str, Any], parts: Mapping[str, Sequence[_Answer]]) -> None:
    """Raise CrossinError where the file states other counts than `parts` of its answers have: it was cut, or
    changed.
    """
    for name, counts in stated.items():
        try:
            if isinstance(counts, dict):
                right, count = round(counts["accuracy"] * counts["n"]), counts["n"]
            else:
                right, count = counts[:2]
        except (KeyError, TypeError, ValueError) as error:
            raise _wrong("expected a number of right answers and of all", field=f"{part}.{name}") from error
        found = parts.get(name, ())
        ours = sum(answer["correct"] for answer in found), len(found)
        if ours != (right, count):
            message = (
                f"{right} right of {count}, but the answers in the file are {ours[0]} right of {ours[1]}"
            )
            raise _wrong(message, field=f"{part}.{name}")


FORMAT = LogFormat(_recognises, each_alone, _read)
