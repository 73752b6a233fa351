"""One thing that is wrong, or looks wrong, with an item in a language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`kind` in a few words, the same for all findings of its sort; `note` says more about this one."""

    kind: str
    language: str
    item: str
    structural: bool
    note: str = ""
