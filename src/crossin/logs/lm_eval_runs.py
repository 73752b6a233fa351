"""The logs of lm-evaluation-harness on its own multilingual tasks, as one model's answers in all languages.

`lm_eval --log_samples` leaves a file for each task, that is for each language and perhaps subtask. The files
of a model's folder whose tasks differ in these only are one run, also where several calls wrote them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from crossin.core.errors import CrossinError, located
from crossin.core.paths import folder_name
from crossin.core.reasons import Reason, fix_of, sentence_of
from crossin.corpus.reading.records import read_records
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat
from crossin.logs.lm_eval_items import Part, by_language, language_field, lines_of
from crossin.logs.lm_eval_results import (
    Results,
    check_complete,
    check_figures,
    check_settings,
    means,
    read_results,
    settings_of,
)
from crossin.logs.lm_eval_samples import (
    SampleReason,
    date_of,
    first_record,
    is_sample,
    left_out,
    read_task,
    task_name,
)
from crossin.logs.lm_eval_tasks import Task, TaskFamily, tasks_of
from crossin.logs.options import LogOptions
from crossin.logs.reasons import RecordFault

_ONE_RUN = "name the files of one run, or put the files of each run into a folder of its own"


class _Known(NamedTuple):
    """A file of samples with its task."""

    file: Path
    task: Task


def _recognises(file: Path) -> bool:
    return bool(task_name(file)) and is_sample(first_record(file))


def _beside(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if task_name(file) and file.is_file())


def _tasks(files: Iterable[Path]) -> dict[Path, Task]:
    """The tasks of files, where their names say a language, by comparison with all that lie beside them, or
    their documents do: then the language of the task is empty.
    """
    files = list(files)
    beside = [other for folder in dict.fromkeys(file.parent for file in files) for other in _beside(folder)]
    tasks = tasks_of(map(task_name, [*beside, *files]))
    named = {file: tasks[task_name(file)] for file in [*beside, *files] if task_name(file) in tasks}
    others = [file for file in files if file not in named and language_field(first_record(file)["doc"])]
    return named | {file: Task(task_name(file), "", "", TaskFamily()) for file in others}


def _why_not(file: Path, tasks: dict[Path, Task]) -> Reason | None:
    """Why a file cannot be read as a language of a benchmark; None where it can."""
    if re.search(r"(^|[_-])mc2([_-]|$)", task_name(file)):
        return RecordFault.SEVERAL_RIGHT
    return left_out(first_record(file)) or (None if file in tasks else SampleReason.NO_LANGUAGE)


def _runs(files: Sequence[Path]) -> list[Files]:
    """Files by model and benchmark; those that cannot be read go with a run beside them, to be counted."""
    tasks = _tasks(files)
    groups: dict[tuple[Path, str], list[_Known]] = {}
    aside: list[Path] = []
    for file in files:
        if _why_not(file, tasks):
            aside.append(file)
        else:
            groups.setdefault((file.parent, tasks[file].benchmark), []).append(_Known(file, tasks[file]))
    runs = _joined([_with_others(group, tasks) for group in groups.values()])
    if not runs:
        return [(file,) for file in aside]
    for file in aside:
        next((run for run in runs if run[0].parent == file.parent), runs[0]).append(file)
    return list(dict.fromkeys(map(tuple, runs)))


def _with_others(group: list[_Known], tasks: dict[Path, Task]) -> list[_Known]:
    """A file that is named alone, with the others of its run: those of its call of `lm_eval`, and of other
    calls unless they asked the same tasks again.
    """
    if len({known.task.language for known in group}) > 1:
        return group
    [folder] = {known.file.parent for known in group}
    others = [
        _Known(file, task)
        for file, task in tasks.items()
        if file.parent == folder
        and task.benchmark == group[0].task.benchmark
        and is_sample(first_record(file))
    ]
    dates = {date_of(known.file) for known in group}
    together = [known for known in others if date_of(known.file) in dates]
    asked = {task_name(known.file) for known in together}
    again = any(task_name(known.file) in asked for known in others if known not in together)
    return together if again else others


def _joined(groups: list[list[_Known]]) -> list[list[Path]]:
    """Groups of folders with one name, that is of one model, are one run where they asked other languages."""
    found: list[list[_Known]] = []
    for group in groups:
        languages = {known.task.language for known in group}
        for before in found:
            first = before[0]
            alike = folder_name(first.file) == folder_name(group[0].file)
            if (
                alike
                and first.task.benchmark == group[0].task.benchmark
                and not languages & {known.task.language for known in before}
            ):
                before += group
                break
        else:
            found.append(list(group))
    return [[known.file for known in group] for group in found]


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    tasks = _tasks(files)
    reasons = {file: _why_not(file, tasks) for file in files}
    skipped: Counter[str] = Counter()
    for file, reason in reasons.items():
        if reason is None:
            continue
        if all(reasons.values()):
            raise CrossinError(
                f"the task {task_name(file)} cannot be read: {sentence_of(reason)}",
                file=file,
                hint=fix_of(reason) or "give the log of a task with options, or with replies",
            )
        skipped[reason.about(task_name(file))] += sum(1 for _ in read_records(file))
    usable = [file for file, reason in reasons.items() if reason is None]
    _check_once(usable, tasks)
    results = read_results(usable)
    parts = [Part(file, tasks[file], read_task(file, options.filter)) for file in usable]
    _check_runs(parts, results)
    parts = [one for part in parts for one in by_language(part)]
    for part in parts:
        if part.read.repeated:
            skipped[SampleReason.REPEATED.about(part.task.language)] += part.read.repeated
    lines, items, unread = lines_of(parts, extracted=options.filter is not None)
    settings = {name: value for found in _settings(parts, results).values() for name, value in found.items()}
    return [
        LoggedAnswers(
            _model(usable[0], results[usable[0]]),
            parts[0].task.benchmark,
            usable[0],
            lines,
            items,
            settings=settings,
            skipped=skipped + unread,
            reported=_reported(parts),
        )
    ]


def _check_once(files: Sequence[Path], tasks: dict[Path, Task]) -> None:
    first: dict[tuple[str, str], Path] = {}
    for file in files:
        task = tasks[file]
        before = first.setdefault((task.language, task.subtask), file)
        if before != file:
            raise CrossinError(
                f"holds {task_name(file)}, and so does {before.name}: either may be meant",
                file=file,
                hint=_ONE_RUN,
            )


def _check_runs(parts: Sequence[Part], results: dict[Path, Results]) -> None:
    """Raise CrossinError where files were not run alike, or do not hold what their results say."""
    check_settings(_settings(parts, results), {part.file: part.task.language for part in parts})
    for part in parts:
        check_complete(results[part.file], part.file, len(part.read.samples))
        with located(part.file):
            check_figures(results[part.file], part.file, means(part.read.samples))


def _settings(parts: Sequence[Part], results: dict[Path, Results]) -> dict[Path, dict[str, str]]:
    return {
        part.file: settings_of(results[part.file], task_name(part.file), part.read.samples) for part in parts
    }


def _reported(parts: Sequence[Part]) -> dict[str, float]:
    """The harness's own figures: the mean of each metric over the samples of a language."""
    of_language: dict[str, list[Part]] = {}
    for part in parts:
        of_language.setdefault(part.task.language, []).append(part)
    return {
        f"{metric}/{language}": value
        for language, found in of_language.items()
        for metric, value in means([sample for part in found for sample in part.read.samples]).items()
    }


def _model(file: Path, results: Results) -> str:
    """The model's name: in the results, else that of the folder, where lm-eval writes __ for each slash."""
    name = results.get("model_name")
    if isinstance(name, str) and name:
        return name.rstrip("/").rpartition("/")[2]
    return folder_name(file).rpartition("__")[2] or folder_name(file)


FORMAT = LogFormat(_recognises, _runs, _read)
