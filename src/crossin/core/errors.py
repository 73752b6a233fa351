"""The error that users see: what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CrossinError(Exception):
    """Bad input, or something outside that fails; the command line prints it and exits with code 2.

    `message` says what is wrong; `file`, `row` (counted from 1) and `field` say where; `hint` what to do.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.message, self.file, self.row, self.field, self.hint = message, file, row, field, hint
        place = ", ".join(
            part
            for part in (
                str(file) if file is not None else "",
                f"row {row}" if row is not None else "",
                f"field '{field}'" if field else "",
            )
            if part
        )
        super().__init__(f"{place + ': ' if place else ''}{message}{'. Hint: ' + hint if hint else ''}")


@contextmanager
def located(
    file: str | Path | None = None,
    row: int | None = None,
    field: str | None = None,
    hint: str | None = None,
) -> Iterator[None]:
    """Add a place to a CrossinError of the block where it has none; a `hint` replaces its own."""
    try:
        yield
    except CrossinError as error:
        raise CrossinError(
            error.message,
            file=error.file if error.file is not None else file,
            row=error.row if error.row is not None else row,
            field=error.field or field,
            hint=hint or error.hint,
        ) from error
