"""What tuning does to a model's language: bits per byte of parallel sentences, before and after.

`python benchmarks/perplexity.py --sentences ../shared/data/flores200 taught=runs/label-free/stages/train-1 …`

prints for each language the base model's bits per byte, and the difference of each training to it. Bits per
byte are the sum of the sentences' negative log2-probabilities by their UTF-8 bytes: unlike perplexity, they
do not depend on the tokenizer. Several folders under one label are seeds. Intervals: `metrics.seeds`, over
sentences and seeds.
"""

from __future__ import annotations

import argparse
import math
from contextlib import closing
from pathlib import Path

import numpy as np
from evidence import shown_number, table

from crossin.evaluation.engine import Request
from crossin.evaluation.hf import HfEngine
from crossin.metrics.bootstrap import Drawn, estimates
from crossin.metrics.families import Family, ratio
from crossin.metrics.seeds import differences, over_seeds
from crossin.models import pull

Texts = dict[str, list[str]]


def bits_of(model: Path, adapter: Path | None, texts: Texts) -> dict[str, np.ndarray]:
    """By language, the negative log2-probability of each sentence after a line break."""
    places = [(code, number) for code, of in texts.items() for number in range(len(of))]
    requests = [Request("\n", (texts[code][n],), key=code, name=f"{code} {n}") for code, n in places]
    with closing(HfEngine(model, adapter=adapter)) as engine:
        found = dict(engine.logprobs(requests, range(len(requests))))
    bits = {code: np.zeros(len(of)) for code, of in texts.items()}
    for place, (code, number) in enumerate(places):
        bits[code][number] = -float(found[place].logprobs[0] or math.nan) / math.log(2)
    return bits


def bits_per_byte(bits: np.ndarray, sizes: np.ndarray) -> Drawn:
    family = Family(np.stack([bits, sizes], axis=1), lambda sums: {"bits": ratio(sums[:, 0], sums[:, 1])})
    return estimates([family], [str(n) for n in range(len(bits))])["bits"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trainings", nargs="*", help="LABEL=FOLDER of a training with an adapter")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--sentences", type=Path, required=True, help="a folder with en.txt, zh.txt, …")
    parser.add_argument("--languages", default="en,zh,vi,es")
    parser.add_argument("--limit", type=int, default=100, help="the first sentences")
    given = parser.parse_args()
    model = pull(given.model)
    labels: dict[str, list[Path]] = {}
    for text in given.trainings:
        label, _, folder = text.partition("=")
        labels.setdefault(label, []).append(Path(folder) / "adapter")
    codes = given.languages.split(",")
    texts = {
        code: (given.sentences / f"{code}.txt").read_text("utf-8").splitlines()[: given.limit]
        for code in codes
    }
    sizes = {code: np.array([len(text.encode()) for text in of], dtype=float) for code, of in texts.items()}
    base = bits_of(model, None, texts)
    tuned = {label: [bits_of(model, one, texts) for one in folders] for label, folders in labels.items()}
    rows = []
    for code in codes:
        before = bits_per_byte(base[code], sizes[code])
        cells = [shown_number(over_seeds([before]))]
        for seeds in tuned.values():
            after = {n: bits_per_byte(bits[code], sizes[code]) for n, bits in enumerate(seeds)}
            apart = differences(after, dict.fromkeys(after, before))
            cells.append(shown_number(over_seeds(apart), signed=True))
        rows.append([code, *cells])
    print(table(["language", "base model", *(f"{label} less base model" for label in labels)], rows))


if __name__ == "__main__":
    main()
