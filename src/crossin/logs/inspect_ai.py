"""The logs of inspect_ai, `.eval` and JSON (docs/logs.md)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from crossin.core.errors import CrossinError, located
from crossin.core.skipping import MOST_SKIPPED, FileFaults, check_faults
from crossin.items import Item
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat
from crossin.logs.inspect_files import InspectLog, Json, is_inspect_log, object_at, read_header, read_samples
from crossin.logs.inspect_runs import NamedLog, check_run, has_language, named_logs, runs_of, sample_language
from crossin.logs.inspect_samples import AskedSamples, ReadSample, is_unscored, read_sample, value_of
from crossin.logs.languages_of import languages_in
from crossin.logs.lines import Line, checked
from crossin.logs.options import LogOptions
from crossin.logs.parallel import left_out_items
from crossin.logs.reasons import RecordFault

# inspect_ai's metrics that are the mean of the scores.
_MEANS = ("accuracy", "mean")
# How metadata calls the question that a sample is the translation of.
_ITEM_KEYS = ("item", "item_id", "question_id", "doc_id", "source_id", "id", "index", "idx")


@dataclass
class _Found:
    """What was read so far of a run's logs."""

    lines: list[Line] = field(default_factory=list)
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    places: dict[tuple[str, str], tuple[Path, int]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    reported: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    contradicting: int = 0
    readable: int = 0


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:  # noqa: ARG001
    named = named_logs(map(read_header, files))
    aside = [one for one in named if not has_language(one)]
    logs, notes = check_run([one for one in named if one not in aside] or aside)
    found = _Found(notes=notes)
    for one in aside if aside != named else ():
        found.skipped[RecordFault.NO_LANGUAGE.about(one.benchmark)] += sum(1 for _ in read_samples(one.file))
    for one in logs:
        with located(one.file):
            _add(found, one)
    if not found.lines:
        raise CrossinError("holds no samples that were scored", file=logs[0].file, hint="check the run")
    differing = left_out_items(
        list(found.items.values()), "the samples' ids", lambda language, item: found.places[item, language]
    )
    lines = [line for line in found.lines if line["item"] not in differing]
    found.skipped += Counter(differing[line["item"]] for line in found.lines if line["item"] in differing)
    found.notes += _reading_notes(found)
    versions = {object_at(one.log.task, "packages").get("inspect_ai") for one in logs} - {None}
    return [
        LoggedAnswers(
            logs[0].log.model,
            logs[0].benchmark,
            logs[0].file,
            lines,
            [item for item in found.items.values() if item.item not in differing],
            settings={**logs[0].settings, "inspect_ai": ", ".join(sorted(map(str, versions)))},
            skipped=found.skipped,
            reported=found.reported,
            notes=tuple(found.notes),
        )
    ]


def _add(found: _Found, named: NamedLog) -> None:
    """Read the samples of one log."""
    log = named.log
    # The same sample twice is an error of `checked`, which sees its lines.
    samples = list(read_samples(log.file))
    languages = [_language(sample, named) for sample in samples]
    if samples and not any(languages):
        raise CrossinError(
            "names no language: neither its task and data set nor the metadata of its samples do",
            field="eval.task",
            hint="run the task with --metadata language=de, or give the file a name such as quiz_de.eval",
        )
    asked = _asked(named, samples)
    names = _item_names(samples, languages)
    faults = FileFaults(log.file, max(_expected(log), len(samples)), named.language or "", "samples")
    if faults.rows > len(samples):
        faults.add(RecordFault.NOT_LOGGED, faults.rows - len(samples), None)
    lines: list[Line] = []
    for row, (sample, language, name) in enumerate(zip(samples, languages, names, strict=True), start=1):
        with located(row=row):
            read = read_sample(sample, name, language, asked) if language else RecordFault.NO_LANGUAGE
        if not isinstance(read, ReadSample):
            faults.add(read, 1, row)
            continue
        lines.append(read.line)
        cell = name, read.item.language
        found.items.setdefault(cell, read.item)
        found.places.setdefault(cell, (log.file, row))
        found.contradicting += read.contradicts
        found.readable += read.readable
    found.notes += check_faults([faults], MOST_SKIPPED, "score the logs of the other languages by name")
    found.skipped += faults.reasons
    if not log.header.get("results") and log.header.get("status") != "success" and not faults.reasons:
        found.notes.append(
            f"{log.file.name}: the run ended as '{log.header.get('status')}', with all samples"
        )
    if log.header.get("invalidated"):
        found.notes.append(
            f"{log.file.name}: some samples were marked as invalid in inspect_ai; they count here"
        )
    found.lines += checked(lines, log.file)
    _report(found, named, samples, languages)


def _asked(named: NamedLog, samples: Sequence[Json]) -> AskedSamples:
    log = named.log
    steps = object_at(log.header, "plan").get("steps") or []
    scorers = log.task.get("scorers") or []
    names = list(dict.fromkeys(name for sample in samples for name in object_at(sample, "scores")))
    headline = object_at(log.header, "results", "headline").get("score")
    first = next((one for one in ("choice", headline, *names) if one in names), "")
    options = [object_at(one, "options") for one in scorers if isinstance(one, dict)]
    return AskedSamples(
        task=named.benchmark,
        source=str(object_at(log.task, "dataset").get("name") or log.task["task"]),
        scorer=str(first),
        epochs=any(sample.get("epoch", 1) != 1 for sample in samples),
        shuffled=any(object_at(step, "params").get("shuffle") for step in steps if isinstance(step, dict)),
        numbers=any(one.get("numeric") is True for one in options) and all(map(_is_number, samples)),
    )


def _is_number(sample: Json) -> bool:
    target = sample.get("target")
    texts = target if isinstance(target, list) else [target]
    return bool(texts) and all(
        isinstance(one, str) and one.strip(" $%+-.").replace(",", "").replace(".", "").isdecimal()
        for one in texts
    )


def _language(sample: Json, named: NamedLog) -> str | None:
    """The language of a sample: its own where its metadata names one, else its log's."""
    return sample_language(sample) or named.language


def _item_names(samples: Sequence[Json], languages: Sequence[str | None]) -> list[str]:
    """What the samples' question is called in every language: their id, without the language in it; or where
    one log holds several languages, what their metadata call it.
    """
    ids = [str(sample.get("id", "")) for sample in samples]
    if not all(ids):
        raise CrossinError("a sample has no id", row=ids.index("") + 1, field="id", hint="copy the log again")
    # The first decides whether a look at all is worth its time.
    parts = languages_in(dict.fromkeys(ids)) if languages_in(ids[:1]) else {}
    if parts and all(
        x in parts and parts[x].language == code for x, code in zip(ids, languages, strict=True)
    ):
        return [parts[x].benchmark for x in ids]
    several = set(languages) - {None}
    if len(several) < 2:
        return ids
    for key in _ITEM_KEYS:
        values = [object_at(sample, "metadata").get(key) for sample in samples]
        shared = {value for value in values if isinstance(value, str | int)}
        if all(isinstance(value, str | int) for value in values) and len(shared) < len(ids):
            return [str(value) for value in values]
    if len(set(ids)) < len({(x, sample.get("epoch")) for x, sample in zip(ids, samples, strict=True)}):
        return ids
    raise CrossinError(
        f"holds {len(several)} languages, and its samples do not say which ask the same question",
        field="id",
        hint="name the samples q1_en, q1_de, …, or give each the same metadata `item` in every language",
    )


def _expected(log: InspectLog) -> int:
    """How many samples the run was to have, over all epochs; 0 where the log does not say."""
    config, results = object_at(log.task, "config"), object_at(log.header, "results")
    if isinstance(total := results.get("total_samples"), int):
        return total
    count, limit = object_at(log.task, "dataset").get("samples"), config.get("limit")
    if not isinstance(count, int):
        return 0
    if isinstance(limit, list) and len(limit) == 2:
        limit = limit[1] - limit[0]
    count = min(count, limit) if isinstance(limit, int) else count
    chosen = config.get("sample_id")
    count = len(chosen) if isinstance(chosen, list) else 1 if chosen is not None else count
    return count * int(config.get("epochs") or 1)


def _report(found: _Found, named: NamedLog, samples: Sequence[Json], languages: Sequence[str | None]) -> None:
    """The figures that inspect_ai reports, by language, and checked against the samples."""
    scores = object_at(named.log.header, "results").get("scores") or []
    for result in scores:
        reducer, name = result.get("reducer"), str(result.get("name"))
        for metric in _MEANS:
            value = object_at(result, "metrics", metric).get("value")
            if not isinstance(value, int | float) or reducer not in (None, "mean"):
                continue
            title = metric if len(scores) == 1 else f"{name}.{metric}"
            computed = _mean(samples, name)
            if computed is None:
                continue
            if not math.isclose(computed, value, rel_tol=1e-9, abs_tol=1e-12):
                raise CrossinError(
                    f"reports {value} as {title}, and its samples give {computed}",
                    field=f"results.scores.{name}",
                    hint="the log was changed: score it again with inspect score, or copy it again",
                )
            if len(set(languages)) == 1:
                found.reported[f"{title}/{languages[0]}"] = value
                continue
            for language in dict.fromkeys(filter(None, languages)):
                part = [one for one, its in zip(samples, languages, strict=True) if its == language]
                if (of_language := _mean(part, name)) is not None:
                    found.reported[f"{title}/{language}"] = of_language


def _mean(samples: Iterable[Json], scorer: str) -> float | None:
    """The mean of the scores over samples, each the mean over its epochs; None where they are not numbers."""
    by_sample: dict[Any, list[float]] = {}
    for sample in samples:
        score = object_at(sample, "scores").get(scorer)
        if not isinstance(score, dict) or is_unscored(score):
            continue
        if (value := value_of(score)) is None:
            return None
        by_sample.setdefault(sample.get("id"), []).append(value)
    return sum(mean(values) for values in by_sample.values()) / len(by_sample) if by_sample else None


def _reading_notes(found: _Found) -> list[str]:
    notes = []
    if found.readable:
        notes.append(
            f"replies in which inspect_ai read no answer, and crossin reads one: {found.readable:,}; they "
            "are missing, as in its accuracy"
        )
    if found.contradicting:
        notes.append(
            f"scores that contradict the answer that the scorer read: {found.contradicting:,} (edited, or by "
            "another scorer); the scores count"
        )
    return notes


FORMAT = LogFormat(is_inspect_log, runs_of, _read)
