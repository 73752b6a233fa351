"""The dry run: a mixture's components in numbers and some of its rows, without writing it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossin.core.progress import Progress, silent
from crossin.mixture.job import MixtureJob, counts_of, make_job, skipped_of
from crossin.mixture.recipe import Recipe
from crossin.mixture.rendering import render
from crossin.mixture.run import resolve
from crossin.mixture.tokens import token_counter

_SAMPLED = 200


@dataclass(frozen=True)
class MixturePreview:
    """A mixture that was not written.

    lines: `component`, `kind`, `lang_in`, `lang_out`, `rows`, `tokens` (of prompt and completion, measured on
        up to 200 rows a line).
    samples: rendered rows. skipped: the number of rows left out, by reason code.
    """

    recipe: Recipe
    lines: list[dict[str, Any]]
    samples: list[dict[str, Any]]
    counts: dict[str, Any]
    skipped: dict[str, int]
    notes: list[str] = field(default_factory=list)


def preview(
    recipe: Recipe | Mapping[str, Any] | Path | str,
    data: Path | str | None = None,
    *,
    languages: list[str] | None = None,
    seed: int | None = None,
    files: Mapping[str, str] | None = None,
    strict: bool = False,
    samples: int = 10,
    progress: Progress = silent,
) -> MixturePreview:
    """Read and check the corpora and plan the mixture; arguments as in `compose`. Nothing is written."""
    recipe, data = resolve(recipe, data, languages=languages, seed=seed, files=files)
    with tempfile.TemporaryDirectory(prefix="crossin-") as work:
        job = make_job(recipe, data, Path(work), strict=strict, progress=progress)
        return MixturePreview(
            recipe, _lines(job), _samples(job, samples), counts_of(job), skipped_of(job), job.notes
        )


def _lines(job: MixtureJob) -> list[dict[str, Any]]:
    """A line for each component and direction."""
    kinds = {name: component.kind for name, component in job.recipe.named()}
    count = token_counter(job.recipe.tokenizer)
    lines = []
    for name, language_in, language_out, places in job.plan.directions():
        table = render(job.style, job.plan.take(places[:_SAMPLED]), job.corpora)
        tokens = sum(count(table[side].combine_chunks()).sum() for side in ("prompt", "completion"))
        lines.append(
            {
                "component": name,
                "kind": kinds[name],
                "lang_in": language_in,
                "lang_out": language_out,
                "rows": len(places),
                "tokens": round(float(tokens) / len(table) * len(places)),
            }
        )
    return lines


def _samples(job: MixtureJob, wanted: int) -> list[dict[str, Any]]:
    """Rows from all components in turn, in the order of training."""
    made = job.plan
    turns = np.empty(len(made), dtype=np.int64)
    for number in range(len(made.components)):
        mine = np.flatnonzero(made.component == number)
        turns[mine] = np.arange(len(mine))
    chosen = np.sort(np.lexsort((made.component, turns))[:wanted])
    rows: list[dict[str, Any]] = render(job.style, made.take(chosen), job.corpora).to_pylist()
    return rows
