"""The training stage: a model and a mixture in, an adapter or a whole model out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.formats import MANIFEST
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.models.download import pull
from crossin.models.weights import writing_weights
from crossin.training.config import TrainConfig, read_config
from crossin.training.record import CHECKPOINTS, Record, last_checkpoint, read_record
from crossin.training.sampling import rank_and_world_size

Say = Callable[[str], None]
ADAPTER, MODEL, MERGED = "adapter", "model", "merged"


def train(
    config: TrainConfig | Path | str,
    out: Path | str,
    *,
    progress: Progress = silent,
    say: Say = lambda _: None,
) -> Stage:
    """Tune a model on a mixture; the adapter (or model), the log and the plot go to the folder `out`.

    config: the settings, or the path of a YAML file. say: called with each line that the user should read.

    An interrupted run resumes from its last checkpoint, and ends as if it had not been interrupted: on a CPU
    with one thread count, with the same bytes. Started by `torchrun` or `accelerate launch`, all processes
    make the same call.

    Raises CrossinError for a model, mixture or pairs that cannot be used, a loss that is not a number, a term
    that is always 0, too little memory, and a folder that another run or process uses.
    """
    config = config if isinstance(config, TrainConfig) else read_config(config)
    model, mixture = pulled_inputs(config, progress)
    inputs = {"model": model, "mixture": mixture, **_pair_inputs(config)}
    settings = config.model_dump(mode="json", exclude={"model", "mixture", "pairs", "name"})
    if config.pairs:
        settings["pairs"] = config.pairs.model_dump(mode="json", exclude={"rows", "items", "apart_from"})
    rank, world_size = rank_and_world_size()
    first = rank == 0
    with stage(out, "train", settings, inputs, rank=rank, world_size=world_size) as work:
        if work.done:
            return work
        try:
            network, tokenizer, record, counts, skipped = _fit(
                config, model, work.folder, progress if first else silent, say if first else lambda _: None
            )
        finally:
            # Without a checkpoint there is nothing to resume from, and another config may use the folder.
            if first and last_checkpoint(work.folder) is None:
                shutil.rmtree(work.folder / CHECKPOINTS, ignore_errors=True)
        if first:
            outputs = _write(config, work.folder, network, tokenizer, model, record, say)
            work.finish(outputs, counts, skipped)
            shutil.rmtree(work.folder / CHECKPOINTS, ignore_errors=True)
    return work


def pulled_inputs(config: TrainConfig, progress: Progress = silent) -> tuple[Path, Path]:
    """The folder of the model, which is pulled where it is given by name, and the mixture."""
    require("train", "accelerate", "peft", "torch", "transformers")
    for name in ("model", "mixture"):
        if getattr(config, name) is None:
            raise CrossinError("missing", field=name, hint=f"set `{name}` in the config, or --{name}")
    assert config.model is not None
    assert config.mixture is not None
    if not config.mixture.exists():
        raise CrossinError("there is no mixture here", file=config.mixture, hint="compose one first")
    return pull(config.model, progress=progress), config.mixture


def _pair_inputs(config: TrainConfig) -> dict[str, Path]:
    if config.pairs is None:
        return {}
    named = {"pairs.rows": config.pairs.rows, "pairs.items": config.pairs.items}
    named |= {f"pairs.apart_from.{n}": path for n, path in enumerate(config.pairs.apart_from)}
    return {name: path for name, path in named.items() if path is not None}


def _fit(
    config: TrainConfig, model: Path, out: Path, progress: Progress, say: Say
) -> tuple[Any, Any, Record, dict[str, Any], dict[str, int]]:
    """The trained network, its tokenizer, the record, and counts for the manifest."""
    import torch
    from transformers import PrinterCallback

    from crossin.training.session import arguments_of, load_trainable, plan_of, read_data
    from crossin.training.trainer import CrossinTrainer

    assert config.mixture is not None
    network, tokenizer = load_trainable(config, model, say)
    data = read_data(config, config.mixture, tokenizer)
    checkpoint = last_checkpoint(out)
    record = read_record(checkpoint) if checkpoint else Record(config.batches.tokens_on(network.device.type))
    plan = plan_of(config, data, network, tokenizer, record.shares)
    trainer = CrossinTrainer(
        plan=plan,
        record=record,
        watch=lambda step, note: progress("training", step, plan.steps, "steps", note),
        model=network,
        args=arguments_of(config, out, network.device.type),
        processing_class=tokenizer,
    )
    # It prints every line of the log as a dictionary.
    trainer.remove_callback(PrinterCallback)
    # Where both languages are certain of their answers gradients are tiny, and a CPU computes denormal
    # numbers many times slower.
    torch.set_flush_denormal(True)
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        torch.set_flush_denormal(False)
    weights = list(network.parameters())
    counts = {
        "rows": len(data.rows),
        "rows_held_out": len(data.held_out),
        "steps": plan.steps,
        "tokens": sum(line.get("tokens", 0) for line in record.lines),
        "learned_tokens": sum(line.get("learned_tokens", 0) for line in record.lines),
        "trained_weights": sum(weight.numel() for weight in weights if weight.requires_grad),
        "weights": sum(weight.numel() for weight in weights),
    }
    return network, tokenizer, record, counts, data.skipped


def _write(
    config: TrainConfig, out: Path, network: Any, tokenizer: Any, base: Path, record: Record, say: Say
) -> list[str]:
    """Write the results of the run; returns the files for the manifest."""
    from crossin.models.merging import merge
    from crossin.training.log import write_log, write_page

    kind = ADAPTER if config.method.kind == "lora" else MODEL
    with writing_weights(out):
        network.save_pretrained(out / kind)
        # PEFT's model card is an empty form; the manifest describes the adapter.
        (out / kind / "README.md").unlink(missing_ok=True)
        if kind == MODEL:
            tokenizer.save_pretrained(out / kind)
    written = [path for path in (out / kind).iterdir() if path.is_file()]
    if config.export and kind == ADAPTER:
        written.append(merge(base, out / ADAPTER, out / MERGED).folder / MANIFEST)
    written += write_log(out, record.lines)
    if page := write_page(out, record.lines):
        written.append(page)
    else:
        say("no plot of the losses: it needs plotly (the extra `report`)")
    return sorted(str(path.relative_to(out)) for path in written)
