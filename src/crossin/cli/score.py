"""The verbs `score` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crossin.scoring import Score, Wordings
    from crossin.scoring.predictions import Predictions

_Bench = Annotated[Path | None, typer.Option(help="Folder of the benchmark asked; files of replies need it.")]
_Pivot = Annotated[
    str | None, typer.Option(help="Language that the others are held against: English if not given.")
]
# Their number is that of crossin.metrics.DRAWS, which is not to be loaded for a help text.
_Draws = Annotated[int, typer.Option(min=1, help="Bootstrap draws for the intervals.")]
_Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]
_AsJson = Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")]


def score(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|FOLDER…",
            help="Evaluation folders, files of replies, SeaEval logs, lm-eval's samples, or folders of them.",
        ),
    ],
    bench: _Bench = None,
    pivot: _Pivot = None,
    details: Annotated[bool, typer.Option("--details", help="Also how every two languages agree.")] = False,
    seaeval: Annotated[
        bool,
        typer.Option(
            "--seaeval",
            help="SeaEval's own figures of its logs; with --json in the form of its score files.",
        ),
    ] = False,
    draws: _Draws = 10_000,
    seed: _Seed = 0,
    as_json: _AsJson = False,
) -> None:
    """Score stored predictions: accuracy, consistency, what chance explains of it, transfer, free text.

    A file of replies is JSON lines or Parquet with `item`, `language` and `reply` (and `prompt`, where there
    are several wordings). A reply to a multiple-choice question counts as the option that it names; one that
    names none is missing, and never drawn at random. In brackets: 95% intervals.

    `crossin score runs/demo/crossin/answers`

    `crossin score replies.jsonl --bench bench/facts`

    What `lm_eval --log_samples --output_path out` left of tasks that `crossin bench export` wrote:
    `crossin score out`
    """
    from crossin.cli.console import print_json, progress_bars, say
    from crossin.scoring import score as make
    from crossin.scoring import wordings
    from crossin.scoring.write import all_values

    if seaeval:
        _seaeval(paths, as_json)
        return
    with progress_bars() as progress:
        scores = make(
            paths,
            bench=bench,
            pivot=_code(pivot),
            draws=draws,
            seed=seed,
            progress=progress,
        )
    varied = wordings(scores, draws=draws, seed=seed)
    if as_json:
        print_json(all_values(scores, varied))
    else:
        show_scores(scores, varied, details=details)
        if len(scores) > 1 and not details:
            say("--details shows the languages and tasks of each")


def compare(
    ours: Annotated[Path, typer.Argument(metavar="A", help="Predictions: an evaluation folder or a file.")],
    theirs: Annotated[Path, typer.Argument(metavar="B", help="What to compare them with.")],
    bench: _Bench = None,
    pivot: _Pivot = None,
    draws: _Draws = 10_000,
    seed: _Seed = 0,
    as_json: _AsJson = False,
) -> None:
    """Compare two models item by item: A less B in every figure, with the interval of the difference.

    Every bootstrap draw takes the same items for both, which is far sharper than comparing two intervals by
    eye. ▲ and ▼ mark differences whose interval excludes 0. McNemar's p-values are on accuracy in one
    language: alone, and corrected by Holm for the number of languages.
    """
    from crossin.cli.console import print_json, show
    from crossin.scoring import compare as make
    from crossin.scoring import comparison_tables, comparison_values

    made = make(ours, theirs, bench=bench, pivot=_code(pivot), draws=draws, seed=seed)
    if as_json:
        print_json(comparison_values(made))
        return
    for letter, predictions in (("A", made.ours), ("B", made.theirs)):
        _tell(predictions, f"{letter} = ")
    for table in comparison_tables(made):
        show(table)


def _seaeval(paths: list[Path], as_json: bool) -> None:
    from crossin.cli.console import print_json, show
    from crossin.scoring import parity, parity_table

    found = parity(paths)
    if not as_json:
        show(parity_table(found))
    elif len(found) == 1:
        print_json(found[0].scores)
    else:
        print_json({str(one.file): one.scores for one in found})


def show_scores(scores: Sequence[Score], varied: Sequence[Wordings], *, details: bool = False) -> None:
    """Print scores as tables: all figures of one, and of several a line each; `details` shows all of each."""
    from crossin.cli.console import show
    from crossin.scoring import summary, tables, wordings_table

    if len(scores) > 1:
        show(summary(scores))
    for table in map(wordings_table, varied):
        show(table)
    for one in scores:
        _tell(one.predictions)
        for table in tables(one, details=details) if details or len(scores) == 1 else []:
            show(table)


def _tell(predictions: Predictions, prefix: str = "") -> None:
    """What was asked, and what is kept out of the figures."""
    from collections import Counter

    asked = f"{predictions.items:,} items in {len(predictions.languages)} languages"
    _line(f"{prefix}{predictions.name}: {asked}, {predictions.file}")
    for language, count in Counter(predictions.incomplete.values()).items():
        _line(f"left out: {count:,} items that lack {language}")
    if predictions.unanswered:
        _line(f"not in the file: {predictions.unanswered:,} items of the benchmark")
    if len(predictions.languages) == 1:
        _line("note: asked in one language, so there is no consistency")


def _line(text: str) -> None:
    """A line of the result, as it stands."""
    from crossin.cli.console import console

    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _code(language: str | None) -> str | None:
    from crossin.languages import parse_language

    return None if language is None else parse_language(language)
