"""The arms of a report: whose answers they are, to which benchmark, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.formats import ANSWERS, CLAIM, MANIFEST
from crossin.core.paths import as_path
from crossin.logs.find import find_logs, read_logs
from crossin.logs.options import LogOptions
from crossin.logs.tables import Predictions, tables_of_log

# Paths by name; or paths, and pairs of a name and a path.
Runs = Mapping[str, Path | str] | Sequence[Path | str | tuple[str, Path | str]] | Path | str


@dataclass(frozen=True, eq=False)
class ReportArm:
    """One model's answers to one benchmark: those that are reported, and those under every wording of the
    prompt. `given` is the name that its path was given, if any.
    """

    given: str
    answers: Predictions
    wordings: Sequence[Predictions]


def find_arms(runs: Runs, options: LogOptions) -> list[ReportArm]:
    """The answers in all paths, one arm for each model and benchmark; reported is the first wording.

    runs: paths, some or all of them with a name. Raises CrossinError where a path holds no answers, or occurs
    twice without a name.
    """
    named = _named(runs)
    found = []
    for name, path in named:
        if not name and named.count((name, path)) > 1:
            raise CrossinError("is named twice", file=path, hint="name it once, or give names: NAME=PATH")
        _check_finished(path)
        for files in find_logs(path, options):
            for log in read_logs(files, options):
                wordings = tables_of_log(log, any_language=options.any_language)
                found.append(ReportArm(name, wordings[0], wordings if len(wordings) > 1 else ()))
    return found


def _named(runs: Runs) -> list[tuple[str, Path]]:
    """Names and paths; the name is empty where none is given."""
    if isinstance(runs, Path | str):
        return [("", as_path(runs))]
    parts = runs.items() if isinstance(runs, Mapping) else runs
    return [("", as_path(one)) if isinstance(one, Path | str) else (one[0], as_path(one[1])) for one in parts]


def _check_finished(path: Path) -> None:
    """Refuse the folder of an evaluation that was begun and not finished."""
    if (path / CLAIM).is_file() and not (path / MANIFEST).is_file():
        message = f"not a finished evaluation: '{MANIFEST}' is missing"
        raise CrossinError(message, file=path, hint="check the path, or finish the evaluation")


def with_wording(arms: Sequence[ReportArm], wording: str | None) -> list[ReportArm]:
    """Arms whose reported answers are those under one wording: the one named, or else the first that all arms
    with several have.

    Raises CrossinError where an arm lacks it.
    """
    several = [{one.prompt for one in arm.wordings} for arm in arms if arm.wordings]
    prompts = [one.prompt for arm in arms for one in arm.wordings]
    chosen = wording or next((one for one in prompts if all(one in known for known in several)), None)
    return [replace(arm, answers=_under(arm, chosen, wording)) for arm in arms]


def _under(arm: ReportArm, chosen: str | None, wording: str | None) -> Predictions:
    wordings = arm.wordings or [arm.answers]
    for one in wordings:
        if one.prompt == chosen or (not arm.wordings and wording is None):
            return one
    message = "no wording is that of all runs" if wording is None else f"unknown wording '{wording}'"
    raise CrossinError(
        message,
        file=arm.answers.file,
        field="prompt",
        hint=f"--wording: choose one of: {', '.join(one.prompt for one in wordings)}",
    )


def by_benchmark(found: Sequence[Predictions]) -> list[list[int]]:
    """Answers to the same benchmark, by their places: those whose logs name the same, or that have at least
    half of the questions of the smaller one in common.
    """
    groups: list[list[int]] = []
    questions = [_questions(one) for one in found]
    for place, one in enumerate(found):
        for group in groups:
            first = group[0]
            shared = len(questions[place] & questions[first])
            named = one.log.benchmark and one.log.benchmark == found[first].log.benchmark
            if named or 2 * shared >= min(len(questions[place]), len(questions[first])):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def _questions(found: Predictions) -> set[tuple[str, str, frozenset[str], str]]:
    # The right option is the same in every language, the reference of free text is not.
    return {
        (
            line["item"],
            "" if line["option_ids"] else line["language"],
            frozenset(line["option_ids"]),
            line["gold"],
        )
        for line in found.log.lines
    }


def names_of(arms: Sequence[ReportArm]) -> list[str]:
    """A name for each arm: the one given, followed by the model's where several arms have it, or else the
    model's; and what tells those of one name apart.
    """
    given = [arm.given for arm in arms]
    names = [
        f"{arm.given} {arm.answers.model}".strip() if given.count(arm.given) > 1 else arm.given
        for arm in arms
    ]
    return _apart(
        [name or arm.answers.model for name, arm in zip(names, arms, strict=True)],
        [arm.answers for arm in arms],
    )


def arm_names(found: Sequence[Predictions]) -> dict[str, Predictions]:
    """Answers by a name of their own: the model and the wording, and what tells those of one name apart."""
    return dict(zip(_apart([one.name for one in found], found), found, strict=True))


def _apart(names: Sequence[str], found: Sequence[Predictions]) -> list[str]:
    """Names with what tells apart the paths of those that are the same; numbers where nothing does."""
    apart = list(names)
    for name in {name for name in names if names.count(name) > 1}:
        places = [place for place, other in enumerate(names) if other == name]
        for place, part in zip(places, _parts_apart([place_of(found[x]) for x in places]), strict=True):
            apart[place] = f"{name} ({part})"
    return [
        name if apart.count(name) == 1 else f"{name} {place}" for place, name in enumerate(apart, start=1)
    ]


def _parts_apart(paths: Sequence[Path]) -> list[str]:
    """The last part of each path in which they differ, or as many as are needed."""
    parts = [path.resolve().parts for path in paths]
    same = min(map(len, parts)) - 1
    ends = next((end for end in range(same) if len({one[-1 - end] for one in parts}) > 1), 0)
    kept = [one[: len(one) - ends] for one in parts]
    for length in range(1, max(map(len, kept)) + 1):
        found = [str(Path(*one[-length:])) for one in kept]
        if len(set(found)) == len(found):
            return found
    return found


def place_of(answers: Predictions) -> Path:
    """What stands for a run in messages: an evaluation's folder, or the log's file."""
    return answers.file.parent if answers.file.name == ANSWERS else answers.file
