"""The benchmarks of SeaEval (Wang et al., arXiv 2309.04766): one file each, every item in all languages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from crossin.bench.assemble import pivot_first, whole_items, write_whole
from crossin.bench.dataset import DatasetRow, fetch, matching
from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.corpus.reading.records import read_records
from crossin.items.item import Item, writable
from crossin.languages import parse_language

HUB = "SeaEval/SeaEval_datasets"
LICENCE = "CC-BY-NC-4.0"
# By name: the file's name without its ending, and the task.
SEAEVAL = {
    "cross-mmlu": ("cross_mmlu", "knowledge"),
    "cross-logiqa": ("cross_logiqa", "reasoning"),
    "cross-xquad-seaeval": ("cross_xquad", "reading"),
}
_CHOICE = re.compile(r"\s*\(([A-Z])\)\s*(.*)", re.DOTALL)
_ENDINGS = ("json", "jsonl", "parquet")
_HINT = "get the file again, or repair the entry"


def build_seaeval(
    name: str,
    source: Path | None,
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Stage:
    """Build the benchmark `name` of `SEAEVAL` in `languages`, or in all that its file has.

    `source` is the file or its folder; the hub's where None. It is a JSON array, JSON Lines or Parquet.
    """
    stem, task = SEAEVAL[name]
    file = _file(source, stem)
    array = file.suffix == ".json"
    records = read_json(file) if array else [values for _, values in read_records(file)]
    if not isinstance(records, list) or not records:
        raise CrossinError("expected a list of items", file=file, hint=_HINT)
    rows = [_by_language(record, file, number) for number, record in enumerate(records, start=1)]
    there = pivot_first([code for row in rows for code in row])
    chosen = pivot_first(languages or there)
    if absent := [code for code in chosen if code not in there]:
        raise CrossinError(
            f"'{name}' has no language {absent[0]}; it has: {', '.join(there)}",
            file=file,
            field="languages",
            hint="choose among them with --languages",
        )
    with stage(out, "bench", {"bench": name, "languages": chosen}, {"source": file}) as work:
        if work.done:
            return work
        found: dict[str, dict[str, Item | str]] = {}
        groups: dict[str, str] = {}
        for number, (record, versions) in enumerate(zip(records, rows, strict=True), start=1):
            progress(f"reading {name}", number, len(records), "items")
            item = str(record["id"])
            if item in found:
                raise CrossinError(f"duplicate id '{item}'", file=file, row=number, field="id", hint=_HINT)
            # Questions about one paragraph are not independent of each other.
            first = versions.get("en") or versions.get(chosen[0])
            paragraph = _text(first[1], first[0], "context") if first else ""
            group = groups.setdefault(paragraph, item) if paragraph else item
            found[item] = {
                code: _item(row, called, item, group, task, code, f"{HUB} {stem}")
                for code, (called, row) in versions.items()
                if code in chosen
            }
        items, left_out = whole_items(found, chosen)
        write_whole(work, items, left_out)
    return work


def _file(source: Path | None, stem: str) -> Path:
    """The benchmark's one file: as SeaEval names it, or as the hub stores a configuration's test split."""
    patterns = [f"{stem}{place}.{ending}" for place in ("", "/test*", "-test*") for ending in _ENDINGS]
    folder = fetch(HUB, "main", patterns) if source is None else source
    if not folder.is_dir():
        return folder
    found = matching(folder, patterns)
    if len(found) == 1:
        return found[0]
    names = ", ".join(str(path.relative_to(folder)) for path in found)
    raise CrossinError(
        f"several files of the benchmark: {names}" if found else f"there is no {stem}.json or the like",
        file=folder,
        hint="give the benchmark's file: --source FILE",
    )


def _by_language(record: Any, file: Path, row: int) -> dict[str, tuple[str, DatasetRow]]:
    """An item's entries by language code, each with the file's name for the language."""
    key = record.get("id") if isinstance(record, dict) else None
    if not isinstance(key, str | int) or not writable(str(key)):
        raise CrossinError("expected an item with an id", file=file, row=row, field="id", hint=_HINT)
    versions: dict[str, tuple[str, DatasetRow]] = {}
    for name, entries in record.items():
        if not isinstance(entries, dict):
            continue
        try:
            code = parse_language(name)
        except CrossinError as error:
            raise CrossinError(error.message, file=file, row=row, field=name, hint=_HINT) from error
        if code in versions:
            raise CrossinError(f"duplicate language {code}", file=file, row=row, field=name, hint=_HINT)
        versions[code] = name, DatasetRow(file, row, record)
    return versions


def _text(row: DatasetRow, called: str, field: str) -> str:
    """The text in a field of a language; only a context may be missing."""
    found = row.values[called].get(field, "" if field == "context" else None)
    if not isinstance(found, str):
        raise row.error("expected text", f"{called}.{field}", _HINT)
    return row.whole(found, f"{called}.{field}")


def _item(row: DatasetRow, called: str, item: str, group: str, task: str, language: str, source: str) -> Item:
    """The item in one language: labels removed from the choices, the answer as a letter."""
    choices, field = row.values[called].get("choices"), f"{called}.choices"
    if not isinstance(choices, list) or not choices or not all(isinstance(one, str) for one in choices):
        raise row.error("expected a list of texts", field, _HINT)
    options, ids = [], []
    for place, choice in enumerate(choices):
        parts, label = _CHOICE.fullmatch(choice), ascii_uppercase[place : place + 1]
        if parts is None or parts[1] != label:
            raise row.error(f"'{choice[:40]}' does not begin with ({label})", field, _HINT)
        options.append(row.whole(parts[2], field))
        ids.append(label)
    answer = _text(row, called, "answer")
    gold = next((label for label, one in zip(ids, choices, strict=True) if one.strip() == answer), None)
    if gold is None:
        raise row.error(f"'{answer[:60]}' is not one of the choices", f"{called}.answer", _HINT)
    return Item(
        item=item,
        group=group,
        task=task,
        language=language,
        context=_text(row, called, "context"),
        question=_text(row, called, "question"),
        options=options,
        option_ids=ids,
        answer=gold,
        source=source,
        licence=LICENCE,
    )
