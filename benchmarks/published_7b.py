"""The published runs of PolyFact's makers (arXiv 2606.06586), scored again: the tables of
docs/results/published-7b.md.

    python benchmarks/published_7b.py --data ../shared/data

DATA holds `polyfact-runs`: eleven models' replies to KLAR, and thirteen models' scores of the options of
Global-MMLU-Lite. Prints Markdown: figures with 95% intervals, and paired differences from the base model.
"makers" are the figures that follow from the files' own flags of what is right, "ours" those of the entity
that a reply names.

    python benchmarks/published_7b.py --data ../shared/data --disagreements 50

draws replies on which the two differ, over all runs and languages, and prints them. With the labels in
published_7b_read.csv, which say by item what a person found, it prints how many are of which kind.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from crossin.corpus.reading.records import read_object
from crossin.items.replies.entities import Unread
from crossin.logs.golds import with_golds
from crossin.logs.polyfact import read_log
from crossin.logs.tables import Predictions, tables_of_log
from crossin.metrics.bootstrap import Figure, Paired, resample, resample_pair
from crossin.metrics.choices import answer_family
from crossin.metrics.difference_parts import split_family
from crossin.metrics.families import Family, Flags, mean_family
from crossin.metrics.language_fidelity import fidelity_family
from crossin.metrics.pairwise import agreement
from crossin.metrics.rankings import rankc, rankc_chance, rankc_family, rankc_floor
from crossin.metrics.reading import tables_of
from crossin.metrics.significance import holm
from crossin.metrics.texts import containment_family

BASES = ("Qwen2.5-7B", "OLMo-2-1124-7B")
LABELS = Path(__file__).with_name("published_7b_read.csv")
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


# Markdown


def number(value: float, signed: bool = False, digits: int = 3) -> str:
    """A value without its leading zero: .532, +.101, −.004."""
    if np.isnan(value):
        return "–"
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("0.", ".", 1).replace("-", "−") if abs(value) < 1 else text.replace("-", "−")


def shown(figure: Figure | None, signed: bool = False) -> str:
    if figure is None or np.isnan(figure.value):
        return "–"
    low, high = (number(end, signed) for end in (figure.low, figure.high))
    return f"{number(figure.value, signed)} [{low} {high}]"


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"\n{title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def values(runs: Sequence[Run], title: str, figures: Mapping[str, str]) -> None:
    """A table of figures: by run, those with these names under these headings."""
    rows = [[run.name, *(shown(run.pair.ours[name]) for name in figures)] for run in runs]
    table(title, ["run", *figures.values()], rows)


def differences(runs: Sequence[Run], title: str, figures: Mapping[str, str], main: str = "accuracy") -> None:
    """The same less the base model; with p of the `main` figure after Holm's correction over the runs."""
    tuned = [run for run in runs if run.name != run.base]
    p = holm({run.name: run.pair.difference[main].p for run in tuned})
    rows = [
        [
            run.name,
            *(shown(run.pair.difference[name], signed=True) for name in figures),
            "< .001" if p[run.name] < 0.001 else number(p[run.name]),
        ]
        for run in tuned
    ]
    table(title, ["run", *figures.values(), f"p of {figures[main]}"], rows)


def by_language(runs: Sequence[Run], title: str, figure: str) -> None:
    languages = runs[0].languages
    rows = [[run.name, *(shown(run.pair.ours[f"{figure}/{x}"]) for x in languages)] for run in runs]
    table(title, ["run", *languages], rows)


def changed_by_language(runs: Sequence[Run], title: str, figure: str) -> None:
    languages = runs[0].languages
    rows = [
        [run.name, *(shown(run.pair.difference[f"{figure}/{x}"], signed=True) for x in languages)]
        for run in runs
        if run.name != run.base
    ]
    table(title, ["run", *languages], rows)


def klar_tables(runs: Sequence[Run]) -> None:
    first = runs[0]
    cells = first.items * len(first.languages)
    print(f"\n## KLAR: {first.items:,} facts of {first.groups:,} subjects in {', '.join(first.languages)}")
    rows = [
        [run.name, f"{round(run.reported['accuracy'] * cells):,}", f"{run.reported['accuracy']:.4f}"]
        + [f"{run.reported[f'accuracy/{x}']:.4f}" for x in run.languages]
        for run in runs
    ]
    table(f"Right by the makers' flags, of {cells:,}", ["run", "right", "share", *first.languages], rows)
    main = {
        "flagged": "accuracy, makers",
        "accuracy": "accuracy, ours",
        "answered": "answered",
        "right_if_answered": "right if answered",
        "containment": "containment",
        "fidelity": "fidelity",
    }
    together = {
        "consistency_2": "consistency_2",
        "kappa_2": "kappa_2",
        "right_2": "right_2",
        "wrong_2": "wrong_2",
        "ac3_2": "AC3_2",
    }
    values(runs, "Accuracy and answers", main)
    values(runs, "Languages together", together)
    differences(runs, "Accuracy and answers, less the base model", main)
    differences(runs, "Languages together, less the base model", {"accuracy": "accuracy, ours", **together})
    parts = {
        "both": "both answer",
        "both_theirs": "right there, base",
        "both_ours": "right there, run",
        "both_difference": "difference there",
        "new": "newly answered",
        "new_accuracy": "right there",
        "lost": "no longer answered",
        "lost_accuracy": "right there, base",
    }
    gains = {"gain_both": "both answer", "gain_new": "newly answered", "gain_lost": "no longer answered"}
    tuned = [run for run in runs if run.name != run.base]
    rows = [
        [run.name, *(shown(run.split[name], name == "both_difference") for name in parts)] for run in tuned
    ]
    table("What a difference is made of: shares of all replies, and accuracy", ["run", *parts.values()], rows)
    rows = [
        [
            run.name,
            shown(run.pair.difference["accuracy"], True),
            *(shown(run.split[name], True) for name in gains),
        ]
        for run in tuned
    ]
    table("The difference in accuracy as a sum", ["run", "difference", *gains.values()], rows)
    for name, title in (("gain_both", "both answer"), ("gain_new", "newly answered")):
        rows = [[run.name, *(shown(run.split[f"{name}/{x}"], True) for x in run.languages)] for run in tuned]
        table(f"The part of the difference from questions that are: {title}", ["run", *first.languages], rows)
    reasons = [reason for reason in Unread if any(run.unread.get(reason) for run in runs)]
    rows = [[run.name, *(number(run.unread.get(one, 0) / cells) for one in reasons)] for run in runs]
    table("Why no entity was read: shares of all replies", ["run", *(one.sentence for one in reasons)], rows)
    by_language(runs, "Accuracy (ours) by language", "accuracy")
    changed_by_language(runs, "Accuracy (ours) by language, less the base model", "accuracy")
    by_language(runs, "Answered by language", "answered")
    by_language(runs, "Fidelity by language", "fidelity")


def mmlu_tables(runs: Sequence[Run], folder: Path) -> None:
    first = runs[0]
    print(f"\n## Global-MMLU-Lite: {first.items} of 400 items in {', '.join(first.languages)}")
    rows = [
        [
            run.name,
            f"{run.reported['accuracy']:.4f}",
            *(f"{run.reported[f'accuracy/{x}']:.4f}" for x in run.languages),
        ]
        for run in runs
    ]
    table("Accuracy by the makers' flags, all 400 items", ["run", "mean", *first.languages], rows)
    figures = {
        "accuracy": "accuracy",
        "consistency_2": "consistency_2",
        "kappa_2": "kappa_2",
        "right_2": "right_2",
        "wrong_2": "wrong_2",
        "ac3_2": "AC3_2",
        "rankc": "RankC",
    }
    values(
        runs,
        f"Figures (RankC: floor {number(rankc_floor(4), digits=4)}, random {number(rankc_chance(4), digits=4)})",
        figures,
    )
    differences(runs, "Less the base model", figures)
    changed_by_language(runs, "Accuracy by language, less the base model", "accuracy")
    furthest = max(reproduced(file) for file in sorted(folder.glob("*.json.gz")))
    print(
        f"\nLargest distance from the makers' RankC and agreement of two languages, all runs: {furthest:.1e}"
    )


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
        abs(matrix[place[x], place[y]] - value)
        for name, matrix in ours.items()
        for (x, y), value in ((pair.split("-"), value) for pair, value in stated[name]["pairwise"].items())
    )


def correlations(klar: Sequence[Run], mmlu: Sequence[Run]) -> None:
    """Whether multiple choice predicts free generation, over the models that have both."""
    chosen = {run.name: run for run in mmlu}
    both = [(run, chosen[run.name]) for run in klar if run.name in chosen]
    shared = [x for x in klar[0].languages if x in mmlu[0].languages]
    figures: list[tuple[str, Any]] = [
        ("accuracy", lambda figures: figures["accuracy"].value),
        (
            f"accuracy in {', '.join(shared)}",
            lambda figures: np.mean([figures[f"accuracy/{x}"].value for x in shared]),
        ),
        ("consistency_2", lambda figures: figures["consistency_2"].value),
        ("AC3_2", lambda figures: figures["ac3_2"].value),
    ]
    rows = []
    for label, figure in figures:
        for what, side, kept in (
            ("all", "ours", both),
            *(
                (f"{base} and its runs", "ours", [one for one in both if one[0].base == base])
                for base in BASES
            ),
            ("less the base model", "difference", [one for one in both if one[0].name != one[0].base]),
        ):
            free, choice = (
                np.array([figure(getattr(one[place].pair, side)) for one in kept]) for place in (0, 1)
            )
            pearson = np.corrcoef(free, choice)[0, 1]
            ranks = np.corrcoef(free.argsort().argsort(), choice.argsort().argsort())[0, 1]
            rows.append([label, what, str(len(kept)), number(pearson, True, 2), number(ranks, True, 2)])
    print("\n## Multiple choice against free generation")
    table("Over models that have both", ["figure", "models", "n", "Pearson", "Spearman"], rows)
    head = [
        "run",
        "KLAR, accuracy",
        "Global-MMLU-Lite, accuracy",
        "KLAR, consistency_2",
        "Global-MMLU-Lite, consistency_2",
    ]
    pairs = [
        [
            free.name,
            *(
                shown(one.pair.difference[name], True)
                for name in ("accuracy", "consistency_2")
                for one in (free, choice)
            ),
        ]
        for free, choice in both
        if free.name != free.base
    ]
    table("Less the base model", head, pairs)


# Replies read by hand


def disagreements(folder: Path, count: int, seed: int) -> None:
    """`count` replies on which makers and crossin differ: each of another run and language, drawn from all."""
    cells: dict[tuple[str, str], list[list[str]]] = {}
    totals: Counter[str] = Counter()
    for file in sorted(folder.glob("*.json.gz")):
        found, flags = replied(file)
        log, unread = found.log, 0
        places = {item: place for place, item in enumerate(found.choices.items)} if found.choices else {}
        questions = {(item.item, item.language): item.question for item in log.items}
        for line in log.lines:
            cell = line["item"], line["language"]
            entity = found.entities.get(cell)
            flag = bool(flags[places[line["item"]], found.languages.index(line["language"])])
            right = entity == line["entity"]
            kind = "right" if right else "another" if entity else "unread"
            totals[f"flag {'right' if flag else 'wrong'}, ours {kind}"] += 1
            if flag != right:
                row = [
                    log.model,
                    line["language"],
                    line["item"],
                    questions[cell],
                    line["gold"],
                    line["reply"],
                ]
                cells.setdefault((log.model, line["language"]), []).append(
                    [*row, "right" if flag else "wrong", str(entity)]
                )
    print(dict(sorted(totals.items())))
    drawn = random.Random(seed)
    places_ = sorted(cells)
    drawn.shuffle(places_)
    chosen = [drawn.choice(cells[place]) for place in itertools.islice(itertools.cycle(places_), count)]
    labels = {}
    if LABELS.is_file():
        with LABELS.open(encoding="utf-8") as file_:
            labels = {(row["run"], row["language"], row["item"]): row for row in csv.DictReader(file_)}
    for row in sorted(chosen):
        label = labels.get((row[0], row[1], row[2]), {})
        print("\t".join([*row, label.get("kind", ""), label.get("right", "")]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with polyfact-runs")
    parser.add_argument("--draws", type=int, default=10_000, help="bootstrap draws")
    parser.add_argument("--processes", type=int, default=2, help="runs that are scored at a time")
    parser.add_argument("--disagreements", type=int, default=0, help="print so many replies instead")
    parser.add_argument("--seed", type=int, default=22, help="of the draw of replies")
    options = parser.parse_args()
    folder = options.data / "polyfact-runs"
    if options.disagreements:
        disagreements(folder / "klar", options.disagreements, options.seed)
        return
    begin = time.perf_counter()
    klar = klar_runs(folder / "klar", options.draws, options.processes)
    klar_tables(klar)
    mmlu = mmlu_runs(folder / "gmmlu-lite", options.draws, options.processes)
    mmlu_tables(mmlu, folder / "gmmlu-lite")
    correlations(klar, mmlu)
    print(f"\n{options.draws:,} draws, {time.perf_counter() - begin:.0f} s, {machine('numpy')}")


if __name__ == "__main__":
    main()
