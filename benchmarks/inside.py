"""Does alignment inside a model go with what it gains? `crossin probe` on every arm of an experiment.

`python benchmarks/inside.py runs/label-free --sentences ../shared/data/flores200 --out docs/results/inside`
writes OUT.md:

- each arm's measures, means over all layers but the embeddings and over the languages other than the pivot;
- the correlation (Pearson's r) over trained models and languages between the change of a measure and the
  change of accuracy, both against the base model: of all, and within languages, each change less the mean of
  its language. Arms and seeds are few, and not independent: read it as a description.

States are means over a sentence's tokens. Probes are kept in `--probes`, so that the command resumes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from evidence import Part, merged, table

from crossin import probe
from crossin.core.files import read_json, write_text
from crossin.experiments.index import ArmRun, Index

_MEASURES = {
    "mexa": "MEXA",
    "retrieval": "retrieval",
    "cosine_difference": "cosine, matched less mismatched",
    "cka_debiased": "CKA, debiased",
}
# By language, then by measure: the values by layer.
Curves = dict[str, dict[str, np.ndarray]]


def curves_of(run: ArmRun, model: str, index: Index, given: argparse.Namespace) -> Curves:
    name = "base" if run.training is None else run.training.name
    settings: dict[str, Any] = {"model": model, "parallel": given.sentences, "limit": given.limit}
    settings |= {"languages": list(index.languages), "pivot": index.pivot, "draws": 100}
    if run.training is not None:
        settings["adapter"] = run.training / "adapter"
    folder = given.probes / name
    probe(settings, folder)
    found: Curves = {}
    for one in read_json(folder / "probe.json")["figures"]:
        if one["pooling"] == "mean" and one["other"] == index.pivot:
            of = {measure: np.array(one[measure]["value"], dtype=float) for measure in _MEASURES}
            found[one["language"]] = of
    return found


def page(index: Index, part: Part, curves: dict[str, dict[int, Curves]], bench: str) -> str:
    def mean(curve: np.ndarray) -> float:
        return float(np.nanmean(curve[1:]))

    base = next(iter(curves[part.base].values()))
    rows = []
    for arm, seeds in curves.items():
        cells = []
        for measure in _MEASURES:
            values = [mean(one["mean"][measure]) for one in seeds.values()]
            spread = f" [{min(values):.3f} {max(values):.3f}]" if arm != part.base else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        rows.append([arm, *cells])
    layers = len(base["mean"]["mexa"]) - 1
    text = (
        f"# {index.name}: alignment inside the model\n\nMade by `benchmarks/inside.py`. Means over {layers} "
    )
    text += "layers; in brackets the lowest and the highest seed.\n\n"
    text += table(["arm", *_MEASURES.values()], rows)
    trained = [(arm, seed) for arm in curves if arm != part.base for seed in curves[arm]]
    gains = np.array(
        [
            [of[arm][seed].value - of[part.base][seed].value for arm, seed in trained]
            for of in (part.figures[f"accuracy/{code}"] for code in part.others)
        ]
    )
    rows = []
    for measure, label in _MEASURES.items():
        changes = np.array(
            [
                [mean(curves[arm][seed][code][measure] - base[code][measure]) for arm, seed in trained]
                for code in part.others
            ]
        )
        within = [one - one.mean(axis=1, keepdims=True) for one in (changes, gains)]
        found = (np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in ((changes, gains), within))
        rows.append([label, *(f"{one:.2f}" for one in found)])
    text += f"\nCorrelation with the change of accuracy on {bench}, over {len(trained)} trained models and "
    text += f"{len(part.others)} languages:\n\n"
    return text + table(["measure", "all", "within languages"], rows)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("experiment", type=Path, help="folder of `crossin experiment`")
    parser.add_argument("--model", default="smollm2-135m", help="the model of all arms")
    parser.add_argument("--sentences", type=Path, required=True, help="a folder with en.txt, zh.txt, …")
    parser.add_argument("--limit", type=int, default=100, help="the first sentences")
    parser.add_argument("--base", default="base model", help="the arm without training")
    parser.add_argument("--bench", default="facts", help="the benchmark whose accuracy is compared")
    parser.add_argument("--probes", type=Path, default=Path("runs/probes"), help="where probes are kept")
    parser.add_argument("--out", type=Path, required=True, help="OUT.md is written")
    given = parser.parse_args()
    index, parts = merged([given.experiment])
    runs = next(of for place, of in parts.items() if place.bench == given.bench)
    found = {run.training: run for arm in index.arms if arm.name in runs for run in arm.runs}
    known = {training: curves_of(run, given.model, index, given) for training, run in found.items()}
    curves = {
        arm.name: {run.seed: known[run.training] for run in arm.runs}
        for arm in index.arms
        if arm.name in runs
    }
    write_text(
        given.out.with_suffix(".md"), page(index, Part(runs, index.pivot, given.base), curves, given.bench)
    )


if __name__ == "__main__":
    main()
