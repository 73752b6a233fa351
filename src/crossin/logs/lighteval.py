"""The details that lighteval saves of each task, in Parquet: one file a task, so one a language.

Two forms are read: `doc`, `metric` and `model_response` (from version 0.11 on), and the older one with a
column for each value (`gold_index`, `predictions`, `metrics`), which data sets of details on the hub have.
Nothing in them is evaluated; lists in text form are read as JSON or Python literals.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.skipping import MOST_SKIPPED, FileFaults, check_faults
from crossin.corpus.reading.records import read_records
from crossin.items import Item
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat
from crossin.logs.languages_of import languages_in
from crossin.logs.lighteval_records import DetailRecord, contradictions, lines_of_task, record_of
from crossin.logs.lines import Line, checked
from crossin.logs.options import LogOptions
from crossin.logs.parallel import left_out_items
from crossin.logs.reasons import RecordFault

_NAME = re.compile(r"details_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.parquet")
_SHOTS = re.compile(r"\|(\d+)(\|\d+)?$")
_ONE_RUN = "name the files of one run, or put the files of each run into a folder of its own"


class TaskFile(NamedTuple):
    """A file of details: its task without language, part and shots; '' for a language that is not known."""

    file: Path
    model: str
    benchmark: str
    part: str
    language: str
    shots: str
    date: str

    @property
    def cell(self) -> tuple[str, str]:
        """What a run has once."""
        return self.language, self.part


def _recognises(file: Path) -> bool:
    return _NAME.fullmatch(file.name) is not None


def task_files(files: Sequence[Path]) -> list[TaskFile]:
    """What the names of files say: details_SUITE|TASK:PART|SHOTS_DATE.parquet, in details/MODEL/DATE."""
    found = [found for file in files if (found := _NAME.fullmatch(file.name)) is not None]
    tasks = [_SHOTS.sub("", one["task"]) for one in found]
    # Suites and parts have languages of their own accord: anatomy, community.
    names = [task.rpartition("|")[2].partition(":")[0] for task in tasks]
    parts = languages_in(dict.fromkeys(names))
    read = []
    for file, one, task, name in zip(files, found, tasks, names, strict=True):
        shots = _SHOTS.search(one["task"])
        known = parts.get(name)
        read.append(
            TaskFile(
                file,
                _model(file),
                known.benchmark if known else name,
                task.partition(":")[2],
                known.language if known else "",
                shots[1] if shots else "",
                one["date"],
            )
        )
    return read


def _model(file: Path) -> str:
    """The model's name, from the folders above the file's date."""
    above = file.absolute().parts[:-2]
    if "details" in above:
        place = len(above) - 1 - above[::-1].index("details")
        if place + 1 < len(above):
            return "/".join(above[place + 1 :])
    # A data set of details: details_ORG__MODEL.
    name = above[-1] if above else ""
    return re.sub(r"_(private|public)$", "", name.removeprefix("details_")).replace("__", "/") or "model"


def _runs(files: Sequence[Path]) -> list[Files]:
    if len(files) == 1:
        files = _with_others(files[0])
    groups: dict[tuple[str, str], list[TaskFile]] = {}
    aside = []
    for one in task_files(files):
        if one.language:
            groups.setdefault((one.model, one.benchmark), []).append(one)
        else:
            aside.append(one.file)
    runs: list[list[Path]] = []
    for group in groups.values():
        by_date: dict[str, list[TaskFile]] = {}
        for one in group:
            by_date.setdefault(one.date, []).append(one)
        once = len({one.cell for one in group}) == len(group)
        runs += [[one.file for one in part] for part in ([group] if once else by_date.values())]
    if not runs:
        return [(file,) for file in aside]
    # They are counted.
    runs[0] += aside
    return [tuple(run) for run in runs]


def _with_others(file: Path) -> list[Path]:
    """A file that is named alone, with the others of its run: in its folder, or where that has one language,
    in the folders of other dates.
    """
    found = [file]
    for folders in ([file.parent], file.parent.parent.iterdir()):
        beside = [
            other for folder in folders if folder.is_dir() for other in folder.glob("details_*.parquet")
        ]
        tasks = task_files(sorted(other for other in beside if _recognises(other)))
        own = next(one for one in tasks if one.file == file)
        if not own.language:
            break
        found = [one.file for one in tasks if one.benchmark == own.benchmark and one.language]
        if len({one.language for one in tasks if one.file in found}) > 1:
            break
    return found


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:  # noqa: ARG001
    tasks = [one for one in task_files(files) if one.language]
    skipped: Counter[str] = Counter()
    for one in task_files(files):
        if not one.language:
            if not tasks:
                raise CrossinError(
                    f"the name of the task '{one.benchmark}' has no language in it",
                    file=one.file,
                    hint="give the details of a task whose name has its language, or rename the file",
                )
            skipped[RecordFault.NO_LANGUAGE.about(one.benchmark)] += sum(1 for _ in read_records(one.file))
    _check(tasks)
    lines: list[Line] = []
    items: dict[tuple[str, str], Item] = {}
    places: dict[tuple[str, str], tuple[Path, int]] = {}
    values: dict[tuple[str, str], list[float]] = {}
    notes: list[str] = []
    for one in tasks:
        records = [record_of(row, values, one.file) for row, values in read_records(one.file)]
        faults = FileFaults(one.file, len(records), one.language)
        results = _results(one)
        faults.rows = max(faults.rows, _expected(results, one))
        if missing := faults.rows - len(records):
            faults.add(RecordFault.NOT_LOGGED, missing, None)
        read = lines_of_task(records, one.benchmark, one.part, one.language)
        of_task: list[Line] = []
        for record, made in zip(records, read, strict=True):
            if isinstance(made, str):
                faults.add(made, 1, record.row)
                continue
            line, item = made
            of_task.append(line)
            items[item.item, item.language] = item
            places[item.item, item.language] = one.file, record.row
        lines += checked(of_task, one.file)
        notes += check_faults([faults], MOST_SKIPPED, "score the files of the other languages by name")
        skipped += faults.reasons
        if wrong := contradictions(records, read):
            notes.append(
                f"{one.file.name}: of {wrong:,} records, no answer that crossin can read gives lighteval's "
                "figure; the figure counts"
            )
        _add_figures(values, records, results, one)
    if not lines:
        raise CrossinError("holds no records that can be scored", file=files[0], hint="check the task")
    differing = left_out_items(
        list(items.values()), "their order in the task", lambda language, item: places[item, language]
    )
    skipped += Counter(differing[line["item"]] for line in lines if line["item"] in differing)
    return [
        LoggedAnswers(
            tasks[0].model,
            tasks[0].benchmark,
            tasks[0].file,
            [line for line in lines if line["item"] not in differing],
            [item for item in items.values() if item.item not in differing],
            settings={"shots": int(tasks[0].shots)} if tasks[0].shots else {},
            skipped=skipped,
            reported={f"{name}/{x}": sum(found) / len(found) for (name, x), found in values.items()},
            notes=notes,
        )
    ]


def _check(tasks: Sequence[TaskFile]) -> None:
    """Raise CrossinError where a language is there twice, or the shots differ."""
    first: dict[tuple[str, str], TaskFile] = {}
    for one in tasks:
        other = first.setdefault(one.cell, one)
        if other is not one:
            raise CrossinError(
                f"holds {one.language} a second time (first in {other.file.name})",
                file=one.file,
                hint=_ONE_RUN,
            )
        if one.shots != tasks[0].shots:
            raise CrossinError(
                f"was asked with {one.shots} shots, and {tasks[0].file.name} with {tasks[0].shots}",
                file=one.file,
                hint=_ONE_RUN,
            )


def _results(one: TaskFile) -> dict[str, Any]:
    """What lighteval saved about the run; empty where it is not beside the details."""
    for above in one.file.absolute().parents[1:5]:
        for place in (above, above / "results" / one.model):
            file = place / f"results_{one.date}.json"
            if file.is_file():
                found = read_json(file)
                return found if isinstance(found, dict) else {}
    return {}


def _of_task(results: dict[str, Any], name: str, one: TaskFile) -> dict[str, Any]:
    found = _NAME.fullmatch(one.file.name)
    part = results.get(name)
    inside = part.get(found["task"]) if found and isinstance(part, dict) else None
    return inside if isinstance(inside, dict) else {}


def _expected(results: dict[str, Any], one: TaskFile) -> int:
    count = _of_task(results, "config_tasks", one).get("effective_num_docs")
    return count if isinstance(count, int) else 0


def _add_figures(
    values: dict[tuple[str, str], list[float]],
    records: Sequence[DetailRecord],
    results: dict[str, Any],
    one: TaskFile,
) -> None:
    """The values of each metric, by metric and language, checked against the figures of the run."""
    of_metric: dict[str, list[float]] = {}
    for record in records:
        for name, value in record.metrics.items():
            of_metric.setdefault(name, []).append(value)
    reported = _of_task(results, "results", one)
    for name, found in of_metric.items():
        mean, theirs = sum(found) / len(found), reported.get(name)
        whole = len(found) == len(records) and all(value in (0, 1) for value in found)
        if whole and isinstance(theirs, int | float) and not math.isclose(mean, theirs, rel_tol=1e-9):
            raise CrossinError(
                f"its records give {mean} as {name}, and the results of the run say {theirs}",
                file=one.file,
                field=f"metric.{name}",
                hint="the files are not of one run: get both again, or remove the results",
            )
        values.setdefault((name, one.language), []).extend(found)


FORMAT = LogFormat(_recognises, _runs, _read)
