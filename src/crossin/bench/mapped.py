"""Building a benchmark by a mapping: the rows of each language become items, joined by id or position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zipfile import is_zipfile

from crossin.bench.assemble import Versions, check_left_out, pivot_first, whole_items, write_whole
from crossin.bench.dataset import USUAL, DatasetRow, fetch, matching, read_rows, renamed
from crossin.bench.inventories import counted, give_entities
from crossin.bench.language_items import Labels, items_of, rows_of
from crossin.bench.mapping import DatasetMapping
from crossin.bench.options import in_order_of
from crossin.bench.order_check import check_order
from crossin.bench.shared_values import SharedValues
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.skipping import MOST_SKIPPED
from crossin.core.stages import Stage, stage
from crossin.items.item import Item

# Languages without files that an error names.
_NAMED = 10


def build_mapped(
    name: str,
    mapping: DatasetMapping,
    source: Path | None,
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    max_skipped: float = MOST_SKIPPED,
    progress: Progress = silent,
) -> Stage:
    """Build the benchmark that `mapping` describes, called `name`, from its files in the folder `source` (or
    that one file), or from the hub where None.

    Raises CrossinError for a language that the mapping or the files lack, for rows or options in another
    order by language, and where a larger share of items than `max_skipped` is left out for faults.
    """
    chosen = pivot_first(languages or list(mapping.languages))
    for code in chosen:
        if code not in mapping.languages:
            raise CrossinError(
                f"'{name}' has no language {code}; it has: {', '.join(mapping.languages)}",
                field="languages",
                hint="choose among them with --languages",
            )
    split = split or mapping.split
    # What decides the question is asked of every language that is there.
    others = [code for code in mapping.languages if code not in chosen] if mapping.words else []
    folder, files = _files(name, mapping, source, chosen, others, split)
    _refuse_same_rows(mapping, {code: files[code] for code in chosen})
    settings = {
        "bench": name,
        "languages": chosen,
        "split": split,
        "mapping": mapping.model_dump(mode="json", exclude_defaults=True),
    }
    inputs = {str(file.relative_to(folder)): file for found in files.values() for file in found}
    with stage(out, "bench", settings, inputs) as work:
        if not work.done:
            shared = SharedValues(mapping, chosen, _tables(mapping, files, [*chosen, *others]))
            found, rows = _read(name, mapping, files, chosen, shared, progress)
            disagreements = shared.settle(found)
            check_order(mapping, found, rows, chosen, max_skipped, progress)
            inventories = give_entities(found, chosen) if mapping.inventory else []
            items, left_out = whole_items(found, chosen, parallel=mapping.join != "none")
            check_left_out(folder, len(found), left_out, max_skipped)
            counts = counted(inventories, chosen)
            write_whole(work, items, left_out, disagreements, inventories=inventories, **counts)
    return work


def _files(
    name: str,
    mapping: DatasetMapping,
    source: Path | None,
    languages: Sequence[str],
    others: Sequence[str],
    split: str,
) -> tuple[Path, dict[str, list[Path]]]:
    """The folder of the dataset, and the files of each of the languages and of those others that it has."""
    if source is not None and is_zipfile(source):
        raise CrossinError("is an archive", file=source, hint="unpack it, and give the folder with --source")
    if source is not None and source.is_file():
        return source.parent, {code: [source] for code in (*languages, *others)}
    patterns = {
        code: [
            pattern.replace("{language}", mapping.languages[code]).replace("{split}", split)
            for pattern in (*mapping.files, *USUAL)
            # A file that names no split holds the mapping's own.
            if "{split}" in pattern or split == mapping.split
        ]
        for code in (*languages, *others)
    }
    if source is not None:
        folder = source
    elif mapping.dataset is not None:
        wanted = dict.fromkeys(pattern for found in patterns.values() for pattern in found)
        folder = fetch(mapping.dataset, mapping.revision, list(wanted))
    else:
        raise CrossinError(f"'{name}' is not on a hub", hint="give the folder of its files: --source DIR")
    if not folder.exists():
        raise CrossinError("no such file or folder", file=folder, hint="check --source")
    files = {code: matching(folder, found) for code, found in patterns.items()}
    if missing := [code for code in languages if not files[code]]:
        tried = list(dict.fromkeys(patterns[missing[0]]))[: max(3, len(mapping.files))]
        raise _no_files(folder, missing, tried, [code for code in languages if files[code]])
    return folder, {code: found for code, found in files.items() if found}


def _no_files(folder: Path, missing: list[str], tried: list[str], there: list[str]) -> CrossinError:
    others = f" and {len(missing) - _NAMED} others" if missing[_NAMED:] else ""
    other_way = f"build the languages that are: --languages {','.join(there)}"
    return CrossinError(
        f"there is no file for {', '.join(missing[:_NAMED])}{others}; looked for {', '.join(tried)}, …",
        file=folder,
        hint=f"put the files there, or {other_way if there else 'name another folder with --source'}",
    )


def _refuse_same_rows(mapping: DatasetMapping, files: dict[str, list[Path]]) -> None:
    """Raise CrossinError where the very same rows would be read as several languages."""
    texts = mapping.model_dump_json(include={"template", "context", "question", "options"})
    by_language = isinstance(mapping.question, dict) or isinstance(mapping.context, dict)
    if mapping.language_column is not None or by_language or "{language}" in texts:
        return
    seen: dict[Path, str] = {}
    for code, found in files.items():
        other = seen.setdefault(found[0], code)
        if other != code:
            raise CrossinError(
                f"would be read as {other} and as {code}, with the same texts",
                file=found[0],
                hint="give a folder with a file for each language (--source); if this one table holds them "
                "all, the mapping needs `language_column`, or columns such as {question_{language}}",
            )


def _tables(
    mapping: DatasetMapping, files: Mapping[str, list[Path]], languages: Sequence[str]
) -> Iterator[tuple[str, list[DatasetRow]]]:
    """The rows of each of the languages that has files."""
    table: tuple[list[Path], list[DatasetRow]] = ([], [])
    for code in languages:
        if code not in files:
            continue
        if files[code] != table[0]:
            table = (
                files[code],
                [
                    renamed(row, mapping.rename)
                    for file in files[code]
                    for row in read_rows(file, mapping.rows, mapping.columns)
                ],
            )
        yield code, rows_of(mapping, code, table[1])


def _read(
    name: str,
    mapping: DatasetMapping,
    files: dict[str, list[Path]],
    languages: Sequence[str],
    shared: SharedValues,
    progress: Progress,
) -> tuple[Versions, dict[str, dict[str, DatasetRow]]]:
    """By item and language the item, or why it cannot be used; and some rows of each language, by item."""
    found: Versions = {}
    kept: dict[str, dict[str, DatasetRow]] = {}
    labels: Labels = {}
    # By item: its version in the first language that has one.
    first: dict[str, Item] = {}
    counts: dict[str, int] = {}
    for number, (code, rows) in enumerate(_tables(mapping, files, languages)):
        progress(f"reading {name}", number, len(languages), "languages")
        kept[code] = {}
        for item, made in items_of(mapping, code, rows, files[code], labels, shared, kept[code]).items():
            if isinstance(made, Item) and mapping.options is not None and mapping.options.ids:
                made = in_order_of(first.setdefault(item, made), made)
            found.setdefault(item, {})[code] = made
        counts[code] = len(rows)
    progress(f"reading {name}", len(languages), len(languages), "languages")
    if mapping.join == "position" and len(set(counts.values())) > 1:
        shown = ", ".join(f"{code} {count:,}" for code, count in counts.items())
        raise CrossinError(
            f"rows are joined by position, but the numbers of rows differ: {shown}",
            file=files[languages[-1]][0],
            hint="get the same version of every file, or join by an id",
        )
    return found, kept
