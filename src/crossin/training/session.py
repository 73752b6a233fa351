"""What a run needs before its first step: the model to train, the rows, the plan of the steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.integrations.liger import apply_liger_kernel, is_liger_kernel_available

from crossin.core.errors import CrossinError
from crossin.core.reasons import counted_sentences, sentence_of
from crossin.models.chat import ChatTemplate
from crossin.models.loading import load
from crossin.training import fused_lora, method, packing
from crossin.training.config import TrainConfig
from crossin.training.record import CHECKPOINTS
from crossin.training.rows import TrainingRow, held_out, read_rows
from crossin.training.sampling import AdaptiveSampler, fixed_steps
from crossin.training.terms import measured_gap, terms_of
from crossin.training.trainer import TrainingPlan


def load_trainable(config: TrainConfig, folder: Path, say: Callable[[str], None]) -> tuple[Any, Any]:
    """The model with the weights to be trained, and its tokenizer; `say` is called with what the user should
    know.
    """
    whole = config.method.kind == "full" and config.dtype == "auto"
    # Weights that are trained themselves keep the precision that their small changes need.
    dtype = "4bit" if config.method.quantised else "float32" if whole else config.dtype
    device = config.device
    if (local := os.environ.get("LOCAL_RANK")) and device in ("auto", "cuda") and torch.cuda.is_available():
        device = f"cuda:{local}"
    network, tokenizer = load(folder, device=device, dtype=dtype)
    if tokenizer.chat_template:
        for note in ChatTemplate(tokenizer, config.chat_template_kwargs).unknown_arguments:
            say(f"note: {sentence_of(note)}")
    if network.device.type == "cuda" and is_liger_kernel_available():
        # Liger's kernels (arXiv 2410.10989) for the small layers; the head and its loss stay ours.
        apply_liger_kernel(network, {"cross_entropy": False, "fused_linear_cross_entropy": False})
    packing.prepare(network)
    if packing.layout(network) == "padded":
        say("this architecture does not support packed sequences; using padded batches (slower)")
    network = method.apply(network, config.method, config.seed)
    fused_lora.fuse(network)
    if config.batches.recompute:
        # Transformers is renaming it.
        new = getattr(network, "activation_checkpointing_enable", None)
        (new or network.gradient_checkpointing_enable)()
    return network, tokenizer


def plan_of(
    config: TrainConfig, mixture: Path | None, network: Any, tokenizer: Any, shares: list[dict[str, float]]
) -> TrainingPlan:
    """The steps of a run, without a mixture of pairs alone; `shares` are those that an adaptive sampler has
    had so far, and grow.

    Call it before a checkpoint is loaded: the reference of `dco` and `prefer` is the model before training.
    Raises CrossinError where no row is left to learn from, or the pairs cannot be used.
    """
    if mixture is None:
        found = terms_of(config, network, tokenizer)
        return TrainingPlan(config, found.steps, lambda _: (), (), (), dict(found.skipped), found.terms)
    batches, sampler = config.batches, config.sampler
    every_row, skipped = read_rows(mixture, tokenizer, batches, config.chat_template_kwargs)
    rows, kept = held_out(every_row, config.held_out.share)
    if not rows:
        raise CrossinError(
            "; ".join(["no row is left to learn from", *counted_sentences(skipped)]),
            file=mixture,
            hint="raise batches.longest, or lower held_out.share",
        )
    adaptive: AdaptiveSampler | None = None
    rows_at: Callable[[int], Sequence[TrainingRow]]
    if sampler.kind == "adaptive":
        adaptive = AdaptiveSampler(rows, batches.rows, sampler.every, config.seed, shares)
        rows_at = adaptive.rows_at
    else:
        rows_at = fixed_steps(rows, batches.rows, config.epochs, config.seed).__getitem__
    tokens = sum(len(row.tokens) for row in rows) * batches.rows / len(rows)
    found = terms_of(config, network, tokenizer, tokens, -(-len(rows) * config.epochs // batches.rows))

    def after_step(model: Any, step: int, held_out_loss: dict[str, float]) -> None:
        if adaptive and step % sampler.every == 0:
            if sampler.criterion == "gap" and found.pool and config.pairs:
                adaptive.follow(measured_gap(found.pool, model, config.pairs))
            else:
                adaptive.follow(held_out_loss)

    return TrainingPlan(
        config=config,
        steps=found.steps,
        rows_at=rows_at,
        rows=rows,
        held_out=kept,
        skipped=skipped | found.skipped,
        terms=found.terms,
        after_step=after_step,
    )


def arguments_of(config: TrainConfig, out: Path, device: str) -> Any:
    """The arguments of transformers' Trainer."""
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
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.checkpoint_every,
        save_total_limit=2,
        bf16=half,
        use_cpu=device == "cpu",
        seed=config.seed,
        report_to=list(config.track) or "none",
        disable_tqdm=True,
        remove_unused_columns=False,
        # Every trained weight has a part in the rows' loss. Without rows, we average the gradients ourselves.
        ddp_find_unused_parameters=False,
    )
