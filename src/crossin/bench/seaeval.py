"""The benchmarks of SeaEval (Wang et al., arXiv 2309.04766): one JSON file, each item in every language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.bench.assemble import build, pivot_first
from crossin.bench.hub import fetch
from crossin.bench.tables import matching, read_rows
from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage
from crossin.items.item import Item, writable
from crossin.languages import parse_language

HUB = "SeaEval/SeaEval_datasets"
LICENCE = "CC-BY-NC-4.0"
_CHOICE = re.compile(r"\s*\(([A-Z])\)\s*(.*)", re.DOTALL)
_ENDINGS = ("json", "jsonl", "parquet")
_FIX = "get the file again, or repair the entry"


@dataclass(frozen=True)
class SeaEval:
    """One of SeaEval's benchmarks: the file's name without its ending, and what its items ask for."""

    file: str
    task: str


SEAEVAL = {
    "cross-mmlu": SeaEval("cross_mmlu", "knowledge"),
    "cross-logiqa": SeaEval("cross_logiqa", "reasoning"),
    "cross-xquad-seaeval": SeaEval("cross_xquad", "reading"),
}


def build_seaeval(
    name: str,
    source: Path | None,
    out: Path,
    *,
    languages: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Stage:
    """Make the benchmark `name` of `SEAEVAL` from its file (`source`: the file or its folder; the hub's where
    None), in `languages` or in all that the file has. The file is a JSON array, JSON lines or Parquet.
    """
    known = SEAEVAL[name]
    file = _file(source, known)
    array = file.suffix == ".json"
    records = read_json(file) if array else [row.values for row in read_rows(file)]
    if not isinstance(records, list) or not records:
        raise CrossinError("is no list of items", file=file, hint=_FIX)
    chosen = pivot_first(languages or _languages(records, file))

    def gather() -> dict[str, dict[str, Item | str]]:
        found: dict[str, dict[str, Item | str]] = {}
        groups: dict[str, str] = {}
        for row, record in enumerate(records, start=1):
            progress(f"reading {name}", row, len(records), "items")
            versions = _versions(record, file, row)
            item = str(record["id"])
            if item in found:
                raise CrossinError(
                    f"the id '{item}' is there twice", file=file, row=row, field="id", hint=_FIX
                )
            # Questions about one paragraph are not independent of each other.
            first = versions.get("en") or versions.get(chosen[0])
            paragraph = first.text("context") if first else ""
            group = groups.setdefault(paragraph, item) if paragraph else item
            found[item] = {
                code: _item(version, item, group, code, known)
                for code, version in versions.items()
                if code in chosen
            }
        return found

    settings = {"bench": name, "languages": chosen}
    return build(out, settings, {"source": file}, chosen, gather)


@dataclass(frozen=True)
class _Version:
    """An item in one language, which the file calls `name`."""

    file: Path
    row: int
    name: str
    entries: dict[str, Any]

    def error(self, field: str, message: str) -> CrossinError:
        return CrossinError(message, file=self.file, row=self.row, field=f"{self.name}.{field}", hint=_FIX)

    def text(self, field: str) -> str:
        """The text in a field; only a context may be missing."""
        found = self.entries.get(field, "" if field == "context" else None)
        if not isinstance(found, str):
            raise self.error(field, "is not text, or is missing")
        return self.whole(field, found)

    def whole(self, field: str, text: str) -> str:
        """The text without spaces at its ends, if its characters are whole."""
        if not writable(text):
            raise self.error(field, "holds half of a character (a lone surrogate)")
        return text.strip()


def _file(source: Path | None, known: SeaEval) -> Path:
    """The benchmark's one file: as SeaEval names it, or as the hub lays a configuration's test split out."""
    patterns = [f"{known.file}{place}.{ending}" for place in ("", "/test*", "-test*") for ending in _ENDINGS]
    folder = fetch(HUB, "main", patterns) if source is None else source
    if not folder.is_dir():
        return folder
    if not (found := matching(folder, patterns)):
        raise CrossinError(
            f"there is no {known.file}.json, {known.file}/test.parquet or the like",
            file=folder,
            hint="name the benchmark's file: --source FILE",
        )
    if len(found) > 1:
        raise CrossinError(
            f"holds several files of the benchmark: {', '.join(str(x.relative_to(folder)) for x in found)}",
            file=folder,
            hint="name one of them: --source FILE",
        )
    return found[0]


def _languages(records: list[Any], file: Path) -> list[str]:
    """The languages of any of the items."""
    return list(
        dict.fromkeys(code for row, record in enumerate(records, 1) for code in _versions(record, file, row))
    )


def _versions(record: Any, file: Path, row: int) -> dict[str, _Version]:
    """An item by language code."""
    if (
        not isinstance(record, dict)
        or not isinstance(record.get("id"), str | int)
        or not writable(str(record["id"]))
    ):
        raise CrossinError("is no item with an id", file=file, row=row, field="id", hint=_FIX)
    versions: dict[str, _Version] = {}
    for name, entries in record.items():
        if not isinstance(entries, dict):
            continue
        try:
            code = parse_language(name)
        except CrossinError as error:
            raise CrossinError(error.message, file=file, row=row, field=name, hint=_FIX) from error
        if code in versions:
            raise CrossinError(f"{code} is there twice", file=file, row=row, field=name, hint=_FIX)
        versions[code] = _Version(file, row, name, entries)
    return versions


def _item(version: _Version, item: str, group: str, language: str, known: SeaEval) -> Item:
    """The item in one language: labels off the choices, the answer as a letter."""
    choices = version.entries.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(one, str) for one in choices):
        raise version.error("choices", "is no list of texts, or is missing")
    options, ids = [], []
    for index, choice in enumerate(choices):
        label = chr(ord("A") + index)
        parts = _CHOICE.fullmatch(choice)
        if parts is None or parts[1] != label:
            raise version.error("choices", f"'{choice[:40]}' does not begin with ({label})")
        options.append(version.whole("choices", parts[2]))
        ids.append(label)
    answer = version.text("answer")
    gold = next((label for label, one in zip(ids, choices, strict=True) if one.strip() == answer), None)
    if gold is None:
        raise version.error("answer", f"'{answer[:60]}' is none of the choices")
    return Item(
        item=item,
        group=group,
        task=known.task,
        language=language,
        context=version.text("context"),
        question=version.text("question"),
        options=options,
        option_ids=ids,
        answer=gold,
        source=f"{HUB} {known.file}",
        licence=LICENCE,
    )
