"""A run made ready: the model as it is trained, the rows, the steps, the terms."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.models.loading import load
from crossin.training import fused_lora, method, passes
from crossin.training.adaptive import Adaptive
from crossin.training.batches import fixed_steps
from crossin.training.checkpoints import CHECKPOINTS
from crossin.training.config import TrainConfig
from crossin.training.document import Group, Row
from crossin.training.rows import held_out, read_rows
from crossin.training.schedule import learning_rate_at
from crossin.training.terms import measured_gap, terms_of
from crossin.training.trainer import Work


@dataclass(frozen=True)
class Data:
    """The rows of a run: those trained on, those held out, and what was left out, by reason."""

    rows: list[Row]
    kept: list[Row]
    skipped: dict[str, int]

    @property
    def groups(self) -> list[Group]:
        """What the rows' losses are told apart by."""
        return sorted({row.group for row in (*self.rows, *self.kept)})


def read_data(config: TrainConfig, mixture: Path, tokenizer: Any) -> Data:
    """The mixture as tokens. Raises CrossinError where no row is left to learn from."""
    rows, skipped = read_rows(mixture, tokenizer, config.batches)
    training, kept = held_out(rows, config.held_out.share)
    if not training:
        raise CrossinError(
            "no row is left to learn from"
            + "".join(f"; {count} left out: {reason}" for reason, count in skipped.items()),
            file=mixture,
            hint="raise batches.longest, or lower held_out.share",
        )
    return Data(training, kept, skipped)


def ready_model(config: TrainConfig, folder: Path, say: Callable[[str], None]) -> tuple[Any, Any]:
    """The model with the weights to be trained, and its tokenizer; `say` hears where passes are padded."""
    whole = config.method.kind == "full" and config.dtype == "auto"
    # Weights that are trained whole keep the precision that their small changes need.
    dtype = "4bit" if config.method.quantised else "float32" if whole else config.dtype
    device = config.device
    if (local := os.environ.get("LOCAL_RANK")) and device in ("auto", "cuda"):
        device = f"cuda:{local}" if _has_cuda() else device
    network, tokenizer = load(folder, device=device, dtype=dtype)
    _take_fast_kernels(network)
    passes.prepare(network)
    if passes.layout(network) == "padded":
        say("this model's layers cannot take documents behind one another: its passes are padded")
    network = method.apply(network, config.method, config.seed)
    fused_lora.fuse(network)
    return network, tokenizer


def _take_fast_kernels(network: Any) -> None:
    """On CUDA let the small layers between the multiplications be one kernel each, where Liger (arXiv
    2410.10989) is installed and knows the model. The head and its loss stay ours.
    """
    from transformers.integrations.liger import apply_liger_kernel, is_liger_kernel_available

    if network.device.type == "cuda" and is_liger_kernel_available():
        apply_liger_kernel(network, {"cross_entropy": False, "fused_linear_cross_entropy": False})


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def work_of(
    config: TrainConfig,
    data: Data,
    network: Any,
    tokenizer: Any,
    mixture: Path,
    shares: list[dict[str, float]],
) -> Work:
    """What the trainer is to do; `shares` are those that an adaptive sampler has had so far, and grow.

    It must be made before the run's checkpoint is loaded: the reference of `dco` is the model as it came.
    """
    steps = -(-len(data.rows) * config.epochs // config.batches.rows)
    rows_at: Callable[[int], Sequence[Row]]
    if config.sampler.kind == "adaptive":
        adaptive = Adaptive(data.rows, config.batches.rows, config.sampler.every, config.seed, shares)
        rows_at = adaptive.rows_at
    else:
        rows_at = fixed_steps(data.rows, config.batches.rows, config.epochs, config.seed).__getitem__
    tokens = sum(len(row.tokens) for row in data.rows) * config.batches.rows / len(data.rows)
    made = terms_of(config, network, tokenizer, tokens, steps)
    data.skipped.update(made.skipped)

    def after_step(model: Any, step: int, held_out_loss: dict[str, float]) -> None:
        if config.sampler.kind == "adaptive" and step % config.sampler.every == 0:
            if config.sampler.criterion == "gap":
                assert made.stock
                assert config.pairs
                adaptive.follow(measured_gap(made.stock, model, config.pairs))
            else:
                adaptive.follow(held_out_loss)

    return Work(
        steps=steps,
        rows_at=rows_at,
        groups=data.groups,
        weigh=config.weigh,
        terms=made.terms,
        held_out=data.kept,
        held_out_every=config.held_out.every,
        after_step=after_step,
        learning_rate_at=lambda step: learning_rate_at(config.optimiser, step, steps),
        mixture=mixture,
        seed=config.seed,
    )


def arguments(config: TrainConfig, out: Path, device: str) -> Any:
    """Transformers' settings for a run of ours."""
    import torch
    import transformers

    cuda = device.startswith("cuda")
    half = cuda and config.method.kind == "full" and config.dtype == "auto" and torch.cuda.is_bf16_supported()
    return transformers.TrainingArguments(
        output_dir=str(out / CHECKPOINTS),
        per_device_train_batch_size=1,
        num_train_epochs=1,
        learning_rate=config.optimiser.learning_rate,
        weight_decay=config.optimiser.weight_decay,
        max_grad_norm=config.optimiser.clip,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=2,
        **({_recomputing(): True} if config.batches.recompute else {}),
        bf16=half,
        use_cpu=device == "cpu",
        seed=config.seed,
        report_to=list(config.track) or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        # Every trained weight has a part in the rows' loss.
        ddp_find_unused_parameters=False,
    )


def _recomputing() -> str:
    """What this version of transformers calls the setting."""
    import transformers

    names = transformers.TrainingArguments.__dataclass_fields__
    return "activation_checkpointing" if "activation_checkpointing" in names else "gradient_checkpointing"
