"""The tables and the picture of a results page, from the folder of an experiment.

`python benchmarks/evidence.py runs/label-free --against "English only,mixture" --out docs/results/label-free`
writes OUT.md and OUT.svg. For each benchmark of the experiment:

- each arm's accuracy in the pivot and in the mean over the other languages, and the share of the base
  model's distance between the two that is closed: (others - others of BASE) / (pivot of BASE - others of
  BASE); `kept`: of what an arm has right in the pivot, the share that it has right in another language;
- paired differences to the base model and to the arms of `--against`, with Holm's correction over all that
  the tables show;
- of each difference to BASE, the part from questions that both answer, and that from those newly answered;
- differences by sum, token and byte, and how often answers are the shortest option or at one place.

All are means over seeds; the intervals cover seeds and groups of questions (docs/experiment-results.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from evidence_plot import Dot, write_plot

from crossin.core.files import write_text
from crossin.experiments.arm_answers import ArmAnswers, BenchPart, Runs, answers_of_arms
from crossin.experiments.index import Index, read_index
from crossin.logs.choices import CHOICES
from crossin.logs.traits import option_traits, shortest_options
from crossin.metrics.bootstrap import DRAWS, Drawn, Figure, estimates
from crossin.metrics.choices import answer_family
from crossin.metrics.difference_parts import has_missing, split_family
from crossin.metrics.option_bias import UNKNOWN
from crossin.metrics.pivot_transfer import transfer_family
from crossin.metrics.seeds import differences, over_seeds, stream
from crossin.metrics.significance import holm
from crossin.metrics.table import AnswerTable, aligned

# By seed.
Of = dict[int, Drawn]
_SUMMARY = ("kept", "consistency_2", "kappa_2", "ac3_2")
_SPLIT = ("gain_both", "gain_new", "gain_lost", "both_difference")


def combined(draws: Sequence[Drawn], formula: Callable[..., Any]) -> Drawn:
    """A figure that follows from others, as observed and in each draw."""
    return Drawn(float(formula(*(one.value for one in draws))), formula(*(one.draws for one in draws)))


def _average(draws: Sequence[Drawn]) -> Drawn:
    return combined(draws, lambda *each: sum(each) / len(each))


class Part:
    """The answers of all arms to a benchmark, and their figures by arm and seed."""

    def __init__(self, runs: Runs, pivot: str, base: str) -> None:
        self.runs, self.pivot, self.base = runs, pivot, base
        self.languages = _choices(next(iter(runs[base].values()))).languages
        self.others = [code for code in self.languages if code != pivot]
        self._sets: dict[int, int] = {}
        self._known: dict[tuple[ArmAnswers, str], dict[str, Drawn]] = {}
        self.figures: dict[str, dict[str, Of]] = {}
        for arm, of_seeds in runs.items():
            for seed, one in of_seeds.items():
                for name, drawn in self._of(one).items():
                    self.figures.setdefault(name, {}).setdefault(arm, {})[seed] = drawn
        self.figures["closed"] = {
            arm: {seed: self._closed(arm, seed) for seed in of_seeds} for arm, of_seeds in runs.items()
        }

    def _stream(self, one: ArmAnswers) -> int | tuple[int, ...]:
        return stream(0, self._sets.setdefault(one.questions, len(self._sets)))

    def _of(self, one: ArmAnswers, choice: str = "") -> dict[str, Drawn]:
        if (one, choice) in self._known:
            return self._known[one, choice]
        table = one.by_choice[choice] if choice else _choices(one)
        families = [answer_family(table, [2]), transfer_family(table, self.pivot)]
        found = estimates(families, table.groups, draws=DRAWS, seed=self._stream(one))
        found["others"] = _average([found[f"accuracy/{code}"] for code in self.others])
        found["pivot"] = found[f"accuracy/{self.pivot}"]
        self._known[one, choice] = found
        return found

    def _closed(self, arm: str, seed: int) -> Drawn:
        of = self.figures
        base, pivot = of["others"][self.base][seed], of["pivot"][self.base][seed]
        # Of a distance that may be 0, no share is known.
        is_known = np.quantile(pivot.draws - base.draws, 0.025) > 0
        parts = [of["others"][arm][seed], base, pivot]
        return combined(
            parts, lambda ours, others, pivot: (ours - others) / (pivot - others if is_known else np.nan)
        )

    def mean(self, name: str, arm: str) -> Figure:
        return over_seeds(list(self.figures[name][arm].values()))

    def difference(self, name: str, arm: str, other: str) -> Figure:
        return over_seeds(differences(self.figures[name][arm], self.figures[name][other]), tested=True)

    def by_choice(self, choice: str, arm: str, other: str) -> Figure:
        """The difference of the mean over the languages other than the pivot, as `choice` would decide."""
        sides: list[Of] = [
            {seed: self._of(one, choice)["others"] for seed, one in self.runs[name].items()}
            for name in (arm, other)
        ]
        return over_seeds(differences(*sides), tested=True)

    def split(self, arm: str) -> dict[str, Figure]:
        """The parts of the difference to the base model, in the other languages' mean and in the pivot."""
        found: dict[str, list[Drawn]] = {}
        for seed, one in self.runs[arm].items():
            table, base = _choices(one), _choices(self.runs[self.base][seed])
            family = split_family(table, aligned(base, table))
            of = estimates([family], table.groups, draws=DRAWS, seed=self._stream(one))
            for name in _SPLIT:
                others = _average([of[f"{name}/{code}"] for code in self.others])
                found.setdefault(f"{name}/others", []).append(others)
                found.setdefault(f"{name}/pivot", []).append(of[f"{name}/{self.pivot}"])
        return {name: over_seeds(of) for name, of in found.items()}


def shown(figure: Figure, *, signed: bool = False, mark: bool = False) -> str:
    """A figure in percent with its interval; `mark`: its interval and Holm's correction exclude 0."""
    if np.isnan(figure.value):
        return "–"
    return shown_number(figure, 100, 1, signed=signed) + (" *" if mark else "")


def shown_number(figure: Figure, scale: float = 1, digits: int = 3, *, signed: bool = False) -> str:
    """A figure with its interval, in units of 1 / scale."""
    sign = "+" if signed else ""
    numbers = (figure.value, figure.low, figure.high)
    value, low, high = (f"{scale * one:{sign}.{digits}f}".replace("-", "−") for one in numbers)
    return f"{value} [{low} {high}]"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main_table(part: Part) -> str:
    head = ["arm", "others", "closed", *_SUMMARY, *part.languages]
    rows = []
    for arm in part.runs:
        names = ["others", "closed", *_SUMMARY, *(f"accuracy/{code}" for code in part.languages)]
        absent = {"closed"} if arm == part.base else set()
        rows.append([arm, *("–" if name in absent else shown(part.mean(name, arm)) for name in names)])
    return table(head, rows)


def difference_tables(part: Part, against: Sequence[str]) -> str:
    names = ["others", "pivot", *_SUMMARY]
    text = ""
    found = {
        (arm, other, name): part.difference(name, arm, other)
        for other in (part.base, *against)
        for arm in part.runs
        if arm != other
        for name in names
    }
    corrected = holm({str(key): one.p for key, one in found.items()})
    for other in (part.base, *against):
        rows = []
        for arm in part.runs:
            if arm == other:
                continue
            cells = []
            for name in names:
                one = found[arm, other, name]
                clear = (one.low > 0 or one.high < 0) and corrected[str((arm, other, name))] < 0.05
                cells.append(shown(one, signed=True, mark=clear))
            rows.append([arm, *cells])
        text += table([f"less {other}", *names], rows) + "\n"
    return text


def split_table(part: Part) -> str:
    head = ["less " + part.base, "both answer", "newly answered", "no longer answered"]
    head.append("accuracy where both answer")
    rows = []
    for arm in part.runs:
        if arm == part.base:
            continue
        found = part.split(arm)
        for place in ("others", "pivot"):
            label = f"{arm}, {part.pivot if place == 'pivot' else place}"
            rows.append([label, *(shown(found[f"{name}/{place}"], signed=True) for name in _SPLIT)])
    return table(head, rows)


def choice_table(part: Part, against: Sequence[str]) -> str:
    rows = [
        [
            f"{arm} less {other}",
            *(shown(part.by_choice(choice, arm, other), signed=True) for choice in CHOICES),
        ]
        for other in (part.base, *against)
        for arm in part.runs
        if arm != other
    ]
    return table(["others", *CHOICES], rows)


def bias_table(part: Part) -> str:
    """How often an answer is its item's shortest option, or at the place most often chosen, in percent; in
    brackets, how often the right answer is.
    """
    rows = []
    for arm, of_seeds in part.runs.items():
        for what, share in (("shortest", _shortest), ("one place", _one_place)):
            cells = []
            for place, _ in enumerate(part.languages):
                shares = [share(one, place) for one in of_seeds.values()]
                ours, gold = np.mean(shares, axis=0)
                cells.append(f"{100 * ours:.0f} ({100 * gold:.0f})")
            rows.append([arm, what, *cells])
    return table(["arm", "answers that are", *part.languages], rows)


def _shortest(one: ArmAnswers, column: int) -> tuple[float, float]:
    shortest = shortest_options(one.predictions.log.items)
    traits = option_traits(one.predictions, _choices(one), shortest)
    known = traits.shortest[:, column] != UNKNOWN
    shares = [float(of[known, column].mean()) for of in (traits.shortest, traits.gold_shortest)]
    return shares[0], shares[1]


def _one_place(one: ArmAnswers, column: int) -> tuple[float, float]:
    answers = _choices(one)
    often = np.bincount(answers.answers[:, column][answers.answers[:, column] >= 0]).argmax()
    return float(np.mean(answers.answers[:, column] == often)), float(np.mean(answers.gold == often))


def is_scored(part: Part) -> bool:
    return all(one.by_choice for of_seeds in part.runs.values() for one in of_seeds.values())


def page(
    parts: Mapping[BenchPart, Runs], index: Index, base: str, against: Sequence[str]
) -> tuple[str, list[Dot]]:
    """The page's text, and the dots of its picture."""
    text, dots = "", []
    for place, runs in parts.items():
        usable = {arm: of for arm, of in runs.items() if all(one.predictions.choices for one in of.values())}
        if base not in usable:
            continue
        part = Part(usable, index.pivot, base)
        asked = _choices(next(iter(usable[base].values())))
        seeds = max(len(of) for of in usable.values())
        text += f"## {place.bench}\n\n{len(asked.items)} questions in {len(set(asked.groups))} groups; "
        text += f"seeds: {seeds}.\n\n"
        text += main_table(part) + "\n" + difference_tables(part, against)
        if any(has_missing(_choices(one)) for of in usable.values() for one in of.values()):
            text += split_table(part) + "\n"
        if is_scored(part):
            text += choice_table(part, against) + "\n" + bias_table(part) + "\n"
        dots += [
            Dot(place.bench, arm, {name: part.mean(name, arm) for name in ("others", "pivot")})
            for arm in usable
        ]
    note = "`*`: the interval, and Holm's correction over all differences of these tables, exclude 0.\n\n"
    title = f"# {index.name}: all figures\n\nMade by `benchmarks/evidence.py`. "
    return f"{title}{note}{text}".rstrip() + "\n", dots


def _choices(one: ArmAnswers) -> AnswerTable:
    assert one.predictions.choices is not None
    return one.predictions.choices


def merged(folders: Sequence[Path]) -> tuple[Index, dict[BenchPart, Runs]]:
    """The index of the first experiment, and the answers of all: of an arm that several have, the first's."""
    indexes = [read_index(folder) for folder in folders]
    found: dict[BenchPart, Runs] = {}
    for index in indexes:
        for part, runs in answers_of_arms(index).items():
            found[part] = runs | found.get(part, {})
    order = [arm.name for index in indexes for arm in index.arms]
    for part, runs in found.items():
        found[part] = {arm: runs[arm] for arm in dict.fromkeys(order) if arm in runs}
    return indexes[0], found


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("experiments", type=Path, nargs="+", help="folders of `crossin experiment`")
    parser.add_argument("--base", default="base model", help="the arm without training")
    parser.add_argument(
        "--against",
        default="",
        help="arms that others are compared with, with commas, or with semicolons where names have commas",
    )
    parser.add_argument("--out", type=Path, required=True, help="OUT.md and OUT.svg are written")
    given = parser.parse_args()
    index, parts = merged(given.experiments)
    names = {arm for runs in parts.values() for arm in runs}
    separator = ";" if ";" in given.against or given.against in names else ","
    against = [name.strip() for name in given.against.split(separator) if name.strip()]
    text, dots = page(parts, index, given.base, against)
    write_text(given.out.with_suffix(".md"), text)
    write_plot(given.out.with_suffix(".svg"), dots)


if __name__ == "__main__":
    main()
