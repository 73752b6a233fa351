"""Which logs of inspect_ai belong together: one model's answers to one benchmark, a log for each language.

A language is named by an argument of the task (`-T language=de`) or the run's metadata, else by the task's
name, the data set's name or file, or another argument. A log whose samples name their language in their
metadata holds all languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.paths import folder_name
from crossin.logs.formats import Files
from crossin.logs.inspect_files import (
    ENDING,
    InspectLog,
    Json,
    is_inspect_log,
    object_at,
    read_header,
    read_samples,
)
from crossin.logs.languages_of import language_of, languages_in

# How arguments and metadata call a language.
_LANGUAGE_KEYS = ("language", "lang", "language_code", "lang_code", "locale")
# What decides how a model answers, among the settings of its generation.
_GENERATION = [
    *("temperature", "top_p", "top_k", "max_tokens", "seed", "system_message", "stop_seqs"),
    *("reasoning_effort", "reasoning_tokens", "num_choices", "best_of"),
]
_LIMITS = ("epochs", "message_limit", "token_limit")
# An argument with more is a text for the model.
_LONGEST_ARGUMENT = 60


@dataclass(frozen=True, eq=False)
class NamedLog:
    """A log, the benchmark whose one language it holds, and that language; None where its header names none.

    `settings` are how the model was asked; logs of one run agree in them.
    """

    log: InspectLog
    benchmark: str
    language: str | None
    settings: dict[str, Any]

    @property
    def file(self) -> Path:
        """The log's file."""
        return self.log.file

    @property
    def ended(self) -> bool:
        """Whether the run ended well."""
        return self.log.header.get("status") == "success"


def runs_of(files: Sequence[Path]) -> list[Files]:
    """The files of each run. A single file stands for its run, whose other files lie beside it.

    Where a language is there twice, runs differ in their settings or in their folders; else they stay
    together, and reading them is an error.
    """
    alone = files[0] if len(files) == 1 else None
    if alone is not None:
        beside = (other for other in alone.parent.iterdir() if other.suffix in (ENDING, ".json"))
        files = sorted(other for other in beside if other.is_file() and is_inspect_log(other))
    groups: dict[tuple[str, str], list[NamedLog]] = {}
    aside = []
    for named in named_logs(map(read_header, files)):
        if has_language(named):
            groups.setdefault((named.log.model, named.benchmark), []).append(named)
        else:
            aside.append(named.file)
    runs = [[one.file for one in part] for group in groups.values() for part in _apart(group)]
    if alone in aside or not runs:
        return [(file,) for file in aside if alone in (None, file)]
    if alone is None:
        # They are counted.
        runs[0] += aside
    return [tuple(run) for run in runs if alone is None or alone in run]


def has_language(named: NamedLog) -> bool:
    """Whether a log's header names its language, or its samples theirs."""
    if named.language is not None:
        return True
    return any(sample_language(sample) is not None for sample in islice(read_samples(named.file), 1))


def sample_language(sample: Json) -> str | None:
    """The language that the metadata of a sample name."""
    return _named_in(object_at(sample, "metadata"))


def _named_in(place: Json) -> str | None:
    """The language that arguments or metadata name as such."""
    for key in _LANGUAGE_KEYS:
        if isinstance(place.get(key), str) and (code := language_of(place[key])) is not None:
            return code
    return None


def named_logs(logs: Iterable[InspectLog]) -> list[NamedLog]:
    """Each log with its benchmark and language."""
    unnamed = {log.file: log for log in logs}
    found: dict[Path, NamedLog] = {}
    for file, log in list(unnamed.items()):
        if (said := _said(log)) is not None:
            task = next(
                (part.benchmark for part in languages_in([_task(log)]).values() if part.language == said),
                _task(log),
            )
            found[file] = NamedLog(unnamed.pop(file), task, said, {})
    for names in (_task, _data_set, _location, *_arguments(unnamed.values()), _stem, _folder):
        texts = {file: names(log) for file, log in unnamed.items()}
        parts = languages_in(dict.fromkeys(filter(None, texts.values())))
        for file, text in texts.items():
            if (part := parts.get(text)) is not None:
                benchmark = part.benchmark if names is _task else _task(unnamed[file])
                found[file] = NamedLog(unnamed.pop(file), benchmark, part.language, {})
    found |= {file: NamedLog(log, _task(log), None, {}) for file, log in unnamed.items()}
    return [replace(found[file], settings=_settings(found[file])) for file in sorted(found)]


def check_run(logs: Sequence[NamedLog]) -> tuple[list[NamedLog], list[str]]:
    """The logs of a run that count, and notes: a log that did not end well is left out where the language has
    one that did.

    Raises CrossinError where a language is there twice, or the settings differ.
    """
    ended = {one.language for one in logs if one.ended}
    kept = [one for one in logs if one.ended or one.language not in ended]
    notes = []
    for one in logs:
        if one not in kept:
            ending, has = one.log.header.get("status"), one.language or "the same task"
            notes.append(f"{one.file.name} is left out: its run ended as '{ending}'; another log has {has}")
    first: dict[str | None, NamedLog] = {}
    for one in kept:
        if (other := first.setdefault(one.language, one)) is not one:
            raise CrossinError(
                f"holds {one.language or 'the same task'} a second time (first in {other.file.name})",
                file=one.file,
                hint="keep the runs in folders of their own, or name the files of one run",
            )
        if differing := _difference(kept[0].settings, one.settings):
            name, here, there = differing
            raise CrossinError(
                f"was asked with `{name}` {here}, and {kept[0].file.name} with {there}",
                file=one.file,
                field=name,
                hint="score logs of the same settings together; keep others in folders of their own",
            )
    return kept, notes


def _apart(group: list[NamedLog]) -> list[list[NamedLog]]:
    """The runs among logs of one model and benchmark."""

    def settings(one: NamedLog) -> str:
        return repr(sorted(one.settings.items()))

    def folder(one: NamedLog) -> str:
        return str(one.file.parent)

    for key in (settings, folder):
        ended = [one.language for one in group if one.ended]
        if len(set(ended)) == len(ended):
            break
        parts: dict[str, list[NamedLog]] = {}
        for one in group:
            parts.setdefault(key(one), []).append(one)
        same = len({frozenset(one.language for one in part) for part in parts.values()}) == 1
        if same and len(parts) > 1:
            return [run for part in parts.values() for run in _apart(part)]
    return [group]


def _difference(one: dict[str, Any], other: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """The first setting that differs, with its values in `other` and in `one`."""
    for name in {**one, **other}:
        if one.get(name) != other.get(name):
            return name, other.get(name, "not set"), one.get(name, "not set")
    return None


def _said(log: InspectLog) -> str | None:
    """The language that the log's arguments or metadata name as such."""
    places = (_task_arguments(log), object_at(log.task, "metadata"), object_at(log.header, "metadata"))
    return next(filter(None, map(_named_in, places)), None)


def _task_arguments(log: InspectLog) -> dict[str, Any]:
    return object_at(log.task, "task_args")


def _task(log: InspectLog) -> str:
    # A package's tasks are named with it: inspect_evals/mgsm.
    return str(log.task["task"]).rpartition("/")[2]


def _data_set(log: InspectLog) -> str:
    return str(object_at(log.task, "dataset").get("name") or "")


def _location(log: InspectLog) -> str:
    return Path(str(object_at(log.task, "dataset").get("location") or "")).stem


def _stem(log: InspectLog) -> str:
    return log.file.stem


def _folder(log: InspectLog) -> str:
    name = folder_name(log.file)
    return name if language_of(name) else ""


def _arguments(logs: Iterable[InspectLog]) -> list[Callable[[InspectLog], str]]:
    """What reads each argument of the tasks that is a short text."""
    names = dict.fromkeys(name for log in logs for name in _task_arguments(log))

    def reader(name: str) -> Callable[[InspectLog], str]:
        def read(log: InspectLog) -> str:
            value = _task_arguments(log).get(name)
            return value if isinstance(value, str) and len(value) <= _LONGEST_ARGUMENT else ""

        return read

    return [reader(name) for name in names]


def _settings(named: NamedLog) -> dict[str, Any]:
    """How the model was asked, without what differs by language: prompts, paths, names of parts of a set."""
    task, plan = named.log.task, object_at(named.log.header, "plan")
    steps = [step.get("solver") for step in plan.get("steps") or [] if isinstance(step, dict)]
    generation = {**object_at(task, "model_generate_config"), **object_at(plan, "config")}
    found: dict[str, Any] = {"solver": " ".join(map(str, steps))} if steps else {}
    found |= {key: generation[key] for key in _GENERATION if generation.get(key) is not None}
    limits = object_at(task, "config")
    found |= {key: limits[key] for key in _LIMITS if limits.get(key) not in (None, 1)}
    for name, value in _task_arguments(named.log).items():
        text = isinstance(value, str)
        if not text and isinstance(value, int | float):
            found[name] = value
        elif text and len(value) <= _LONGEST_ARGUMENT and language_of(value) is None:
            part = languages_in([value]).get(value)
            if part is None or part.language != named.language:
                found[name] = value
    return found
