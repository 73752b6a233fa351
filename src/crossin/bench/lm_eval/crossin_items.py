"""Reads the questions beside this file for lm-evaluation-harness (`crossin bench export` put it here).

Nothing is looked up relative to the working directory, so that the folder may lie anywhere; and every text
stays a text, where the readers of `datasets` would make a time of one such as 2001-01-01.
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
