"""A job: one stage of an experiment, and the jobs whose results it reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Below the experiment's folder: a folder for each job.
STAGES = "stages"
_KEY_CHARACTERS = 16
_REFERENCE = re.compile(r"\$\{([^}]+)\}(/.*|)")


@dataclass(frozen=True, eq=False)
class Job:
    """One run of a stage. Arms that need the same result share the job.

    stage: the kind of stage, such as `train`. title: what people read, such as `train: x2x, seed 1`.
    settings: JSON values; the folder of another job's result is `${KEY}` with that job's key. needs: those
    jobs. key: the hash of all that decides the result, files and other jobs included. gpus: how many the
    stage needs, which a cluster reserves.
    """

    stage: str
    title: str
    settings: Mapping[str, Any]
    key: str
    needs: tuple[Job, ...] = ()
    gpus: float = field(default=0, compare=False)

    def folder(self, out: Path) -> Path:
        """Where the result is, below the experiment's folder `out`."""
        return out / STAGES / f"{self.stage}-{self.key[:_KEY_CHARACTERS]}"

    def __repr__(self) -> str:
        return f"Job({self.title!r})"


def with_needs(jobs: Iterable[Job]) -> list[Job]:
    """The jobs and all that they need, each once, needed ones first."""
    found: dict[str, Job] = {}

    def add(job: Job) -> None:
        if job.key not in found:
            for needed in job.needs:
                add(needed)
            found[job.key] = job

    for job in jobs:
        add(job)
    return list(found.values())


def references(value: Any) -> Iterator[str]:
    """What `${…}` names at the beginning of texts in a value, its lists and mappings."""
    if isinstance(value, str):
        if found := _REFERENCE.fullmatch(value):
            yield found[1]
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from references(one)


def replaced(value: Any, names: Mapping[str, Any]) -> Any:
    """The value with each `${NAME}` replaced by `names[NAME]`; `${NAME}/file` is a file in that folder."""
    if isinstance(value, str):
        found = _REFERENCE.fullmatch(value)
        return value if found is None else f"{names[found[1]]}{found[2]}" if found[2] else names[found[1]]
    if isinstance(value, Mapping):
        return {key: replaced(one, names) for key, one in value.items()}
    return [replaced(one, names) for one in value] if isinstance(value, list | tuple) else value
