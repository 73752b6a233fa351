"""The answers of an evaluation (`answers.parquet`), and files of replies to a benchmark."""

from __future__ import annotations

from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import ANSWERS, MANIFEST
from crossin.items import Item, read_items
from crossin.items.inventories import read_inventories
from crossin.items.item import items_file
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat, LogOptions, each_alone
from crossin.logs.lines import Line, complete, read_lines


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
    lines = [line for part, read in parts.items() for line in complete(read, items, part)]
    unanswered = {item.item for item in items} - {line["item"] for line in lines}
    place = items_file(file.parent if options.bench is None else options.bench)
    inventories = read_inventories(place.parent)
    return LoggedAnswers(model, "", file, lines, items, inventories, unanswered=len(unanswered))


def _items(file: Path, bench: Path | None) -> list[Item] | None:
    place = items_file(file.parent if bench is None else bench)
    if place.is_file():
        return read_items(place)
    if bench is None:
        return None
    raise CrossinError("not found", file=place, hint="name a benchmark's folder with --bench")


def _read_answers(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    [file] = files
    return [completed(_model(file), file, {file: read_lines(file)}, options)]


def _read_replies(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    [file] = files
    return [completed(file.stem, file, {file: read_lines(file)}, options)]


def _model(file: Path) -> str:
    """What the evaluation called its model, else the name of its folder."""
    manifest = file.parent / MANIFEST
    if not manifest.is_file():
        return file.parent.name
    content = read_json(manifest)
    settings = content.get("settings") if isinstance(content, dict) else None
    if not isinstance(settings, dict):
        raise CrossinError("not the manifest of a run", file=manifest, hint="repair or remove the file")
    return str(settings.get("name") or file.parent.name)


ANSWERS_FORMAT = LogFormat(lambda file: file.name == ANSWERS, each_alone, _read_answers)
# Whatever else is named.
REPLIES_FORMAT = LogFormat(lambda _: True, each_alone, _read_replies, found=False)
