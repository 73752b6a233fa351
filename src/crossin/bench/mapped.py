"""Building a benchmark by a mapping: the rows of each language become items, joined by id or position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.bench.assemble import build, pivot_first
from crossin.bench.hub import fetch
from crossin.bench.mapping import PLACEHOLDER, Mapping
from crossin.bench.tables import USUAL, Row, matching, read_rows
from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage
from crossin.items.item import Item, writable

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def build_mapped(
    name: str,
    mapping: Mapping,
    source: Path | None,
    out: Path,
    *,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    progress: Progress = silent,
) -> Stage:
    """Make the benchmark that `mapping` describes, called `name`, from its files in the folder `source` (or
    that one file), or from the hub where None.

    Raises CrossinError for a language that the mapping or the files lack, and for a row that is not as the
    mapping says.
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
    settings = {
        "bench": name,
        "languages": chosen,
        "split": split,
        "mapping": mapping.model_dump(mode="json", exclude_defaults=True),
    }
    inputs = {str(file.relative_to(folder)): file for found in files.values() for file in found}
    return build(out, settings, inputs, chosen, lambda: _gather(name, mapping, files, chosen, progress))


def _files(
    name: str, mapping: Mapping, source: Path | None, languages: Sequence[str], split: str
) -> tuple[Path, dict[str, list[Path]]]:
    """The folder of the dataset, and each language's files in it."""
    if source is not None and source.is_file():
        return source.parent, _told_apart(mapping, {code: [source] for code in languages})
    patterns = {
        code: [
            pattern.replace("{language}", mapping.languages[code]).replace("{split}", split)
            for pattern in (*mapping.files, *USUAL)
            # A file that names no split holds the mapping's own.
            if "{split}" in pattern or split == mapping.split
        ]
        for code in languages
    }
    if source is None:
        if mapping.dataset is None:
            raise CrossinError(f"'{name}' is on no hub", hint="name the folder of its files: --source DIR")
        wanted = dict.fromkeys(pattern for found in patterns.values() for pattern in found)
        folder = fetch(mapping.dataset, mapping.revision, list(wanted))
    else:
        folder = source
    if not folder.is_dir():
        raise CrossinError("there is no such file or folder", file=folder, hint="check --source")
    files = {code: matching(folder, patterns[code]) for code in languages}
    for code, found in files.items():
        if not found:
            tried = ", ".join(patterns[code][: max(3, len(mapping.files))])
            raise CrossinError(
                f"there is no file for {code}; looked for {tried}, …",
                file=folder,
                hint="put the file there, or leave the language out with --languages",
            )
    return folder, _told_apart(mapping, files)


def _told_apart(mapping: Mapping, files: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """The files, unless the very same rows would be read as several languages."""
    texts = mapping.model_dump_json(include={"context", "question", "options"})
    by_language = isinstance(mapping.question, dict) or isinstance(mapping.context, dict)
    if mapping.language_column is None and not by_language and "{language}" not in texts:
        seen: dict[Path, str] = {}
        for code, found in files.items():
            other = seen.setdefault(found[0], code)
            if other != code:
                raise CrossinError(
                    f"would be read as {other} and as {code}, word for word the same",
                    file=found[0],
                    hint="name with --source a folder with a file for each language; if this one table holds "
                    "them all, the mapping needs `language_column`, or columns such as {question_{language}}",
                )
    return files


def _gather(
    name: str,
    mapping: Mapping,
    files: dict[str, list[Path]],
    languages: Sequence[str],
    progress: Progress,
) -> dict[str, dict[str, Item | str]]:
    found: dict[str, dict[str, Item | str]] = {}
    labels: dict[str, tuple[str, str]] = {}
    counts: dict[str, int] = {}
    table: tuple[list[Path], list[Row]] = ([], [])
    for number, code in enumerate(languages):
        progress(f"reading {name}", number, len(languages), "languages")
        if files[code] != table[0]:
            rows = [row for file in files[code] for row in read_rows(file, mapping.columns)]
            table = (files[code], rows)
        version = _Version(mapping, code)
        column, called = mapping.language_column, mapping.languages[code]
        rows = [row for row in table[1] if column is None or row.text(column) == called]
        for position, row in enumerate(rows, start=1):
            item = version.label(row, mapping.item) if mapping.item else str(position)
            if code in found.setdefault(item, {}):
                found[item][code] = f"more than once in {code}"
                continue
            group, task = labels.get(item) or (
                version.label(row, mapping.group) if mapping.group else item,
                version.label(row, mapping.task),
            )
            labels[item] = (group, task)
            found[item][code] = version.item(row, item, group, task)
        counts[code] = len(rows)
    progress(f"reading {name}", len(languages), len(languages), "languages")
    if mapping.join == "position" and len(set(counts.values())) > 1:
        shown = ", ".join(f"{code} {count:,}" for code, count in counts.items())
        raise CrossinError(
            f"rows are joined by their position, but the languages have different numbers: {shown}",
            file=files[languages[-1]][0],
            hint="get the same version of every file, or join by an id",
        )
    return found


@dataclass(frozen=True)
class _Version:
    """A mapping in one language."""

    mapping: Mapping
    code: str

    def spelled(self, template: str) -> str:
        return template.replace("{language}", self.mapping.languages[self.code])

    def template(self, template: str | dict[str, str]) -> str:
        return template if isinstance(template, str) else template[self.code]

    def label(self, row: Row, template: str) -> str:
        """A template with the row's values in it as they stand, for what is the same in all languages."""
        return PLACEHOLDER.sub(lambda found: row.text(found[1]), self.spelled(template)).strip()

    def fill(self, row: Row, template: str) -> str:
        """A template with the row's values, or the language's words for them, in it."""

        def value(column: str) -> str:
            text = row.text(column)
            if column not in self.mapping.words:
                return text
            if text not in self.mapping.words[column]:
                raise row.error(
                    f"the mapping has no words for '{text}'", column, f"add it under words.{column}"
                )
            return self.mapping.words[column][text][self.code]

        return PLACEHOLDER.sub(lambda found: value(found[1]), self.spelled(template)).strip()

    def item(self, row: Row, item: str, group: str, task: str) -> Item | str:
        """The row as an item, or why it is none."""
        mapping = self.mapping
        options = self.options(row)
        order = list(range(len(options)))
        if mapping.shuffle:
            order.sort(key=lambda place: hash64("order", item, str(place)))
        # A letter that is shown at another place than its own would mislead.
        numbered = mapping.shuffle or len(options) > len(_LETTERS)
        ids = [str(place + 1) if numbered else _LETTERS[place] for place in range(len(options))]
        answer = self.answer(row, options)
        if isinstance(answer, int):
            if not 0 <= answer < len(options):
                return f"the answer is none of the options in {self.code}"
            answer = ids[answer]
        elif mapping.options is not None:
            return answer
        return Item(
            item=item,
            group=group,
            task=task,
            language=self.code,
            context=self.fill(row, self.template(mapping.context)),
            question=self.fill(row, self.template(mapping.question)),
            options=[options[place] for place in order],
            option_ids=[ids[place] for place in order],
            answer=answer,
            source=f"{mapping.dataset}@{mapping.revision}" if mapping.dataset else "local files",
            licence=mapping.licence,
        )

    def options(self, row: Row) -> list[str]:
        """The options' texts, in the dataset's order."""
        options = self.mapping.options
        if options is None:
            return []
        if isinstance(options, list):
            return [self.fill(row, template) for template in options]
        column = self.spelled(options.column)
        value: Any = row.value(column)
        if options.separator is not None:
            value = row.text(column).split(options.separator)
        elif isinstance(value, dict):
            value = list(value.values())
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise row.error("is no list of texts", column, "name the column that holds the options")
        if not all(map(writable, value)):
            raise row.error("holds half of a character (a lone surrogate)", column, "repair the row")
        return [one.strip() for one in value]

    def answer(self, row: Row, options: list[str]) -> int | str:
        """The place of the right option, from 0 (-1 where it is none of them), or a text that says why there
        is no one place; of an item in free text, the reference.
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
            return f"more than one right answer in {self.code}" if several else -1
        if answer.form == "letter":
            letter = text.strip("(). ").upper()
            if len(letter) == 1 and letter in _LETTERS:
                return _LETTERS.index(letter)
        elif text.isdecimal():
            return int(text) - (answer.form == "number")
        raise row.error(
            f"'{text[:40]}' is no {answer.form}", column, "correct `answer` in the mapping, or the row"
        )
