"""Building a benchmark by a mapping: the rows of each language become items, joined by id or position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from crossin.bench.assemble import NotBuilt, pivot_first, whole_items, write_whole
from crossin.bench.dataset import USUAL, DatasetRow, fetch, matching
from crossin.bench.mapping import PLACEHOLDER, DatasetMapping
from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
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
    folder, files = _files(name, mapping, source, chosen, split)
    _refuse_same_rows(mapping, files)
    settings = {
        "bench": name,
        "languages": chosen,
        "split": split,
        "mapping": mapping.model_dump(mode="json", exclude_defaults=True),
    }
    inputs = {str(file.relative_to(folder)): file for found in files.values() for file in found}
    with stage(out, "bench", settings, inputs) as work:
        if not work.done:
            items, left_out = whole_items(_read(name, mapping, files, chosen, progress), chosen)
            write_whole(work, items, left_out)
    return work


def _files(
    name: str, mapping: DatasetMapping, source: Path | None, languages: Sequence[str], split: str
) -> tuple[Path, dict[str, list[Path]]]:
    """The folder of the dataset, and each language's files in it."""
    if source is not None and source.is_file():
        return source.parent, {code: [source] for code in languages}
    patterns = {
        code: [
            pattern.replace("{language}", mapping.languages[code]).replace("{split}", split)
            for pattern in (*mapping.files, *USUAL)
            # A file that names no split holds the mapping's own.
            if "{split}" in pattern or split == mapping.split
        ]
        for code in languages
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
    files = {code: matching(folder, patterns[code]) for code in languages}
    for code, found in files.items():
        if not found:
            tried = ", ".join(patterns[code][: max(3, len(mapping.files))])
            raise CrossinError(
                f"there is no file for {code}; looked for {tried}, …",
                file=folder,
                hint="put the file there, or leave the language out with --languages",
            )
    return folder, files


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


def _read(
    name: str,
    mapping: DatasetMapping,
    files: dict[str, list[Path]],
    languages: Sequence[str],
    progress: Progress,
) -> dict[str, dict[str, Item | str]]:
    found: dict[str, dict[str, Item | str]] = {}
    labels: dict[str, tuple[str, str]] = {}
    counts: dict[str, int] = {}
    table: tuple[list[Path], list[DatasetRow]] = ([], [])
    for number, code in enumerate(languages):
        progress(f"reading {name}", number, len(languages), "languages")
        if files[code] != table[0]:
            table = (
                files[code],
                [
                    DatasetRow(file, row, values)
                    for file in files[code]
                    for row, values in read_records(file, names=mapping.columns)
                ],
            )
        reader = _Reader(mapping, code)
        column, called = mapping.language_column, mapping.languages[code]
        rows = [row for row in table[1] if column is None or row.text(column) == called]
        for position, row in enumerate(rows, start=1):
            item = reader.label(row, mapping.item) if mapping.item else str(position)
            if code in found.setdefault(item, {}):
                found[item][code] = ItemFault.ITEM_TWICE.about(code)
                continue
            if item not in labels:
                group = reader.label(row, mapping.group) if mapping.group else item
                labels[item] = group, reader.label(row, mapping.task)
            found[item][code] = reader.item(row, item, *labels[item])
        counts[code] = len(rows)
    progress(f"reading {name}", len(languages), len(languages), "languages")
    if mapping.join == "position" and len(set(counts.values())) > 1:
        shown = ", ".join(f"{code} {count:,}" for code, count in counts.items())
        raise CrossinError(
            f"rows are joined by position, but the numbers of rows differ: {shown}",
            file=files[languages[-1]][0],
            hint="get the same version of every file, or join by an id",
        )
    return found


@dataclass(frozen=True)
class _Reader:
    """Reads rows as a mapping says, in one language."""

    mapping: DatasetMapping
    code: str

    def spelled(self, template: str) -> str:
        return template.replace("{language}", self.mapping.languages[self.code])

    def label(self, row: DatasetRow, template: str) -> str:
        """A template filled with the row's values as they are, for what is the same in all languages."""
        return PLACEHOLDER.sub(lambda found: row.text(found[1]), self.spelled(template)).strip()

    def fill(self, row: DatasetRow, template: str | dict[str, str]) -> str:
        """A template filled with the row's values, or the language's words for them."""

        def value(column: str) -> str:
            text = row.text(column)
            if column not in self.mapping.words:
                return text
            if text not in self.mapping.words[column]:
                raise row.error(
                    f"the mapping has no words for '{text}'", column, f"add it under words.{column}"
                )
            return self.mapping.words[column][text][self.code]

        text = template if isinstance(template, str) else template[self.code]
        return PLACEHOLDER.sub(lambda found: value(found[1]), self.spelled(text)).strip()

    def item(self, row: DatasetRow, item: str, group: str, task: str) -> Item | str:
        """The row as an item, or the reason why it cannot be one."""
        mapping = self.mapping
        options = self.options(row)
        order = list(range(len(options)))
        if mapping.shuffle:
            order.sort(key=lambda place: hash64("order", item, str(place)))
        # A letter that is shown at another place than its own would mislead.
        numbered = mapping.shuffle or len(options) > len(ascii_uppercase)
        ids = [str(place + 1) if numbered else ascii_uppercase[place] for place in range(len(options))]
        answer = self.answer(row, options)
        if isinstance(answer, int):
            if not 0 <= answer < len(options):
                return ItemFault.ANSWER_NOT_AN_OPTION.about(self.code)
            answer = ids[answer]
        elif mapping.options is not None:
            return answer
        return Item(
            item=item,
            group=group,
            task=task,
            language=self.code,
            context=self.fill(row, mapping.context),
            question=self.fill(row, mapping.question),
            options=[options[place] for place in order],
            option_ids=[ids[place] for place in order],
            answer=answer,
            source=f"{mapping.dataset}@{mapping.revision}" if mapping.dataset else "local files",
            licence=mapping.licence,
        )

    def options(self, row: DatasetRow) -> list[str]:
        """The options' texts, in the dataset's order."""
        options = self.mapping.options
        if options is None:
            return []
        if options.templates is not None:
            return [self.fill(row, template) for template in options.templates]
        column = self.spelled(options.column)
        value: Any = row.value(column)
        if options.separator is not None:
            value = row.text(column).split(options.separator)
        elif isinstance(value, dict):
            value = list(value.values())
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise row.error("expected a list of texts", column, "name the column that holds the options")
        return [row.whole(one, column) for one in value]

    def answer(self, row: DatasetRow, options: list[str]) -> int | str:
        """The place of the right option, from 0 (-1 where it is not among them), or the reason why there is
        no such place; for a free-text item, the reference.
        """
        answer = self.mapping.answer
        column = self.spelled(answer.column)
        text = row.text(column)
        if answer.form == "text":
            if self.mapping.options is None:
                return text
            if text in options:
                return options.index(text)
            several = answer.separator is not None and answer.separator in text
            return NotBuilt.SEVERAL_ANSWERS.about(self.code) if several else -1
        if answer.form == "letter":
            letter = text.strip("(). ").upper()
            if len(letter) == 1 and letter in ascii_uppercase:
                return ascii_uppercase.index(letter)
        elif text.isdecimal():
            return int(text) - (answer.form == "number")
        raise row.error(
            f"expected a {answer.form}, not '{text[:40]}'",
            column,
            "correct `answer` in the mapping, or the row",
        )
