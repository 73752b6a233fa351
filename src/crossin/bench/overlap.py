"""What a benchmark shares with another one, or with rows that are trained on, and its part that is clean."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.bench.matching import NGRAM, Evidence, Level, SharedItem, TextIndex, shared_items
from crossin.core.errors import CrossinError
from crossin.core.files import write_parquet
from crossin.core.formats import DATA_FOLDER, ITEMS, MANIFEST
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.results import Tabular
from crossin.core.stages import stage
from crossin.corpus.reading.records import kind_of_name, read_records
from crossin.items.inventories import read_inventories
from crossin.items.item import Item, finish_bench, items_file, read_items

if TYPE_CHECKING:
    import pyarrow

CLEAN, CONTAMINATED, OVERLAP = "clean", "contaminated", "overlap.parquet"
# Examples of each kind of evidence and language.
_EXAMPLES = 3
_KINDS = ("parquet", "jsonl", "ndjson", "json", "csv", "tsv")
# Columns of a row that hold no text to learn from.
_NOT_TEXT = {"id", "role", "from", "language", "lang", "lang_in", "lang_out", "component", "kind", "source"}


@dataclass(frozen=True, repr=False)
class Overlap(Tabular):
    """What the items of a benchmark share. `items` has the highest level at which each item is shared in any
    language, or None; what is shared at `level` or above is contaminated.
    """

    items: dict[str, Level | None]
    matches: tuple[SharedItem, ...]
    level: Level

    def __repr__(self) -> str:
        return f"Overlap({len(self.contaminated):,} of {len(self.items):,} items, by {self.level})"

    @property
    def contaminated(self) -> set[str]:
        """The items that are shared at `level` or above."""
        counted = list(Level)[: list(Level).index(self.level) + 1]
        return {item for item, level in self.items.items() if level in counted}

    def counts(self) -> dict[str, Any]:
        """The items; those shared, by their highest level; those contaminated, and the others."""
        shared = Counter(level for level in self.items.values() if level is not None)
        return {
            "items": len(self.items),
            "level": self.level,
            "shared": {level: shared[level] for level in Level if shared[level]},
            "contaminated": len(self.contaminated),
            "clean": len(self.items) - len(self.contaminated),
        }

    def counted(self) -> list[dict[str, Any]]:
        """A line for each evidence and language, the surest first: how many items, and a few of them."""
        lines: dict[tuple[Evidence, str], dict[str, SharedItem]] = defaultdict(dict)
        for match in self.matches:
            lines[match.evidence, match.language].setdefault(match.item, match)
        order = list(dict.fromkeys(match.language for match in self.matches))
        evidences = sorted({evidence for evidence, _ in lines}, key=lambda one: one.place)
        return [
            {
                "level": evidence.level,
                "evidence": evidence,
                "language": language,
                "count": len(found),
                "examples": [
                    {"item": one.item, "other": one.other, "shared": one.shared}
                    for one in list(found.values())[:_EXAMPLES]
                ],
            }
            for evidence in evidences
            for language in order
            if (found := lines.get((evidence, language)))
        ]

    def to_arrow(self) -> pyarrow.Table:
        """A row for each match: `item`, `level`, `language`, `other`, `evidence`, `shared`."""
        import pyarrow

        names = ("item", "level", "language", "other", "evidence", "shared")
        rows = [match._asdict() | {"level": match.evidence.level} for match in self.matches]
        schema = pyarrow.schema([(name, pyarrow.string()) for name in names])
        return pyarrow.Table.from_pylist([{name: str(row[name]) for name in names} for row in rows], schema)


def find_overlap(
    ours: Path | str,
    theirs: Path | str,
    *,
    out: Path | str | None = None,
    level: Level | str = Level.TRIPLE,
    ngram: int = NGRAM,
    progress: Progress = silent,
) -> Overlap:
    """What the benchmark `ours` shares with `theirs` (`crossin.bench.matching`).

    theirs: a benchmark, or rows: a mixture's folder, or a file (or a folder of files) of Parquet, JSON Lines,
    JSON or CSV, all texts of which are searched. level: the lowest that counts as contaminated. With `out`,
    this folder gets `overlap.parquet`, and `ours` in two parts: `clean` and `contaminated`, a benchmark each
    (none where it has no items). An item goes to one part in all its languages.

    Raises CrossinError where `ours` is not a benchmark, and `theirs` neither that nor rows.
    """
    ours, theirs = as_path(ours), as_path(theirs)
    if level not in list(Level):
        hint = f"choose among: {', '.join(Level)}"
        raise CrossinError(f"there is no level '{level}'", field="level", hint=hint)
    if ngram < 1:
        raise CrossinError("an n-gram has one word at least", field="ngram", hint=f"for example {NGRAM}")
    items = read_items(ours)
    found = _matches(items, theirs, ngram, progress)
    levels: dict[str, Level | None] = dict.fromkeys(item.item for item in items)
    for match in sorted(found, key=lambda match: -match.evidence.place):
        levels[match.item] = match.evidence.level
    made = Overlap(levels, tuple(found), next(one for one in Level if one == level))
    if out is not None:
        settings = {"level": str(level), "ngram": ngram}
        _write(made, items, as_path(out), settings, {"ours": ours, "theirs": theirs})
    return made


def _matches(items: Sequence[Item], theirs: Path, ngram: int, progress: Progress) -> list[SharedItem]:
    if _is_bench(theirs):
        progress("comparing items", 0, 1, "benchmarks")
        return shared_items(items, read_items(theirs), ngram)
    index = TextIndex(items, ngram)
    found: list[SharedItem] = []
    files = _files(theirs)
    for number, file in enumerate(files):
        progress("searching rows", number, len(files), "files")
        for row, record in read_records(file):
            best: dict[tuple[str, str], SharedItem] = {}
            for match in index.matches(list(_texts(record)), f"{file.name}:{row}"):
                best.setdefault((match.item, match.language), match)
            found += best.values()
    progress("searching rows", len(files), len(files), "files")
    return found


def _is_bench(place: Path) -> bool:
    if place.is_dir():
        return (place / ITEMS).is_file()
    if place.suffix != ".parquet" or not place.is_file():
        return False
    row = next(read_records(place), None)
    return row is not None and {"item", "question", "option_ids"} <= row[1].keys()


def _files(place: Path) -> list[Path]:
    """The files of rows at a place: itself, or those of a mixture or another folder in the order of their
    names.
    """
    folder = place / DATA_FOLDER if (place / DATA_FOLDER).is_dir() else place
    there = sorted(folder.iterdir()) if folder.is_dir() else [folder] if folder.is_file() else []
    found = [file for file in there if file.is_file() and _is_rows(file.name)]
    if not found:
        hint = f"name a benchmark's folder, a mixture, or a file of {', '.join(_KINDS)}"
        raise CrossinError("there is neither a benchmark here, nor rows", file=place, hint=hint)
    return found


def _is_rows(name: str) -> bool:
    return kind_of_name(name) in _KINDS and name != MANIFEST and not name.startswith(".")


def _texts(value: Any) -> Iterator[str]:
    """All texts of a row, however they are nested."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NOT_TEXT:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _write(
    made: Overlap, items: Sequence[Item], out: Path, settings: dict[str, Any], inputs: dict[str, Path]
) -> None:
    contaminated = made.contaminated
    inventories = list(read_inventories(items_file(inputs["ours"]).parent).values())
    with stage(out, "overlap", settings, inputs) as work:
        if work.done:
            return
        for part, inside in ((CLEAN, False), (CONTAMINATED, True)):
            kept = [item for item in items if (item.item in contaminated) == inside]
            if kept:
                languages = list(dict.fromkeys(item.language for item in kept))
                with stage(
                    out / part, "bench", {**settings, "part": part, "languages": languages}, inputs
                ) as one:
                    if not one.done:
                        finish_bench(one, kept, {}, inventories=inventories)
        write_parquet(out / OVERLAP, made.to_arrow())
        work.finish([OVERLAP], made.counts())
