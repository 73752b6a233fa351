"""Expecting a user's error: by the place that it names and by key words, not by its whole sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crossin.core.errors import CrossinError


@contextmanager
def refused(
    *words: str,
    file: str | Path | None = None,
    row: int | None = None,
    field: str | None = None,
    hint: str | None = None,
) -> Iterator[pytest.ExceptionInfo[CrossinError]]:
    """The block must raise a CrossinError that names these places and holds these words (any case).

    file: the end of the path. hint: a word of the hint, which every error must have.
    """
    with pytest.raises(CrossinError) as caught:
        yield caught
    error = caught.value
    text = str(error).casefold()
    assert [word for word in words if word.casefold() not in text] == [], str(error)
    assert file is None or str(error.file).endswith(str(file)), str(error)
    assert row is None or error.row == row, str(error)
    assert field is None or error.field == field, str(error)
    assert error.hint, f"without a hint: {error}"
    assert hint is None or hint.casefold() in error.hint.casefold(), str(error)
