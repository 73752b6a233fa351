"""One side of `train.py`: some steps of tuning, in a process of its own.

`python benchmarks/train_peer.py SIDE --model DIR --mixture DIR --steps N [...]`, with SIDE one of `crossin`,
`trl-defaults` and `trl-best`, prints the losses and seconds of each step, and the peak memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS, RANK, ALPHA, LEARNING_RATE, SEED = 16, 16, 32, 2e-4, 0
Result = dict[str, Any]


def crossin_side(options: argparse.Namespace) -> Result:
    """Steps of `crossin train`; a step's seconds go from the end of the one before to its own."""
    from crossin.files import read_parquet
    from crossin.train import TrainConfig, train

    ends: list[float] = []
    config = TrainConfig.model_validate(
        {
            "model": str(options.model),
            "mixture": options.mixture,
            "method": {"rank": RANK, "alpha": ALPHA},
            "optimiser": {"learning_rate": LEARNING_RATE, "schedule": "constant", "warmup": 0},
            "batches": {"rows": ROWS, "tokens": options.tokens},
            "checkpoint_every": 10**6,
            "log_every": 1,
            "dtype": "float32",
            "seed": SEED,
        }
    )
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"
        train(config, out, progress=lambda *_, **__: ends.append(time.monotonic()))
        losses = read_parquet(out / "log.parquet", ["loss"])["loss"].to_pylist()
    return {"losses": losses, "ends": ends}


def trl_side(options: argparse.Namespace) -> Result:
    """Steps of TRL's SFTTrainer on the same tokens and labels, in the same order, from the same weights."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    from crossin.models.load import load
    from crossin.train.config import Batches
    from crossin.train.rows import read_rows

    network, tokenizer = load(options.model, device="cpu", dtype="float32")
    rows = read_rows(options.mixture, tokenizer, Batches())[0]
    data = Dataset.from_list(
        [
            {
                "input_ids": list(row.tokens),
                "labels": [-100] * row.learned_from + list(row.tokens[row.learned_from :]),
            }
            for row in rows
        ]
    )
    torch.manual_seed(SEED)
    adapter = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    network = get_peft_model(network, adapter)
    ends: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(time.monotonic())

    best = options.side == "trl-best"
    with tempfile.TemporaryDirectory() as place:
        trainer = SFTTrainer(
            network,
            SFTConfig(
                output_dir=place,
                per_device_train_batch_size=1 if best else ROWS,
                gradient_accumulation_steps=ROWS if best else 1,
                **({"gradient_checkpointing": False} if best else {}),
                bf16=False,
                learning_rate=LEARNING_RATE,
                lr_scheduler_type="constant",
                weight_decay=0.01,
                num_train_epochs=1,
                logging_steps=1,
                save_strategy="no",
                report_to="none",
                use_cpu=True,
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
    return {"losses": losses, "ends": ends}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=("crossin", "trl-defaults", "trl-best"))
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--mixture", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=512)
    options = parser.parse_args()
    # What libraries print goes elsewhere: the last line is the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    found = crossin_side(options) if options.side == "crossin" else trl_side(options)
    from crossin.models.memory import peak_memory

    seconds = [later - before for before, later in zip(found["ends"], found["ends"][1:], strict=False)]
    print(json.dumps({"losses": found["losses"], "seconds": seconds, "memory": peak_memory()}), file=answer)


if __name__ == "__main__":
    main()
