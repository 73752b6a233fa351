"""Logs of any other harness, whose records a mapping explains (`crossin score --log-mapping`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossin.bench.answers import right_place
from crossin.bench.dataset import DatasetRow, RowFault, read_rows
from crossin.bench.options import read_options
from crossin.bench.row_items import item_of
from crossin.bench.row_values import RowValues
from crossin.core.errors import CrossinError
from crossin.core.paths import folder_name
from crossin.core.skipping import MOST_SKIPPED, FileFaults, check_faults
from crossin.corpus.reading.records import kind_of_name
from crossin.items import Item
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat
from crossin.logs.languages_of import MARK, language_of, languages_in
from crossin.logs.lines import Line, named_option
from crossin.logs.mapping import FILE, FOLDER, LogMapping, read_log_mapping
from crossin.logs.options import LogOptions
from crossin.logs.parallel import left_out_items
from crossin.logs.reasons import RecordFault

_ENDINGS = ("jsonl", "ndjson", "json", "csv", "tsv", "parquet")
_TRUTHS = {"true": True, "1": True, "1.0": True, "c": True, "yes": True}
_TRUTHS |= {"false": False, "0": False, "0.0": False, "i": False, "no": False}


@dataclass
class _Model:
    """One model's answers, as they are read."""

    lines: list[Line] = field(default_factory=list)
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    places: dict[tuple[str, str, str], tuple[Path, int]] = field(default_factory=dict)
    correct: dict[str, list[bool]] = field(default_factory=dict)
    contradicting: int = 0


class _Languages:
    """What is named in each language, by the name that the log gives it."""

    def __init__(self, mapping: LogMapping, rows: Sequence[DatasetRow]) -> None:
        self._mapping = mapping
        self._plain = RowValues(mapping.of_language("en", ""), "en")
        known = {name: code for code, name in mapping.languages.items()}
        names = dict.fromkeys(self.name_of(row) for row in rows)
        inside = languages_in(names)
        self._codes = {
            name: known.get(name) or language_of(name) or (inside[name].language if name in inside else None)
            for name in names
        }
        self._without = {name: part.benchmark for name, part in inside.items()}
        self.values = {
            name: RowValues(mapping.of_language(code, name), code)
            for name, code in self._codes.items()
            if code is not None
        }
        if not self.values and rows:
            shown = next(iter(names))
            raise CrossinError(
                f"`language` gives '{shown[:60]}', which names no language",
                file=rows[0].file,
                row=rows[0].row,
                field="language",
                hint="correct `language` in the mapping, or add `languages: {code: name}`",
            )

    def name_of(self, row: DatasetRow) -> str:
        """What the log calls the language of a row."""
        return self.label(row, self._mapping.language)

    def label(self, row: DatasetRow, template: str) -> str:
        """A template filled with the row's values."""
        return self._plain.label(row, template)

    def model_of(self, file: Path) -> str:
        """A file's name without the language in it; of a file that is named by its language, its folder's."""
        name = self._without.get(_stem(file), _stem(file))
        return folder_name(file) if MARK in name else name

    def absent_column(self) -> CrossinError | None:
        """The error about a column that no row has."""
        for values in (self._plain, *self.values.values()):
            if (absent := values.absent_column()) is not None:
                return absent
        return None


def log_files(path: Path) -> list[Path]:
    """The files of records in a folder, at any depth, or the file itself."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and kind_of_name(file.name) in _ENDINGS)


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    assert options.log_mapping is not None
    mapping = read_log_mapping(options.log_mapping)
    of_file = {file: list(_rows(file, mapping)) for file in files}
    chosen = {file: [row for row in rows if _counts(row, mapping)] for file, rows in of_file.items()}
    if not any(chosen.values()):
        raise CrossinError(
            f"none of {sum(map(len, of_file.values())):,} records counts",
            file=files[0],
            field="where" if mapping.where else None,
            hint="correct `where` or `rows` in the mapping" if mapping.where else "check the file",
        )
    languages = _Languages(mapping, [row for rows in chosen.values() for row in rows])
    models: dict[str, _Model] = {}
    skipped: Counter[str] = Counter()
    notes: list[str] = []
    first: RowFault | None = None
    positions: Counter[tuple[str, str]] = Counter()
    for file, rows in chosen.items():
        faults = FileFaults(file, len(rows), unit="records")
        for row in rows:
            name = languages.name_of(row)
            if name not in languages.values:
                faults.add(RecordFault.NO_LANGUAGE, 1, row.row)
                continue
            model = languages.label(row, mapping.model) or languages.model_of(file)
            positions[model, name] += 1
            try:
                _add(
                    models.setdefault(model, _Model()),
                    row,
                    languages.values[name],
                    mapping,
                    positions[model, name],
                )
            except RowFault as fault:
                first = first or fault
                faults.add(fault.reason, 1, row.row)
        if rows and first is not None and faults.reasons.total() == len(rows):
            if (absent := languages.absent_column()) is not None:
                raise absent
            raise first
        notes += check_faults([faults], MOST_SKIPPED, "leave them out with `where` in the mapping")
        skipped += faults.reasons
    if (absent := languages.absent_column()) is not None:
        raise absent
    benchmark = mapping.benchmark or options.log_mapping.stem
    return [_answers(name, model, benchmark, files[0], skipped, notes) for name, model in models.items()]


def _stem(file: Path) -> str:
    """A file's name without its ending, and without that of its packing."""
    return (
        file.name[: file.name.lower().rfind(f".{kind}")] if (kind := kind_of_name(file.name)) else file.name
    )


def _rows(file: Path, mapping: LogMapping) -> Iterator[DatasetRow]:
    """The records of a file, with the columns that the mapping adds."""
    other = {}
    if mapping.asked is not None:
        for row in read_rows(file.parent / mapping.asked.file, None, ()):
            other[row.text(mapping.asked.key)] = row.values
    more = {FILE: _stem(file), FOLDER: folder_name(file), **mapping.constants}
    for row in read_rows(file, mapping.rows, ()):
        values = {**more, **row.values, **mapping.constants}
        if mapping.asked is not None:
            by = row.text(mapping.asked.by)
            if by not in other:
                raise row.error(
                    f"'{by}' is not in {mapping.asked.file}",
                    mapping.asked.by,
                    "correct `asked` in the mapping",
                )
            values["asked"] = other[by]
        yield DatasetRow(row.file, row.row, values)


def _counts(row: DatasetRow, mapping: LogMapping) -> bool:
    for path, wanted in mapping.where.items():
        if row.value(path) not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _add(model: _Model, row: DatasetRow, values: RowValues, mapping: LogMapping, position: int) -> None:
    """Add a record to its model's answers. Raises RowFault where it cannot be an answer, and CrossinError
    where its item is there twice.
    """
    name = values.name(row, position)
    group = values.label(row, mapping.group) if mapping.group else name
    item = item_of(values, row, name, group, values.label(row, mapping.task) or mapping.benchmark or "log")
    line: Line = {
        **{key: getattr(item, key) for key in ("item", "group", "task", "language", "option_ids", "aliases")},
        "gold": item.answer,
        "answer_type": item.answer_type,
        "prompt": values.label(row, mapping.prompt),
        "reply": _reply(row, values, mapping),
        "answer": None,
    }
    if item.options:
        line |= _answered(row, values, mapping, item, line["reply"])
    correct = _correct(row, values, mapping)
    if correct is not None and item.options and correct != (line["answer"] == item.answer):
        model.contradicting += line["answer"] is not None
        line["answer"] = item.answer if correct else None
    cell = name, item.language, line["prompt"]
    place = model.places.setdefault(cell, (row.file, row.row))
    if place != (row.file, row.row):
        raise CrossinError(
            f"item '{name}' occurs a second time in {item.language} ({place[0].name}, row {place[1]})",
            file=row.file,
            row=row.row,
            field="item",
            hint="correct `item`, name the wordings with `prompt`, or choose records with `where`",
        )
    model.lines.append(line)
    model.items.setdefault((name, item.language), item)
    if correct is not None:
        model.correct.setdefault(item.language, []).append(correct)


def _reply(row: DatasetRow, values: RowValues, mapping: LogMapping) -> str | None:
    if not mapping.reply:
        return None
    found = values.value(row, mapping.reply)
    return (
        row.text_of(found[0] if isinstance(found, list) and len(found) == 1 else found, mapping.reply) or None
    )


def _answered(
    row: DatasetRow, values: RowValues, mapping: LogMapping, item: Item, reply: str | None
) -> dict[str, Any]:
    """The option that the model chose, and what it was chosen by."""
    if mapping.answer is not None:
        value = values.value(row, mapping.answer.column)
        if value is None or value == "":
            return {"answer": None}
        of_answer = RowValues(values.mapping.model_copy(update={"answer": mapping.answer}), values.code)
        return {"answer": item.option_ids[right_place(of_answer, row, read_options(of_answer, row))]}
    if mapping.logprobs:
        found = values.list_at(row, mapping.logprobs, RecordFault.NOT_SCORED)
        if len(found) != len(item.options) or not all(isinstance(one, int | float) for one in found):
            raise row.fault(
                RecordFault.NOT_SCORED,
                f"expected {len(item.options)} numbers, one for each option",
                mapping.logprobs,
                "correct `logprobs` in the mapping, or the record",
            )
        if any(map(math.isnan, found)):
            raise row.fault(
                RecordFault.NOT_SCORED, "a number is nan", mapping.logprobs, "run the record again"
            )
        numbers = [float(one) for one in found]
        return {"logprobs": numbers, "answer": item.option_ids[numbers.index(max(numbers))]}
    texts = dict(zip(item.option_ids, item.options, strict=True))
    return {"answer": named_option(reply, texts, item.option_ids, item.language) if reply else None}


def _correct(row: DatasetRow, values: RowValues, mapping: LogMapping) -> bool | None:
    """Whether the harness counts the answer as right; None where the mapping does not say."""
    if not mapping.correct:
        return None
    found = values.value(row, mapping.correct)
    truth = _TRUTHS.get(str(found).casefold())
    if truth is None:
        raise row.fault(
            RecordFault.NOT_SCORED,
            f"expected true or false, or 1 or 0, not '{str(found)[:40]}'",
            mapping.correct,
            "correct `correct` in the mapping, or the record",
        )
    return truth


def _answers(
    name: str, model: _Model, benchmark: str, file: Path, skipped: Counter[str], notes: Sequence[str]
) -> LoggedAnswers:
    if not model.lines:
        raise CrossinError("holds no records that can be scored", file=file, hint="correct the mapping")
    places = {(item, language): place for (item, language, _), place in model.places.items()}
    differing = left_out_items(
        list(model.items.values()), "`item`", lambda language, item: places[item, language]
    )
    left_out = Counter(differing[line["item"]] for line in model.lines if line["item"] in differing)
    more = [f"answers that contradict `correct`, which counts: {model.contradicting:,}"]
    return LoggedAnswers(
        name,
        benchmark,
        file,
        [line for line in model.lines if line["item"] not in differing],
        [item for item in model.items.values() if item.item not in differing],
        skipped=skipped + left_out,
        reported={f"accuracy/{x}": sum(found) / len(found) for x, found in model.correct.items()},
        notes=[*notes, *(more if model.contradicting else [])],
    )


# Nothing tells them from other files: they are read where a mapping is given.
FORMAT = LogFormat(lambda _: False, lambda files: [tuple(files)] if files else [], _read, found=False)
