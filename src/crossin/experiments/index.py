"""The index of an experiment's folder: its arms, and where the results of each arm and seed are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin import __version__
from crossin.core.errors import CrossinError
from crossin.core.files import read_json, write_json

INDEX = "experiment.json"


@dataclass(frozen=True)
class ArmRun:
    """An arm with one seed. `answers`: by benchmark, the evaluation's folder. `training`: its folder, or None
    where nothing was trained. An arm that no seed changes has the same folders for every seed.
    """

    seed: int
    answers: dict[str, Path]
    training: Path | None = None


@dataclass(frozen=True)
class Arm:
    """An arm of the experiment. `axes`: its place on each axis, by the axis' name, as the file has it.
    `runs`: those that are finished. `failed`: by seed, why there is no result.
    """

    name: str
    axes: dict[str, Any]
    runs: tuple[ArmRun, ...]
    failed: dict[int, str]


@dataclass(frozen=True)
class Index:
    """All arms in the order of the file. `axes`: by name, their values in order. `languages`: those asked, in
    order; the `pivot` among them.
    """

    name: str
    baseline: str
    pivot: str
    languages: tuple[str, ...]
    axes: dict[str, list[Any]]
    arms: tuple[Arm, ...]


def write_index(out: Path, index: Index) -> None:
    """Write the index of the experiment in the folder `out`; folders are relative to it."""

    def run(one: ArmRun) -> dict[str, Any]:
        training = None if one.training is None else str(one.training.relative_to(out))
        answers = {bench: str(place.relative_to(out)) for bench, place in one.answers.items()}
        return {"seed": one.seed, "answers": answers, "training": training}

    arms = [
        {
            "name": arm.name,
            "axes": arm.axes,
            "runs": [run(one) for one in arm.runs],
            "failed": {str(seed): why for seed, why in arm.failed.items()},
        }
        for arm in index.arms
    ]
    entries: dict[str, Any] = {"name": index.name, "baseline": index.baseline, "pivot": index.pivot}
    entries |= {"languages": list(index.languages), "axes": index.axes, "arms": arms}
    write_json(out / INDEX, {"crossin": __version__, **entries})


def read_index(out: Path) -> Index:
    """The index of the experiment in the folder `out`. Raises CrossinError where there is none, or it is of
    another version.
    """
    file = out / INDEX
    if not file.is_file():
        raise CrossinError(
            "there is no experiment here", file=out, hint="crossin experiment FILE --out FOLDER makes one"
        )
    found = read_json(file)
    if not isinstance(found, dict) or found.get("crossin") != __version__:
        version = found.get("crossin", "?") if isinstance(found, dict) else "?"
        raise CrossinError(
            f"the results are of crossin {version}, and this is {__version__}",
            file=file,
            hint="install that version, or run the experiment in another folder",
        )

    def run(one: dict[str, Any]) -> ArmRun:
        training = None if one["training"] is None else out / one["training"]
        return ArmRun(one["seed"], {bench: out / place for bench, place in one["answers"].items()}, training)

    arms = tuple(
        Arm(
            arm["name"],
            arm["axes"],
            tuple(run(one) for one in arm["runs"]),
            {int(seed): why for seed, why in arm["failed"].items()},
        )
        for arm in found["arms"]
    )
    languages = tuple(found["languages"])
    return Index(found["name"], found["baseline"], found["pivot"], languages, found["axes"], arms)
