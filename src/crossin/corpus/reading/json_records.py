"""Records from JSON text, a batch at a time: an array of objects, or one object a line.

The text is decoded and parsed as it streams by, so that a file may be larger than memory and an error can
name the line that it stands on.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from crossin.core.errors import CrossinError
from crossin.corpus.reading.batch import JsonBatch

BATCH = 4096
_CHUNK = 1 << 20
_UTF8_FIX = "save the file as UTF-8"
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SPACE = re.compile(r"[ \t\n\r]*")
# An error this near the end of what has been read so far may be only the end: "-Infinity" and a pair of
# escaped surrogates are the longest things that are cut without a closing quote being awaited.
_LONGEST_CUT = 16
_decode = json.JSONDecoder().raw_decode


class Bytes(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def json_batches(stream: Bytes, file: str | Path) -> Iterator[JsonBatch]:
    """The records of a JSON array or of JSON lines (the first character tells), in batches.

    Raises CrossinError, with the line, where the text is not UTF-8, not JSON, or a record is no object.
    """
    chunks = decoded(stream, file)
    head = ""
    while not head.strip():
        more = next(chunks, None)
        if more is None:
            raise CrossinError("the file is empty", file=file, hint="check the path")
        head += more
    opening = head.lstrip()[0]
    if opening not in "[{":
        raise CrossinError(
            f"this is neither a JSON array nor JSON lines nor Parquet: it begins with {opening!r}",
            file=file,
            hint="save the rows as one JSON array, as one JSON object a line, or as Parquet",
        )
    read = _array if opening == "[" else _lines
    yield from _batched(read(chain([head], chunks), file), file)


def decoded(stream: Bytes, file: str | Path) -> Iterator[str]:
    """The text of a UTF-8 stream in pieces, without its byte order mark."""
    rest, position, line = b"", 0, 1
    while True:
        try:
            data = stream.read(_CHUNK)
        except OSError as error:
            raise CrossinError(f"cannot be read: {error}", file=file, hint="get the file again") from error
        final = not data
        if not position and not rest:
            data = _without_mark(data, file)
        data = rest + data
        try:
            text, used = codecs.utf_8_decode(data, "strict", final)
        except UnicodeDecodeError as error:
            line += data.count(b"\n", 0, error.start)
            raise CrossinError(
                f"line {line} is not UTF-8: byte 0x{data[error.start]:02x} at position"
                f" {position + error.start:,} of the file",
                file=file,
                hint=_UTF8_FIX,
            ) from error
        position, rest, line = position + used, data[used:], line + data.count(b"\n", 0, used)
        if text:
            yield text
        if final:
            return


def _without_mark(data: bytes, file: str | Path) -> bytes:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            raise CrossinError(f"the file is {name}", file=file, hint=_UTF8_FIX)
    if b"\0" in data[:4]:
        raise CrossinError("the file is not UTF-8, perhaps UTF-16", file=file, hint=_UTF8_FIX)
    return data.removeprefix(codecs.BOM_UTF8)


def _batched(records: Iterator[tuple[int, Any]], file: str | Path) -> Iterator[JsonBatch]:
    first = 0
    held: list[dict[str, Any]] = []
    lines: list[int] = []
    for line, record in records:
        if type(record) is not dict:
            raise CrossinError(
                f"the record on line {line} is {_kind(record)}, not an object",
                file=file,
                row=first + len(held) + 1,
                hint='write each record as an object: {"instruction": …, "output": …}',
            )
        held.append(record)
        lines.append(line)
        if len(held) == BATCH:
            yield JsonBatch(file, np.arange(first, first + BATCH), held, lines)
            first += BATCH
            held, lines = [], []
    if held:
        yield JsonBatch(file, np.arange(first, first + len(held)), held, lines)


def _kind(value: Any) -> str:
    kinds = {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def _lines(chunks: Iterator[str], file: str | Path) -> Iterator[tuple[int, Any]]:
    """The value of each line that is not blank, with the line's number."""
    number, row = 0, 0
    for line in _split(chunks):
        number += 1
        start = _SPACE.match(line).end()  # type: ignore[union-attr]
        if start == len(line):
            continue
        row += 1
        try:
            value, end = _decode(line, start)
            after = _SPACE.match(line, end).end()  # type: ignore[union-attr]
            if after != len(line):
                raise JSONDecodeError("Extra data", line, after)
        except (ValueError, RecursionError) as error:
            raise _not_json(error, file, row, number) from error
        yield number, value


def _split(chunks: Iterator[str]) -> Iterator[str]:
    """The lines of the text, ended by newlines only: other separators may stand inside JSON strings."""
    pieces: list[str] = []
    for chunk in chunks:
        first, *others = chunk.split("\n")
        pieces.append(first)
        if others:
            yield "".join(pieces)
            yield from others[:-1]
            pieces = [others[-1]]
    yield "".join(pieces)


def _array(chunks: Iterator[str], file: str | Path) -> Iterator[tuple[int, Any]]:
    """The values of the array that the text holds, each with the number of its first line."""
    window = _Window(chunks, file)
    window.next_character()
    window.at += 1
    if window.next_character() == "]":
        window.at += 1
    else:
        while True:
            window.next_character()
            yield window.line_here(), window.value()
            mark = window.next_character()
            if mark not in (",", "]"):
                message = "the array does not end" if not mark else "Expecting ',' or ']'"
                raise window.error(JSONDecodeError(message, window.text, window.at))
            window.at += 1
            if mark == "]":
                break
    if window.next_character():
        raise window.error(JSONDecodeError("Extra data after the array", window.text, window.at))


class _Window:
    """The part of the text that is in memory, and where in it the reader stands."""

    def __init__(self, chunks: Iterator[str], file: str | Path) -> None:
        self.chunks, self.file = chunks, file
        self.text, self.at, self.row = "", 0, 0
        self.line, self.counted = 1, 0

    def more(self) -> bool:
        """Drop what is read and double what is not; False at the end of the text."""
        self.line_here()
        kept = len(self.text) - self.at
        pieces, size = [self.text[self.at :]], 0
        for chunk in self.chunks:
            pieces.append(chunk)
            size += len(chunk)
            if size >= kept:
                break
        self.text, self.at, self.counted = "".join(pieces), 0, 0
        return size > 0

    def line_here(self) -> int:
        """The number of the line that the reader stands on."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def next_character(self) -> str:
        """Go to the next character that is no space; empty at the end of the text."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def value(self) -> Any:
        """The value that begins here, and go behind it."""
        self.row += 1
        ended = False
        while True:
            try:
                value, end = _decode(self.text, self.at)
            except JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos > len(self.text) - _LONGEST_CUT
                if ended or not cut:
                    raise self.error(error) from error
            except (ValueError, RecursionError) as error:
                raise self.error(error) from error
            else:
                # A number may go on behind the window's end, but is no record either way.
                self.at = end
                return value
            ended = not self.more()

    def error(self, error: Exception) -> CrossinError:
        """The error at its line."""
        line = self.line_here()
        if isinstance(error, JSONDecodeError):
            line += self.text.count("\n", self.at, error.pos)
        return _not_json(error, self.file, self.row, line)


def _not_json(error: Exception, file: str | Path, row: int, line: int) -> CrossinError:
    if isinstance(error, JSONDecodeError):
        what = error.msg
    else:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
    return CrossinError(
        f"line {line} is not JSON: {what}",
        file=file,
        row=row or None,
        hint="repair the line; a file holds one JSON array of objects, or one JSON object a line",
    )
