"""The training stage: a model and a mixture in, an adapter or a whole model out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import writing
from crossin.core.formats import CLAIM, MANIFEST
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.models.download import pull
from crossin.models.weights import writing_weights
from crossin.training.checkpoints import CHECKPOINTS, last_checkpoint
from crossin.training.config import TrainConfig
from crossin.training.record import Record, read_record

Say = Callable[[str], None]
ADAPTER, MODEL, MERGED = "adapter", "model", "merged"


def train(config: TrainConfig, out: Path, *, progress: Progress = silent, say: Say = lambda _: None) -> Stage:
    """Tune a model on a mixture; the adapter (or model), the log and the plot go to the folder `out`.

    A run that was stopped goes on from its last checkpoint, and ends as if it had not been: on a CPU with one
    thread count, with the same bytes. Started by `torchrun` or `accelerate launch`, all processes call this
    alike. `say` hears what the user should know, one line at a time.

    Raises CrossinError for a model, mixture or pairs that cannot be used, a loss that is no number, a term
    that is always 0, too little memory, and a folder that another run or process has.
    """
    require("train", "accelerate", "peft", "torch", "transformers")
    model, mixture = places(config, progress)
    several, first = int(os.environ.get("WORLD_SIZE", "1")) > 1, os.environ.get("RANK", "0") == "0"
    inputs = {"model": model, "mixture": mixture, **_pair_inputs(config)}
    settings = config.model_dump(mode="json", exclude={"model", "mixture", "pairs", "name"})
    if config.pairs:
        settings["pairs"] = config.pairs.model_dump(mode="json", exclude={"rows", "items", "apart_from"})
    if not first:
        stage = begin(out, "train", settings, inputs, shared=True)
        if not stage.done:
            _fit(config, model, mixture, out, silent, lambda _: None)
        return stage
    with _alone(out):
        stage = begin(out, "train", settings, inputs, shared=several)
        if stage.done:
            return stage
        try:
            network, tokenizer, record, counts, skipped = _fit(config, model, mixture, out, progress, say)
        except CrossinError:
            # There is nothing to go on with: a mended config may have the folder.
            if last_checkpoint(out) is None:
                shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
                stage.release()
            raise
        outputs = _write(config, stage, network, tokenizer, model, record, say)
        stage.finish(outputs, counts, skipped)
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
    return stage


def places(config: TrainConfig, progress: Progress = silent) -> tuple[Path, Path]:
    """The folder of the model, pulled where it is called by name, and the mixture."""
    for name in ("model", "mixture"):
        if getattr(config, name) is None:
            raise CrossinError("is not given", field=name, hint=f"set `{name}` in the config, or --{name}")
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
    config: TrainConfig, model: Path, mixture: Path, out: Path, progress: Progress, say: Say
) -> tuple[Any, Any, Record, dict[str, Any], dict[str, int]]:
    """The trained network, its tokenizer, the record, and counts for the manifest."""
    import torch
    from transformers import PrinterCallback

    from crossin.training.session import arguments, read_data, ready_model, work_of
    from crossin.training.trainer import CrossinTrainer

    network, tokenizer = ready_model(config, model, say)
    data = read_data(config, mixture, tokenizer)
    checkpoint = last_checkpoint(out)
    record = read_record(checkpoint) if checkpoint else Record(config.batches.tokens_on(network.device.type))
    work = work_of(config, data, network, tokenizer, mixture, record.shares)

    def watch(step: int, note: str) -> None:
        progress("training", step, work.steps, "steps", note)

    trainer = CrossinTrainer(
        work=work,
        record=record,
        watch=watch,
        model=network,
        args=arguments(config, out, network.device.type),
        processing_class=tokenizer,
    )
    # It prints every line of the log as a dictionary.
    trainer.remove_callback(PrinterCallback)
    # Where two languages are sure of their answers gradients are tiny, and numbers too small to be normal
    # take a processor many times as long.
    torch.set_flush_denormal(True)
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    finally:
        torch.set_flush_denormal(False)
    weights = list(network.parameters())
    counts = {
        "rows": len(data.rows),
        "rows held out": len(data.kept),
        "steps": work.steps,
        "tokens": sum(line.get("tokens", 0) for line in record.lines),
        "learned tokens": sum(line.get("learned_tokens", 0) for line in record.lines),
        "trained weights": sum(weight.numel() for weight in weights if weight.requires_grad),
        "weights": sum(weight.numel() for weight in weights),
    }
    return network, tokenizer, record, counts, data.skipped


def _write(
    config: TrainConfig, stage: Stage, network: Any, tokenizer: Any, base: Path, record: Record, say: Say
) -> list[str]:
    """Write what the run has made; returns the files for the manifest."""
    from crossin.models.merging import merge
    from crossin.training.log import write_log
    from crossin.training.plot import plot

    out = stage.folder
    kind = ADAPTER if config.method.kind == "lora" else MODEL
    with writing_weights(out):
        network.save_pretrained(out / kind)
        # PEFT's own card is an empty form; the manifest says what this adapter is.
        (out / kind / "README.md").unlink(missing_ok=True)
        if kind == MODEL:
            tokenizer.save_pretrained(out / kind)
    made = [path for path in (out / kind).iterdir() if path.is_file()]
    for path in made:
        # safetensors writes files that nobody else may read.
        path.chmod((out / CLAIM).stat().st_mode)
    if config.export and kind == ADAPTER:
        made.append(merge(base, out / ADAPTER, out / MERGED).folder / MANIFEST)
    made += write_log(out, record.lines)
    if page := plot(out):
        made.append(page)
    else:
        say("no plot of the losses: that needs plotly (the extra `report`)")
    return sorted(str(path.relative_to(out)) for path in made)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep other processes out of the folder, before it is claimed: the lock lies beside it."""
    from filelock import FileLock, Timeout

    place = out.absolute()
    lock = FileLock(place.with_name(f".{place.name}.lock"), timeout=0)
    with writing(out):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as error:
            raise CrossinError(
                "another process is training in this folder",
                file=out,
                hint="wait for it, or take another --out",
            ) from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
