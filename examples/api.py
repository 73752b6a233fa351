"""Every function that `crossin` exports, from facts to a report.

    python examples/api.py runs/api                                   # needs crossin[demo]
    python examples/api.py runs/api http://localhost:8000/v1 MODEL    # translates, too: crossin[translate]

Each stage writes a folder. Run it again, and finished stages are found done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from crossin import compare, compose, evaluate, probe, report, score, train, translate
from crossin.core.stages import Stage
from crossin.evaluation import EvaluateConfig
from crossin.facts import build_bench, build_facts
from crossin.probing.config import ProbeConfig
from crossin.scoring import Comparison
from crossin.servers import ServerSettings
from crossin.training import TrainConfig
from crossin.translation import TranslateConfig

RECIPE = Path(__file__).parent / "demo.yaml"
LANGUAGES = ["en", "zh", "vi", "es"]


def tune(out: Path, model: str) -> Stage:
    """Tune a model on the mixture of the demo; the adapter is in the stage's folder."""
    facts = build_facts(LANGUAGES, out / "facts")
    mixture = compose(RECIPE, facts.folder, out / "mixture", languages=LANGUAGES, seed=0)
    print(f"{mixture.manifest['counts']['rows']} rows, left out: {mixture.manifest['skipped']}")
    return train(TrainConfig(model=model, mixture=mixture.folder), out / "tuned")


def measure(out: Path, model: str, adapter: Path) -> Comparison:
    """Ask the base model and the tuned one about countries that were not trained on, and compare them."""
    bench = build_bench(out / "facts", out / "bench").folder
    asked = {"base": None, "tuned": adapter}
    for label, one in asked.items():
        config = EvaluateConfig(models=(f"{label}={model}",), bench=(str(bench),), adapter=one)
        evaluate(config, out / "answers")
    folders = {label: out / "answers" / label / bench.name for label in asked}
    for found in score(folders.values()):
        for name in ("accuracy", "consistency_2", "ac3_2"):
            figure = found.choices[name]
            print(
                f"{found.predictions.model}: {name} {figure.value:.3f} [{figure.low:.3f} {figure.high:.3f}]"
            )
    page = report({"base model": folders["base"], "CrossIn": folders["tuned"]}, out / "report.html")
    print(f"all questions: {page.page}")
    return compare(folders["tuned"], folders["base"])


def look_inside(out: Path, model: str, adapter: Path) -> Stage:
    """Measure how close the languages are in each layer, on the benchmark's questions."""
    return probe(ProbeConfig(model=model, parallel=out / "bench", adapter=adapter), out / "probe")


def translate_rows(rows: Path, out: Path, server: str, model: str) -> Stage:
    """Translate instruction data into Vietnamese and Thai by a chat model, for at most 5 in its currency."""
    settings = ServerSettings(base_url=server, price_in=0.1, price_out=0.4, budget=5)
    config = TranslateConfig(corpus=rows, to=("vi", "th"), engine="openai", model=model, server=settings)
    return translate(config, out)


def main(out: Path, model: str = "smollm2-135m") -> None:
    """Tune, measure, and look inside."""
    adapter = tune(out, model).folder
    found = measure(out, model, adapter)
    assert found.choices is not None
    gain = found.choices.difference["ac3_2"]
    print(f"AC3_2 of the tuned model less that of the base model: {gain.value:+.3f}")
    look_inside(out, model, adapter)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    main(folder)
    if len(sys.argv) > 3:
        translate_rows(
            folder / "facts" / "questions.parquet", folder / "translated", sys.argv[2], sys.argv[3]
        )
