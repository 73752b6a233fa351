"""How the model of a run was made, and how it was asked.

A manifest names what its stage read by hashes, not by folders. So the stages are searched in the folders near
the evaluation, and recognised by their hashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, sha256, sha256_of_value
from crossin.core.formats import ANSWERS, MANIFEST
from crossin.logs.lm_eval_samples import date_of
from crossin.reports.results import Run

Manifest = Mapping[str, Any]

# How far above an evaluation's folder its training's may be: runs/eval/MODEL/BENCH and runs/TRAINING.
_LEVELS = 4
_WEIGHTS = (".safetensors", ".bin", ".pt")
_REVISION = re.compile(r"\brevision=([^,\s]+)")
# Settings that say how a training was run, and decide nothing.
_IDLE = ("checkpoint_every", "device", "export", "log_every")
_AMOUNTS = ("rows", "steps", "tokens", "learned_tokens")
_EMPTY = ("None", "", "False")


@dataclass(frozen=True)
class Training:
    """The training of a run's model: its folder's name, its manifest, and that of its mixture; empty where
    the mixture's folder is elsewhere.
    """

    name: str
    manifest: Manifest
    mixture: Manifest


def trainings_of(runs: Sequence[Run]) -> dict[str, Training]:
    """The training of each run's model, by the run's name; of models that no training near made, none."""
    evaluations = [run.answers.file.absolute() for run in runs if run.answers.file.name == ANSWERS]
    near = _manifests({folder for file in evaluations for folder in list(file.parents)[1 : 1 + _LEVELS]})
    found = ((run.name, _training(run.manifest, near)) for run in runs)
    return {name: training for name, training in found if training}


def _manifests(folders: Iterable[Path]) -> dict[Path, Manifest]:
    """The manifests of the stages in these folders, by their file."""
    found: dict[Path, Manifest] = {}
    for file in sorted({file for folder in folders for file in folder.glob(f"*/{MANIFEST}")}):
        try:
            record = read_json(file)
        except CrossinError:
            # Another program's file of this name.
            continue
        if isinstance(record, dict) and record.get("stage") in ("compose", "train", "merge"):
            found[file] = record
    return found


def _training(evaluation: Manifest, near: Mapping[Path, Manifest]) -> Training | None:
    read = {
        value
        for name, value in _entries(evaluation, "inputs").items()
        if name in ("adapter", "model") or name.endswith(_WEIGHTS)
    }
    for file, record in near.items():
        if record["stage"] == "compose" or read.isdisjoint(_weights(_entries(record, "outputs"))):
            continue
        made = file if record["stage"] == "train" else _of_hash(record, "adapter", near)
        if made and near[made]["stage"] == "train":
            mixture = _of_hash(near[made], "mixture", near)
            return Training(made.parent.name, near[made], near[mixture] if mixture else {})
    return None


def _weights(outputs: Mapping[str, str]) -> set[str]:
    """What an evaluation may have read of a stage: a file of weights, or the folder that holds it."""
    found = {name: value for name, value in outputs.items() if name.endswith(_WEIGHTS)}
    folders = {Path(name).parent for name in found} - {Path()}
    inside = (
        {Path(name).name: value for name, value in outputs.items() if Path(name).parent == folder}
        for folder in folders
    )
    return {*found.values(), *map(sha256_of_value, inside)}


def _of_hash(record: Manifest, key: str, near: Mapping[Path, Manifest]) -> Path | None:
    """The manifest of the stage that another one read as its input `key`."""
    wanted = _entries(record, "inputs").get(key)
    return next((file for file in near if wanted and sha256(file) == wanted), None)


def in_short(run: Run, training: Training | None) -> dict[str, str]:
    """The model of a run and how it was asked, as far as it is known."""
    log, manifest = run.answers.log, run.manifest
    settings = manifest.get("settings", {})
    form, engine = _entries(settings, "form") or settings, _entries(settings, "engine")
    revision = _REVISION.search(str(settings.get("model_args", "")))
    wordings = form.get("wordings")
    trained = training.manifest["settings"].get("seed") if training else None
    found = {
        "model": settings.get("name") or log.model,
        "revision": settings.get("revision") or (revision[1] if revision else None),
        "training": training.name if training else None,
        "asked by": engine.get("engine") or settings.get("backend"),
        "precision": engine.get("dtype"),
        "prompts": ", ".join(map(str, wordings)) if wordings else run.answers.prompt,
        "chat": "yes" if form.get("chat") else None,
        "shots": form.get("shots"),
        "choice by": settings.get("choice"),
        "seed of the questions": settings.get("seed"),
        "seed of the training": trained,
        "date": manifest.get("finished") or date_of(log.file),
        "crossin": _entries(manifest, "versions").get("crossin"),
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def of_training(training: Training) -> dict[str, str]:
    """The settings and the data of a training, as far as they decide its result."""
    counts = _entries(training.manifest, "counts")
    components = _entries(_entries(training.mixture, "counts"), "components")
    made = {name.replace("_", " "): f"{counts[name]:,}" for name in _AMOUNTS if name in counts}
    rows = {f"rows of {name}": f"{count['rows']:,}" for name, count in components.items()}
    mixed = _entries(training.mixture, "settings")
    named = {f"mixture.{name}": mixed.get(name) for name in ("name", "languages", "template", "seed")}
    settings = flat({**_entries(training.manifest, "settings"), **named})
    kept = {name: text for name, text in settings.items() if text not in _EMPTY and name not in _IDLE}
    return made | rows | kept


def flat(value: Any, prefix: str = "") -> dict[str, str]:
    """Nested settings as lines: `training.lr` → `0.0005`."""
    if isinstance(value, dict):
        return {
            name: text
            for key, inner in value.items()
            for name, text in flat(inner, f"{prefix}{key}.").items()
        }
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return {prefix.rstrip("."): text}


def _entries(found: Manifest, key: str) -> Manifest:
    """The entries of a part of a manifest, or none where it is something else."""
    part = found.get(key)
    return part if isinstance(part, dict) else {}
