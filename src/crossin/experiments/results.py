"""The figures of an experiment: of each arm and seed, over seeds, and as differences to the baseline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, reading, sha256, write_parquet, write_text
from crossin.core.paths import as_path
from crossin.core.results import Tabular
from crossin.experiments.arm_answers import BenchPart, answers_of_arms
from crossin.experiments.figures import Row, SliceFigures, cells, compare, rounded
from crossin.experiments.index import INDEX, Index, read_index
from crossin.experiments.marks import best_arms, corrected, depends_on_choice, key_of
from crossin.experiments.notes import notes_on
from crossin.metrics.bootstrap import DRAWS, Figure

if TYPE_CHECKING:
    import pyarrow

RESULTS = "results.parquet"
TABLES = {"markdown": "table.md", "latex": "table.tex", "csv": "table.csv"}
# What `write_results` writes.
WRITTEN = (RESULTS, *TABLES.values())
# Before the name of an axis.
AXIS = "axis."
# In the file's metadata: the hash of the index, draws and seed of the bootstrap, and the notes.
_INDEX, _DRAWS, _NOTES = "crossin.index", "crossin.draws", "crossin.notes"


@dataclass(frozen=True, eq=False, repr=False)
class ExperimentResults(Tabular):
    """All figures of an experiment, as they are in `results.parquet`. `notes` are what people should know to
    read them.
    """

    index: Index
    table: pyarrow.Table
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ExperimentResults({self.index.name!r}, {len(self.index.arms)} arms, {len(self.table)} rows)"

    def to_arrow(self) -> pyarrow.Table:
        """A row for each figure (docs/experiment-results.md)."""
        return self.table

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the table."""
        found: list[Row] = self.table.to_pylist()
        return found

    @cached_property
    def parts(self) -> list[BenchPart]:
        """What was asked: benchmarks, and the wordings of their prompts."""
        return list(dict.fromkeys(BenchPart(row["bench"], row["prompt"] or "") for row in self.rows))


def write_results(out: Path, *, draws: int = DRAWS, seed: int = 0) -> ExperimentResults:
    """Compute all figures of the experiment in the folder `out` and write `results.parquet`, `table.md`,
    `table.tex` and `table.csv` there. The same answers give the same bytes.

    draws, seed: of the bootstrap. Raises CrossinError where there is no experiment, or answers cannot be
    read.
    """
    from crossin.experiments.tables import as_csv, as_latex, as_markdown

    out = as_path(out)
    results = computed(out, draws=draws, seed=seed)
    write_parquet(out / RESULTS, results.table)
    for name, made in (("markdown", as_markdown), ("latex", as_latex), ("csv", as_csv)):
        write_text(out / TABLES[name], made(results))
    return results


def computed(out: Path, *, draws: int = DRAWS, seed: int = 0) -> ExperimentResults:
    """The results of the runs that the index of the folder `out` has now; nothing is written."""
    index = read_index(out)
    parts = answers_of_arms(index)
    rows: list[Row] = []
    for part, runs in parts.items():
        rows += _rows(list(compare(part, runs, index.baseline, draws=draws, seed=seed)), index)
    notes = tuple(notes_on(index, parts))
    made_of = {_INDEX: sha256(out / INDEX), _DRAWS: f"{draws} {seed}", _NOTES: json.dumps(notes)}
    return ExperimentResults(index, _table(rows, index, made_of), notes)


def read_results(out: Path) -> ExperimentResults:
    """The results that `write_results` wrote in the folder `out`. Raises CrossinError where there are none,
    or they are of other runs than the index has now.
    """
    out = as_path(out)
    index = read_index(out)
    made_of = _made_of(out)
    if made_of.get(_INDEX) != sha256(out / INDEX):
        message = "not there, or of other runs than the experiment has now"
        raise CrossinError(
            message, file=out / RESULTS, hint="run the experiment again: it writes its results"
        )
    table = read_parquet(out / RESULTS, [name for name, _ in _columns(index)])
    return ExperimentResults(index, table, tuple(json.loads(made_of[_NOTES])))


def current_results(out: Path, *, draws: int = DRAWS, seed: int = 0) -> ExperimentResults:
    """The results as `read_results` gives them, or computed where those are not there, are of other runs, or
    have other draws.
    """
    out = as_path(out)
    made_of = _made_of(out)
    same = made_of.get(_DRAWS) == f"{draws} {seed}" and made_of.get(_INDEX) == sha256(out / INDEX)
    return read_results(out) if same else computed(out, draws=draws, seed=seed)


def _made_of(out: Path) -> dict[str, str]:
    """What the results in a folder were made of; empty without results."""
    import pyarrow.parquet

    file = out / RESULTS
    if not file.is_file():
        return {}
    with reading(file):
        metadata = pyarrow.parquet.read_schema(file).metadata or {}
    return {name.decode(): value.decode() for name, value in metadata.items()}


def _rows(slices: Sequence[SliceFigures], index: Index) -> Iterator[Row]:
    """The rows of a part: of each slice the means over seeds, those of single seeds, and the differences."""
    whole = {one.slice.choice: one for one in slices if one.slice.task is None}
    main = next(one for one in slices if one.slice.main and one.slice.task is None)
    shown = main.shown
    holm = {
        choice: corrected(found for found in one.to_baseline if found.name in shown)
        for choice, one in whole.items()
    }
    best = best_arms(main, shown)
    depends = _depending(slices, holm)
    axes = {arm.name: _axes_of(arm.axes, index) for arm in index.arms}
    for one in slices:
        overall = one.slice.task is None
        for name in one.pooled:
            place = _place(one, name) | {"shown": overall and name in shown}
            for arm, figure in one.pooled[name].items():
                row = {
                    "arm": arm,
                    **place,
                    **cells(figure),
                    "seeds": len(one.by_seed[name][arm]),
                    **axes[arm],
                }
                if one is main and name in shown:
                    row["best"] = best.get(name) == arm
                yield row
            for arm, by_seed in one.by_seed[name].items():
                for run, figure in by_seed.items():
                    yield {"arm": arm, "seed": run, **place, **cells(figure), "seeds": 1, **axes[arm]}
        for found in one.to_baseline:
            place = _place(one, found.name) | {"shown": overall and found.name in shown}
            p = holm[one.slice.choice].get(key_of(found)) if overall else None
            yield {
                "arm": found.arm,
                **place,
                **cells(found.figure),
                "less": found.less,
                "p": rounded(found.figure.p),
                "holm": None if p is None else rounded(p),
                "seeds": found.seeds,
                "depends": depends.get((one.slice.task, key_of(found))),
                **axes[found.arm],
            }


def _depending(slices: Sequence[SliceFigures], holm: dict[str, dict[Any, float]]) -> dict[Any, bool]:
    """Whether each difference in a figure of options depends on the choice, by task and difference; only
    where there are several choices.
    """
    by_choice: dict[Any, dict[str, tuple[Figure, float | None]]] = {}
    for one in slices:
        task, choice = one.slice.task, one.slice.choice
        for found in one.to_baseline:
            if found.name not in one.texts:
                p = holm[choice].get(key_of(found)) if task is None else None
                by_choice.setdefault((task, key_of(found)), {})[choice] = found.figure, p
    return {key: depends_on_choice(found) for key, found in by_choice.items() if len(found) > 1}


def _place(one: SliceFigures, name: str) -> Row:
    figure, _, language = name.partition("/")
    of = one.slice
    return {
        "bench": of.part.bench,
        "prompt": of.part.prompt or None,
        "task": of.task,
        "language": language or None,
        "figure": figure,
        "choice": None if name in one.texts else of.choice or None,
        "main": of.main,
    }


def axis_values(index: Index, axis: str) -> list[Any]:
    """The values of an axis in order: numbers, where all of them are, else texts."""
    values = index.axes[axis]
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        return [str(value) for value in values]


def _axes_of(axes: dict[str, Any], index: Index) -> Row:
    """The columns of an arm's place on the axes."""
    found: Row = {}
    for axis, value in axes.items():
        known = dict(zip(map(str, index.axes[axis]), axis_values(index, axis), strict=True))
        found[AXIS + axis] = known[str(value)]
    return found


def _columns(index: Index) -> list[tuple[str, pyarrow.DataType]]:
    import pyarrow

    text, number, flag = pyarrow.string(), pyarrow.float64(), pyarrow.bool_()
    axes = [
        (AXIS + axis, number if all(isinstance(one, float) for one in axis_values(index, axis)) else text)
        for axis in index.axes
    ]
    return [
        ("arm", text),
        ("seed", pyarrow.int64()),
        *((name, text) for name in ("bench", "prompt", "task", "language", "figure")),
        *((name, number) for name in ("value", "low", "high")),
        ("less", text),
        ("p", number),
        ("holm", number),
        ("choice", text),
        ("main", flag),
        ("shown", flag),
        ("best", flag),
        ("depends", flag),
        ("seeds", pyarrow.int64()),
        *axes,
    ]


def _table(rows: Sequence[Row], index: Index, made_of: Mapping[str, str]) -> pyarrow.Table:
    import pyarrow

    return pyarrow.Table.from_pylist(list(rows), pyarrow.schema(_columns(index), metadata=dict(made_of)))
