"""`crossin compare`: two models, item by item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crossin.cli.options import Command, json_option, settings_options
from crossin.cli.score import ScoreOptions, options_of, show_predictions


@click.command(cls=Command)
@click.argument("ours", metavar="A", type=click.Path(path_type=Path))
@click.argument("theirs", metavar="B", type=click.Path(path_type=Path))
@settings_options(ScoreOptions)
@json_option
def command(ours: Path, theirs: Path, given: dict[str, Any], as_json: bool) -> None:
    """Compare two models item by item: A less B in every figure, with the interval of the difference.

    A and B are evaluation folders or files of predictions, as for `crossin score`.

    Every bootstrap draw takes the same items for both models, which is more precise than comparing two
    intervals. `p, Holm`: McNemar's p for accuracy in one language, else the bootstrap's; alone, and after
    Holm's correction for the number of languages, or for that of the table's other figures. ▲ and ▼ mark
    differences with a corrected p of at most .05 and an interval that excludes 0 as shown. Intervals are not
    corrected.
    """
    from crossin.cli.console import print_json, show
    from crossin.scoring.comparison import compare
    from crossin.scoring.display import comparison_tables
    from crossin.scoring.values import comparison_values

    made = compare(ours, theirs, **options_of(given))
    if as_json:
        print_json(comparison_values(made))
        return
    show_predictions(made.ours, "A = ")
    show_predictions(made.theirs, "B = ")
    for table in comparison_tables(made):
        show(table)
