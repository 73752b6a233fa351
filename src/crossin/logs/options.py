"""What decides how logs are read: the same in Python and as flags of `score`, `compare` and `report`."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from crossin.core.settings import Settings, read_settings, setting


class LogOptions(Settings):
    """What decides how logs are read."""

    bench: Path | None = setting(
        None, "Folder of the benchmark asked; files of replies need it.", metavar="FOLDER"
    )
    filter: str | None = setting(
        None,
        "Filter of lm-eval whose extracted answers are scored; by default the replies themselves are read.",
        metavar="NAME",
    )
    log_mapping: Path | None = setting(
        None, "File that says what is where in the records of another harness.", metavar="FILE"
    )
    any_language: bool = setting(
        False, "Read an entity also where the reply names it in another language than the one asked."
    )


class OtherChoices(TypedDict, total=False):
    """The fields of `LogOptions` but `bench` as keyword arguments."""

    filter: str | None
    log_mapping: Path | str | None
    any_language: bool


class LogChoices(OtherChoices, total=False):
    """The fields of `LogOptions` as keyword arguments."""

    bench: Path | str | None


def options_of(choices: LogChoices) -> LogOptions:
    """Keyword arguments as options. Raises CrossinError for one that does not exist."""
    return read_settings(LogOptions, None, dict(choices), hint="see crossin score --help")
