"""Two models on the same items: paired differences with intervals, and McNemar's test by language."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from crossin.core.errors import CrossinError, located
from crossin.core.results import Tabular, brief
from crossin.logs.options import LogChoices
from crossin.logs.tables import Predictions, with_same_golds
from crossin.metrics.bootstrap import DRAWS, Figure, resample_pair
from crossin.metrics.difference_parts import has_missing, split
from crossin.metrics.families import Family
from crossin.metrics.figure_tables import in_words, interval, table_of_rows
from crossin.metrics.free_text import text_families
from crossin.metrics.significance import corrected, holm, mcnemar
from crossin.metrics.table import aligned, places_of
from crossin.metrics.texts import aligned_texts
from crossin.scoring.predictions import read_predictions
from crossin.scoring.scores import families, pivot_of

if TYPE_CHECKING:
    import pyarrow

# Compared in each language, too.
_EACH_LANGUAGE = ("accuracy/", "answered/", "exact_match/", "chrf/")

# Among a harness's settings: what names the model.
_OF_A_MODEL = ("model_args",)
_SIDES = ("ours", "theirs", "difference")


@dataclass(frozen=True, eq=False, repr=False)
class Compared:
    """Figures of `ours` and `theirs`, and their paired difference, ours less theirs.

    `corrected` has the p-values of the differences that a table shows, after Holm's correction
    (`crossin.metrics.significance.corrected`): McNemar's for accuracy in a language, else the bootstrap's.
    """

    ours: dict[str, Figure]
    theirs: dict[str, Figure]
    difference: dict[str, Figure]
    corrected: dict[str, float]

    def __repr__(self) -> str:
        return f"Compared({in_words(self.difference, 'accuracy')})"


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Tabular):
    """Two models compared; `choices` or `texts` is None where there are no such items.

    `p` and `holm` are McNemar's p-values on accuracy by language: each alone, and corrected for their number.
    `split` is what the difference in accuracy is made of (`crossin.metrics.difference_parts`); empty where
    both models answer every question.
    """

    ours: Predictions
    theirs: Predictions
    pivot: str
    choices: Compared | None
    texts: Compared | None
    p: dict[str, float]
    holm: dict[str, float]
    split: dict[str, Figure] = field(default_factory=dict)

    def __repr__(self) -> str:
        ours, theirs = self.ours, self.theirs
        parts = [f"{ours.name!r} less {theirs.name!r}", f"{ours.items:,} items in {brief(ours.languages)}"]
        parts += [in_words(self.choices.difference, "accuracy")] if self.choices else []
        parts += [in_words(self.texts.difference, "f1")] if self.texts else []
        return f"Comparison({'; '.join(parts)})"

    @property
    def settings_apart(self) -> dict[str, tuple[Any, Any]]:
        """How the two were asked, where the logs say that it was not the same: ours and theirs, by setting.
        The wording of the prompt is one; a setting that only one of the logs names is None in the other.
        """
        ours, theirs = (
            {**one.log.settings, "prompt": one.prompt or None} for one in (self.ours, self.theirs)
        )
        if not (self.ours.log.settings and self.theirs.log.settings):
            # One of the logs does not say how it was made.
            ours, theirs = {"prompt": ours["prompt"]}, {"prompt": theirs["prompt"]}
        names = [name for name in dict.fromkeys([*ours, *theirs]) if name not in _OF_A_MODEL]
        return {
            name: (ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)
        }

    def to_arrow(self) -> pyarrow.Table:
        """A row for each figure: `answers` (choices or texts), `figure`, then `ours`, `theirs` and
        `difference`, each with `_low` and `_high`, and for accuracy in one language McNemar's `p` and `holm`.
        A figure of the `split` has `answers` split, and is in `value`, `value_low` and `value_high`.
        """
        rows: list[dict[str, Any]] = []
        for answers, part in (("choices", self.choices), ("texts", self.texts)):
            for name in part.difference if part else ():
                cells = {key: interval(getattr(part, key)[name], key) for key in _SIDES}
                row = {"answers": answers, "figure": name}
                rows.append(row | cells["ours"] | cells["theirs"] | cells["difference"])
                figure, _, language = name.partition("/")
                if answers == "choices" and figure == "accuracy" and language in self.p:
                    rows[-1] |= {"p": self.p[language], "holm": self.holm[language]}
        rows += [
            {"answers": "split", "figure": name, **interval(figure, "value")}
            for name, figure in self.split.items()
        ]
        numbers = [f"{key}{end}" for key in (*_SIDES, "value") for end in ("", "_low", "_high")]
        return table_of_rows(rows, ("answers", "figure"), (*numbers, "p", "holm"))


def compare(
    ours: Path | str,
    theirs: Path | str,
    *,
    pivot: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    **logs: Unpack[LogChoices],
) -> Comparison:
    """Compare two models' stored predictions (`read_predictions`), item by item.

    The other arguments are as in `score`. Raises CrossinError where the two answer different items, or a file
    holds several wordings.
    """
    one, other = with_same_golds([_only(ours, logs), _only(theirs, logs)])
    if [one.choices is None, one.texts is None] != [other.choices is None, other.texts is None]:
        raise CrossinError(
            "holds other kinds of answers (multiple choice, free text) than the first",
            file=other.file,
            hint="compare answers to the same benchmark",
        )
    chosen = pivot_of(one, pivot)
    choices = texts = None
    p: dict[str, float] = {}
    parts: dict[str, Figure] = {}
    if one.choices and other.choices:
        pair = _choice_families(one, other, chosen)
        p = mcnemar(one.choices, other.choices)
        choices = _compared(*pair, one.choices.groups, p, draws, seed)
        if has_missing(one.choices) or has_missing(other.choices):
            parts = split(one.choices, other.choices, draws=draws, seed=seed)
    if one.texts and other.texts:
        with located(other.file):
            aligned_replies = aligned_texts(other.texts, one.texts)
        replies = text_families(one.texts), text_families(aligned_replies)
        texts = _compared(*replies, one.texts.groups, {}, draws, seed)
    return Comparison(one, other, chosen, choices, texts, p, holm(p), parts)


def _only(path: Path | str, logs: LogChoices) -> Predictions:
    found = read_predictions(path, **logs)
    if len(found) > 1:
        raise CrossinError(
            f"holds {len(found)} wordings of the prompt: {', '.join(one.prompt for one in found)}",
            file=found[0].file,
            field="prompt",
            hint="compare files of one wording each",
        )
    return found[0]


def _choice_families(one: Predictions, other: Predictions, pivot: str) -> tuple[list[Family], list[Family]]:
    assert one.choices and other.choices
    with located(other.file):
        table = aligned(other.choices, one.choices)
    if one.logprobs is None or other.logprobs is None:
        return families(one.choices, pivot, None), families(table, pivot, None)
    places = np.ix_(*places_of(other.choices, one.choices))
    return families(one.choices, pivot, one.logprobs), families(table, pivot, other.logprobs[places])


def shown(figures: Collection[str]) -> list[str]:
    """The figures that a comparison's table shows: those over all languages, and the main ones in each; not
    `missing` beside `answered`, which says the same.
    """
    return [
        name
        for name in figures
        if (is_overall(name, figures) or name.startswith(_EACH_LANGUAGE))
        and not (name == "missing" and "answered" in figures)
    ]


def is_overall(name: str, figures: Collection[str]) -> bool:
    """Whether a figure is over all languages; of the sizes of subsets, two, three and all count. What chance
    gives (`expected_s`) is no result.
    """
    figure, _, size = name.rpartition("_")
    if figure == "expected":
        return False
    largest = not size.isdigit() or f"{figure}_{int(size) + 1}" not in figures
    return "/" not in name and (largest or size in ("2", "3"))


def _compared(
    ours: list[Family],
    theirs: list[Family],
    groups: Sequence[str],
    tests: Mapping[str, float],
    draws: int,
    seed: int,
) -> Compared:
    found = resample_pair(ours, theirs, groups, draws=draws, seed=seed)
    of_languages = {f"accuracy/{language}": p for language, p in tests.items()}
    p = {name: of_languages.get(name, found.difference[name].p) for name in shown(found.difference)}
    return Compared(*found, corrected(p))
