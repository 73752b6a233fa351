"""What each objective does on the facts of the demo: arms of equal tokens, several seeds, one table.

    python benchmarks/objectives.py --out runs/objectives --seeds 0 1 2

No arm is trained on the countries that are asked about; `transductive` alone sees their questions, without
answers. With `--held-out dev` the test countries are not used: settings were chosen in this way. An
interrupted run resumes. `--arms` selects arms, and the table holds what is finished. Each arm is trained and
evaluated in this process, with OMP_NUM_THREADS threads.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seeds import stacked

from crossin.core.files import write_text
from crossin.core.formats import ITEMS
from crossin.evaluation import HfEngine, ask_bench
from crossin.experiments.demo import RECIPE
from crossin.facts import build_bench, build_facts
from crossin.facts.corpus import TRAINED_ON
from crossin.items.item import read_items, write_items
from crossin.metrics.bootstrap import Figure, differences, intervals
from crossin.metrics.reading import read_answers
from crossin.metrics.table import AnswerTable
from crossin.mixture import Component, Recipe, compose, read_recipe
from crossin.models import pull
from crossin.reports.cells import rounded
from crossin.training import TrainConfig, train

# The pairs' part of the tokens of an arm that has pairs.
SHARE = 0.2
FIGURES = ("accuracy", "consistency_2", "kappa_2", "right_2", "ac3_2")


@dataclass(frozen=True)
class Arm:
    """What an arm is trained on: parts of the mixture by kind, and the terms beside it."""

    parts: dict[str, float]
    terms: dict[str, Any]
    transductive: bool = False


def _consist(divergence: str, weight: float, **more: Any) -> dict[str, Any]:
    return {"consist": {"granularity": "answer", "divergence": divergence, "weight": weight, **more}}


ALIGN = {"align": {"weight": 0.3}}
HELD = _consist("js", 1.0, hold_pivot=True)
# No parts: those of the demo's recipe.
MIXTURE: dict[str, float] = {}
ARMS = {
    "English only": Arm({"base": 1.0}, {}),
    "same language": Arm({"base": 0.25, "mono": 0.75}, {}),
    "x2x": Arm({"base": 0.25, "x2x": 0.75}, {}),
    "x2x + trans": Arm({"base": 0.25, "x2x": 0.6, "trans": 0.15}, {}),
    "mixture": Arm(MIXTURE, {}),
    "mixture + align": Arm(MIXTURE, ALIGN),
    "mixture + consist KL": Arm(MIXTURE, _consist("kl", 0.1)),
    "mixture + consist DCO": Arm(MIXTURE, _consist("dco", 0.1)),
    "mixture + consist JS": Arm(MIXTURE, _consist("js", 1.0)),
    "mixture + consist JS, pivot held": Arm(MIXTURE, HELD),
    "mixture + align + consist JS, pivot held": Arm(MIXTURE, ALIGN | HELD),
    "transductive": Arm(MIXTURE, HELD, transductive=True),
}


def recipe_of(arm: Arm, tokens: int, tokenizer: Path) -> Recipe:
    """The arm's mixture, of about `tokens` tokens."""
    demo = read_recipe(RECIPE)
    parts = arm.parts
    if not parts:
        whole = sum(int(component.tokens or 0) for component in demo.components)
        parts = {component.kind: int(component.tokens or 0) / whole for component in demo.components}
    return Recipe(
        name="objectives",
        template=demo.template,
        tag=demo.tag,
        tokenizer=str(tokenizer),
        components=[
            Component(
                kind=kind,  # type: ignore[arg-type]
                corpus="names" if kind == "trans" else "questions",
                side="instruction",
                tokens=round(part * tokens),
                # There are fewer English rows than the control needs.
                epochs=100,
            )
            for kind, part in parts.items()
        ],
    )


def questions_of(facts: Path, out: Path, splits: tuple[str, ...]) -> Path:
    """The questions of these splits in one folder; training reads no answer from it."""
    items = []
    for split in splits:
        items += read_items(build_bench(facts, out.parent / f"bench-{split}", split=split).folder)
    write_items(out / ITEMS, items)
    return out


def run_arm(name: str, arm: Arm, seed: int, options: argparse.Namespace, model: Path, facts: Path) -> None:
    """Compose, train and evaluate one arm."""
    home = options.out / f"seed-{seed}" / _folder(name)
    trained = TRAINED_ON[options.held_out]
    bench = build_bench(facts, options.out / f"bench-{options.held_out}", split=options.held_out).folder
    tokens = round(options.tokens * (1 - SHARE)) if arm.terms else options.tokens
    mixture = compose(
        recipe_of(arm, tokens, model), facts, home / "mixture", languages=options.languages, seed=seed
    )
    entries: dict[str, Any] = {
        "model": str(model),
        "mixture": mixture.folder,
        "seed": seed,
        "optimiser": {"learning_rate": options.learning_rate},
        "batches": {"rows": options.rows},
        **{key: {**term, **options.terms.get(key, {})} for key, term in arm.terms.items()},
    }
    if arm.terms:
        seen = (*trained, options.held_out) if arm.transductive else trained
        entries["pairs"] = {
            "items": questions_of(facts, options.out / f"questions-{'-'.join(seen)}", seen),
            "share": SHARE,
            "apart_from": () if arm.transductive else (bench,),
        }
    stage = train(TrainConfig.model_validate(entries), home / "training", say=print)
    counts = stage.manifest["counts"]
    print(f"seed {seed}, {name}: {counts['steps']} steps, {counts['tokens']} tokens", flush=True)
    ask(model, stage.folder, bench, home / "answers", name)


def ask(model: Path, adapter: Path | None, bench: Path, out: Path, name: str) -> None:
    """The model's answers to the benchmark."""
    with closing(HfEngine(model, adapter=adapter)) as engine:
        ask_bench(engine, bench, out, name=name)


def table_of(options: argparse.Namespace) -> str:
    """The figures of every arm over the finished seeds, and its paired differences to the base model and the
    fair controls over the same seeds.
    """
    base = read_answers(options.out / "base-model" / "answers")
    found: dict[str, dict[int, AnswerTable]] = {"base model": dict.fromkeys(options.seeds, base)}
    for name in ARMS:
        places = {seed: options.out / f"seed-{seed}" / _folder(name) / "answers" for seed in options.seeds}
        done = {
            seed: read_answers(place) for seed, place in places.items() if (place / "manifest.json").exists()
        }
        if done:
            found[name] = done
    lines = _heading("arm", ("seeds", *FIGURES))
    figures = {name: intervals(stacked(list(tables.values()))) for name, tables in found.items()}
    lines += [
        _row(name, [str(len(tables)), *(_cell(figures[name][figure], False) for figure in FIGURES)])
        for name, tables in found.items()
    ]
    for control in ("base model", "English only", "mixture"):
        lines += ["", *_heading(f"less {control}", FIGURES)]
        for name, tables in found.items():
            same = [seed for seed in tables if seed in found.get(control, {})]
            if name != control and same:
                both = [stacked([found[one][seed] for seed in same]) for one in (name, control)]
                less = differences(both[0], both[1])
                lines.append(_row(name, [_cell(less[figure], True) for figure in FIGURES]))
    lines += ["", *_heading("accuracy", options.languages)]
    for name in found:
        cells = [_cell(figures[name][f"accuracy/{language}"], False) for language in options.languages]
        lines.append(_row(name, cells))
    return "\n".join(lines)


def _heading(first: str, columns: Sequence[str]) -> list[str]:
    return [_row(first, columns), "|---" * (len(columns) + 1) + "|"]


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | " + " | ".join(cells) + " |"


def _folder(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")


def _cell(figure: Figure, signed: bool) -> str:
    texts = [rounded(100 * one, 1) for one in (figure.value, figure.low, figure.high)]
    value, low, high = ("+" + text if signed and float(text) > 0 else text for text in texts)
    return f"{value} [{low} {high}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--languages", nargs="+", default=["en", "zh", "vi", "es"])
    parser.add_argument("--held-out", choices=("dev", "test"), default="test")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--tokens", type=int, default=24_000, help="read by every arm, pairs included")
    parser.add_argument("--rows", type=int, default=8, help="a step")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--terms", type=json.loads, default={}, help="settings that override the arms' own")
    parser.add_argument("--table", action="store_true", help="only print the table of what is finished")
    options = parser.parse_args()
    if not options.table:
        model = pull(options.model)
        facts = build_facts(options.languages, options.out / "facts", held_out=options.held_out).folder
        bench = build_bench(facts, options.out / f"bench-{options.held_out}", split=options.held_out).folder
        ask(model, None, bench, options.out / "base-model" / "answers", "base model")
        for seed in options.seeds:
            for name in options.arms:
                run_arm(name, ARMS[name], seed, options, model, facts)
    table = table_of(options)
    write_text(options.out / "table.md", table + "\n")
    print(table)


if __name__ == "__main__":
    main()
