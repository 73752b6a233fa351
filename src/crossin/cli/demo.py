"""The command `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crossin.cli.options import (
    OUTPUT,
    Command,
    config_file,
    config_option,
    dry_run_option,
    json_option,
    option,
    set_option,
    settings_options,
)
from crossin.experiments.demo import DemoConfig


@click.command(cls=Command)
@settings_options(DemoConfig)
@set_option("training.epochs=2")
@config_option
@option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("crossin-demo"),
    metavar="FOLDER",
    help="Folder for the results [default: crossin-demo].",
    group=OUTPUT,
)
@dry_run_option
@json_option
def command(given: dict[str, Any], config: str | None, out: Path, dry_run: bool, as_json: bool) -> None:
    """Run the whole pipeline on a small real model: facts, mixture, training, evaluation, report.

    The model is tuned twice on facts about some countries, on English rows only and on the CrossIn mixture.
    All three models are asked about other countries in every language. An interrupted run resumes with the
    same command.

    Example: `crossin demo --languages en,th,ar --out runs/thai-arabic`
    """
    from crossin.cli.console import console, print_json, progress_bars, say
    from crossin.core.files import read_json
    from crossin.core.settings import read_settings
    from crossin.experiments.demo import describe_demo, run_demo
    from crossin.reports.table import as_rich

    settings = read_settings(DemoConfig, config_file("demo", config), given, hint="see `crossin demo --help`")
    if dry_run:
        for line in describe_demo(settings, out):
            console.print(line, markup=False, highlight=False)
        return
    with progress_bars() as progress:
        made = run_demo(settings, out, progress=progress, say=say)
    if as_json:
        print_json(read_json(made.figures))
    else:
        console.print(as_rich(made.summary, width=console.width))
    say(f"the report, with every question: {made.page}")
