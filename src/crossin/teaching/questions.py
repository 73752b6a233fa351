"""The questions that a model is asked, from a benchmark or a corpus, without their right answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.formats import DATA_FOLDER, ENTITIES, ITEMS
from crossin.core.progress import Progress
from crossin.core.skipping import MOST_SKIPPED, check_faults
from crossin.corpus.faults import file_faults
from crossin.corpus.parallel import ParallelCorpus, read_corpus
from crossin.corpus.reading.records import read_source
from crossin.corpus.spec import CorpusSpec, Source
from crossin.items.inventories import Inventories, read_inventories
from crossin.items.item import Item, items_file, read_items
from crossin.items.selection import select
from crossin.languages.codes import language_name
from crossin.languages.file_language import wrong_language
from crossin.teaching.asking import AskingConfig
from crossin.teaching.reasons import TeachReason

# The rows of a facts corpus, and of what this stage writes.
_ROWS = "questions.parquet"


@dataclass(frozen=True)
class Questions:
    """What is asked and taught. No right answer is in `items`, by question and language; they are in `golds`,
    the items of the pivot as the benchmark has them, which only the report reads.

    languages: of the rows, in the order of the questions' file, the pivot among them. skipped: questions left
    out so far, by reason code. instructions: they are of a corpus, not of a benchmark: answers are taught in
    full, and what a language lacks is translated.
    """

    items: dict[str, dict[str, Item]]
    languages: list[str]
    inputs: dict[str, Path]
    skipped: Counter[str]
    inventories: Inventories = field(default_factory=dict)
    golds: dict[str, Item] = field(default_factory=dict)
    notes: Sequence[str] = ()
    instructions: bool = False

    def in_pivot(self, pivot: str) -> list[Item]:
        """The items to ask: each as it is, and in its paraphrases."""
        return [
            replace(of[pivot], question=text)
            for of in self.items.values()
            for text in (of[pivot].question, *of[pivot].paraphrases)
        ]


def read_questions(config: AskingConfig, scratch: Path, progress: Progress) -> Questions:
    """The questions that the settings name. scratch: a folder for the texts of a corpus.

    Raises CrossinError, with file, row and field, for what cannot be read, where none is in the pivot, and
    where an inventory is not beside the benchmark.
    """
    place = config.questions
    if place.name == ITEMS or (place / ITEMS).is_file():
        return _of_bench(config)
    return _of_corpus(config, scratch, progress)


def _of_bench(config: AskingConfig) -> Questions:
    file = items_file(config.questions)
    every = read_items(file)
    wanted = config.languages and dict.fromkeys([*config.languages, config.pivot])
    _check_pivot(config, {item.language for item in every}, file)
    chosen, skipped = select(
        every, file, languages=wanted, tasks=config.tasks, limit=config.limit, seed=config.seed
    )
    # In the order of the file, whichever languages the first item has.
    present = {item.language for item in chosen}
    languages = [code for code in dict.fromkeys(item.language for item in every) if code in present]
    inventories = read_inventories(file.parent)
    for item in chosen:
        if item.inventory and item.inventory not in inventories:
            raise CrossinError(
                f"the inventory '{item.inventory}' of the item '{item.item}' is not there",
                file=file.parent / ENTITIES,
                hint="build the benchmark again",
            )
    golds = {item.item: item for item in chosen if item.language == config.pivot}
    inputs = {"questions": file} | ({"entities": file.parent / ENTITIES} if inventories else {})
    return _asked(chosen, golds, config.pivot, languages, inputs, Counter(skipped), inventories)


def _of_corpus(config: AskingConfig, scratch: Path, progress: Progress) -> Questions:
    path = config.questions.absolute()
    spec, columns = _corpus_spec(path, config.pivot)
    corpus = read_corpus(
        path.stem or "questions", spec, path.parent, None, columns, scratch, progress=progress
    )
    _check_pivot(config, corpus.languages, path)
    notes = check_faults(file_faults(corpus), MOST_SKIPPED, "remove these rows from the file")
    if wrong := wrong_language(corpus.texts[config.pivot, "instruction"].all, config.pivot):
        raise CrossinError(
            f"the questions are not in the pivot, {language_name(config.pivot)}: {wrong}",
            file=path,
            field="pivot",
            hint="name the language that they are in with --pivot",
        )
    items = _items(corpus)
    wanted = {*(config.languages or corpus.languages), config.pivot}
    chosen, skipped = select(
        items,
        path,
        languages=wanted & set(corpus.languages),
        tasks=config.tasks,
        limit=config.limit,
        seed=config.seed,
    )
    # A language that the corpus lacks is translated into.
    languages = [code for code in corpus.languages if code in wanted]
    languages += [code for code in config.languages or () if code not in languages]
    counted = Counter(skipped) + Counter(corpus.skipped())
    found = _asked(chosen, {}, config.pivot, languages, {"questions": path}, counted)
    return replace(found, notes=notes, instructions=True)


def _asked(
    items: Iterable[Item],
    golds: dict[str, Item],
    pivot: str,
    languages: list[str],
    inputs: dict[str, Path],
    skipped: Counter[str],
    inventories: Inventories | None = None,
) -> Questions:
    found: dict[str, dict[str, Item]] = {}
    for item in items:
        found.setdefault(item.item, {})[item.language] = replace(item, answer="", aliases=[], entity="")
    skipped[TeachReason.NOT_IN_PIVOT] += sum(pivot not in of for of in found.values())
    asked = {name: of for name, of in found.items() if pivot in of}
    return Questions(asked, languages, inputs, +skipped, inventories or {}, golds)


def _check_pivot(config: AskingConfig, languages: Collection[str], file: Path) -> None:
    if config.pivot not in languages:
        raise CrossinError(
            f"there are no questions in the pivot, {language_name(config.pivot)}",
            file=file,
            field="pivot",
            hint=f"choose one of: {', '.join(sorted(languages))}",
        )


def _corpus_spec(path: Path, pivot: str) -> tuple[CorpusSpec, set[str]]:
    """How a corpus lies in its files, and which of the columns `group` and `task` it has.

    A folder with a folder for each language in `data` is what `translate` writes. The column of the outputs
    is given as that of the instructions: no output is read.
    """
    if (path / _ROWS).is_file():
        path = path / _ROWS
    folders = sorted(one for one in (path / DATA_FOLDER).glob("*") if one.is_dir())
    columns = {"output": "instruction"}
    names = next(
        iter(read_source(Source(path=str(folders[0] if folders else path)), path.parent, {"id"}))
    ).names
    places: dict[str, Any] = {folder.name: {"path": str(folder), "columns": columns} for folder in folders}
    if not folders and "language" in names:
        shape: dict[str, Any] = {"source": {"path": str(path), "columns": columns}}
    else:
        shape = {"files": places or {pivot: {"path": str(path), "columns": columns}}}
    spec = CorpusSpec.model_validate({**shape, "incomplete": "keep", "check": "none"})
    return spec, {"group", "task"} & set(names)


def _items(corpus: ParallelCorpus) -> list[Item]:
    """The rows as items in free text, row by row."""
    import numpy as np

    kept = np.flatnonzero(corpus.kept)
    ids = corpus.ids.take(kept).to_pylist()
    by_language = {}
    for language in corpus.languages:
        rows = kept[corpus.present(language)[kept]]
        texts = [corpus.text(language, name, rows).to_pylist() for name in ("instruction", "input")]
        extras = [
            corpus.extras.get(language, {}).get(name, corpus.ids).take(rows).to_pylist()
            if name in corpus.extras.get(language, {})
            else [None] * len(rows)
            for name in ("group", "task")
        ]
        by_language[language] = {
            row: (instruction, given, str(group or name), str(task or ""))
            for row, name, instruction, given, group, task in zip(
                rows.tolist(), corpus.ids.take(rows).to_pylist(), *texts, *extras, strict=True
            )
        }
    return [
        Item(
            item=name,
            group=found[2],
            task=found[3],
            language=language,
            context=found[1],
            question=found[0],
            options=[],
            option_ids=[],
            answer="",
            source="",
            licence="",
        )
        for row, name in zip(kept.tolist(), ids, strict=True)
        for language, of in by_language.items()
        if (found := of.get(row)) is not None
    ]
