"""The published runs of PolyFact's makers (arXiv 2606.06586), each next to its base model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from crossin.corpus.reading.records import read_object
from crossin.logs.golds import with_golds
from crossin.logs.polyfact import read_log
from crossin.logs.tables import Predictions, tables_of_log
from crossin.metrics.bootstrap import Figure, Paired, resample, resample_pair
from crossin.metrics.choices import answer_family
from crossin.metrics.difference_parts import split_family
from crossin.metrics.families import Family, Flags, mean_family
from crossin.metrics.language_fidelity import fidelity_family
from crossin.metrics.pairwise import agreement
from crossin.metrics.rankings import rankc, rankc_family
from crossin.metrics.reading import tables_of
from crossin.metrics.texts import containment_family

BASES = ("Qwen2.5-7B", "OLMo-2-1124-7B")
# How many right answers of how many.
Flagged = dict[tuple[str, str], bool]


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


def flags_of(file: Path) -> Flagged:
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


def klar_families(found: Predictions, flags: Flags) -> list[Family]:
    assert found.choices is not None and found.texts is not None
    languages = found.choices.languages
    answered = found.choices.answers >= 0
    return [
        answer_family(found.choices, [2]),
        mean_family("flagged", languages, flags),
        mean_family("answered", languages, answered),
        mean_family(
            "right_if_answered", languages, found.choices.answers == found.choices.gold[:, None], answered
        ),
        containment_family(found.texts),
        fidelity_family(found.texts),
    ]


def klar_run(files: tuple[Path, Path], draws: int) -> Run:
    """A run on KLAR next to its base model's."""
    (ours, flags), (theirs, their_flags) = map(replied, files)
    table, base = ours.choices, theirs.choices
    assert table is not None and base is not None and table.items == base.items
    families = klar_families(ours, flags), klar_families(theirs, their_flags)
    return Run(
        ours.model,
        theirs.model,
        table.languages,
        ours.log.reported,
        len(table.items),
        len(set(table.groups)),
        resample_pair(*families, table.groups, draws=draws),
        resample([split_family(table, base)], table.groups, draws=draws),
        sum((Counter(reasons) for reasons in ours.unread.values()), Counter()),
    )


def mmlu_run(pair: tuple[Predictions, Predictions], draws: int) -> Run:
    """A run on Global-MMLU-Lite next to its base model's."""
    ours, theirs = pair
    families = []
    for one in pair:
        assert one.choices is not None and one.logprobs is not None
        families.append([answer_family(one.choices, [2]), rankc_family(one.choices, one.logprobs)])
    table = ours.choices
    assert table is not None
    return Run(
        ours.model,
        theirs.model,
        table.languages,
        ours.log.reported,
        len(table.items),
        len(set(table.groups)),
        resample_pair(families[0], families[1], table.groups, draws=draws),
        {},
        {},
    )


def in_order(models: Iterable[str]) -> list[str]:
    """Each base model, then its runs by name."""
    return sorted(models, key=lambda name: (BASES.index(base_of(name)), name not in BASES, name.lower()))


def klar_runs(folder: Path, draws: int, processes: int) -> list[Run]:
    files = {read_log(file).model: file for file in sorted(folder.glob("*.json.gz"))}
    pairs = [(files[name], files[base_of(name)]) for name in in_order(files)]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(klar_run, draws=draws), pairs))


def mmlu_runs(folder: Path, draws: int, processes: int) -> list[Run]:
    logs = with_golds([read_log(file) for file in sorted(folder.glob("*.json.gz"))])
    found = {log.model: tables_of_log(log)[0] for log in logs}
    pairs = [(found[name], found[base_of(name)]) for name in in_order(found)]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(mmlu_run, draws=draws), pairs))


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
