"""The published runs of PolyFact's makers (arXiv 2606.06586), each next to its base model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from crossin.corpus.reading.records import read_object
from crossin.logs.answers import LoggedAnswers
from crossin.logs.golds import with_golds
from crossin.logs.polyfact import read_log
from crossin.logs.tables import Predictions, tables_of_log
from crossin.metrics.bootstrap import Figure, Paired, resample, resample_pair
from crossin.metrics.choices import answer_family
from crossin.metrics.difference_parts import split_family
from crossin.metrics.families import Family, Flags, mean_family, ratio
from crossin.metrics.language_fidelity import fidelity_family
from crossin.metrics.pairwise import agreement
from crossin.metrics.rankings import rankc, rankc_family
from crossin.metrics.reading import tables_of
from crossin.metrics.table import MISSING, AnswerTable
from crossin.metrics.texts import containment_family

BASES = ("Qwen2.5-7B", "OLMo-2-1124-7B")
T = TypeVar("T")
# "1967", "10 languages", and not "1. German".
NUMBER = re.compile(r"\W*\d++(?!\s*[.):=-]+\s*[^\W\d])")


@dataclass(frozen=True)
class Run:
    """A run next to its base model; of a base model, next to itself."""

    name: str
    base: str
    languages: tuple[str, ...]
    reported: Mapping[str, float]
    items: int
    groups: int
    pair: Paired
    split: Mapping[str, Figure]
    unread: Mapping[str, int]


def base_of(model: str) -> str:
    return BASES["olmo" in model.lower()]


def flags_of(file: Path) -> dict[tuple[str, str], bool]:
    """Whether the makers count a reply as right, by fact and language."""
    records = read_object(file)["records"]
    return {(str(record["index"]), record["language"]): record["correct"] for record in records}


def replied(file: Path) -> tuple[Predictions, Flags]:
    """A run on KLAR, and its flags: [I, L]."""
    [found] = tables_of_log(read_log(file))
    flags = flags_of(file)
    assert found.choices is not None
    table = found.choices
    return found, np.array([[flags[item, language] for language in table.languages] for item in table.items])


def numbers(found: Predictions) -> Flags:
    """Which replies name no entity and begin with a number that is not a list's: [I, L]."""
    assert found.choices is not None and found.texts is not None
    begins = [[bool(NUMBER.match(reply or "")) for reply in row] for row in found.texts.replies]
    return np.asarray(np.logical_and(begins, found.choices.answers == MISSING))


def klar_families(found: Predictions, flags: Flags) -> list[Family]:
    assert found.choices is not None and found.texts is not None
    languages = found.choices.languages
    answered = found.choices.answers != MISSING
    return [
        answer_family(found.choices, [2]),
        mean_family("flagged", languages, flags),
        mean_family("answered", languages, answered),
        mean_family("numbers", languages, numbers(found)),
        mean_family(
            "right_if_answered", languages, found.choices.answers == found.choices.gold[:, None], answered
        ),
        containment_family(found.texts),
        fidelity_family(found.texts),
    ]


@dataclass(frozen=True)
class Scored:
    """A model's answers with what its figures need."""

    predictions: Predictions
    table: AnswerTable
    families: Sequence[Family]


def klar_scored(file: Path) -> Scored:
    found, flags = replied(file)
    assert found.choices is not None
    return Scored(found, found.choices, klar_families(found, flags))


def mmlu_scored(log: LoggedAnswers) -> Scored:
    [found] = tables_of_log(log)
    assert found.choices is not None and found.logprobs is not None
    families = [answer_family(found.choices, [2]), rankc_family(found.choices, found.logprobs)]
    return Scored(found, found.choices, families)


def split_families(base: Scored, ours: Scored) -> list[Family]:
    """What the difference is made of; and `new_from_number`: of the questions newly answered, those to which
    the base model's reply begins with a digit.
    """
    table = ours.table
    families = [split_family(table, base.table)]
    if base.predictions.texts is not None:
        new = (table.answers != MISSING) & (base.table.answers == MISSING)
        columns = np.column_stack([(numbers(base.predictions) & new).sum(axis=1), new.sum(axis=1)])
        families.append(
            Family(
                columns.astype(np.float64),
                lambda sums: {"new_from_number": ratio(sums[:, 0], sums[:, 1])},
            )
        )
    return families


def next_to(base: Scored, ours: Scored, draws: int) -> Run:
    """A model next to its base model."""
    table = ours.table
    assert table.items == base.table.items and table.languages == base.table.languages
    return Run(
        ours.predictions.model,
        base.predictions.model,
        table.languages,
        ours.predictions.log.reported,
        len(table.items),
        len(set(table.groups)),
        resample_pair(ours.families, base.families, table.groups, draws=draws),
        resample(split_families(base, ours), table.groups, draws=draws),
        sum((Counter(reasons) for reasons in ours.predictions.unread.values()), Counter()),
    )


def klar_family(files: Sequence[Path], draws: int) -> list[Run]:
    """The runs of one base model on KLAR, its own first."""
    base = klar_scored(files[0])
    return [next_to(base, base, draws), *(next_to(base, klar_scored(file), draws) for file in files[1:])]


def mmlu_family(logs: Sequence[LoggedAnswers], draws: int) -> list[Run]:
    """The runs of one base model on Global-MMLU-Lite, its own first."""
    base = mmlu_scored(logs[0])
    return [next_to(base, base, draws), *(next_to(base, mmlu_scored(log), draws) for log in logs[1:])]


def klar_runs(folder: Path, draws: int) -> list[Run]:
    files = {read_log(file).model: file for file in sorted(folder.glob("*.json.gz"))}
    return _each_family(klar_family, files, draws)


def mmlu_runs(folder: Path, draws: int) -> list[Run]:
    """All with the right options that they tell together."""
    logs = with_golds([read_log(file) for file in sorted(folder.glob("*.json.gz"))])
    return _each_family(mmlu_family, {log.model: log for log in logs}, draws)


def _each_family(score: Callable[..., list[Run]], models: Mapping[str, T], draws: int) -> list[Run]:
    """Each base model, then its runs by name; two processes."""
    families = [
        [
            models[name]
            for name in sorted(models, key=lambda name: (name != base, name.lower()))
            if base_of(name) == base
        ]
        for base in BASES
    ]
    with ProcessPoolExecutor(len(BASES)) as pool:
        return [run for runs in pool.map(partial(score, draws=draws), families) for run in runs]


def reproduced(file: Path) -> float:
    """The largest distance of a pair's RankC and share of equal answers from those in the file, over all its
    items. Neither needs the right option, so any stands for it.
    """
    stated, log = read_object(file), read_log(file)
    [(found, scores)] = tables_of({**line, "gold": line["option_ids"][0]} for line in log.lines).values()
    assert scores is not None
    place = {language: number for number, language in enumerate(found.languages)}
    ours = {"rankc": rankc(found, scores), "answer_agreement": agreement(found)}
    return max(
        float(abs(matrix[place[x], place[y]] - value))
        for name, matrix in ours.items()
        for (x, y), value in ((pair.split("-"), value) for pair, value in stated[name]["pairwise"].items())
    )
