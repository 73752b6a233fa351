"""Figures of stored predictions, with intervals: over all, by task, and over the wordings of a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from crossin.core.errors import CrossinError, located
from crossin.core.progress import Progress, silent
from crossin.core.results import ResultList, Tabular, brief
from crossin.languages import parse_language
from crossin.logs.find import find_logs
from crossin.logs.options import LogChoices, options_of
from crossin.logs.tables import Predictions
from crossin.metrics.bootstrap import DRAWS, Figure, intervals, resample
from crossin.metrics.choices import answer_family
from crossin.metrics.families import Family
from crossin.metrics.figure_tables import figure_rows, in_words, table_of_rows
from crossin.metrics.free_text import text_families
from crossin.metrics.pairwise import agreement_family, pivot_family
from crossin.metrics.pivot_transfer import default_pivot, transfer_family
from crossin.metrics.rankings import rankc_family, rankc_references
from crossin.metrics.table import AnswerTable, Floats, by_task
from crossin.metrics.wordings import Spread, spread, wording_family
from crossin.scoring.predictions import predictions_of

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, eq=False, repr=False)
class Score(Tabular):
    """The figures of one model under one wording of the prompt.

    `choices` are those of the multiple-choice items and `texts` those of the items answered in free text;
    `by_task` has the multiple-choice figures of each task alone, where there are several. `pivot` is the
    language that pivot consistency and transfer refer to.
    """

    predictions: Predictions
    pivot: str
    choices: dict[str, Figure]
    by_task: dict[str, dict[str, Figure]]
    texts: dict[str, Figure]

    @property
    def rankc_references(self) -> tuple[float, float] | None:
        """RankC of opposite and of random rankings of these items' options (`rankc_references`); None without
        RankC.
        """
        table, logprobs = self.predictions.choices, self.predictions.logprobs
        if table is None or logprobs is None or "rankc" not in self.choices:
            return None
        return rankc_references(table, logprobs)

    def __repr__(self) -> str:
        asked = self.predictions
        parts = [f"{asked.name!r}", f"{asked.items:,} items in {brief(asked.languages)}"]
        parts += [in_words(self.choices, "accuracy")] if self.choices else []
        parts += [in_words(self.texts, "f1")] if self.texts else []
        return f"Score({'; '.join(parts)})"

    def to_arrow(self) -> pyarrow.Table:
        """A row for each figure: `model`, `prompt`, `answers` (choices or texts), `task` (null for all),
        `figure`, `value`, `low`, `high`; null where undefined.
        """
        asked = {"model": self.predictions.model, "prompt": self.predictions.prompt}
        rows = figure_rows(self.choices, **asked, answers="choices")
        for task, figures in self.by_task.items():
            rows += figure_rows(figures, **asked, answers="choices", task=task)
        rows += figure_rows(self.texts, **asked, answers="texts")
        texts = ("model", "prompt", "answers", "task", "figure")
        return table_of_rows(rows, texts, ("value", "low", "high"))


@dataclass(frozen=True, eq=False)
class Wordings:
    """One model under several wordings: the median and range of each figure, and how often its answer is the
    same under all (`wording_agreement`).
    """

    model: str
    prompts: list[str]
    spread: dict[str, Spread]
    agreement: dict[str, Figure]


def score(
    paths: Path | str | Iterable[Path | str],
    *,
    pivot: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress = silent,
    **logs: Unpack[LogChoices],
) -> ResultList[Score]:
    """Score stored predictions: files, evaluation folders, or folders that hold them.

    pivot: by default English if it was asked, else the first language. draws, seed: of the bootstrap for the
    intervals. logs: how they are read, such as `bench` (`LogOptions`). Raises CrossinError where there is
    nothing to score, or `pivot` was not asked.
    """
    options = options_of(logs)
    runs = find_logs(paths, options)
    scores: ResultList[Score] = ResultList()
    for number, run in enumerate(runs):
        progress("scoring", number, len(runs), "runs")
        scores.extend(_score(found, pivot, draws, seed) for found in predictions_of(run, options))
    progress("scoring", len(runs), len(runs), "runs")
    return scores


def wordings(scores: Sequence[Score], *, draws: int = DRAWS, seed: int = 0) -> list[Wordings]:
    """The effect of the wording, for every model that was asked multiple-choice items in more than one."""
    # Models of the same name, and a model's answers to several benchmarks, are in folders of their own.
    models: dict[tuple[str, Path], list[Score]] = {}
    for one in scores:
        if one.choices and one.predictions.prompt:
            models.setdefault((one.predictions.model, one.predictions.file.parent), []).append(one)
    found = []
    for (model, _), asked in models.items():
        tables = [one.predictions.choices for one in asked if one.predictions.choices is not None]
        if len(tables) < 2:
            continue
        values = {
            one.predictions.prompt: {name: figure.value for name, figure in one.choices.items()}
            for one in asked
        }
        same = resample([wording_family(tables)], tables[0].groups, draws=draws, seed=seed)
        found.append(Wordings(model, list(values), spread(values), same))
    return found


def families(table: AnswerTable, pivot: str, logprobs: Floats | None) -> list[Family]:
    """Every family of figures of a table of answers, with RankC where log-probabilities are known; of a table
    that is not parallel, accuracy and missing answers.
    """
    if not table.parallel:
        return [answer_family(table)]
    ranks = [] if logprobs is None else [rankc_family(table, logprobs)]
    of_pivot = [pivot_family(table, pivot), transfer_family(table, pivot)]
    return [answer_family(table), agreement_family(table), *of_pivot, *ranks]


def pivot_of(predictions: Predictions, pivot: str | None) -> str:
    """The `pivot` given, in any spelling; else English, or where it was not asked the first language."""
    languages = predictions.tables[0].languages
    if pivot is None:
        return default_pivot(languages)
    with located(field="pivot"):
        code = parse_language(pivot)
    if code not in languages:
        raise CrossinError(
            f"the pivot language '{pivot}' was not asked",
            file=predictions.file,
            hint=f"choose among: {', '.join(languages)}",
        )
    return code


def _score(predictions: Predictions, pivot: str | None, draws: int, seed: int) -> Score:
    chosen = pivot_of(predictions, pivot)
    choices: dict[str, Figure] = {}
    texts: dict[str, Figure] = {}
    tasks: dict[str, dict[str, Figure]] = {}
    if (table := predictions.choices) is not None:
        choices = resample(
            families(table, chosen, predictions.logprobs), table.groups, draws=draws, seed=seed
        )
        if len(set(table.tasks)) > 1:
            tasks = by_task(table, lambda part: intervals(part, draws=draws, seed=seed))
    if (replies := predictions.texts) is not None:
        texts = resample(text_families(replies), replies.groups, draws=draws, seed=seed)
    return Score(predictions, chosen, choices, tasks, texts)
