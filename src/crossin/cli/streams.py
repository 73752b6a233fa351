"""Standard output and error: readable in any encoding, and quiet where nobody reads them."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import TextIO

# Characters of tables and messages with a likeness in ASCII.
_LIKE = str.maketrans(
    {
        **dict.fromkeys("–—−‐", "-"),
        **dict.fromkeys("‘’", "'"),
        **dict.fromkeys("“”„", '"'),
        **{"▲": "^", "▼": "v", "→": "->", "…": "...", "·": "|", "×": "x", "≥": ">=", "≤": "<=", "⏎": "/"},
    }
)
_ERRORS, _ASCII = "crossin.readable", "crossin_ascii"


def prepare_streams() -> None:
    """Make standard output and error write what their encoding lacks in ASCII, instead of failing.

    That is a likeness for the characters of tables, and an escape such as `\\u0e44` for others.
    """
    codecs.register_error(_ERRORS, _readable)
    codecs.register(_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Click takes a stream that calls itself ASCII for a mistake, and writes UTF-8.
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ASCII if ascii_only else stream.encoding, errors=_ERRORS)
    # A file opened later must not take the number of a closed stream, which libraries write to.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def is_utf8(stream: TextIO | None) -> bool:
    """Whether a stream can hold every character."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def is_plain(stream: TextIO | None) -> bool:
    """Whether a stream should get no colours and nothing that moves."""
    terminal = stream is not None and stream.isatty()
    return not terminal or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in ("dumb", "unknown")


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    # Bytes of file names that Python could not decode may be UTF-8 after all, as with LC_ALL=C.
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return text.translate(_LIKE).encode("ascii", "backslashreplace").decode("ascii"), error.end


def _ascii(name: str) -> codecs.CodecInfo | None:
    if name != _ASCII:
        return None
    own = codecs.lookup("ascii")
    return codecs.CodecInfo(
        own.encode,
        own.decode,
        own.streamreader,
        own.streamwriter,
        own.incrementalencoder,
        own.incrementaldecoder,
        name=_ASCII,
    )
