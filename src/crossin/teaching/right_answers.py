"""The questions of a benchmark with their right answers as a corpus: what a mixture trains on where answers
are known, or the control of a corpus that a model answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from crossin.core.formats import ENTITIES
from crossin.core.stages import Stage, stage
from crossin.items.inventories import read_inventories
from crossin.items.item import Item, items_file, read_items
from crossin.languages.words import word_files
from crossin.teaching.config import Wordings
from crossin.teaching.expressing import NAMES, ROWS, Row, names_of, question_text, row_texts, write_rows


def bench_rows(bench: Path | str, out: Path | str, *, wordings: Wordings = "other") -> Stage:
    """Write the questions of a benchmark (its folder or file), with their right answers, as rows.

    wordings: rows ask in the wordings that a question has beside the one that an evaluation asks (`other`),
    where it has any, or in that one (`same`). Writes `questions.parquet` and `names.parquet`, as `teach` does
    (docs/formats.md). Raises CrossinError for items that cannot be read.
    """
    file = items_file(bench)
    every = read_items(file)
    languages = list(dict.fromkeys(item.language for item in every))
    # The other wordings of questions about facts are in them.
    inputs = {"bench": file} | word_files(languages)
    if (file.parent / ENTITIES).is_file():
        inputs["entities"] = file.parent / ENTITIES
    with stage(out, "rows", {"wordings": wordings}, inputs) as work:
        if not work.done:
            items: dict[str, dict[str, Item]] = {}
            for item in every:
                items.setdefault(item.item, {})[item.language] = item
            rows = list(_rows(items, wordings))
            names = names_of(items, read_inventories(file.parent), languages)
            write_rows(work.folder / ROWS, rows)
            write_rows(work.folder / NAMES, names)
            by_language = Counter(row["language"] for row in rows)
            counts = {
                "questions": len(items),
                "rows": len(rows),
                "names": len(names),
                "by_language": {language: by_language[language] for language in languages},
            }
            work.finish([ROWS, NAMES], counts)
    return work


def _rows(questions: Mapping[str, Mapping[str, Item]], wordings: Wordings) -> Iterator[Row]:
    for question, items in questions.items():
        for name, texts in row_texts(question, items, wordings).items():
            for language, item in items.items():
                yield {
                    "id": name,
                    "language": language,
                    "instruction": texts.get(language, question_text(item)),
                    "input": item.context,
                    "output": item.right_text,
                    "group": item.group,
                    "task": item.task,
                }
