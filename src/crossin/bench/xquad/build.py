"""The stage that builds Cross-XQuAD from XQuAD (docs/cross-xquad.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.bench.assemble import NotBuilt, whole_items, write_whole
from crossin.bench.heuristics import hardness
from crossin.bench.xquad.distractors import choose_options
from crossin.bench.xquad.questions import DATASET, SquadQuestion, read_questions, source_files
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.items.item import Item


def build_xquad(
    source: Path | None,
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Stage:
    """Write Cross-XQuAD in `languages` (all that the source has, where None) to the folder `out`.

    `source` is a folder with XQuAD's files `xquad.<language>.json`; None takes them from the hub's dataset
    `google/xquad`. Options are chosen over all languages of the source, so that a build in a few languages
    has the same items. Questions without three distractors are left out. The manifest's `counts` also hold
    where distractors come from, and the shares of `hardness`. Raises CrossinError for a language that the
    source lacks, and whatever `source_files` and `read_questions` raise.
    """
    files = source_files(source)
    for language in languages or []:
        if language not in files:
            raise CrossinError(
                f"there are no questions in '{language}'; there are: {', '.join(files)}",
                file=source or DATASET,
                hint="name languages that it has",
            )
    wanted = list(dict.fromkeys(languages or files))
    settings = {"bench": "cross-xquad", "languages": wanted}
    inputs = {f"xquad.{language}": path for language, path in files.items()}
    with stage(out, "bench", settings, inputs) as work:
        if not work.done:
            questions = {question.id: question for question in read_questions(files, progress)}
            choices, ruled_out = choose_options(list(questions.values()))
            few: dict[str, Item | str] = dict.fromkeys(wanted, NotBuilt.FEW_DISTRACTORS)
            found: dict[str, dict[str, Item | str]] = {
                key: {language: _item(questions, key, choices[key], language) for language in wanted}
                if key in choices
                else few
                for key in questions
            }
            items, left_out = whole_items(found, wanted)
            counts = _counts(questions, items, choices)
            write_whole(work, items, left_out, source_languages=list(files), ruled_out=ruled_out, **counts)
    return work


def _item(questions: Mapping[str, SquadQuestion], key: str, option_ids: list[str], language: str) -> Item:
    reading = questions[key].readings[language]
    return Item(
        item=key,
        group=questions[key].group,
        task="reading",
        language=language,
        context=reading.context,
        question=reading.question,
        options=[questions[option].readings[language].answer for option in option_ids],
        option_ids=option_ids,
        answer=key,
        source="XQuAD (arXiv 1910.11856)",
        licence="CC-BY-SA-4.0",
    )


def _counts(
    questions: Mapping[str, SquadQuestion], items: Sequence[Item], choices: Mapping[str, list[str]]
) -> dict[str, Any]:
    """What the manifest counts: `distractors_of_article` come from another paragraph of the question's
    article, `distractors_of_others` from another article.
    """
    of_article: Counter[str] = Counter()
    of_others: Counter[str] = Counter()
    for key, ids in choices.items():
        own, chosen = questions[key], [questions[option] for option in ids]
        of_others[key] = sum(one.article != own.article for one in chosen)
        of_article[key] = sum(one.group != own.group for one in chosen) - of_others[key]
    positions = Counter(ids.index(key) for key, ids in choices.items())
    return {
        "paragraphs": len({item.group for item in items}),
        "items_with_distractors_of_article": len(+of_article),
        "items_with_distractors_of_others": len(+of_others),
        "distractors_of_article": of_article.total(),
        "distractors_of_others": of_others.total(),
        "answers_by_position": [positions[position] for position in sorted(positions)],
        "hardness": {
            heuristic: {language: round(share, 4) for language, share in shares.items()}
            for heuristic, shares in hardness(items).items()
        },
    }
