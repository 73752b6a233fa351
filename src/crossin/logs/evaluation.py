"""The answers of an evaluation (`answers.parquet`), and files of replies to a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import ANSWERS, MANIFEST
from crossin.core.paths import folder_name
from crossin.items import Item, read_items
from crossin.items.inventories import read_inventories
from crossin.items.item import items_file
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat, each_alone
from crossin.logs.lines import Line, complete, read_lines
from crossin.logs.options import LogOptions


def completed(model: str, file: Path, parts: dict[Path, list[Line]], options: LogOptions) -> LoggedAnswers:
    """Lines of a run, by file, as `LoggedAnswers`: checked against the benchmark where that is known.

    The benchmark is the one named, or the copy that an evaluation leaves beside its answers. Raises
    CrossinError where it is missing and the lines are replies.
    """
    items = _items(file, options.bench)
    lines = [line for part in parts.values() for line in part]
    if items is None:
        if lines and "option_ids" not in lines[0]:
            raise CrossinError(
                "holds replies; the options that they name are in the benchmark",
                file=file,
                hint="name the benchmark's folder with --bench",
            )
        return LoggedAnswers(model, "", file, lines)
    benchmark = "" if options.bench is None else folder_name(items_file(options.bench))
    lines = [line for part, read in parts.items() for line in complete(read, items, part)]
    unanswered = {item.item for item in items} - {line["item"] for line in lines}
    place = items_file(file.parent if options.bench is None else options.bench)
    inventories = read_inventories(place.parent)
    return LoggedAnswers(model, benchmark, file, lines, items, inventories, unanswered=len(unanswered))


def _items(file: Path, bench: Path | None) -> list[Item] | None:
    place = items_file(file.parent if bench is None else bench)
    if place.is_file():
        return read_items(place)
    if bench is None:
        return None
    raise CrossinError("not found", file=place, hint="name a benchmark's folder with --bench")


def _read_answers(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    [file] = files
    settings, folder = _settings(file), folder_name(file)
    log = completed(str(settings.get("name") or folder), file, {file: read_lines(file)}, options)
    # `crossin evaluate` names folders MODEL/BENCH.
    laid_out = file.absolute().parent.parent.name == settings.get("name")
    benchmark = log.benchmark or (folder if laid_out else "")
    return [replace(log, benchmark=benchmark, settings=_how_asked(settings))]


def _read_replies(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    [file] = files
    return [completed(file.stem, file, {file: read_lines(file)}, options)]


def _settings(file: Path) -> dict[str, Any]:
    """The settings of an evaluation; empty where it has no manifest."""
    manifest = file.parent / MANIFEST
    if not manifest.is_file():
        return {}
    content = read_json(manifest)
    settings = content.get("settings") if isinstance(content, dict) else None
    if not isinstance(settings, dict):
        raise CrossinError("not the manifest of a run", file=manifest, hint="repair or remove the file")
    return settings


def _how_asked(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Those of an evaluation's settings that decide how a model was asked."""
    form = settings.get("form")
    asked = dict(form) if isinstance(form, dict) else {}
    return asked | {name: settings[name] for name in ("choice", "chat_date") if name in settings}


ANSWERS_FORMAT = LogFormat(lambda file: file.name == ANSWERS, each_alone, _read_answers)
# Whatever else is named.
REPLIES_FORMAT = LogFormat(lambda _: True, each_alone, _read_replies, found=False)
