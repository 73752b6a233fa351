"""The predictions of a run: its stored answers as tables."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Unpack

from crossin.core.errors import CrossinError
from crossin.core.formats import ANSWERS
from crossin.core.paths import as_path
from crossin.logs.find import find_logs, read_logs
from crossin.logs.formats import LogFiles
from crossin.logs.options import LogOptions, OtherChoices, options_of
from crossin.logs.tables import Predictions, tables_of_log


def read_predictions(
    path: Path | str, bench: Path | str | None = None, **logs: Unpack[OtherChoices]
) -> list[Predictions]:
    """The predictions of one run: an evaluation's folder, or a file of one of the formats that `find_logs`
    knows, which may stand for the other files of its run. One entry for each wording of the prompt.

    `bench` is the folder of the benchmark asked, which files of replies need; `logs` are the other fields
    of `LogOptions`. Raises CrossinError where there are several runs, or the file is of no known format or
    answers another benchmark.
    """
    path, options = as_path(path), options_of({"bench": bench, **logs})
    found = find_logs(path, options)
    if len(found) > 1:
        names = ", ".join(str(run.files[0].relative_to(path)) for run in found[-2:])
        raise CrossinError(
            f"holds {len(found)} runs", file=path, hint=f"name a file of one run, such as {names}"
        )
    return predictions_of(found[0], options)


def find_predictions(paths: Path | str | Iterable[Path | str]) -> list[Path]:
    """The place of each run in `paths` (`find_logs`): an evaluation's folder, or the first of its files."""
    return [run.files[0].parent if run.files[0].name == ANSWERS else run.files[0] for run in find_logs(paths)]


def predictions_of(run: LogFiles, options: LogOptions) -> list[Predictions]:
    """The predictions of a run."""
    found = read_logs(run, options)
    return [one for log in found for one in tables_of_log(log, any_language=options.any_language)]
