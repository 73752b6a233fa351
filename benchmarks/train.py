"""How fast a model is tuned, beside TRL's SFTTrainer with its defaults and at its best on a CPU.

`python benchmarks/train.py --data ../shared/data/alpaca --model smollm2-135m [--shape gemma3-270m]` tunes
each model for `--steps` steps of 16 rows of a CrossIn mixture (English, Chinese, Vietnamese) from Alpaca,
LoRA of rank 16 on all linear layers: with crossin, with TRL at its defaults and 16 rows a batch, and with TRL
at batch 1 x 16 accumulation without checkpointing.

All get the same tokens, labels, order, first weights and settings, in float32 (TRL's default is bfloat16,
whose losses could not be compared), in processes of their own, one after the other, with `--threads`. The
first step is for warming up and is not counted; nor is start-up. A step goes from the end of the step before
to its own, optimiser and all. Tokens are real ones: no padding. *Work* is what the linear layers and the head
multiply, forth and back, against the fewest: computed from shapes, not measured; attention is left out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from evaluate import child
from machine import machine
from rich.console import Console

ROWS = 16
SIDES = ("crossin", "trl-best", "trl-defaults")
Result = dict[str, Any]


def mixture_of(data: Path, out: Path, rows: int) -> Path:
    """A CrossIn mixture of so many rows in English, Chinese and Vietnamese."""
    from crossin.compose import Recipe, compose

    kinds = ("base", "x2en", "en2x", "x2x", "trans")
    files = {"en": "alpaca_en.json", "zh": "alpaca_zh.json", "vi": "alpaca_vi.json"}
    recipe = Recipe.model_validate(
        {
            "name": "train-benchmark",
            "rows": rows,
            "corpora": {"alpaca": {"files": files, "check": "none"}},
            "components": [{"kind": kind, "corpus": "alpaca", "share": 1 / len(kinds)} for kind in kinds],
        }
    )
    return compose(recipe, data, out, languages=["en", "zh", "vi"], seed=0).folder


def work_of(model: Path, rows: list[tuple[int, int]]) -> dict[str, float]:
    """Multiply-adds (in 10^12) of each side for rows of so many tokens, learned ones among them: the fewest
    that any trainer of these weights needs, and those of each side's layout.
    """
    import transformers

    config = transformers.AutoConfig.from_pretrained(model)
    network = transformers.AutoModelForCausalLM.from_config(config)
    head = config.vocab_size * config.hidden_size
    linear = sum(
        module.weight.numel()
        for module in network.modules()
        if type(module).__name__ == "Linear" and module is not network.get_output_embeddings()
    )
    tokens, learned = sum(row[0] for row in rows), sum(row[1] for row in rows)
    padded = sum(
        ROWS * max(row[0] for row in rows[start : start + ROWS]) for start in range(0, len(rows), ROWS)
    )
    # Forth, and back to the activations: the weights themselves are frozen.
    fewest = 2 * (linear * tokens + head * learned) / 1e12
    return {
        "fewest": fewest,
        "crossin": fewest,
        "trl-best": 2 * (linear + head) * tokens / 1e12,
        # Checkpointing computes the layers forth a second time.
        "trl-defaults": (3 * linear + 2 * head) * padded / 1e12,
    }


def compare(model: Path, mixture: Path, options: argparse.Namespace, console: Console) -> list[Result]:
    """All sides on one model, and how their losses differ."""
    from crossin.models.load import load_tokenizer
    from crossin.train.config import Batches
    from crossin.train.rows import read_rows

    rows = [
        (len(row.tokens), len(row.tokens) - row.learned_from)
        for row in read_rows(mixture, load_tokenizer(model)[0], Batches())[0]
    ]
    counted = rows[ROWS:]
    tokens = sum(row[0] for row in counted)
    console.print(f"{model.name}: {len(counted)} rows, {tokens} tokens, {sum(r[1] for r in counted)} learned")
    work = work_of(model, counted)
    found: list[Result] = []
    for side in options.sides:
        place = ("--model", model, "--mixture", mixture, "--tokens", options.tokens)
        answer = child("train_peer.py", side, *place, threads=options.threads)
        seconds = sum(answer["seconds"])
        differs = max(
            abs(one - other)
            for one, other in zip(answer["losses"], (found or [answer])[0]["losses"], strict=True)
        )
        found.append(
            {
                **answer,
                "side": side,
                "seconds": seconds,
                "speed": tokens / seconds,
                "differs": differs,
                "work": work[side] / work["fewest"],
            }
        )
        console.print(
            f"  {side}: {tokens / seconds:.0f} tokens/s, {answer['memory']:.0f} MiB", highlight=False
        )
    return found


def table_of(name: str, found: list[Result]) -> list[str]:
    """The sides as lines of a table."""
    first = found[0]
    lines = []
    for one in found:
        ratio = "" if one is first else f"**{first['speed'] / one['speed']:.1f}×**"
        lines.append(
            f"| {name} | {one['side']} | {one['speed']:.0f} | {ratio} | {one['seconds']:.1f} | "
            f"{one['memory']:,.0f} | {one['work']:.2f} | {one['differs']:.1e} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of the Alpaca files")
    parser.add_argument("--model", nargs="*", default=["smollm2-135m"])
    parser.add_argument("--shape", nargs="*", default=[], help="a model of a known shape, random weights")
    parser.add_argument("--steps", type=int, default=3, help="counted steps, after one that is not")
    parser.add_argument("--tokens", type=int, default=512, help="what a pass of crossin's holds")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=True)
    from crossin.models import pull

    results: dict[str, list[Result]] = {}
    with tempfile.TemporaryDirectory() as place:
        mixture = mixture_of(options.data, Path(place) / "mixture", ROWS * (options.steps + 1))
        for name in options.model:
            results[name] = compare(pull(name), mixture, options, console)
        for name in options.shape:
            folder = Path(place) / name
            child("evaluate_works.py", "shape", name, "--out", folder, threads=options.threads)
            results[f"shape of {name}"] = compare(folder, mixture, options, console)
    if options.json:
        print(json.dumps(results))
        return
    print(machine("torch", "transformers", "trl", "peft"))
    print("| model | trainer | tokens/s | crossin is faster by | seconds | MiB | work by the fewest | loss |")
    print("|---|---|---|---|---|---|---|---|")
    for name, found in results.items():
        print("\n".join(table_of(name, found)))


if __name__ == "__main__":
    main()
