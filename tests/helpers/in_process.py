"""The command line in this process: quick, and its errors are exceptions."""

from __future__ import annotations

from click.testing import CliRunner, Result

from crossin.cli.main import app


def crossin(*arguments: object, columns: int = 200) -> Result:
    """The command line with these arguments, in a terminal of this many columns; it must end well.

    Raises CrossinError, as `tests.helpers.errors.refused` expects it.
    """
    words = [str(argument) for argument in arguments]
    ended = CliRunner().invoke(
        app, words, env={"COLUMNS": str(columns)}, prog_name="crossin", catch_exceptions=False
    )
    assert ended.exit_code == 0, ended.output
    return ended
