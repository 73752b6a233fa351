"""What finished jobs took: seconds and bytes on the disk, kept in the experiment's folder and in the user's
cache.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import make_folder, read_json, sha256_of_value, write_text, writing
from crossin.core.formats import MANIFEST
from crossin.core.user_cache import cache_home
from crossin.experiments.jobs import Job, references

# A line for each job that ran from its beginning to its end.
RATES = "rates.jsonl"
# A larger file loses its older half.
_MOST_BYTES = 1_000_000
# Settings that decide nothing about how long a job takes.
_ANY = {"seed", "name", "tokenizer"}


@dataclass(frozen=True)
class Rate:
    """What a job took. alike: the hash of its settings apart from seeds, names and what it needs. sizes: how
    large it was, in each unit that is known. at_once: how many jobs ran at the same time, at most. machine:
    several may share the cache.
    """

    key: str
    stage: str
    model: str
    alike: str
    seconds: float
    size_bytes: int
    at_once: int = 1
    machine: str = ""
    sizes: dict[str, float] = field(default_factory=dict)


def note_rate(job: Job, out: Path, seconds: float, *, at_once: int, cache: bool) -> None:
    """Keep what a job took that has just finished, in the folder, and with `cache` in the user's cache.

    Where that fails, as on a full disk, nothing is kept: the results do not depend on it.
    """
    place = job.folder(out)
    size = sum(path.lstat().st_size for path in place.rglob("*") if not path.is_dir())
    sizes = sizes_of(job, out)
    rate = Rate(job.key, job.stage, model_of(job), alike(job), seconds, size, at_once, this_machine(), sizes)
    for folder in (out, cache_home()) if cache else (out,):
        with suppress(CrossinError, OSError):
            _append(folder / RATES, rate)


def known_rates(out: Path) -> tuple[list[Rate], list[Rate]]:
    """The rates of the experiment's folder, and those of this machine in the cache, the latest last."""
    here, machine = _read(out / RATES), this_machine()
    return here, [rate for rate in _read(cache_home() / RATES) if rate.machine == machine]


def this_machine() -> str:
    """A name for this machine that changes with its number of cores."""
    return f"{platform.node()}, {os.cpu_count()} cores"


def model_of(job: Job) -> str:
    """The model that a job runs or trains, as its settings name it; empty where there is none."""
    model = job.settings.get("model") or job.settings.get("teacher") or ""
    return "" if any(references(model)) else str(model)


def alike(job: Job) -> str:
    """The hash of a job's stage and settings, apart from seeds, names and what it needs."""
    return sha256_of_value([job.stage, _plain(job.settings)])


def sizes_of(job: Job, out: Path) -> dict[str, float]:
    """How large a job is, in each unit in which that is known before it runs."""
    settings = job.settings
    if job.stage == "compose":
        return _sizes_of_recipe(settings) | _counted(job, out, "rows")
    if job.stage == "train":
        if steps := settings.get("max_steps"):
            return {"steps": steps}
        if tokens := settings.get("max_tokens"):
            return {"tokens": tokens}
        epochs = settings.get("epochs") or 1
        mixtures = [sizes_of(one, out) for one in job.needs if one.stage == "compose"]
        return {unit: size * epochs for unit, size in mixtures[0].items()} if mixtures else {}
    if job.stage == "evaluate":
        limit = settings.get("evaluate", {}).get("limit")
        benches = [_counted(one, out, "items") for one in job.needs if one.stage != "train"]
        return {"items": limit} if limit else next((one for one in benches if one), {})
    return {}


def _sizes_of_recipe(settings: Mapping[str, Any]) -> dict[str, float]:
    parts = settings.get("recipe", {}).get("components") or []
    return {
        unit: sum(part[unit] for part in parts)
        for unit in ("rows", "tokens")
        if parts and all(isinstance(part.get(unit), int) for part in parts)
    }


def _counted(job: Job, out: Path, unit: str) -> dict[str, float]:
    file = job.folder(out) / MANIFEST
    count = read_json(file)["counts"].get(unit) if file.exists() else None
    return {unit: count} if isinstance(count, int) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, str) and any(references(value)):
        return "${}"
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items() if key not in _ANY}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _append(file: Path, rate: Rate) -> None:
    with writing(file):
        make_folder(file.parent)
        # One write of one line: those of several processes do not mix.
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(rate)) + "\n")
        large = file.stat().st_size > _MOST_BYTES
    if large:
        lines_kept = file.read_text("utf-8", errors="replace").splitlines(keepends=True)
        write_text(file, "".join(lines_kept[len(lines_kept) // 2 :]))


def _read(file: Path) -> list[Rate]:
    """The rates in a file; lines of another version, or cut off, are passed over."""
    found = []
    with suppress(OSError):
        for line in file.read_text("utf-8", errors="replace").splitlines():
            with suppress(ValueError, TypeError):
                found.append(Rate(**json.loads(line)))
    return found
