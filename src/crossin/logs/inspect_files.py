"""The files of inspect_ai's logs: `.eval`, which is a zip of JSON members, and one JSON object.

They are read without inspect_ai. Members are deflated, or packed with Zstandard, which Python's zipfile
knows from 3.14 on only.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json

Json = dict[str, Any]

ENDING = ".eval"
_ZSTANDARD = 93
# A local header: its size, and where in it the lengths of the name and of the extra field are.
_LOCAL_HEADER, _LENGTHS = 30, slice(26, 30)
_HEADER, _START = "header.json", "_journal/start.json"
_SAMPLE = re.compile(r"samples/.+_epoch_\d+(\.json|/sample\.json)")
_PART = re.compile(r"(samples/.+/)attachments/(\d+)\.json")
# What stands for a text that is among a sample's attachments.
ATTACHMENT = "attachment://"
_READ = ("id", "epoch", "input", "choices", "target", "output", "scores", "metadata", "error")
_JSON_HEAD = re.compile(rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:')
_HINT = "copy the log again, or leave the file out"


@dataclass(frozen=True, eq=False)
class InspectLog:
    """A log's file and its header: `status`, `eval`, `plan`, and where it ended, `results`."""

    file: Path
    header: Json

    @property
    def task(self) -> Json:
        """What the header says about task, model and data set."""
        return object_at(self.header, "eval")

    @property
    def model(self) -> str:
        """The model's name, with that of its provider."""
        return str(self.task.get("model") or "")


def object_at(holder: Json, *keys: str) -> Json:
    """The object at these keys, one inside the other; an empty one where there is none."""
    for key in keys:
        found = holder.get(key)
        holder = found if isinstance(found, dict) else {}
    return holder


def is_inspect_log(file: Path) -> bool:
    """Whether a file is a log of inspect_ai, by its name and its first bytes."""
    if file.suffix == ENDING:
        return True
    if file.suffix != ".json":
        return False
    with file.open("rb") as start:
        return _JSON_HEAD.match(start.read(200)) is not None


def read_header(file: Path) -> InspectLog:
    """The header of a log; of one that was not ended, what was written at its start."""
    if file.suffix != ENDING:
        return _checked(file, {key: value for key, value in _object(file).items() if key != "samples"})
    with _Members(file) as members:
        if _HEADER in members.names:
            return _checked(file, members.read(_HEADER))
        if _START in members.names:
            return _checked(file, {**members.read(_START), "status": "started"})
    raise CrossinError("holds no header of a log of inspect_ai", file=file, hint=_HINT)


def read_samples(file: Path) -> Iterator[Json]:
    """The samples of a log: what was asked, answered and scored, without what happened in between."""
    if file.suffix != ENDING:
        found = _object(file).get("samples") or []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise CrossinError("expected a list of samples", file=file, field="samples", hint=_HINT)
        yield from map(_kept, found)
        return
    with _Members(file) as members:
        # Of a large sample, metadata and attachments are members of its folder: lists of texts, by the number
        # of their first.
        parts: dict[str, list[int]] = {}
        for name in members.names:
            if part := _PART.fullmatch(name):
                parts.setdefault(part[1], []).append(int(part[2]))
        for name in members.names:
            if not _SAMPLE.fullmatch(name):
                continue
            sample, folder = members.read(name), name.removesuffix("sample.json")
            if folder != name:
                if f"{folder}metadata.json" in members.names:
                    sample["metadata"] = members.read(f"{folder}metadata.json")
                lists = [
                    members.read_list(f"{folder}attachments/{at}.json")
                    for at in sorted(parts.get(folder, []))
                ]
                sample["attachments"] = {str(at): text for at, text in enumerate(chain.from_iterable(lists))}
            yield _kept(sample)


def _kept(sample: Json) -> Json:
    """What is read of a sample; attachments only where that refers to some."""
    if "score" in sample:
        # As the first versions had it.
        sample.setdefault("scores", {"score": sample["score"]})
    kept = {name: sample[name] for name in _READ if name in sample}
    return {**kept, "attachments": sample.get("attachments")} if ATTACHMENT in repr(kept) else kept


def _checked(file: Path, header: Json) -> InspectLog:
    log = InspectLog(file, header)
    for name in ("task", "model"):
        if not isinstance(log.task.get(name), str):
            raise CrossinError(
                "missing: not a log of inspect_ai", file=file, field=f"eval.{name}", hint=_HINT
            )
    return log


def _object(file: Path) -> Json:
    found = read_json(file)
    if not isinstance(found, dict):
        raise CrossinError("expected one JSON object", file=file, hint=_HINT)
    return found


class _Members:
    """The members of a zip, by name; of several with one name, the last written, as inspect_ai reads them."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._stream = file.open("rb")
        except OSError as error:
            message = f"cannot be read: {error.strerror or error}"
            raise CrossinError(message, file=file, hint="check the path") from error
        try:
            self._zip = zipfile.ZipFile(self._stream)
        except (zipfile.BadZipFile, OSError) as error:
            self._stream.close()
            message = f"is not a whole .eval file: {error}"
            raise CrossinError(
                message, file=file, hint="wait until the run has ended, or copy it again"
            ) from error
        self.names = dict.fromkeys(self._zip.NameToInfo)

    def __enter__(self) -> _Members:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._stream.close()

    def read(self, name: str) -> Json:
        """The JSON object in a member."""
        found = self._content(name)
        if not isinstance(found, dict):
            raise CrossinError(f"'{name}' holds no object", file=self._file, hint=_HINT)
        return found

    def read_list(self, name: str) -> list[Any]:
        """The JSON list in a member."""
        found = self._content(name)
        if not isinstance(found, list):
            raise CrossinError(f"'{name}' holds no list", file=self._file, hint=_HINT)
        return found

    def _content(self, name: str) -> Any:
        member = self._zip.NameToInfo[name]
        try:
            packed = member.compress_type == _ZSTANDARD
            return json.loads(self._unpacked(member) if packed else self._zip.read(member))
        # pyarrow's errors are ValueError and OSError.
        except (ValueError, OSError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
            message = f"'{name}' cannot be read: {error}"
            raise CrossinError(message, file=self._file, hint=_HINT) from error

    def _unpacked(self, member: zipfile.ZipInfo) -> bytes:
        """The content of a member that is packed with Zstandard."""
        import pyarrow

        self._stream.seek(member.header_offset)
        lengths = struct.unpack("<HH", self._stream.read(_LOCAL_HEADER)[_LENGTHS])
        self._stream.seek(sum(lengths), 1)
        packed = self._stream.read(member.compress_size)
        if not member.file_size:
            return b""
        # Members may consist of several frames, which this reads like one.
        content = bytes(pyarrow.decompress(packed, member.file_size, codec="zstd", asbytes=True))
        if zlib.crc32(content) != member.CRC:
            raise zipfile.BadZipFile("its checksum is another")
        return content
