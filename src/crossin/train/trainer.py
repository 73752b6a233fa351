"""The training stage: a model and a mixture in, an adapter out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.errors import CrossinError
from crossin.files import write_parquet
from crossin.models.load import load
from crossin.models.packing import logits_at, pack
from crossin.models.weights import writing_weights
from crossin.progress import Progress, silent
from crossin.stage import Stage, begin
from crossin.train.checkpoint import load_checkpoint, save_checkpoint
from crossin.train.rows import TokenisedRow, read_rows
from crossin.train.settings import TrainSettings

if TYPE_CHECKING:
    import torch

CHECKPOINT = "checkpoint.safetensors"


def train(
    model: Path,
    mixture: Path,
    out: Path,
    settings: TrainSettings,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Stage:
    """Tune the model in the folder `model` on a mixture folder; the adapter and the log go to `out`.

    A run that was stopped goes on from its last checkpoint and ends with the same weights.
    """
    import pyarrow
    import torch

    stage = begin(out, "train", {**settings.model_dump(), "seed": seed}, {"model": model, "mixture": mixture})
    if stage.done:
        return stage
    network, tokenizer = load(model)
    rows, skipped = read_rows(mixture, tokenizer, settings.longest_row)
    if not rows:
        raise CrossinError("no row is short enough to learn from", file=mixture, fix="raise longest_row")
    network = _with_adapter(network, settings, seed)
    weights = {name: weight for name, weight in network.named_parameters() if weight.requires_grad}
    optimizer = torch.optim.AdamW(weights.values(), lr=0.0, weight_decay=settings.weight_decay)
    log = load_checkpoint(out / CHECKPOINT, weights, optimizer)
    batches = [
        rows[start : start + settings.rows_per_step] for start in range(0, len(rows), settings.rows_per_step)
    ]
    network.train()
    for step in range(len(log), len(batches)):
        started = time.monotonic()
        log.append(_train_step(network, optimizer, batches[step], settings, step, len(batches), seed))
        speed = log[-1]["tokens"] / (time.monotonic() - started)
        progress(
            "training", step + 1, len(batches), "steps", f"loss {log[-1]['loss']:.3f}, {speed:.0f} tokens/s"
        )
        if (step + 1) % settings.checkpoint_every == 0 and step + 1 < len(batches):
            save_checkpoint(out / CHECKPOINT, weights, optimizer, log)
    with writing_weights(out):
        network.save_pretrained(out / "adapter", safe_serialization=True)
        # PEFT's own card is an empty form; the manifest says what this adapter is.
        (out / "adapter" / "README.md").unlink(missing_ok=True)
    write_parquet(out / "log.parquet", pyarrow.Table.from_pylist(log))
    stage.finish(
        ["adapter/adapter_config.json", "adapter/adapter_model.safetensors", "log.parquet"],
        {
            "rows": len(rows),
            "steps": len(batches),
            "tokens": sum(len(row.tokens) for row in rows),
            "learned tokens": sum(len(row.tokens) - row.learned_from for row in rows),
            "trained weights": sum(weight.numel() for weight in weights.values()),
        },
        skipped,
    )
    (out / CHECKPOINT).unlink(missing_ok=True)
    return stage


def _with_adapter(network: Any, settings: TrainSettings, seed: int) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=int(settings.alpha),
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(network, config)


def _train_step(
    network: Any,
    optimizer: torch.optim.Optimizer,
    batch: Sequence[TokenisedRow],
    settings: TrainSettings,
    step: int,
    steps: int,
    seed: int,
) -> dict[str, Any]:
    """One optimiser step on a batch; returns its line of the log. What it does depends on the step's number,
    not on history.
    """
    import torch

    # Dropout draws from a generator that each step seeds anew: a resumed run needs no generator state.
    torch.manual_seed(seed * 1_000_003 + step)
    learning_rate = settings.learning_rate_at(step, steps)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    loss = completion_loss(network, batch)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([w for group in optimizer.param_groups for w in group["params"]], 1.0)
    optimizer.step()
    optimizer.zero_grad()
    tokens = sum(len(row.tokens) for row in batch)
    return {"step": step + 1, "loss": loss.item(), "learning_rate": learning_rate, "tokens": tokens}


def completion_loss(network: Any, batch: Sequence[TokenisedRow]) -> torch.Tensor:
    """The mean negative log-likelihood, in nats, of the learned tokens; every token weighs the same."""
    import torch

    packed = pack([row.tokens for row in batch])
    places: list[int] = []
    targets: list[int] = []
    for start, row in zip(packed.starts, batch, strict=True):
        places += range(start + row.learned_from - 1, start + len(row.tokens) - 1)
        targets += row.tokens[row.learned_from :]
    logits = logits_at(network, packed, places)
    return torch.nn.functional.cross_entropy(logits, torch.tensor(targets, device=logits.device))
