"""Building a benchmark by a mapping: the rows of each language become items, joined by id or position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from crossin.bench.assemble import NotBuilt, pivot_first, whole_items, write_whole
from crossin.bench.dataset import USUAL, DatasetRow, fetch, matching
from crossin.bench.keys import Disagreement, of_one_vocabulary, plain, settle
from crossin.bench.mapping import DatasetMapping
from crossin.bench.row_items import RowReader
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.corpus.reading.records import read_records
from crossin.items.item import Item, ItemFault


def build_mapped(
    name: str,
    mapping: DatasetMapping,
    source: Path | None,
    out: Path | str,
    *,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    progress: Progress = silent,
) -> Stage:
    """Build the benchmark that `mapping` describes, called `name`, from its files in the folder `source` (or
    that one file), or from the hub where None.

    Raises CrossinError for a language that the mapping or the files lack, and for a row that does not fit the
    mapping.
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
            words, disagreements = _words(mapping, files, chosen)
            found, labels = _read(name, mapping, files, chosen, words, progress)
            items, left_out = whole_items(found, chosen)
            write_whole(work, items, left_out, [*disagreements, *labels])
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
    for code in languages:
        if not files[code]:
            tried = ", ".join(patterns[code][: max(3, len(mapping.files))])
            raise CrossinError(
                f"there is no file for {code}; looked for {tried}, …",
                file=folder,
                hint="put the file there, or leave the language out with --languages",
            )
    return folder, {code: found for code, found in files.items() if found}


def _refuse_same_rows(mapping: DatasetMapping, files: dict[str, list[Path]]) -> None:
    """Raise CrossinError where the very same rows would be read as several languages."""
    texts = mapping.model_dump_json(include={"context", "question", "options"})
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


def _rows(
    mapping: DatasetMapping, files: Mapping[str, list[Path]], languages: Sequence[str]
) -> Iterator[tuple[str, list[tuple[str, DatasetRow]]]]:
    """By language: its rows, each with the name of its item."""
    table: tuple[list[Path], list[DatasetRow]] = ([], [])
    for code in languages:
        if files[code] != table[0]:
            table = (
                files[code],
                [
                    DatasetRow(file, row, values)
                    for file in files[code]
                    for row, values in read_records(file, names=mapping.columns)
                ],
            )
        reader = RowReader(mapping, code)
        column, called = mapping.language_column, mapping.languages[code]
        rows = [row for row in table[1] if column is None or row.text(column) == called]
        named = [
            (reader.label(row, mapping.item) if mapping.item else str(position), row)
            for position, row in enumerate(rows, start=1)
        ]
        yield code, named


def _words(
    mapping: DatasetMapping, files: Mapping[str, list[Path]], languages: Sequence[str]
) -> tuple[dict[str, dict[str, str]], list[Disagreement]]:
    """By column of `words` and by item the key of most languages, and where one of `languages` has another.

    Raises CrossinError where the mapping has no words for any value of one of the languages.
    """
    votes: dict[str, dict[str, dict[str, str]]] = {column: {} for column in mapping.words}
    count = 0

    def cast(code: str, rows: list[tuple[str, DatasetRow]]) -> None:
        for column, values in votes.items():
            cells = [(item, row.text(column)) for item, row in rows]
            known = {plain(value) for value in mapping.words[column]}
            if code in languages and cells and not any(plain(value) in known for _, value in cells):
                message = f"the mapping has no words for '{cells[0][1]}'"
                raise rows[0][1].error(message, column, f"add it under words.{column}")
            for item, value in cells:
                values.setdefault(item, {}).setdefault(code, value)

    for code, rows in _rows(mapping, files, languages if mapping.words else []):
        count = max(count, len(rows))
        cast(code, rows)
    for code in files.keys() - set(languages):
        # A language that was not asked for, and cannot be read, has no vote.
        with suppress(CrossinError):
            rows = next(_rows(mapping, files, [code]))[1]
            if mapping.join == "id" or len(rows) == count:
                cast(code, rows)
    settled = {column: settle(column, values, mapping.words[column]) for column, values in votes.items()}
    agreed = {column: values for column, (values, _) in settled.items()}
    disagreements = [one for _, found in settled.values() for one in found if one.language in languages]
    return agreed, disagreements


def _with_words(
    mapping: DatasetMapping, words: Mapping[str, Mapping[str, str]], item: str, row: DatasetRow
) -> DatasetRow | str:
    """The row with the keys that its item has in most languages, or the reason why it has none."""
    keys = {column: agreed[item] for column, agreed in words.items()}
    for column, key in keys.items():
        if key not in mapping.words[column]:
            return (NotBuilt.NO_WORDS if key else NotBuilt.KEY_DIFFERS).about(column)
    return replace(row, values={**row.values, **keys})


def _read(
    name: str,
    mapping: DatasetMapping,
    files: Mapping[str, list[Path]],
    languages: Sequence[str],
    words: Mapping[str, Mapping[str, str]],
    progress: Progress,
) -> tuple[dict[str, dict[str, Item | str]], list[Disagreement]]:
    """By item and language the item, or why it cannot be used; and where groups and tasks differ."""
    found: dict[str, dict[str, Item | str]] = {}
    votes: dict[str, dict[str, dict[str, str]]] = {"group": {}, "task": {}}
    counts: dict[str, int] = {}
    for number, (code, rows) in enumerate(_rows(mapping, files, languages)):
        progress(f"reading {name}", number, len(languages), "languages")
        reader = RowReader(mapping, code)
        for item, row in rows:
            if code in found.setdefault(item, {}):
                found[item][code] = ItemFault.ITEM_TWICE.about(code)
                continue
            group = reader.label(row, mapping.group) if mapping.group else item
            task = reader.label(row, mapping.task)
            votes["group"].setdefault(item, {})[code] = group
            votes["task"].setdefault(item, {})[code] = task
            asked = _with_words(mapping, words, item, row)
            found[item][code] = asked if isinstance(asked, str) else reader.item(asked, item, group, task)
        counts[code] = len(rows)
    progress(f"reading {name}", len(languages), len(languages), "languages")
    if mapping.join == "position" and len(set(counts.values())) > 1:
        shown = ", ".join(f"{code} {count:,}" for code, count in counts.items())
        raise CrossinError(
            f"rows are joined by position, but the numbers of rows differ: {shown}",
            file=files[languages[-1]][0],
            hint="get the same version of every file, or join by an id",
        )
    return found, _settle_labels(found, votes)


def _settle_labels(
    found: dict[str, dict[str, Item | str]], votes: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> list[Disagreement]:
    """Give each item one group and one task in all languages; the disagreements."""
    disagreements: list[Disagreement] = []
    labels: dict[str, dict[str, str]] = {}
    for column, values in votes.items():
        first = {item: next(iter(by_language.values())) for item, by_language in values.items()}
        agreed, differing = settle(column, of_one_vocabulary(values), first.values())
        labels[column] = {item: agreed[item] or label for item, label in first.items()}
        disagreements += differing
    for item, versions in found.items():
        group, task = labels["group"][item], labels["task"][item]
        for code, version in versions.items():
            if isinstance(version, Item):
                versions[code] = replace(version, group=group, task=task)
    return disagreements
