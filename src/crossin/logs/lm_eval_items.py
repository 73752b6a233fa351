"""Samples of lm-evaluation-harness as items, joined over languages, and as lines of answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.items.item import Item
from crossin.logs.languages_of import language_of
from crossin.logs.lines import Line, named_option, with_thoughts_begun
from crossin.logs.lm_eval_documents import (
    all_numbers,
    asked_of,
    best,
    id_fields,
    id_of,
    labels,
    options_of,
    prefix_of,
    right_options,
    value_of,
)
from crossin.logs.lm_eval_samples import Sample, SampleReason, TaskSamples
from crossin.logs.lm_eval_tasks import Task
from crossin.logs.parallel import left_out_items
from crossin.logs.reasons import RecordFault

_LANGUAGE_FIELDS = ("language", "lang", "locale", "language_code", "lang_code")
# What filters write where they find nothing.
_NOTHING = "[invalid]"


@dataclass(frozen=True, eq=False)
class Part:
    """One file of a run: its task, and its samples."""

    file: Path
    task: Task
    read: TaskSamples


@dataclass(frozen=True, eq=False)
class _Asked:
    """A sample as an item; `right` is False where the harness has no right answer."""

    sample: Sample
    item: Item
    right: bool


def language_field(doc: Mapping[str, Any]) -> str:
    """The field of a document that names its language; '' where none does."""
    values = {name: doc.get(name) for name in _LANGUAGE_FIELDS}
    named = (name for name, value in values.items() if isinstance(value, str) and language_of(value))
    return next(named, "")


def by_language(part: Part) -> list[Part]:
    """A file whose task has a language as it is; another by the languages that its documents name. Raises
    CrossinError, with the row, for a document that names none.
    """
    if part.task.language:
        return [part]
    name = language_field(part.read.samples[0].doc)
    found: dict[str, list[Sample]] = {}
    for sample in part.read.samples:
        code = language_of(str(sample.doc.get(name)))
        if code is None:
            raise CrossinError(
                "names no language, as the first document does",
                file=part.file,
                row=sample.row,
                field=f"doc.{name}",
                hint="write a language into every document, or give each language a task of its own",
            )
        found.setdefault(code, []).append(sample)
    return [
        replace(part, task=part.task._replace(language=code), read=replace(part.read, samples=samples))
        for code, samples in found.items()
    ]


def lines_of(parts: Sequence[Part], *, extracted: bool) -> tuple[list[Line], list[Item], Counter[str]]:
    """The lines and items of a run, and the items left out, by reason code.

    extracted: replies are what the harness's filter left of them, else all that the model wrote. Raises
    CrossinError where languages are not parallel, though the family is not known not to be.
    """
    found, skipped, joined_by = _items(parts)
    family = parts[0].task.family
    if family.parallel:
        places = {(one.item.language, one.item.item): (one.sample.file, one.sample.row) for one in found}
        items = [one.item for one in found if one.right]
        reasons = left_out_items(items, joined_by, lambda language, item: places[language, item])
        skipped.update(reasons.values())
        found = [one for one in found if one.item.item not in reasons]
    without = {one.item.item for one in found if not one.right}
    skipped[RecordFault.NO_GOLD] += len(without)
    found = [one for one in found if one.item.item not in without]
    prefix = "" if found and found[0].item.options else _prefix(found)
    lines = [_line(one, prefix, extracted=extracted) for one in found]
    if found and not found[0].sample.logprobs:
        lines = with_thoughts_begun(lines)
    return lines, [one.item for one in found], +skipped


def _items(parts: Sequence[Part]) -> tuple[list[_Asked], Counter[str], str]:
    """The samples as items, the documents left out, and what joins the languages, in words."""
    samples = [sample for part in parts for sample in part.read.samples]
    family = parts[0].task.family
    fields = id_fields([part.read.samples for part in parts], family)
    listed = all(options_of(sample, family) for sample in samples)
    rights = right_options(samples, family) if listed else [None] * len(samples)
    right = dict(zip(map(id, samples), rights, strict=True))
    asked = {id(sample): asked_of(sample, family, listed=listed) for sample in samples}
    number = family.answer == "number" or all_numbers([one.reference for one in asked.values()])
    skipped: Counter[str] = Counter()
    groups: dict[str, str] = {}
    group_of: dict[str, str] = {}
    found = []
    for part in parts:
        ids = Counter(id_of(sample, fields) for sample in part.read.samples)
        for sample in part.read.samples:
            own = id_of(sample, fields)
            if ids[own] > 1:
                skipped[SampleReason.ID_TWICE.about(part.task.language)] += 1
                continue
            name = f"{part.task.subtask}/{own}" if part.task.subtask else own
            name = name if family.parallel else f"{part.task.language}/{name}"
            shared = "#".join(str(value_of(sample.doc, one)) for one in family.group)
            group = group_of.setdefault(name, groups.setdefault(shared, name) if shared else name)
            text, place = asked[id(sample)], right[id(sample)]
            ids_of_options = labels(len(text.options))
            item = Item(
                item=name,
                group=group,
                task=part.task.subtask or part.task.benchmark,
                language=part.task.language,
                context=text.context,
                question=text.question,
                options=text.options,
                option_ids=ids_of_options,
                answer=text.reference if place is None else ids_of_options[place],
                source=f"lm-evaluation-harness, {part.task.benchmark}",
                licence="",
                aliases=text.aliases,
                answer_type="number" if not listed and number else "text",
            )
            found.append(_Asked(sample, item, bool(item.answer)))
    by = f"`{' and '.join(fields)}` of their documents" if fields else "the position of their documents"
    return found, skipped, by


def _prefix(found: Sequence[_Asked]) -> str:
    return prefix_of([one.sample for one in found], [one.item.answer for one in found])


def _line(one: _Asked, prefix: str, *, extracted: bool) -> Line:
    item, sample = one.item, one.sample
    line: Line = {
        "item": item.item,
        "group": item.group,
        "task": item.task,
        "language": item.language,
        "option_ids": item.option_ids,
        "gold": item.answer,
        "answer": None,
    }
    if sample.logprobs:
        answer = item.option_ids[best(sample.logprobs)]
        return line | {"logprobs": list(sample.logprobs), "answer": answer}
    reply = sample.kept if extracted else sample.written
    reply = None if reply == _NOTHING else reply
    if reply and prefix.strip():
        reply = reply.removeprefix(prefix) if reply.startswith(prefix) else reply.removeprefix(prefix.strip())
    line["reply"] = reply
    if not item.options:
        return line | {"aliases": item.aliases, "answer_type": item.answer_type}
    texts = dict(zip(item.option_ids, item.options, strict=True))
    line["shown"] = item.option_ids
    line["answer"] = named_option(reply, texts, item.option_ids, item.language) if reply else None
    return line
