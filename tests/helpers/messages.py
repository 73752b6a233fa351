"""What a command says on standard error."""

from __future__ import annotations

import re

_PROGRESS = re.compile(r"\d{4}-\d\d-\d\d ")


def messages(stderr: str) -> list[str]:
    """The lines of standard error without those on progress, which name times."""
    return [line for line in stderr.splitlines() if line and not _PROGRESS.match(line)]
