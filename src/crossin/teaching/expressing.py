"""Certain answers as rows in every language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossin.core.files import read_parquet, write_parquet, write_text
from crossin.core.formats import DATA_FOLDER, FIELDS
from crossin.core.progress import Progress
from crossin.items.inventories import Inventories
from crossin.items.item import Item
from crossin.teaching.asked import tasks_of_local_ids
from crossin.teaching.config import TeachConfig, Wordings
from crossin.teaching.judging import Judgement
from crossin.teaching.questions import Questions
from crossin.teaching.reasons import TeachReason
from crossin.teaching.wordings import worded
from crossin.translation.run import translate

Row = dict[str, str]
# The texts of a translated row, by question and language.
Translated = Mapping[tuple[str, str], Mapping[str, str]]
TRANSLATED = "translated"
ROWS = "questions.parquet"
NAMES = "names.parquet"
_COLUMNS = ("id", "language", "instruction", "input", "output", "group", "task")


def question_text(item: Item) -> str:
    """What a row asks: the item's question; of one in free text whose gap ends it, what stands before."""
    before, gap, after = item.question.partition(item.gap) if item.gap else (item.question, "", "")
    return before.rstrip() if gap and item.free_text and not any(map(str.isalnum, after)) else item.question


def needs_translation(questions: Questions, pivot: str) -> str:
    """A question whose answer, or text in some language, has to be translated; '' where there is none."""
    others = [language for language in questions.languages if language != pivot]
    for name, of in questions.items.items() if others else ():
        if _is_text(of[pivot]) or (questions.instructions and not set(others) <= set(of)):
            return name
    return ""


def translated(
    config: TeachConfig,
    questions: Questions,
    judgements: Sequence[Judgement],
    out: Path,
    scratch: Path,
    progress: Progress,
    say: Callable[[str], None],
) -> Translated:
    """The kept questions and answers in free text in every language, by the stage `translate` in OUT."""
    rows = [
        {"id": one.question, "instruction": question_text(item), "input": item.context, "output": one.text}
        for one in judgements
        if not one.reason and _is_text(item := questions.items[one.question][config.pivot])
    ]
    to = tuple(language for language in questions.languages if language != config.pivot)
    corpus = scratch / "certain.jsonl"
    settings = config.translation(corpus, to) if rows and to else None
    if settings is None:
        return {}
    write_text(corpus, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    stage = translate(settings, out / TRANSLATED, progress=progress, say=say)
    found = {}
    for language in to:
        for file in sorted((stage.folder / DATA_FOLDER / language).glob("*.parquet")):
            for row in read_parquet(file, ["id", *FIELDS]).to_pylist():
                found[row.pop("id"), language] = row
    return found


def rows_of(
    questions: Questions,
    judgements: Sequence[Judgement],
    texts: Translated,
    pivot: str,
    wordings: Wordings,
    skipped: Counter[str],
) -> Iterator[Row]:
    """The rows of the certain answers, question by question, then by wording and language; what a language
    lacks is counted in `skipped`.
    """
    for judgement in judgements:
        if judgement.reason:
            continue
        items = questions.items[judgement.question]
        answers: dict[str, str] = {}
        asked: dict[str, tuple[str, str]] = {}
        for language in questions.languages:
            text = texts.get((judgement.question, language), {})
            item = items.get(language)
            if item is not None:
                asked[language] = question_text(item), item.context
            elif text:
                asked[language] = text["instruction"], text["input"]
            answer, reason = _answer(items[pivot], item, judgement, language, pivot, questions, text)
            if language not in asked:
                reason = reason if reason == TeachReason.NOT_TRANSLATED else TeachReason.NO_QUESTION
            if reason:
                skipped[reason.about(language)] += 1
            else:
                answers[language] = answer
        # A corpus has the wordings that it has.
        asking: dict[str, dict[str, str]] = {judgement.question: {}}
        if not questions.instructions:
            asking = row_texts(judgement.question, items, wordings)
        for name, by_language in asking.items():
            for language, answer in answers.items():
                question, context = asked[language]
                yield {
                    "id": name,
                    "language": language,
                    "instruction": by_language.get(language, question),
                    "input": context,
                    "output": answer,
                    "group": items[pivot].group,
                    "task": items[pivot].task,
                }


def names_of(
    questions: Mapping[str, Mapping[str, Item]], inventories: Inventories, languages: Sequence[str]
) -> list[Row]:
    """Rows whose instruction is a bare name, for translation: of every option, entity and subject of the
    questions, whatever was answered. An option id that does not mean the same everywhere counts as the
    item's own.
    """
    names: dict[str, tuple[str, dict[str, str]]] = {}
    for name, option, group, texts in _options(questions):
        names.setdefault(f"name:{name}:{option}", (group, texts))
    for items in questions.values():
        one = next(iter(items.values()))
        if found := worded(items):
            names.setdefault(f"name:subject:{one.group}", (one.group, found.subjects))
    used = dict.fromkeys(next(iter(of.values())).inventory for of in questions.values())
    for inventory in (inventories[name] for name in used if name):
        for entity, of in inventory.names.items():
            called = {language: of[language][0] for language in languages if language in of}
            names.setdefault(f"name:{inventory.name}:{entity}", ("", called))
    return [
        {
            "id": name,
            "language": language,
            "instruction": text,
            "input": "",
            "output": "",
            "group": group or name,
            "task": "name",
        }
        for name, (group, texts) in sorted(names.items())
        for language, text in texts.items()
    ]


def _options(questions: Mapping[str, Mapping[str, Item]]) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Each option of each item: the task, or the item where the task's ids have several texts; its id; the
    item's group; and its text by language.
    """
    local = tasks_of_local_ids(item for of in questions.values() for item in of.values())
    for name, items in questions.items():
        first = next(iter(items.values()))
        for option in first.option_ids:
            yield (
                name if first.task in local else first.task,
                option,
                first.group,
                {language: item.options[item.option_ids.index(option)] for language, item in items.items()},
            )


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as a corpus that `crossin compose` reads."""
    import pyarrow

    schema = pyarrow.schema([(name, pyarrow.string()) for name in _COLUMNS])
    write_parquet(path, pyarrow.Table.from_pylist(list(rows), schema))


def _is_text(item: Item) -> bool:
    """Whether an answer is a free text, which only its own language has."""
    return item.free_text and not item.inventory and item.answer_type == "text"


def row_texts(question: str, items: Mapping[str, Item], wordings: Wordings) -> dict[str, dict[str, str]]:
    """What the rows of a question ask, in the wordings that are wanted: texts by language, by the id of the
    row; no texts where they are the item's own.
    """
    others = _others(items)
    if not others:
        return {question: {}}
    if wordings == "same":
        # The one number that the others do not have.
        own = min(set(range(len(others) + 1)) - set(others))
        return {f"{question}/{own}": {}}
    return {f"{question}/{wording}": texts for wording, texts in others.items()}


def _others(items: Mapping[str, Item]) -> dict[int, dict[str, str]]:
    """An item's question in each other wording, by number and language: its paraphrases, or those of a
    question about a fact.
    """
    one = next(iter(items.values()))
    # A language may have fewer: those that all have.
    if (count := min(len(item.paraphrases) for item in items.values())) > 0:
        return {
            number: {
                language: question_text(replace(item, question=item.paraphrases[number - 1]))
                for language, item in items.items()
            }
            for number in range(1, count + 1)
        }
    found = worded(items)
    return found.others(one.task) if found else {}


def _answer(
    asked: Item,
    item: Item | None,
    judgement: Judgement,
    language: str,
    pivot: str,
    questions: Questions,
    text: Mapping[str, Any],
) -> tuple[str, TeachReason | None]:
    """The answer in a language, or the reason why there is none."""
    meaning = judgement.meaning or ""
    if not asked.free_text:
        return (item.options[item.option_ids.index(meaning)], None) if item else ("", TeachReason.NO_QUESTION)
    if asked.inventory:
        names = questions.inventories[asked.inventory].names[meaning].get(language)
        return (names[0], None) if names else ("", TeachReason.NO_ANSWER_NAME)
    if language == pivot or not _is_text(asked):
        return judgement.text, None
    return (text["output"], None) if text.get("output") else ("", TeachReason.NOT_TRANSLATED)
