"""From a benchmark to requests: the items, their questions, and a request for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.bench.inventories import entity_faults
from crossin.core.coercion import listed
from crossin.core.errors import CrossinError
from crossin.core.formats import ENTITIES
from crossin.core.paths import as_path
from crossin.core.reasons import fix_of, sentence_of
from crossin.evaluation.engine import Content, Request
from crossin.items import Form, Item, Question, questions, read_items
from crossin.items.inventories import Inventories, of_languages, read_inventories
from crossin.items.item import items_file
from crossin.items.scored_options import Choice
from crossin.items.selection import select
from crossin.items.shots import read_shots
from crossin.languages.words import word_files


@dataclass(frozen=True)
class PreparedQuestion:
    """A question and its request; `bare` is a request for its options without the question."""

    question: Question
    request: Request
    bare: Request | None = None


@dataclass(frozen=True)
class PreparedBench:
    """A benchmark's items and questions, item by item, then by language and wording.

    `skipped` is how many of the benchmark's questions are left out, by reason. `settings` are those that
    decided what is asked, apart from the form, and `inputs` the files. `inventories` are those that the items
    name, in the languages asked.
    """

    items: list[Item]
    questions: list[PreparedQuestion]
    skipped: dict[str, int]
    settings: dict[str, Any]
    inputs: dict[str, Path]
    inventories: Inventories

    @property
    def requests(self) -> list[Request]:
        """All requests; where prompt and options are the same, each once."""
        once: dict[Content, Request] = {}
        for one in self.questions:
            for request in (one.request, one.bare):
                if request is not None:
                    once.setdefault(request.content, request)
        return list(once.values())


def prepare(
    bench: Path | str,
    *,
    form: Form,
    choice: Choice = "sum",
    languages: Collection[str] | str | None = None,
    tasks: Collection[str] | str | None = None,
    limit: int | None = None,
    per_task: int | None = None,
    shots: Path | str | None = None,
    seed: int = 0,
) -> PreparedBench:
    """The questions of a benchmark (its folder or file) and their requests; parameters as in `ask_bench`.

    Raises CrossinError where benchmark, form and choice do not fit together, or an item's inventory is not
    beside the benchmark.
    """
    bench = as_path(bench)
    languages, tasks = (None if names is None else listed(names) for names in (languages, tasks))
    items, skipped = select(
        read_items(bench),
        items_file(bench),
        languages=languages,
        tasks=tasks,
        limit=limit,
        per_task=per_task,
        seed=seed,
    )
    examples = read_shots(form.shots, shots)
    asked = questions(items, form, shots=examples, seed=seed)
    codes = list(dict.fromkeys(item.language for item in items))
    settings = {
        "choice": choice,
        "languages": codes,
        "tasks": None if tasks is None else sorted(tasks),
        "limit": limit,
        **({} if per_task is None else {"per_task": per_task}),
        "seed": seed,
    }
    inventories = _inventories(items, items_file(bench).parent / ENTITIES, codes)
    inputs = {"bench": items_file(bench)} | ({} if shots is None else {"shots": items_file(shots)})
    inputs |= {"entities": items_file(bench).parent / ENTITIES} if inventories else {}
    return PreparedBench(
        items,
        [with_request(one, form, choice) for one in asked],
        skipped,
        settings,
        inputs | word_files(codes),
        inventories,
    )


def _inventories(items: Sequence[Item], file: Path, languages: Sequence[str]) -> Inventories:
    """The inventories that items name, from the benchmark's file of them, in these languages.

    Raises CrossinError for the first fault that `entity_faults` finds.
    """
    names = dict.fromkeys(item.inventory for item in items if item.inventory)
    for item, fault in entity_faults(items, file.parent) if names else ():
        raise CrossinError(
            f"item '{item.item}' in {item.language}: {sentence_of(fault.reason)}: '{fault.detail}'",
            file=file,
            field=fault.field,
            hint=fix_of(fault.reason) or "build the benchmark again",
        )
    known = read_inventories(file.parent) if names else {}
    return {one.name: one for one in of_languages(known, languages, names)}


def with_request(question: Question, form: Form, choice: Choice = "sum") -> PreparedQuestion:
    """The question with its request. Raises CrossinError where it cannot be chosen by `bare`."""
    item = question.item
    place, name = f"{item.language}/{question.wording}", f"item '{item.item}' in {item.language}"
    if not question.options:
        key = f"{place}/reply"
        request = Request(question.prompt, (), form.max_tokens, question.stop, key, name)
        return PreparedQuestion(question, request)
    request = Request(question.prompt, question.options, key=f"{place}/options", name=name)
    if choice != "bare":
        return PreparedQuestion(question, request)
    if item.gap and not form.chat and not question.shown:
        raise CrossinError(
            f"{name} is a sentence that each option fills: there are no options without it, which --choice "
            "bare needs",
            field="choice",
            hint="choose by sum, token or byte; or list the options with --form letters",
        )
    if not question.cue:
        asked = "a chat" if form.chat else f"the wording '{question.wording}'"
        raise CrossinError(
            f"{asked} has nothing before the options without the question, which --choice bare needs",
            field="choice",
            hint="use --plain with the wordings 'question' or 'asked', or choose by sum, token or byte",
        )
    bare = Request(question.cue, question.options, key=f"{place}/bare", name=f"{name}, bare")
    return PreparedQuestion(question, request, bare)
