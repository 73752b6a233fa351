"""From the answers of an experiment's runs to rows of figures and of paired differences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from crossin.experiments.arm_answers import ArmAnswers, BenchPart, Runs, choices_of
from crossin.metrics.bootstrap import Drawn, Figure
from crossin.metrics.seeds import differences, over_seeds, stream
from crossin.metrics.significance import mcnemar
from crossin.reports.cells import scale

Row = dict[str, Any]
# Of one figure: by arm, then by seed.
ByArm = dict[str, dict[int, Drawn]]
# Figures that are better where they are smaller.
_BAD = ("wrong", "missing", "no_reply", "undecided")
# The digits that rows hold: sums of floats differ after them between machines.
_DIGITS = 9


@dataclass(frozen=True)
class Slice:
    """Figures that belong together: of a part, of one task or of all (None), with one `choice` between
    options (empty: replies or letters decided). `main`: as the evaluation decided.
    """

    part: BenchPart
    task: str | None
    choice: str
    main: bool


@dataclass(frozen=True)
class ArmDifference:
    """A paired difference of a figure between two arms, `arm` less `less`, over the seeds of both."""

    arm: str
    less: str
    name: str
    figure: Figure
    seeds: int


@dataclass(frozen=True)
class SliceFigures:
    """The figures of a slice. `texts` are the names of those of free text, which no choice decides. `pooled`:
    by name, then by arm, the means over seeds. `seeds`: by arm, how many. `to_baseline`: each arm less the
    baseline. `pairs`: all other pairs of arms, of the figures `shown`, those of tables.
    """

    slice: Slice
    by_seed: dict[str, dict[str, dict[int, Figure]]]
    pooled: dict[str, dict[str, Figure]]
    to_baseline: list[ArmDifference]
    pairs: list[ArmDifference]
    seeds: dict[str, int]
    shown: list[str]
    texts: frozenset[str]


def compare(part: BenchPart, runs: Runs, baseline: str, *, draws: int, seed: int) -> Iterator[SliceFigures]:
    """All figures of a part: over all tasks and of each, as the evaluation decided, and by other choices."""
    everyone = [one for of_seeds in runs.values() for one in of_seeds.values()]
    tasks = list(dict.fromkeys(task for one in everyone for task in one.tasks()))
    for place, choice in enumerate(choices_of(runs)):
        for task in (None, *tasks):
            yield _compared(Slice(part, task, choice, place == 0), runs, baseline, draws, seed)


def _compared(of: Slice, runs: Runs, baseline: str, draws: int, seed: int) -> SliceFigures:
    figures: dict[str, ByArm] = {}
    texts: set[str] = set()
    sets: dict[int, int] = {}
    # A model that no seed changes answered once, unless its questions change.
    known: dict[ArmAnswers, dict[str, Drawn]] = {}
    for arm, of_seeds in runs.items():
        for run, one in of_seeds.items():
            if one not in known:
                own = stream(seed, sets.setdefault(one.questions, len(sets)))
                # By the evaluation's own choice where it differs from that of others.
                choice = one.choice if of.main else of.choice
                known[one] = one.options(choice, of.task, draws, own, every_size=of.main and of.task is None)
                if of.main:
                    replies = one.replies(of.task, draws, own)
                    texts |= replies.keys()
                    known[one] |= replies
            for name, estimate in known[one].items():
                figures.setdefault(name, {}).setdefault(arm, {})[run] = estimate
    names = shown_figures(figures)
    tests = _Tests(runs, of)
    to_baseline, pairs = [], []
    arms = list(runs)
    for name, by_arm in figures.items():
        for place, arm in enumerate(arms):
            if arm != baseline and baseline in arms:
                to_baseline += tests.difference(name, by_arm, arm, baseline, seed)
            if of.main and of.task is None and name in names:
                for other in arms[place + 1 :]:
                    if baseline not in (arm, other):
                        pairs += tests.difference(name, by_arm, arm, other, seed)
    return SliceFigures(
        of,
        {
            name: {
                arm: {run: over_seeds([one], seed=seed) for run, one in of_seeds.items()}
                for arm, of_seeds in by_arm.items()
            }
            for name, by_arm in figures.items()
        },
        {
            name: {
                arm: over_seeds(list(of_seeds.values()), seed=seed, limits=limits(name))
                for arm, of_seeds in by_arm.items()
            }
            for name, by_arm in figures.items()
        },
        to_baseline,
        pairs,
        {arm: len(of_seeds) for arm, of_seeds in runs.items()},
        names,
        frozenset(texts),
    )


class _Tests:
    """Differences between arms that were asked the same questions."""

    def __init__(self, runs: Runs, of: Slice) -> None:
        self._runs, self._of = runs, of
        self._mcnemar: dict[tuple[str, str], dict[str, float]] = {}

    def difference(self, name: str, by_arm: ByArm, arm: str, other: str, seed: int) -> list[ArmDifference]:
        """The paired difference of a figure, over the seeds with which both arms have it; none without."""
        ours, theirs = by_arm.get(arm, {}), by_arm.get(other, {})
        seeds = [run for run in common_seeds(self._runs, arm, other) if run in ours and run in theirs]
        if not seeds:
            return []
        apart = differences({run: ours[run] for run in seeds}, theirs)
        low, high = limits(name)
        widest = (low - high, high - low)
        found = over_seeds(apart, tested=True, seed=seed, limits=widest)
        if len(seeds) == 1 and name.startswith("accuracy/") and self._of.task is None:
            # Of one seed, as in `crossin compare` and `crossin report`.
            p = self._tested(arm, other, seeds[0]).get(name.partition("/")[2], found.p)
            found = Figure(found.value, found.low, found.high, p)
        return [ArmDifference(arm, other, name, found, len(seeds))]

    def _tested(self, arm: str, other: str, run: int) -> dict[str, float]:
        if (arm, other) not in self._mcnemar:
            tables = []
            for one in (self._runs[arm][run], self._runs[other][run]):
                own = self._of.main or self._of.choice == one.choice
                tables.append(one.predictions.choices if own else one.by_choice.get(self._of.choice))
            ours, theirs = tables
            self._mcnemar[arm, other] = mcnemar(ours, theirs) if ours and theirs else {}
        return self._mcnemar[arm, other]


def common_seeds(runs: Runs, arm: str, other: str) -> list[int]:
    """The seeds with which both arms were asked the same questions."""
    ours, theirs = runs.get(arm, {}), runs.get(other, {})
    return [run for run, one in ours.items() if run in theirs and one.questions == theirs[run].questions]


def shown_figures(figures: Mapping[str, ByArm]) -> list[str]:
    """The figures that tables show: over all languages, and the main ones in each language."""
    sizes = sorted(
        int(name.removeprefix("consistency_")) for name in figures if name.startswith("consistency_")
    )
    ends = list(dict.fromkeys((sizes[0], sizes[-1]))) if sizes else []
    several = [name for name in ("accuracy", "exact_match") if _languages(figures, name) != 1]
    names = [
        *(["accuracy"] if "accuracy" in several else []),
        *(f"consistency_{size}" for size in ends),
        *(f"{name}_{size}" for size in ends[:1] for name in ("kappa", "right")),
        *(f"ac3_{size}" for size in ends),
        *(["answered"] if "answered" in figures else ["missing"] * _is_any(figures, "missing")),
        *(["exact_match"] if "exact_match" in several else []),
        *("containment", "f1", "chrf", "in_language", "fidelity"),
        *(["no_reply"] * _is_any(figures, "no_reply")),
    ]
    names += [
        name for figure in ("accuracy", "exact_match") for name in figures if name.startswith(f"{figure}/")
    ]
    return [name for name in names if name in figures]


def _languages(figures: Mapping[str, ByArm], name: str) -> int:
    return sum(one.startswith(f"{name}/") for one in figures)


def _is_any(figures: Mapping[str, ByArm], name: str) -> bool:
    return any(one.value > 0 for by_seed in figures.get(name, {}).values() for one in by_seed.values())


def is_bad(name: str) -> bool:
    """Whether a figure is better where it is smaller."""
    return name.startswith(_BAD)


def limits(name: str) -> tuple[float, float]:
    """The least and greatest value that a figure can have."""
    return (-1.0 if name.startswith("kappa") else 0.0, 100 / scale(name))


def cells(figure: Figure) -> Row:
    """Value and interval as rows hold them; None where undefined."""
    return {"value": rounded(figure.value), "low": rounded(figure.low), "high": rounded(figure.high)}


def rounded(value: float) -> float | None:
    """A number as rows hold it; None where undefined, never -0."""
    return None if math.isnan(value) else round(float(value), _DIGITS) + 0.0
