"""The stored answers of an experiment's runs, as tables whose figures can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from crossin.experiments.index import Index
from crossin.logs.choices import CHOICES, answers_by_choice, choice_of
from crossin.logs.tables import Predictions
from crossin.metrics.bootstrap import Drawn, Seed, estimates
from crossin.metrics.choices import answer_family
from crossin.metrics.families import Family
from crossin.metrics.table import AnswerTable, select
from crossin.reports.summary import reply_families
from crossin.scoring.predictions import read_predictions

# Of free text; chrF, BLEU and language fidelity are over all tasks only.
_OF_TASKS = ("exact_match", "containment", "f1", "no_reply")


class BenchPart(NamedTuple):
    """Answers that are compared: to one benchmark, under one wording of the prompt."""

    bench: str
    prompt: str


@dataclass(frozen=True, eq=False)
class ArmAnswers:
    """One model's answers to a part. `choice` is what decided between its options (`sum`, `token`, `byte`,
    `bare`); empty where a reply or a letter did.
    """

    predictions: Predictions
    choice: str

    @cached_property
    def by_choice(self) -> dict[str, AnswerTable]:
        """The table of options as each choice would decide; empty where log-probabilities are not known."""
        return answers_by_choice(self.predictions)

    @cached_property
    def questions(self) -> int:
        """The same number for the same questions with the same right answers."""
        parts: list[object] = []
        if table := self.predictions.choices:
            parts += [*zip(table.items, table.groups, table.gold, table.options, strict=True)]
            parts += table.languages
        if texts := self.predictions.texts:
            references = [frozenset(zip(texts.languages, row, strict=True)) for row in texts.references]
            parts += [*zip(texts.items, texts.groups, references, strict=True)]
        return hash(frozenset(parts))

    @cached_property
    def _replies(self) -> list[Family]:
        texts = self.predictions.texts
        return [] if texts is None else reply_families(texts)

    def tasks(self) -> list[str]:
        """The tasks, where there are several."""
        found = dict.fromkeys(task for table in self.predictions.tables for task in table.tasks)
        return list(found) if len(found) > 1 else []

    def options(
        self, choice: str, task: str | None, draws: int, seed: Seed, *, every_size: bool
    ) -> dict[str, Drawn]:
        """The figures of options as `choice` decides; of one task or of all. `every_size`: consistency for
        any number of languages, and not for two and for all only.
        """
        table = self.by_choice.get(choice) if choice and choice != self.choice else self.predictions.choices
        if table is None or (task is not None and task not in table.tasks):
            return {}
        part = table if task is None else select(table, tasks=[task])
        several = len(part.languages) if part.parallel else 0
        sizes = None if every_size else sorted({2, several} if several > 1 else ())
        return estimates([answer_family(part, sizes)], part.groups, draws=draws, seed=seed)

    def replies(self, task: str | None, draws: int, seed: Seed) -> dict[str, Drawn]:
        """The figures of free text; of one task or of all."""
        texts = self.predictions.texts
        if texts is None or (task is not None and task not in texts.tasks):
            return {}
        if task is None:
            return estimates(self._replies, texts.groups, draws=draws, seed=seed)
        rows = [row for row, of in enumerate(texts.tasks) if of == task]
        families = [replace(one, columns=one.columns[rows]) for one in self._replies if not one.blocks]
        found = estimates(families, [texts.groups[row] for row in rows], draws=draws, seed=seed)
        return {name: one for name, one in found.items() if name.partition("/")[0] in _OF_TASKS}


# By arm, then by seed.
Runs = dict[str, dict[int, ArmAnswers]]


def answers_of_arms(index: Index) -> dict[BenchPart, Runs]:
    """The answers of all finished runs, by part, in the order of the index. A folder is read once.

    Raises CrossinError where answers cannot be read.
    """
    folders: dict[Path, list[ArmAnswers]] = {}
    parts: dict[BenchPart, Runs] = {}
    for arm in index.arms:
        for run in arm.runs:
            for bench, folder in run.answers.items():
                if folder not in folders:
                    folders[folder] = list(_read(folder))
                for one in folders[folder]:
                    part = BenchPart(bench, one.predictions.prompt)
                    parts.setdefault(part, {}).setdefault(arm.name, {})[run.seed] = one
    return parts


def _read(folder: Path) -> Iterator[ArmAnswers]:
    for found in read_predictions(folder):
        yield ArmAnswers(found, choice_of(found))


def is_nested(runs: Runs) -> bool:
    """Whether each seed has questions of its own, in some arm."""
    return any(len({one.questions for one in of_seeds.values()}) > 1 for of_seeds in runs.values())


def is_fixed(of_seeds: dict[int, ArmAnswers]) -> bool:
    """Whether no seed changes the answers: all are of one folder."""
    return len(of_seeds) > 1 and len({one.predictions.file for one in of_seeds.values()}) == 1


def choices_of(runs: Runs) -> list[str]:
    """What decided between options, first, then the other choices that can be made from what is stored. The
    first is empty where options were not scored, or the arms differ in it.
    """
    everyone: Sequence[ArmAnswers] = [one for of_seeds in runs.values() for one in of_seeds.values()]
    owns = {one.choice for one in everyone}
    own = owns.pop() if len(owns) == 1 else ""
    known = [name for name in CHOICES if any(name in one.by_choice for one in everyone)]
    return [own, *(name for name in known if name != own)]
