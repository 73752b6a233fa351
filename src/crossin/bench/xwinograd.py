"""XWinograd as its makers publish it (Tikhonov and Ryabinin, arXiv 2106.12066): one `dataset.tsv` for all
languages, with the pronoun and its two candidates as places among a sentence's tokens.

A mapping cannot say where the pronoun stands; the rest is as `mappings/xwinograd.yaml` says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.bench.assemble import NotBuilt, pivot_first, whole_items, write_whole
from crossin.bench.dataset import DatasetRow, RowFault
from crossin.bench.mapping import DatasetMapping
from crossin.bench.row_items import RowReader
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.corpus.reading.records import read_records
from crossin.items.item import Item

FILE = "dataset.tsv"
_COLUMNS = ("language", "from", "english", "sentence", "tokens", "pronoun", "candidates")
# A tokenizer's names for quotation marks.
_QUOTES = ("``", "''")
_HINT = "get the file again, or repair the row"


def makers_file(source: Path | None) -> Path | None:
    """The makers' file, where `source` is one or its folder."""
    if source is None:
        return None
    file = source / FILE if source.is_dir() else source
    return file if file.name == FILE and file.is_file() else None


def build_xwinograd(
    mapping: DatasetMapping,
    file: Path,
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Stage:
    """Build XWinograd from the makers' `file`, in `languages`, or in all that `mapping` names.

    Raises CrossinError for a language that the mapping or the file lacks, and for a row that is not in the
    makers' form.
    """
    chosen = pivot_first(languages or list(mapping.languages))
    if unknown := [code for code in chosen if code not in mapping.languages]:
        raise CrossinError(
            f"'xwinograd' has no language {unknown[0]}; it has: {', '.join(mapping.languages)}",
            field="languages",
            hint="choose among them with --languages",
        )
    with stage(out, "bench", {"bench": "xwinograd", "languages": chosen}, {FILE: file}) as work:
        if work.done:
            return work
        rows = [DatasetRow(file, row, values) for row, values in read_records(file, names=_COLUMNS)]
        found: dict[str, dict[str, Item | str]] = {}
        for number, code in enumerate(chosen):
            progress("reading xwinograd", number, len(chosen), "languages")
            own = [row for row in rows if row.values["language"] == mapping.languages[code]]
            if not own:
                raise CrossinError(
                    f"there are no rows in {code}", file=file, hint="leave it out with --languages"
                )
            found |= _items(mapping, code, own)
        progress("reading xwinograd", len(chosen), len(chosen), "languages")
        items, left_out = whole_items(found, chosen, parallel=False)
        write_whole(work, items, left_out)
    return work


def _items(
    mapping: DatasetMapping, code: str, rows: Sequence[DatasetRow]
) -> dict[str, dict[str, Item | str]]:
    """The items of a language, or the reason codes of its rows. Sentences about the same two candidates are a
    group: most are a pair that differs by a word.
    """
    reader = RowReader(mapping, code)
    groups: dict[frozenset[str], str] = {}
    found: dict[str, dict[str, Item | str]] = {}
    for position, row in enumerate(rows, start=1):
        name = f"{code}/{position}"
        try:
            values = _as_on_the_hub(row)
            group = groups.setdefault(frozenset((values["option1"], values["option2"])), name)
            found[name] = {
                code: reader.item(DatasetRow(row.file, row.row, values), name, group, mapping.task)
            }
        except RowFault as fault:
            found[name] = {code: f"{fault.reason}:{code}"}
    return found


def _as_on_the_hub(row: DatasetRow) -> dict[str, str]:
    """The row with the columns that the hub has: `_` in the place of the pronoun, two options, and 1 or 2.

    Raises RowFault where the pronoun is not found in the sentence or the answer is not one of two, and
    CrossinError for a row in another form.
    """
    tokens, pronoun, candidates = (_json(row, name) for name in _COLUMNS[4:])
    try:
        first, last = pronoun[1]
        names = [str(candidate[0]) for candidate in candidates]
        right = [bool(candidate[3]) for candidate in candidates]
        span = _span(row.values["sentence"], tokens[:last], first)
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise row.error(
            "expected tokens, [pronoun, [first, last], …] and candidates", "pronoun", _HINT
        ) from error
    if len(names) != 2 or right.count(True) != 1:
        raise row.fault(
            NotBuilt.UNREADABLE_ANSWER, "expected two candidates, one of them right", "candidates", _HINT
        )
    if span is None:
        raise row.fault(NotBuilt.NO_GAP, "the pronoun is not in the sentence", "pronoun", _HINT)
    sentence = row.values["sentence"]
    return {
        "sentence": f"{sentence[: span[0]]}_{sentence[span[1] :]}",
        "option1": names[0],
        "option2": names[1],
        "answer": str(right.index(True) + 1),
    }


def _span(sentence: str, tokens: Sequence[str], first: int) -> tuple[int, int] | None:
    """Where in the sentence the tokens from `first` on stand; None if they are not there in this order."""
    start = at = 0
    for place, token in enumerate(tokens):
        here = sentence.find(token, at)
        if here < 0 and token in _QUOTES:
            token, here = '"', sentence.find('"', at)
        if here < 0 or sentence[at:here].strip():
            return None
        start = here if place == first else start
        at = here + len(token)
    return (start, at) if len(tokens) > first else None


def _json(row: DatasetRow, column: str) -> Any:
    try:
        return json.loads(row.values[column])
    except ValueError as error:
        raise row.error("expected JSON", column, _HINT) from error
