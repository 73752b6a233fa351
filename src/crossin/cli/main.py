"""The command `crossin`: one verb a stage. A command's module is loaded only when it is used, so that help is
quick.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from crossin import __version__
from crossin.cli.stopping import end_stopped, leave_at_once, received, watch_signals
from crossin.cli.streams import discard, is_plain, prepare_streams
from crossin.core.errors import CrossinError
from crossin.core.suggestions import nearest

# By name: what help says. Each is `command` in the module of that name.
COMMANDS = {
    "demo": "Tune a small real model, and measure what came of it (about ten minutes).",
    "translate": "Translate instruction data into parallel data.",
    "teach": "Make a corpus from what a model answers consistently in English.",
    "prefer": "Make pairs of a model's own answers, the better one by its answers in English.",
    "compose": "Compose a mixture from parallel instruction data.",
    "train": "Tune a model on a mixture.",
    "evaluate": "Ask models a benchmark in every language, and score the answers.",
    "probe": "Measure how near the languages are inside a model, layer by layer.",
    "score": "Compute figures with intervals from stored answers.",
    "compare": "Compare two models on the same items.",
    "report": "Make a page of results: tables, plots, every question.",
    "view": "Look at the pages of a run in the browser, also while it is running.",
    "experiment": "Compare arms, each with several seeds, from one file.",
    "bench": "List, build, show, check and export benchmarks.",
    "models": "List, download, try and merge models.",
    "examples": "List the recipes and settings that come with crossin, or print one.",
    "cache": "Show and clear the cache of models and tokens.",
}


class Commands(click.Group):
    """The commands, none of which is imported before it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"crossin.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a name that is not there is an error with the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = nearest(args[0], COMMANDS)
            raise CrossinError(
                f"there is no command '{args[0]}'",
                hint=f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(COMMANDS)}",
            )
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="crossin", message="%(prog)s %(version)s")
def app() -> None:
    """Close the knowledge gap between English and other languages: mix, tune, measure.

    Begin with `crossin demo`: a real model becomes more accurate and more consistent across languages, in
    about ten minutes. `crossin COMMAND --help` explains a command.
    """


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. A user's error is one clear message and exit code 2."""
    prepare_streams()
    watch_signals()
    try:
        status = _status(arguments)
    finally:
        leave_at_once()
    sys.exit(status)


def _status(arguments: Sequence[str] | None) -> int:
    """Run the command; returns the exit code."""
    try:
        # First: an error on a system without file locks, before anything else fails there.
        import_module("crossin.core.locks")
        status = app.main(args=arguments, prog_name="crossin", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except CrossinError as error:
        _show_error(error)
        return end_stopped(error) if received() else 2
    except UnicodeEncodeError as error:
        if not any("\ud800" <= one <= "\udfff" for one in error.object):
            raise
        _show_error(
            CrossinError(
                "this name or text is not UTF-8", file=error.object, hint="rename the file or folder"
            )
        )
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        return end_stopped(error)
    except OSError as error:
        if _output_works() and not _while_printing(error):
            raise
        discard(sys.stdout)
        # Whoever read from a pipe has seen enough.
        if error.errno != errno.EPIPE:
            _show_error(CrossinError(f"cannot write to standard output: {error.strerror}"))
        return 1
    except Exception as error:
        # Some libraries turn an interrupt into an error of their own.
        if not received():
            raise
        return end_stopped(error)
    return status if isinstance(status, int) else 0


def _output_works() -> bool:
    """Whether standard output takes what was printed; after an error, Python keeps the rest."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        return False
    return True


def _while_printing(error: OSError) -> bool:
    """Whether an error is of a write to standard output, which may keep nothing of what it could not take."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    module = "" if frame is None else str(frame.tb_frame.f_globals.get("__name__", ""))
    return error.filename is None and module.startswith(("click.", "rich.", "crossin.cli."))


def _show_error(error: CrossinError) -> None:
    head = "error: " if is_plain(sys.stderr) else click.style("error: ", fg="red", bold=True)
    click.echo(f"{head}{error}", err=True)


if __name__ == "__main__":
    run()
