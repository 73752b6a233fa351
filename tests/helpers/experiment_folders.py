"""Finished experiments made by hand: an index, and evaluation folders in the format of docs/formats.md."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from crossin.core.files import write_json
from crossin.experiments.index import Arm, ArmRun, Index, write_index
from crossin.items.item import Item, write_items
from tests.helpers.report_data import draw

# The chance that an arm is right with a seed, by language.
Skill = Callable[[int], Mapping[str, float]]
RIVERS = ["Danube", "Rhine", "Elbe", "Oder"]


def write_answers_of(
    folder: Path,
    skill: Mapping[str, float],
    *,
    name: str,
    items: int = 40,
    world: str = "",
    per_group: int = 1,
    tasks: Sequence[str] = ("rivers",),
    texts: Callable[[int, str], list[str]] = lambda _, __: RIVERS,
    tokens: Sequence[int] = (2, 2, 2, 2),
    logprobs: Callable[[str, int, int], list[float]] | None = None,
    stored: bool = True,
    free: bool = False,
    chat: bool = False,
    choice: str = "sum",
) -> Path:
    """An evaluation of multiple choice, or of `free` text. An arm is right on a question that is easy enough
    for its skill, give or take luck, which `name` decides. `world` decides the right answers. logprobs: of
    the options, by language, item and the place of the right one. `stored`: whether log-probabilities are.
    """
    rows: list[dict[str, Any]] = []
    asked: list[Item] = []
    for number in range(items):
        gold = int(4 * draw("gold", world, number))
        for language, chance in skill.items():
            key = {
                "item": f"q{number}",
                "group": f"g{number // per_group}",
                "task": tasks[number % len(tasks)],
                "language": language,
            }
            luck = draw("easy", number, language) + draw(name, world, number, language) / 2 - 0.25
            chosen = gold if luck < chance else (gold + 1 + int(3 * draw("wrong", name, number))) % 4
            ids = [] if free else list("abcd")
            options = texts(number, language)
            right = options[gold]
            row: dict[str, Any] = {**key, "prompt": "question", "option_ids": ids, "shown": None}
            if free:
                row |= {"logprobs": None, "tokens": None, "answer": None, "gold": right}
                row |= {"reply": options[chosen]}
            else:
                values = [-1.0 if place == chosen else -3.0 for place in range(4)]
                if logprobs is not None:
                    values = logprobs(language, number, gold)
                    chosen = max(range(4), key=lambda place: values[place])
                row |= {"logprobs": values if stored else None, "tokens": list(tokens)}
                row |= {"answer": ids[chosen], "gold": ids[gold], "reply": None}
            rows.append(row)
            asked.append(
                Item(
                    item=key["item"],
                    group=key["group"],
                    task=key["task"],
                    language=key["language"],
                    context="",
                    question=f"Which river is {number}?",
                    options=[] if free else options,
                    option_ids=ids,
                    answer=right if free else ids[gold],
                    source="made for a test",
                    licence="CC0",
                )
            )
    folder.mkdir(parents=True)
    numbers, text = pa.list_(pa.float64()), pa.string()
    schema = pa.schema(
        [
            *((one, text) for one in ("item", "group", "task", "language", "prompt")),
            ("option_ids", pa.list_(text)),
            ("shown", pa.list_(text)),
            ("logprobs", numbers),
            ("tokens", pa.list_(pa.int64())),
            *((one, text) for one in ("answer", "gold", "reply")),
        ]
    )
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), folder / "answers.parquet")
    write_items(folder / "items.parquet", asked)
    form = {"kind": "generate" if free else "text", "chat": chat}
    write_json(folder / "manifest.json", {"settings": {"name": name, "choice": choice, "form": form}})
    return folder


def write_experiment(
    out: Path,
    arms: Mapping[str, Skill],
    *,
    baseline: str = "",
    seeds: Sequence[int] = (0, 1, 2),
    own_worlds: bool = False,
    fixed: Sequence[str] = (),
    failed: Mapping[str, Mapping[int, str]] | None = None,
    axes: Mapping[str, Sequence[object]] | None = None,
    places: Mapping[str, Mapping[str, object]] | None = None,
    **answers: Any,
) -> Path:
    """An experiment's folder. `own_worlds`: each seed has right answers of its own. `fixed`: arms that no
    seed changes.
    """
    made = []
    for name, skill in arms.items():
        runs = []
        for seed in seeds:
            if seed in (failed or {}).get(name, {}):
                continue
            own = f"{name} {0 if name in fixed else seed}"
            folder = out / "stages" / f"evaluate-{own.replace(' ', '-').replace('/', '-')}"
            if not folder.exists():
                world = str(seed) if own_worlds else ""
                write_answers_of(folder, skill(seed), name=own, world=world, **answers)
            runs.append(ArmRun(seed, {"facts": folder}))
        of_axes = dict((places or {}).get(name, {}))
        made.append(Arm(name, of_axes, tuple(runs), dict((failed or {}).get(name, {}))))
    languages = tuple(dict.fromkeys(x for skill in arms.values() for x in skill(seeds[0])))
    values = {axis: list(of) for axis, of in (axes or {}).items()}
    index = Index("rivers", baseline or next(iter(arms)), "en", languages, values, tuple(made))
    write_index(out, index)
    return out


def close_to(one: float, other: float, within: float = 1e-9) -> bool:
    """Whether two numbers are the same but for rounding."""
    return math.isclose(one, other, abs_tol=within)
