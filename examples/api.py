"""Every function that `crossin` exports, from facts to a report, and a translation.

    python examples/api.py runs/api                                                # needs crossin[demo]
    python examples/api.py runs/api rows.jsonl http://localhost:8000/v1 MODEL      # crossin[translate]

Each stage writes a folder. Run it again, and finished stages are found done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from crossin import (
    compare,
    compose,
    evaluate,
    experiment,
    prefer,
    probe,
    report,
    score,
    teach,
    train,
    translate,
)
from crossin.core.stages import Stage
from crossin.evaluation import EvaluateConfig
from crossin.experiments.run import Experiment
from crossin.facts import build_bench, build_facts
from crossin.probing.config import ProbeConfig
from crossin.servers import ServerSettings
from crossin.teaching.config import TeachConfig
from crossin.teaching.prefer_config import PreferConfig
from crossin.training import TrainConfig
from crossin.translation.config import TranslateConfig

LANGUAGES = ["en", "zh", "vi", "es"]
ENGLISH = {"components": [{"kind": "base", "tokens": 24_000, "epochs": 100}]}


def tune(out: Path, model: str) -> Stage:
    """Tune a model on the mixture of the demo; the adapter is in the stage's folder."""
    facts = build_facts(LANGUAGES, out / "facts")
    mixture = compose("demo", facts.folder, out / "mixture", languages=LANGUAGES, seed=0)
    print(f"{mixture.manifest['counts']['rows']} rows, left out: {mixture.manifest['skipped']}")
    return train(TrainConfig(model=model, mixture=mixture.folder), out / "tuned")


def measure(out: Path, model: str, adapter: Path) -> None:
    """Ask the base model and the tuned one about countries that were not trained on, and compare them."""
    bench = build_bench(out / "facts", out / "bench").folder
    folders: dict[str, Path] = {}
    for label, applied in (("base", None), ("tuned", adapter)):
        config = EvaluateConfig(models=(f"{label}={model}",), bench=(str(bench),), adapter=applied)
        evaluate(config, out / "answers")
        folders[label] = out / "answers" / label / bench.name
    for label, folder in folders.items():
        [figures] = score(folder)
        for name in ("accuracy", "consistency_2", "ac3_2"):
            figure = figures.choices[name]
            print(f"{label}, {name}: {figure.value:.3f} [{figure.low:.3f} {figure.high:.3f}]")
    found = compare(folders["tuned"], folders["base"])
    assert found.choices is not None
    gain = found.choices.difference["ac3_2"]
    print(f"tuned less base, ac3_2: {gain.value:+.3f} [{gain.low:+.3f} {gain.high:+.3f}]")
    report({"base model": folders["base"], "CrossIn": folders["tuned"]}, out / "report.html")


def teach_itself(out: Path, model: str) -> Stage:
    """Make a corpus from what the model says consistently in English of the countries that are trained on."""
    questions = build_bench(out / "facts", out / "questions", split="train").folder
    taught = teach(TeachConfig(model=model, questions=questions, tasks=("capital",)), out / "taught")
    print(f"{taught.manifest['counts']['certain']} certain answers, left out: {taught.manifest['skipped']}")
    return taught


def prefer_its_own(out: Path, model: str) -> Stage:
    """Make pairs of the model's own answers, the better one by its answers in English."""
    config = PreferConfig(
        model=model, questions=out / "questions", tasks=("capital",), form="text", share=0.3
    )
    preferred = prefer(config, out / "preferences")
    print(f"{preferred.manifest['counts']['pairs']} pairs, left out: {preferred.manifest['skipped']}")
    return preferred


def compare_arms(out: Path, model: str) -> Experiment:
    """Train on English rows alone and on the demo's mixture, two seeds each, and ask the same questions."""
    arms = {"base model": {"train": None}, "English only": {"compose": ENGLISH}, "CrossIn": {}}
    entries = {
        "baseline": "English only",
        "seeds": [0, 1],
        "languages": LANGUAGES,
        "compose": {"recipe": "demo", "data": out / "facts"},
        "train": {"config": "demo", "max_steps": 20},
        "evaluate": {"bench": {"facts": out / "bench"}},
        "arms": arms,
    }
    done = experiment(entries, out / "arms", model=model)
    print(done.to_pandas().query("shown and less.isna()")[["arm", "figure", "value", "low", "high"]])
    return done


def look_inside(out: Path, model: str, adapter: Path) -> Stage:
    """Measure how close the languages are in each layer, on the benchmark's questions."""
    return probe(ProbeConfig(model=model, parallel=out / "bench", adapter=adapter), out / "probe")


def translate_rows(rows: Path, out: Path, server: str, model: str) -> Stage:
    """Translate instruction data in English by a chat model behind a server, with a budget."""
    settings = ServerSettings(base_url=server, price_in=0.1, price_out=0.4, budget=5)
    config = TranslateConfig(corpus=rows, to=("es", "zh"), engine="openai", model=model, server=settings)
    return translate(config, out)


def main(out: Path, model: str = "smollm2-135m") -> None:
    """Tune, measure, look inside, compare arms, teach, and prefer."""
    adapter = tune(out, model).folder
    measure(out, model, adapter)
    look_inside(out, model, adapter)
    compare_arms(out, model)
    teach_itself(out, model)
    prefer_its_own(out, model)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    if len(sys.argv) == 5:
        translate_rows(Path(sys.argv[2]), folder / "translated", sys.argv[3], sys.argv[4])
    else:
        main(folder)
