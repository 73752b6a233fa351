"""Which files hold stored answers, which of them belong together, and what reads them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.formats import ANSWERS
from crossin.core.paths import as_path
from crossin.logs import (
    evaluation,
    inspect_ai,
    lighteval,
    lm_eval_exported,
    lm_eval_runs,
    mapped,
    polyfact,
    seaeval,
)
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import LogFiles, LogFormat
from crossin.logs.options import LogOptions

# The first that recognises a file reads it.
FORMATS: tuple[LogFormat, ...] = (
    evaluation.ANSWERS_FORMAT,
    lm_eval_exported.FORMAT,
    lm_eval_runs.FORMAT,
    inspect_ai.FORMAT,
    lighteval.FORMAT,
    seaeval.FORMAT,
    polyfact.FORMAT,
    evaluation.REPLIES_FORMAT,
)


def find_logs(paths: Path | str | Iterable[Path | str], options: LogOptions | None = None) -> list[LogFiles]:
    """The runs in `paths`: files of stored answers, evaluation folders, and all that other folders hold, at
    any depth. Files of one run are put together. With `options.log_mapping` all records are one run.

    Raises CrossinError where a path does not exist, or a folder holds no stored answers.
    """
    named: dict[Path, LogFormat] = {}
    for path in map(as_path, [paths] if isinstance(paths, str | os.PathLike) else paths):
        if not path.exists():
            raise not_found(path)
        if options is not None and options.log_mapping is not None:
            named |= dict.fromkeys(mapped.log_files(path), mapped.FORMAT)
        elif not path.is_dir():
            named[path] = _format_of(path)
        elif (path / ANSWERS).is_file():
            named[path / ANSWERS] = evaluation.ANSWERS_FORMAT
        else:
            named |= _inside(path)
    # In the order in which their first files were named.
    found: dict[tuple[Path, ...], LogFormat] = {}
    for one in dict.fromkeys(named.values()):
        for files in one.runs([file for file, its in named.items() if its is one]):
            found.setdefault(files, one)
    places = {file: place for place, file in enumerate(named)}
    runs = [LogFiles(one, files) for files, one in found.items()]
    return sorted(runs, key=lambda run: min(places.get(file, len(places)) for file in run.files))


def read_logs(found: LogFiles, options: LogOptions | None = None) -> list[LoggedAnswers]:
    """The stored answers of a run.

    Raises CrossinError, with file and row, where they are malformed or answer another benchmark.
    """
    return found.format.read(found.files, options or LogOptions())


def not_found(path: Path) -> CrossinError:
    """The error for a path that does not exist."""
    return CrossinError("not found", file=path, hint="check the path, or finish the evaluation")


def _format_of(file: Path) -> LogFormat:
    found = next(one for one in FORMATS if one.recognises(file))
    # Its error says what a JSON file should hold.
    return seaeval.FORMAT if found is evaluation.REPLIES_FORMAT and file.suffix == ".json" else found


def _inside(folder: Path) -> dict[Path, LogFormat]:
    """The files in a folder, at any depth, that a format recognises without being named."""
    found: dict[Path, LogFormat] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        one = next((one for one in FORMATS if one.found and one.recognises(file)), None)
        if one is not None:
            found[file] = one
    if not found:
        raise CrossinError(
            f"no predictions found: no {ANSWERS}, and no log of a harness that crossin reads",
            file=folder,
            hint="check the path; files of replies are given by name",
        )
    return found
