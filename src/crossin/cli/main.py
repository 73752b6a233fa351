"""The command `crossin`: one verb a stage. Heavy imports happen inside the verbs, so that help is quick."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from crossin import __version__
from crossin.cli import bench, models
from crossin.cli.compose import compose
from crossin.cli.console import errors
from crossin.cli.demo import demo
from crossin.cli.evaluate import evaluate
from crossin.cli.probe import probe
from crossin.cli.report import report
from crossin.cli.score import compare, score
from crossin.cli.train import train
from crossin.cli.translate import translate
from crossin.core.errors import CrossinError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Mix, tune and measure, so that what a model knows in English it knows in Thai.\n\n"
    "Begin with `crossin demo`: a real model becomes more accurate and more consistent across languages, "
    "in about ten minutes.",
)
app.command()(compare)
app.command()(compose)
app.command()(demo)
app.command()(evaluate)
app.command()(probe)
app.command()(report)
app.command()(score)
app.command()(train)
app.command()(translate)
app.add_typer(bench.app, name="bench")
app.add_typer(models.app, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crossin {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; what the user can mend is one clear error and exit code 2."""
    from rich.text import Text

    try:
        app()
    except CrossinError as error:
        errors.print(Text("error: ", style="bold red"), Text(str(error)), sep="", soft_wrap=True)
        sys.exit(2)
    except SystemExit as ended:
        # What typer makes of Ctrl-C.
        if ended.code == 130:
            errors.print("stopped; the same command goes on from here")
        raise


if __name__ == "__main__":
    main()
