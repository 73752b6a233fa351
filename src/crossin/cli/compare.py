"""`crossin compare`: two models, item by item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crossin.cli.options import Command, json_option, option, settings_options
from crossin.cli.score import ScoreOptions, options_of, show_predictions

# Of a setting in a note, such as a template.
_LONGEST = 60


@click.command(cls=Command)
@click.argument("ours", metavar="A", type=click.Path(path_type=Path))
@click.argument("theirs", metavar="B", type=click.Path(path_type=Path))
@settings_options(ScoreOptions)
@option("--details", is_flag=True, help="Also what the difference in each language is made of.")
@json_option
def command(ours: Path, theirs: Path, given: dict[str, Any], details: bool, as_json: bool) -> None:
    """Compare two models item by item: A less B in every figure, with the interval of the difference.

    A and B are evaluation folders or files of predictions, as for `crossin score`.

    Every bootstrap draw takes the same items for both models, which is more precise than comparing two
    intervals. `p, Holm`: McNemar's p for accuracy in one language, else the bootstrap's; alone, and after
    Holm's correction for the number of languages, or for that of the table's other figures. ▲ and ▼ mark
    differences with a corrected p of at most .05 and an interval that excludes 0 as shown. Intervals are not
    corrected.

    Where a model leaves questions unanswered (no option or entity can be read from its reply), another table
    says what the difference in accuracy is made of.
    """
    from crossin.cli.console import print_json, progress_bars, show
    from crossin.core.progress import phase
    from crossin.scoring.comparison import compare
    from crossin.scoring.display import comparison_tables
    from crossin.scoring.display_split import split_tables
    from crossin.scoring.values import comparison_values

    options = options_of(given)
    with progress_bars() as progress, phase(progress, "comparing", "pairs of models"):
        made = compare(ours, theirs, **options)
    if as_json:
        print_json(comparison_values(made))
        return
    show_predictions(made.ours, "A = ", details=details)
    show_predictions(made.theirs, "B = ", details=details)
    if apart := made.settings_apart:
        asked = "; ".join(f"{name} {_short(one)} and {_short(other)}" for name, (one, other) in apart.items())
        print(f"note: A and B were asked differently, which can make a difference of its own: {asked}")
    for table in [*comparison_tables(made), *split_tables(made, details=details)]:
        show(table)


def _short(value: Any) -> str:
    """A setting as a note has it."""
    text = "(not given)" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
