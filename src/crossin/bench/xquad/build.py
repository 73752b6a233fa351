"""The stage that makes Cross-XQuAD from XQuAD (docs/cross-xquad.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crossin.bench.hardness import hardness
from crossin.bench.items import ITEMS, Item, write_items
from crossin.bench.xquad.distractors import Choice, choose_options
from crossin.bench.xquad.questions import Question, read_questions
from crossin.bench.xquad.source import DATASET, source_files
from crossin.errors import CrossinError
from crossin.progress import Progress, silent
from crossin.stage import Stage, begin


def build_xquad(
    source: Path | None, out: Path, *, languages: list[str] | None = None, progress: Progress = silent
) -> Stage:
    """Write Cross-XQuAD in `languages` (all that the source has, where None) to the folder `out`.

    `source` is a folder with XQuAD's files `xquad.<language>.json`; None takes them from the hub's dataset
    `google/xquad`. Options are chosen over all languages of the source, so that a few languages have the very
    items that all have. Questions without three distractors are skipped and counted; the manifest's `counts`
    also hold where distractors come from, and the figures of `hardness`. Raises CrossinError for a language
    that the source lacks, and for all that `source_files` and `read_questions` do.
    """
    files = source_files(source)
    for language in languages or []:
        if language not in files:
            raise CrossinError(
                f"no questions in '{language}'; there are: {', '.join(files)}",
                file=source or DATASET,
                fix="name languages that it has",
            )
    wanted = languages or list(files)
    inputs = {f"xquad.{language}": path for language, path in files.items()}
    stage = begin(out, "bench", {"bench": "cross-xquad", "languages": wanted}, inputs)
    if stage.done:
        return stage
    questions = read_questions(files, progress)
    ruled_out: Counter[str] = Counter()
    choices = choose_options(questions, ruled_out)
    if not choices:
        raise CrossinError(
            "no question has three distractors", file=source or DATASET, fix="use XQuAD's own files"
        )
    items = _items(questions, choices, wanted)
    write_items(out / ITEMS, items)
    counts = _counts(items, choices, list(files), wanted)
    counts["answers ruled out as distractors"] = dict(sorted(ruled_out.items()))
    lacking = len(questions) - len(choices)
    stage.finish([ITEMS], counts, {"question: too few distractors": lacking} if lacking else {})
    return stage


def _items(questions: Sequence[Question], choices: dict[str, Choice], languages: list[str]) -> list[Item]:
    by_id = {question.id: question for question in questions}
    return [
        Item(
            item=key,
            group=by_id[key].group,
            task="reading",
            language=language,
            context=by_id[key].readings[language].context,
            question=by_id[key].readings[language].question,
            options=[by_id[option].readings[language].answer for option in choice.option_ids],
            option_ids=choice.option_ids,
            answer=key,
            source="XQuAD (arXiv 1910.11856)",
            licence="CC-BY-SA-4.0",
        )
        for key, choice in choices.items()
        for language in languages
    ]


def _counts(
    items: list[Item], choices: dict[str, Choice], present: list[str], languages: list[str]
) -> dict[str, object]:
    positions = Counter(choice.option_ids.index(key) for key, choice in choices.items())
    return {
        "items": len(choices),
        "languages": len(languages),
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
