"""Records from text, a batch at a time: a JSON array of objects, or one JSON object a line.

The text is decoded and parsed as a stream, so a file may be larger than memory, and errors name lines.
(`ijson` and `pyarrow.json` do not know the lines of records or errors in a large array.)
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain
from json import JSONDecodeError
from pathlib import Path
from typing import IO, Any

from crossin.core.errors import CrossinError
from crossin.core.plain_values import shown
from crossin.corpus.reading.batch import Batch

BATCH = 4096
Numbered = Iterator[tuple[int, Any]]
_CHUNK = 1 << 20
_UTF8_HINT = "save the file as UTF-8"
_SPACE = re.compile(r"[ \t\n\r]*")
# An error this near the end of what has been read so far may be only the end: "-Infinity" and a pair of
# escaped surrogates are the longest things that are cut without a closing quote being awaited.
_LONGEST_CUT = 16
# Under what name an object holds a file's records.
_WRAPPERS = ("data", "rows", "records", "examples", "instances", "items", "train")
_decode = json.JSONDecoder().raw_decode


def json_batches(stream: IO[bytes], file: str | Path, *, lenient: bool = False) -> Iterator[Batch]:
    """The records of a JSON array or of JSON lines (the first character decides), in batches; or of one
    object with a list of them under a name such as `data`, which is read whole.

    Blank lines are skipped. Raises CrossinError, with row and line, where the text is not UTF-8 or not JSON,
    or a record is not an object; lenient: after a first good record, bytes that are not UTF-8 become lone
    surrogates, and a line that is not JSON, or not an object, is one of the batch's `broken` records.
    """
    chunks = decoded(stream, file, lenient)
    head = ""
    while not head.strip():
        more = next(chunks, None)
        if more is None:
            raise empty_file(file)
        head += more
    opening = head.lstrip()[0]
    if opening not in "[{":
        raise CrossinError(
            f"the file is not JSON, CSV or Parquet: it begins with {shown(opening)}",
            file=file,
            row=1,
            hint="save the rows as one JSON array, one JSON object a line, .csv or Parquet",
        )
    chunks = chain([head], chunks)
    if opening == "[":
        yield from batched(_array(chunks, file), file, lenient)
        return
    lines, wrapped = _wrapped(split_lines(chunks))
    if wrapped is not None:
        yield from batched(((0, record) for record in wrapped), file, lenient)
    else:
        yield from batched(_lines(lines, file, lenient), file, lenient)


def _wrapped(lines: Iterator[str]) -> tuple[Iterator[str], list[Any] | None]:
    """The lines, and the records where they are one object with a list of them (`{"data": [{…}, …]}`)."""
    read = []
    for line in lines:
        read.append(line)
        if line.strip():
            break
    try:
        value = json.loads(read[-1])
    except RecursionError:
        return chain(read, lines), None
    except ValueError:
        if not read[-1].rstrip().endswith(("{", "[", ",", ":")):
            return chain(read, lines), None
        # An object over several lines.
        read += lines
        try:
            value = json.loads("\n".join(read))
        except (ValueError, RecursionError):
            return iter(read), None
        return iter(read), _list_in(value)
    found = _list_in(value)
    if found is None:
        return chain(read, lines), None
    for line in lines:
        read.append(line)
        if line.strip():
            # It is the first of several records.
            return chain(read, lines), None
    return iter(read), found


def _list_in(value: Any) -> list[Any] | None:
    found = [value[name] for name in _WRAPPERS if name in value] if isinstance(value, dict) else []
    lists = [one for one in found if isinstance(one, list) and one and isinstance(one[0], dict)]
    return lists[0] if len(lists) == 1 else None


def batched(records: Numbered, file: str | Path, lenient: bool) -> Iterator[Batch]:
    """Records, each with its line (0 where that is not known), in batches; lenient: as in `json_batches`."""
    first = 0
    held: list[dict[str, Any]] = []
    lines: list[int] = []
    broken: list[int] = []
    for line, record in records:
        if type(record) is not dict and lenient and (first or held):
            broken.append(len(held))
            record = {}
        elif type(record) is not dict:
            raise CrossinError(
                f"the record on line {line} is {kind_of(record)}, not an object",
                file=file,
                row=first + len(held) + 1,
                hint='write each record as an object: {"name": "value", …}',
            )
        held.append(record)
        lines.append(line)
        if len(held) == BATCH:
            yield Batch.of(file, first, held, lines=lines if line else None, broken=broken)
            first += BATCH
            held, lines, broken = [], [], []
    if held:
        yield Batch.of(file, first, held, lines=lines if lines[0] else None, broken=broken)


def kind_of(value: Any) -> str:
    """What a JSON value is, in words for an error."""
    kinds = {list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "text" if isinstance(value, str) else "null")


def decoded(stream: IO[bytes], file: str | Path, lenient: bool) -> Iterator[str]:
    """The text of a UTF-8 stream in pieces, without its byte order mark. lenient: other bytes become lone
    surrogates, by which their rows are known later.
    """
    rest, position, line = b"", 0, 1
    while True:
        data = stream.read(_CHUNK)
        final = not data
        if not position and not rest:
            if b"\0" in data[:4] or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise CrossinError("the file is UTF-16 or UTF-32, not UTF-8", file=file, hint=_UTF8_HINT)
            data = data.removeprefix(codecs.BOM_UTF8)
        data = rest + data
        try:
            text, used = codecs.utf_8_decode(data, "surrogateescape" if lenient else "strict", final)
        except UnicodeDecodeError as error:
            line += data.count(b"\n", 0, error.start)
            raise CrossinError(
                f"line {line} is not UTF-8: byte 0x{data[error.start]:02x} at position"
                f" {position + error.start:,} of the file",
                file=file,
                hint=_UTF8_HINT,
            ) from error
        position, rest, line = position + used, data[used:], line + data.count(b"\n", 0, used)
        if text:
            yield text
        if final:
            return


def _lines(lines: Iterator[str], file: str | Path, lenient: bool) -> Numbered:
    """The value of each line that is not blank, with the line's number; lenient: None for a line after the
    first that is not JSON.
    """
    row = 0
    for number, line in enumerate(lines, 1):
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
            if not lenient or row == 1:
                raise _not_json(error, file, row, number) from error
            value = None
        yield number, value


def split_lines(chunks: Iterator[str]) -> Iterator[str]:
    """The lines of the text, ended by newlines only: other separators may be inside JSON strings."""
    pieces: list[str] = []
    for chunk in chunks:
        first, *others = chunk.split("\n")
        pieces.append(first)
        if others:
            yield "".join(pieces)
            yield from others[:-1]
            pieces = [others[-1]]
    yield "".join(pieces)


def _array(chunks: Iterator[str], file: str | Path) -> Numbered:
    """The values of the array that the text holds, each with the number of its first line."""
    window = _Window(chunks, file)
    window.next_character()
    window.at += 1
    mark = window.next_character()
    while mark != "]":
        window.next_character()
        yield window.line_here(), window.value()
        mark = window.next_character()
        if mark not in (",", "]"):
            raise window.error("Expecting ',' or ']'" if mark else "the array does not end")
        window.at += mark == ","
    window.at += 1
    if window.next_character():
        raise window.error("Extra data after the array")


class _Window:
    """The part of the text that is in memory, and the reader's position in it."""

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
        """The number of the current line."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def next_character(self) -> str:
        """Move to the next character that is not a space, and return it; empty at the end of the text."""
        while True:
            self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def value(self) -> Any:
        """Read the value that begins here."""
        self.row += 1
        ended = False
        while True:
            try:
                # A number may be cut by the window's end, but is not a record either way.
                value, self.at = _decode(self.text, self.at)
                return value
            except JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos > len(self.text) - _LONGEST_CUT
                if ended or not cut:
                    line = self.line_here() + self.text.count("\n", self.at, error.pos)
                    raise _not_json(error, self.file, self.row, line) from error
            except (ValueError, RecursionError) as error:
                raise _not_json(error, self.file, self.row, self.line_here()) from error
            ended = not self.more()

    def error(self, message: str) -> CrossinError:
        """The error that something else is due here."""
        return _not_json(ValueError(message), self.file, self.row, self.line_here())


def empty_file(file: str | Path) -> CrossinError:
    """The error that a file holds nothing."""
    return CrossinError("the file is empty", file=file, hint="check the path")


def _not_json(error: Exception, file: str | Path, row: int, line: int) -> CrossinError:
    what = error.msg if isinstance(error, JSONDecodeError) else str(error)
    return CrossinError(
        f"line {line} is not JSON: {'nested too deeply' if isinstance(error, RecursionError) else what}",
        file=file,
        row=row or None,
        hint="repair the line; a file holds one JSON array of objects, or one JSON object a line",
    )
