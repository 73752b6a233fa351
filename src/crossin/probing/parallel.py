"""Parallel sentences: the same sentences in several languages, from any of the forms that a user has them
in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, read_text
from crossin.core.formats import ITEMS
from crossin.items import read_items
from crossin.items.item import writable
from crossin.languages import parse_language

_FORMS = (
    "name a folder with a text file a language (en.txt, vi.txt: the same line is the same sentence), "
    "a benchmark, or JSON lines or Parquet with item, language and text"
)


@dataclass(frozen=True)
class Parallel:
    """N sentences in each of several languages.

    `ids` [N] names them; `texts` holds those of each language [N], in the same order; `files` are what was
    read; `skipped` counts what was left out, by reason.
    """

    ids: list[str]
    texts: dict[str, list[str]]
    files: dict[str, Path]
    skipped: dict[str, int] = field(default_factory=dict)


def read_parallel(
    place: Path, *, languages: Sequence[str] | None = None, limit: int | None = None
) -> Parallel:
    """The first `limit` sentences of `place` that are there in all of `languages` (all that it has, if not
    given).

    `place` is a folder of text files, each named after its language; a benchmark (a question behind its
    context is a sentence); or JSON lines or Parquet with `item` (or `id`), `language` and `text`. The
    sentences of a smaller limit are those that a larger one begins with. Raises CrossinError, with file and
    row, for files of unequal length, an empty sentence, a sentence that is twice in a language, an unknown or
    absent language, fewer than two languages, and fewer than two sentences.
    """
    if not place.exists():
        raise CrossinError("is not there", file=place, hint=_FORMS)
    if place.is_dir() and not (place / ITEMS).exists():
        found = _text_files(place, languages)
    else:
        found = _joined(place, languages)
    if len(found.texts) < 2:
        raise CrossinError(
            f"one language has nothing to be near to, and here is only {next(iter(found.texts))}",
            file=place,
            hint="name at least two languages that are there",
        )
    if len(found.ids[:limit]) < 2:
        raise CrossinError(
            f"{len(found.ids[:limit])} sentences that all of {', '.join(found.texts)} have are too few",
            file=place,
            hint="give at least two, and for figures worth reading a hundred or more",
        )
    texts = {language: sentences[:limit] for language, sentences in found.texts.items()}
    return Parallel(found.ids[:limit], texts, found.files, found.skipped)


def _text_files(folder: Path, languages: Sequence[str] | None) -> Parallel:
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.txt")):
        language = _language(path.stem, path)
        if language in files:
            raise CrossinError(
                f"is a second file of {language}, beside {files[language].name}", file=path, hint="keep one"
            )
        files[language] = path
    if not files:
        raise CrossinError("holds no parallel sentences", file=folder, hint=_FORMS)
    chosen = _chosen(files, languages, folder)
    texts = {language: _lines(files[language]) for language in chosen}
    first = chosen[0]
    for language in chosen[1:]:
        if len(texts[language]) != len(texts[first]):
            raise CrossinError(
                f"has {len(texts[language]):,} lines, and {files[first]} has {len(texts[first]):,}",
                file=files[language],
                hint="make line k of each file the same sentence",
            )
    ids = [str(number) for number in range(1, len(texts[first]) + 1)]
    return Parallel(ids, texts, {language: files[language] for language in chosen})


def _lines(path: Path) -> list[str]:
    """The lines of a text file; only a line feed ends a line, whatever else Unicode has for that."""
    text = read_text(path).removeprefix("\ufeff").removesuffix("\n")
    lines = [line.strip() for line in text.split("\n")]
    if "" in lines:
        raise CrossinError(
            "the line is empty",
            file=path,
            row=lines.index("") + 1,
            hint="fill it, or take this line out of the file of every language",
        )
    return lines


def _joined(place: Path, languages: Sequence[str] | None) -> Parallel:
    """From lines of id, language and text, the sentences that all languages have."""
    file, lines = _bench_lines(place) if place.is_dir() else (place, _file_lines(place))
    cells: dict[str, dict[str, str]] = {}
    for row, (name, spelt, text) in enumerate(lines, start=1):
        if not text.strip():
            raise CrossinError("is empty", file=file, row=row, field="text", hint="fill it, or leave it out")
        if not writable(text):
            raise CrossinError(
                "holds half of a character (a lone surrogate)",
                file=file,
                row=row,
                field="text",
                hint="repair the row",
            )
        language = _language(spelt, file, row)
        sentences = cells.setdefault(language, {})
        if name in sentences:
            raise CrossinError(
                f"'{name}' is here a second time in {language}",
                file=file,
                row=row,
                hint="keep one of the two",
            )
        sentences[name] = text.strip()
    if not cells:
        raise CrossinError("holds no sentences", file=file, hint=_FORMS)
    chosen = _chosen(cells, languages, file)
    names = dict.fromkeys(name for language in chosen for name in cells[language])
    whole = []
    skipped: dict[str, int] = {}
    for name in names:
        lacking = [language for language in chosen if name not in cells[language]]
        if not lacking:
            whole.append(name)
        else:
            reason = f"sentence: not there in {', '.join(lacking)}"
            skipped[reason] = skipped.get(reason, 0) + 1
    texts = {language: [cells[language][name] for name in whole] for language in chosen}
    return Parallel(whole, texts, {"sentences": file}, skipped)


def _bench_lines(place: Path) -> tuple[Path, list[tuple[str, str, str]]]:
    lines = [
        (item.item, item.language, f"{item.context}\n{item.question}" if item.context else item.question)
        for item in read_items(place)
    ]
    return place / ITEMS, lines


def _file_lines(file: Path) -> Iterator[tuple[str, str, str]]:
    if file.name == ITEMS:
        yield from _bench_lines(file.parent)[1]
        return
    lines = _parquet(file) if file.suffix == ".parquet" else _json_lines(file)
    for row, line in enumerate(lines, start=1):
        name, language, text = line.get("item", line.get("id")), line.get("language"), line.get("text")
        name = str(name) if isinstance(name, int) else name
        if not (isinstance(name, str) and isinstance(language, str) and isinstance(text, str)):
            field = next(
                key
                for key, value in (("item", name), ("language", language), ("text", text))
                if not isinstance(value, str)
            )
            raise CrossinError("is not there, or no text", file=file, row=row, field=field, hint=_FORMS)
        yield name, language, text


def _json_lines(file: Path) -> Iterator[dict[str, Any]]:
    for row, text in enumerate(
        read_text(file).removeprefix("\ufeff").removesuffix("\n").split("\n"), start=1
    ):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise CrossinError(f"is not JSON: {error.msg}", file=file, row=row, hint=_FORMS) from error
        if not isinstance(line, dict):
            raise CrossinError("is no JSON object", file=file, row=row, hint=_FORMS)
        yield line


def _parquet(file: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet

    try:
        names = pyarrow.parquet.read_schema(file).names
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise CrossinError("cannot be read as Parquet", file=file, hint=_FORMS) from error
    lines: list[dict[str, Any]] = read_parquet(
        file, ["item" if "item" in names else "id", "language", "text"]
    ).to_pylist()
    return lines


def _language(name: Any, file: Path, row: int | None = None) -> str:
    try:
        return parse_language(name)
    except CrossinError as error:
        hint = (
            f"name the file after its language, such as vi.txt ({error.hint})" if row is None else error.hint
        )
        raise CrossinError(
            error.message, file=file, row=row, field=None if row is None else "language", hint=hint
        ) from error


def _chosen(found: dict[str, Any], languages: Sequence[str] | None, place: Path) -> list[str]:
    for language in languages or ():
        if language not in found:
            raise CrossinError(
                f"has no sentences in '{language}'", file=place, hint=f"name some of {', '.join(found)}"
            )
    return list(languages or found)
