"""What `train.py` gives to both sides: a mixture, pairs, and how much there is to multiply.

`python benchmarks/train_works.py mixture --data DIR --rows N --out DIR` composes the rows, `... pairs --out
DIR` makes parallel questions, `... model NAME` names a model's folder, and `... work --model DIR --mixture
DIR` counts tokens and the multiply-adds of each side. Each prints JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossin.training.rows import TrainingRow

LANGUAGES = ("en", "zh", "vi")
KINDS = ("base", "x2en", "en2x", "x2x", "trans")
Result = dict[str, Any]


def make_mixture(data: Path, rows: int, out: Path) -> None:
    """Compose `rows` rows of Alpaca, equally many of each kind."""
    from crossin.mixture import Recipe, compose

    files = {language: f"alpaca_{language}.json" for language in LANGUAGES}
    recipe = Recipe.model_validate(
        {
            "name": "train-benchmark",
            "rows": rows,
            "corpora": {"alpaca": {"files": files, "check": "none"}},
            "components": [{"kind": kind, "corpus": "alpaca", "share": 1 / len(KINDS)} for kind in KINDS],
        }
    )
    compose(recipe, data, out, languages=list(LANGUAGES), seed=0)


def make_pairs(out: Path, languages: Sequence[str]) -> Path:
    """Questions with options about the countries of the facts corpus, in every language."""
    from crossin.facts import build_bench, build_facts

    facts = build_facts(list(languages), out / "facts").folder
    return build_bench(facts, out / "questions", split="train").folder


def work(model: Path, mixture: Path, rows_per_step: int, tokens: int, warmup: int) -> Result:
    """Tokens of the counted steps (all but the first `warmup`), and the multiply-adds, in 10^12, that each
    side spends on them in the linear layers and the head.

    The fewest are those of a trainer that computes each layer for each real token once forward and once
    backward to the activations (the weights are frozen), and the head likewise where a token is learned.
    Computed from shapes, not measured. Left out on all sides: attention, the adapters, and savings in the
    first and the last block.
    """
    import torch
    from transformers import AutoModelForCausalLM

    from crossin.models.loading import load_tokenizer
    from crossin.training.config import Batches
    from crossin.training.rows import read_rows
    from crossin.training.sampling import fixed_steps, micro_batches

    tokenizer, config = load_tokenizer(model)
    with torch.device("meta"):
        network = AutoModelForCausalLM.from_config(config)
    rows, skipped = read_rows(mixture, tokenizer, Batches())
    steps = fixed_steps(rows, rows_per_step, 1, 0)[warmup:]
    head_layer = network.get_output_embeddings()
    head = head_layer.weight.numel()
    linear = sum(
        module.weight.numel()
        for module in network.modules()
        if isinstance(module, torch.nn.Linear) and module is not head_layer
    )
    counted = [row for step in steps for row in step]
    real = sum(len(row.tokens) for row in counted)
    learned = sum(row.learned for row in counted)
    ours = sum(_width(part, True) for step in steps for part in micro_batches(step, tokens))
    theirs = sum(_width(step, True) for step in steps)
    # On a CPU TRL's head predicts after every place but a row's last, prompt and padding too, and recomputes
    # the logits in the backward pass (trl/kernels/chunked_logprob.py). So does checkpointing with the layers.
    spent = {
        "fewest": 2 * linear * real + 2 * head * learned,
        "crossin, padded": 2 * linear * ours + 2 * head * learned,
        "trl-best": 2 * linear * real + 3 * head * (real - len(counted)),
        "trl-defaults": 3 * linear * theirs + 3 * head * (theirs - len(counted)),
    }
    spent["trl-bf16"] = spent["trl-defaults"]
    # What the others spend on a GPU is not known.
    return {
        "steps": len(steps),
        "rows": len(counted),
        "tokens": real,
        "learned": learned,
        "skipped": skipped,
        "work": {side: multiplied / 1e12 for side, multiplied in spent.items()},
    }


def _width(rows: Sequence[TrainingRow], padded: bool) -> int:
    """How many tokens a micro-batch of these rows computes."""
    lengths = [len(row.tokens) for row in rows]
    return len(rows) * max(lengths) if padded else sum(lengths)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = parser.add_subparsers(dest="task", required=True)
    composing = tasks.add_parser("mixture")
    composing.add_argument("--data", type=Path, required=True)
    composing.add_argument("--rows", type=int, required=True)
    composing.add_argument("--out", type=Path, required=True)
    pairing = tasks.add_parser("pairs")
    pairing.add_argument("--out", type=Path, required=True)
    pairing.add_argument("--languages", nargs="*", default=LANGUAGES)
    pulling = tasks.add_parser("model")
    pulling.add_argument("name")
    counting = tasks.add_parser("work")
    counting.add_argument("--model", type=Path, required=True)
    counting.add_argument("--mixture", type=Path, required=True)
    counting.add_argument("--rows", type=int, required=True, help="rows a step")
    counting.add_argument("--tokens", type=int, required=True, help="tokens per micro-batch")
    counting.add_argument("--warmup", type=int, default=1, help="steps that are not counted")
    options = parser.parse_args()
    answer: Result = {}
    if options.task == "mixture":
        make_mixture(options.data, options.rows, options.out)
    elif options.task == "pairs":
        answer = {"folder": str(make_pairs(options.out, options.languages).resolve())}
    elif options.task == "model":
        from crossin.models import pull

        answer = {"folder": str(pull(options.name).resolve())}
    else:
        answer = work(options.model, options.mixture, options.rows, options.tokens, options.warmup)
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
