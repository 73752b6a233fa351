"""One side of `train.py`, in a process of its own: some steps of tuning.

`python benchmarks/train_peer.py SIDE --model DIR --mixture DIR` prints, as JSON: the loss of every step, the
seconds of every step but the first `--warmup`, those until the end of these (imports, weights, rows), the
peak memory at the end (of the process, on a GPU that which torch has allotted there), and a digest of the
adapter's first weights. For crossin also the tokens that each step has read, pairs among them, whether
its sequences are packed or padded, and its messages.

A step goes from the end of the one before to its own end, optimiser and all. TRL and Unsloth get the tokens
and labels of `crossin.training.rows`, in the same order: data with `input_ids` and `labels`, taken as is.
On a GPU the rows of a step are sorted by length, so that batches hold little padding.
"""

from __future__ import annotations

import time

_BEGIN = time.perf_counter()

import argparse  # noqa: E402
import hashlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from itertools import pairwise  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from evaluate_baseline import peak_mib  # noqa: E402

RANK, ALPHA, LEARNING_RATE, WEIGHT_DECAY, CLIP, SEED = 16, 32, 2e-4, 0.01, 1.0, 0
Result = dict[str, Any]

# What each side changes of TRL's defaults, beside what both sides share. By default it computes in bfloat16.
TRL: dict[str, Result] = {
    "trl-best": {"gradient_checkpointing": False, "bf16": False},
    "trl-defaults": {"bf16": False},
    "trl-bf16": {},
    "trl-tuned": {"gradient_checkpointing": False, "use_liger_kernel": True},
    "trl-padding-free": {"gradient_checkpointing": False, "use_liger_kernel": True, "padding_free": True},
    "trl-recompute": {"use_liger_kernel": True},
    # Unsloth has its own way for both.
    "unsloth": {"gradient_checkpointing": False},
    "unsloth-recompute": {"gradient_checkpointing": False},
}


def digest(network: Any) -> str:
    """A digest of the names and values of the trained weights."""
    found = hashlib.sha256()
    for name, weight in sorted(network.named_parameters()):
        if weight.requires_grad:
            found.update(name.encode() + weight.detach().float().cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def crossin_side(options: argparse.Namespace) -> Result:
    """Steps of `crossin.training.train`."""
    from crossin.core.files import read_parquet
    from crossin.training import TrainConfig, method, train

    ends: list[float] = []
    first: list[str] = []
    layout: list[str] = []
    said: list[str] = []
    original = method.apply

    def noting(*arguments: Any) -> Any:
        network = original(*arguments)
        first.append(digest(network))
        layout.append(arguments[0].crossin_layout)
        return network

    def watch(task: str, done: int, total: int, unit: str, note: str = "") -> None:  # noqa: ARG001
        if task == "training" and done == len(ends) + 1:
            ends.append(now())

    method.apply = noting  # type: ignore[assignment]
    config = TrainConfig.model_validate(
        {
            "model": str(options.model),
            "mixture": options.mixture,
            "method": {"rank": RANK, "alpha": ALPHA},
            "optimiser": {
                "learning_rate": LEARNING_RATE,
                "schedule": "constant",
                "warmup": 0,
                "weight_decay": WEIGHT_DECAY,
                "clip": CLIP,
            },
            "batches": {
                "rows": options.rows,
                "tokens": options.tokens,
                "recompute": options.side == "crossin-recompute",
            },
            "checkpoint_every": 10**6,
            "log_every": 1,
            "device": options.device,
            "dtype": options.dtype,
            "seed": SEED,
            **{term: {} for term in options.terms},
            **({"pairs": {"items": options.items, "share": options.share}} if options.terms else {}),
        }
    )
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        train(config, out, progress=watch, say=said.append)
        log = read_parquet(out / "log.parquet", ["loss", "tokens"]).to_pydict()
    about = {"first": first[0], "layout": layout[0], "notes": said}
    return {"losses": log["loss"], "tokens": log["tokens"], "ends": ends, **about}


def with_adapter(options: argparse.Namespace) -> tuple[Any, Any]:
    """The model with PEFT's adapter, as TRL takes it, and its tokenizer."""
    import torch
    from peft import LoraConfig, get_peft_model

    from crossin.models.loading import load

    network, tokenizer = load(options.model, device=options.device, dtype=options.dtype)
    torch.manual_seed(SEED)
    adapter = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(network, adapter), tokenizer


def with_unsloth(options: argparse.Namespace) -> tuple[Any, Any]:
    """The same by Unsloth, which must be imported before everything that it changes."""
    from unsloth import FastLanguageModel

    network, tokenizer = FastLanguageModel.from_pretrained(
        str(options.model), max_seq_length=2048, dtype=None, load_in_4bit=False, local_files_only=True
    )
    network = FastLanguageModel.get_peft_model(
        network,
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        use_gradient_checkpointing="unsloth" if options.side == "unsloth-recompute" else False,
        random_state=SEED,
    )
    return network, tokenizer


def trl_side(options: argparse.Namespace) -> Result:
    """Steps of TRL's SFTTrainer, as it is or as Unsloth has changed it, on the same tokens and labels, in the
    same order, from the same weights.
    """
    network, tokenizer = (with_unsloth if options.side.startswith("unsloth") else with_adapter)(options)
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from crossin.training.config import Batches
    from crossin.training.rows import read_rows

    rows = read_rows(options.mixture, tokenizer, Batches())[0]
    if options.device != "cpu":
        steps = [rows[start : start + options.rows] for start in range(0, len(rows), options.rows)]
        rows = [row for step in steps for row in sorted(step, key=lambda row: len(row.tokens))]
    data = Dataset.from_list(
        [
            {
                "input_ids": list(row.tokens),
                "labels": [-100] * row.learned_from + list(row.tokens[row.learned_from :]),
            }
            for row in rows
        ]
    )
    ends: list[float] = []
    first: list[str] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, model: Any, **__: Any) -> None:
            first.append(digest(model))

        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(now())

    batch = 1 if options.side == "trl-best" else min(options.batch or options.rows, options.rows)
    with tempfile.TemporaryDirectory() as place:
        trainer = SFTTrainer(
            network,
            SFTConfig(
                output_dir=place,
                per_device_train_batch_size=batch,
                gradient_accumulation_steps=options.rows // batch,
                **TRL[options.side],
                learning_rate=LEARNING_RATE,
                lr_scheduler_type="constant",
                weight_decay=WEIGHT_DECAY,
                max_grad_norm=CLIP,
                num_train_epochs=1,
                logging_steps=1,
                save_strategy="no",
                report_to="none",
                use_cpu=options.device == "cpu",
                disable_tqdm=True,
                max_length=None,
                train_sampling_strategy="sequential",
                dataset_kwargs={"skip_prepare_dataset": True},
                seed=SEED,
            ),
            train_dataset=data,
            processing_class=tokenizer,
            callbacks=[Clock()],
        )
        trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return {"losses": losses, "ends": ends, "first": first[0], "notes": []}


def now() -> float:
    """The time when all that was asked of the device is done."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=["crossin", "crossin-recompute", *TRL])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--mixture", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=16, help="rows a step")
    parser.add_argument("--tokens", type=int, default=512, help="tokens per micro-batch of crossin")
    parser.add_argument("--batch", type=int, help="rows a batch of TRL's; by default all of a step")
    parser.add_argument("--warmup", type=int, default=1, help="steps that are not counted")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--terms", nargs="*", default=[], choices=["align", "consist"], help="crossin alone")
    parser.add_argument("--items", type=Path, help="the questions of the terms' pairs")
    parser.add_argument("--share", type=float, default=1 / 6, help="of all tokens that pairs have")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    if options.side.startswith("unsloth"):
        import unsloth  # noqa: F401
    import torch

    torch.set_num_threads(options.threads)
    # What libraries print goes elsewhere: the last line is the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    found = crossin_side(options) if options.side.startswith("crossin") else trl_side(options)
    ends = found.pop("ends")[options.warmup - 1 :]
    found["start"] = ends[0] - _BEGIN
    found["seconds"] = [later - before for before, later in pairwise(ends)]
    peak = peak_mib() if options.device == "cpu" else torch.cuda.max_memory_allocated() / 2**20
    print(json.dumps({**found, "peak MiB": peak}), file=answer)


if __name__ == "__main__":
    main()
