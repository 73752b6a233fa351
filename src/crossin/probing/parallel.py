"""Parallel sentences: the same sentences in several languages, from text files, a benchmark, JSON lines or
Parquet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossin.core.coercion import listed
from crossin.core.errors import CrossinError, located
from crossin.core.files import read_text
from crossin.core.formats import ITEMS
from crossin.core.paths import as_path
from crossin.core.skipping import skipped_note
from crossin.corpus.reading.records import read_records
from crossin.items import read_items
from crossin.items.item import writable
from crossin.languages import parse_language
from crossin.probing.config import ProbeReason

_FORMS = (
    "name a folder with a text file for each language (en.txt, vi.txt: the same line is the same sentence), "
    "a benchmark, or JSON lines, CSV or Parquet with item, language and text"
)


@dataclass(frozen=True)
class Parallel:
    """N sentences in each of several languages.

    `ids` [N] names them; `texts` holds those of each language [N], in the same order; `files` are what was
    read; `skipped` counts what was left out, by reason code; `notes` say what to do where that is much.
    """

    ids: list[str]
    texts: dict[str, list[str]]
    files: dict[str, Path]
    skipped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_parallel(
    place: Path | str, *, languages: Sequence[str] | str = (), limit: int | None = None
) -> Parallel:
    """The first `limit` sentences of `place` that exist in all of `languages` (by default all that it has).

    place: a folder of text files, each named after its language; a benchmark (context and question are a
    sentence); or JSON lines or Parquet with `item` (or `id`), `language` and `text`. A smaller limit gives
    the first sentences of a larger one. Raises CrossinError, with file and row, for files of unequal length,
    an empty sentence, a sentence that occurs twice in a language, an unknown or missing language, fewer than
    two languages, and fewer than two sentences.
    """
    place, languages = as_path(place), listed(languages)
    if not place.exists():
        raise CrossinError("not found", file=place, hint=_FORMS)
    found = _text_files(place, languages) if _is_folder_of_texts(place) else _joined(place, languages)
    if len(found.texts) < 2:
        raise CrossinError(
            f"holds only {next(iter(found.texts))}: there is no language to compare it with",
            file=place,
            hint="name at least two of its languages",
        )
    ids = found.ids[:limit]
    if len(ids) < 2:
        raise CrossinError(
            f"holds {len(ids)} sentences in all of {', '.join(found.texts)}, and at least 2 are needed",
            file=place,
            hint="a hundred or more give figures worth reading",
        )
    texts = {language: sentences[:limit] for language, sentences in found.texts.items()}
    return Parallel(ids, texts, found.files, found.skipped, found.notes)


def _is_folder_of_texts(place: Path) -> bool:
    return place.is_dir() and not (place / ITEMS).exists()


def _text_files(folder: Path, languages: Sequence[str]) -> Parallel:
    files: dict[str, Path] = {}
    for path in sorted(folder.glob("*.txt")):
        with located(path, hint="name the file after its language, such as vi.txt"):
            language = parse_language(path.stem)
        if language in files:
            message = f"a second file of {language}, beside {files[language].name}"
            raise CrossinError(message, file=path, hint="keep one")
        files[language] = path
    if not files:
        raise CrossinError("holds no parallel sentences", file=folder, hint=_FORMS)
    files = {language: files[language] for language in _chosen(files, languages, folder)}
    texts = {language: _lines(path) for language, path in files.items()}
    first = next(iter(texts))
    count = len(texts[first])
    for language, lines in texts.items():
        if len(lines) != count:
            raise CrossinError(
                f"has {len(lines):,} lines, and {files[first]} has {count:,}",
                file=files[language],
                hint="make line k of each file the same sentence",
            )
    return Parallel([str(number) for number in range(1, count + 1)], texts, files)


def _lines(path: Path) -> list[str]:
    """The lines of a text file; only a line feed ends a line, not Unicode's other separators."""
    text = read_text(path).removeprefix("\ufeff").removesuffix("\n")
    lines = [line.strip() for line in text.split("\n")]
    if "" in lines:
        raise CrossinError(
            "the line is empty",
            file=path,
            row=lines.index("") + 1,
            hint="fill it, or remove this line from the file of every language",
        )
    return lines


def _joined(place: Path, languages: Sequence[str]) -> Parallel:
    """From lines of id, language and text, the sentences that all languages have."""
    bench = place.is_dir() or place.name == ITEMS
    file = place / ITEMS if place.is_dir() else place
    cells = _cells(_bench_lines(place) if bench else _file_lines(file), file)
    if not cells:
        raise CrossinError("holds no sentences", file=file, hint=_FORMS)
    chosen = _chosen(cells, languages, file)
    whole: list[str] = []
    skipped: Counter[str] = Counter()
    for name in dict.fromkeys(name for language in chosen for name in cells[language]):
        lacking = [language for language in chosen if name not in cells[language]]
        if lacking:
            skipped[ProbeReason.MISSING_LANGUAGE.about(*lacking)] += 1
        else:
            whole.append(name)
    texts = {language: [cells[language][name] for name in whole] for language in chosen}
    notes = skipped_note(file, len(whole) + skipped.total(), skipped, "sentences")
    return Parallel(whole, texts, {"sentences": file}, dict(skipped), notes)


def _cells(lines: Iterable[tuple[str, str, str]], file: Path) -> dict[str, dict[str, str]]:
    """Texts by language and id, from lines of id, language and text."""
    cells: dict[str, dict[str, str]] = {}
    for row, (name, spelled, text) in enumerate(lines, start=1):
        with located(file, row):
            if not text.strip():
                raise CrossinError("empty", field="text", hint="fill it, or leave it out")
            if not writable(text):
                message = "holds half of a character (a lone surrogate)"
                raise CrossinError(message, field="text", hint="repair the row")
            with located(field="language"):
                language = parse_language(spelled)
            sentences = cells.setdefault(language, {})
            if name in sentences:
                raise CrossinError(f"'{name}' occurs a second time in {language}", hint="keep one of the two")
        sentences[name] = text.strip()
    return cells


def _bench_lines(place: Path) -> Iterator[tuple[str, str, str]]:
    for item in read_items(place):
        text = f"{item.context}\n{item.question}" if item.context else item.question
        yield item.item, item.language, text


def _file_lines(file: Path) -> Iterator[tuple[str, str, str]]:
    for row, line in read_records(file, {"item", "id", "language", "text"}):
        name, language, text = line.get("item", line.get("id")), line.get("language"), line.get("text")
        name = str(name) if isinstance(name, int) else name
        for key, value in (("item", name), ("language", language), ("text", text)):
            if not isinstance(value, str):
                raise CrossinError("missing, or not a text", file=file, row=row, field=key, hint=_FORMS)
        yield str(name), str(language), str(text)


def _chosen(found: dict[str, Any], languages: Sequence[str], place: Path) -> list[str]:
    for language in languages:
        if language not in found:
            raise CrossinError(
                f"has no sentences in '{language}'", file=place, hint=f"it has {', '.join(found)}"
            )
    return list(languages or found)
