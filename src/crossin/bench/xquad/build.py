"""The stage that makes Cross-XQuAD from XQuAD (docs/cross-xquad.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from crossin.bench.assemble import build
from crossin.bench.hardness import hardness
from crossin.bench.xquad.distractors import Choice, choose_options
from crossin.bench.xquad.questions import Question, read_questions
from crossin.bench.xquad.source import DATASET, source_files
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage
from crossin.items.item import Item

_TOO_FEW = "too few distractors"


def build_xquad(
    source: Path | None, out: Path, *, languages: list[str] | None = None, progress: Progress = silent
) -> Stage:
    """Write Cross-XQuAD in `languages` (all that the source has, where None) to the folder `out`.

    `source` is a folder with XQuAD's files `xquad.<language>.json`; None takes them from the hub's dataset
    `google/xquad`. Options are chosen over all languages of the source, so that a few languages have the very
    items that all have. Questions without three distractors are left out; the manifest's `counts`
    also hold where distractors come from, and the figures of `hardness`. Raises CrossinError for a language
    that the source lacks, and for all that `source_files` and `read_questions` do.
    """
    files = source_files(source)
    for language in languages or []:
        if language not in files:
            raise CrossinError(
                f"no questions in '{language}'; there are: {', '.join(files)}",
                file=source or DATASET,
                hint="name languages that it has",
            )
    wanted = list(dict.fromkeys(languages or files))
    inputs = {f"xquad.{language}": path for language, path in files.items()}
    ruled_out: Counter[str] = Counter()
    choices: dict[str, Choice] = {}

    def gather() -> dict[str, dict[str, Item | str]]:
        questions = read_questions(files, progress)
        choices.update(choose_options(questions, ruled_out))
        by_id = {question.id: question for question in questions}
        return {
            key: {
                language: _item(by_id, key, choices[key], language) if key in choices else _TOO_FEW
                for language in wanted
            }
            for key in by_id
        }

    def counts(items: Sequence[Item]) -> dict[str, object]:
        found = _counts(items, choices, list(files))
        return {**found, "answers ruled out as distractors": dict(sorted(ruled_out.items()))}

    settings = {"bench": "cross-xquad", "languages": wanted}
    return build(out, settings, inputs, wanted, gather, counts)


def _item(by_id: Mapping[str, Question], key: str, choice: Choice, language: str) -> Item:
    reading = by_id[key].readings[language]
    return Item(
        item=key,
        group=by_id[key].group,
        task="reading",
        language=language,
        context=reading.context,
        question=reading.question,
        options=[by_id[option].readings[language].answer for option in choice.option_ids],
        option_ids=choice.option_ids,
        answer=key,
        source="XQuAD (arXiv 1910.11856)",
        licence="CC-BY-SA-4.0",
    )


def _counts(items: Sequence[Item], choices: dict[str, Choice], present: list[str]) -> dict[str, object]:
    positions = Counter(choice.option_ids.index(key) for key, choice in choices.items())
    return {
        "paragraphs": len({item.group for item in items}),
        "languages that decided the options": present,
        "items with distractors of another paragraph": sum(c.from_article > 0 for c in choices.values()),
        "items with distractors of another article": sum(c.from_elsewhere > 0 for c in choices.values()),
        "distractors of another paragraph": sum(c.from_article for c in choices.values()),
        "distractors of another article": sum(c.from_elsewhere for c in choices.values()),
        "answers by position": [positions[position] for position in sorted(positions)],
        "hardness": {
            heuristic: {language: round(share, 4) for language, share in shares.items()}
            for heuristic, shares in hardness(items).items()
        },
    }
