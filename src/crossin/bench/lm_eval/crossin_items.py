"""Reads the questions beside this file for lm-evaluation-harness; written here by `crossin bench export`.

Paths are relative to this file, so that the folder can be moved. Every text stays a text, where the readers
of `datasets` would parse one such as 2001-01-01 as a time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def load(file: str, **_metadata: object) -> dict[str, Any]:
    """The split `test`: the questions in the JSON lines of `file`."""
    from datasets import Dataset

    lines = (Path(__file__).parent / file).read_text(encoding="utf-8").split("\n")
    return {"test": Dataset.from_list([json.loads(line) for line in lines if line])}
