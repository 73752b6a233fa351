"""The training stage: a model and a mixture in, an adapter or a whole model out."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.core.extras import install_hint, require
from crossin.core.files import read_json, write_json, write_text
from crossin.core.formats import MANIFEST
from crossin.core.interrupts import Stopped, add_note, held_signals
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.models.chat import CHAT_DATE
from crossin.models.download import pull
from crossin.models.weights import writing_weights
from crossin.training.config import TrainConfig, read_config
from crossin.training.log import write_log
from crossin.training.loss_page import PAGE, page_writer, write_loss_page
from crossin.training.record import (
    CHECKPOINTS,
    Record,
    last_checkpoint,
    log_writer,
    read_record,
    step_of,
)
from crossin.training.sampling import rank_and_world_size

if TYPE_CHECKING:
    from crossin.training.trainer import CrossinTrainer

Say = Callable[[str], None]
ADAPTER, MODEL, MERGED = "adapter", "model", "merged"
_STOPPING = "stopping after this step, with a checkpoint; Ctrl-C again stops at once"


def train(
    config: TrainConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    progress: Progress = silent,
    say: Say = lambda _: None,
    **given: Any,
) -> Stage:
    """Tune a model on a mixture; the adapter (or model), the log and the plot go to the folder `out`.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). given:
    settings by name, in place of those of `config`: `train("demo", out, model=…, mixture=…)`. say: called
    with each line that the user should read.

    An interrupted run resumes from its last checkpoint, and ends as if it had not been interrupted: on a CPU
    with one thread count, with the same bytes. Ctrl-C and SIGTERM save a checkpoint after the current step,
    and then take their effect. Started by `torchrun` or `accelerate launch`, all processes make the same
    call.

    Raises CrossinError for a model, mixture or pairs that cannot be used, a loss that is not a number, a term
    that is always 0, too little memory, and a folder that another run or process uses.
    """
    config = read_config(config, given)
    model, mixture = pulled_inputs(config, progress)
    inputs = {"model": model}
    if mixture:
        inputs["mixture"] = mixture
    settings = config.model_dump(mode="json", exclude={"model", "mixture", "pairs", "name"})
    settings["chat_date"] = CHAT_DATE
    # Runs from before these settings were there are the same.
    if config.batches.turns == "all":
        del settings["batches"]["turns"]
    if config.max_tokens is None:
        del settings["max_tokens"]
    if pairs := config.pairs:
        settings["pairs"] = pairs.model_dump(mode="json", exclude={"rows", "items", "apart_from"})
        named = {"pairs.rows": pairs.rows, "pairs.items": pairs.items}
        inputs |= {name: path for name, path in named.items() if path}
        inputs |= {f"pairs.apart_from.{n}": path for n, path in enumerate(pairs.apart_from)}
    if prefer := config.prefer:
        settings["prefer"] = prefer.model_dump(mode="json", exclude={"data", "apart_from"})
        inputs["prefer.data"] = prefer.data
        inputs |= {f"prefer.apart_from.{n}": path for n, path in enumerate(prefer.apart_from)}
    rank, world_size = rank_and_world_size()
    first = rank == 0
    if not first:
        progress, say = silent, lambda _: None
    with stage(out, "train", settings, inputs, rank=rank, world_size=world_size) as work:
        if work.done:
            if PAGE not in work.manifest["outputs"]:
                say(_no_page())
            return work
        if config.mixture and not mixture:
            say("note: the pairs have all tokens (`share`), and the mixture is not read")
        with _saying_the_step(work.folder) if first else nullcontext():
            try:
                trainer = _fit(config, model, mixture, work.folder, progress, say, first=first)
            finally:
                # Without a checkpoint there is nothing to resume from, and another config may use the folder.
                if first and last_checkpoint(work.folder) is None:
                    shutil.rmtree(work.folder / CHECKPOINTS, ignore_errors=True)
            if first:
                from crossin.training.trained_form import prompt_form

                form = prompt_form(mixture, trainer.processing_class)
                outputs = _write(trainer, work.folder, model, form.chat_template, say)
                # Pairs alone have no form of their own.
                counts = {**_counts(trainer), **({"template": form.name} if mixture else {})}
                work.finish(outputs, counts, trainer.plan.skipped)
                shutil.rmtree(work.folder / CHECKPOINTS, ignore_errors=True)
    return work


def pulled_inputs(config: TrainConfig, progress: Progress = silent) -> tuple[Path, Path | None]:
    """The folder of the model, which is pulled where it is given by name, and the mixture; None where pairs
    have all tokens, and it is not read.
    """
    require("train", "accelerate", "peft", "torch", "transformers")
    mixture = config.mixture if config.rows_share else None
    if config.model is None or (mixture is None and config.rows_share):
        name = "mixture" if config.model else "model"
        hint = f"set `{name}` in the config, or --{name}"
        if config.model and (config.pairs or config.prefer):
            hint += f"; to train on pairs alone, set `{'pairs' if config.pairs else 'prefer'}.share: 1`"
        raise CrossinError("missing", field=name, hint=hint)
    if mixture and not mixture.exists():
        raise CrossinError("there is no mixture here", file=mixture, hint="compose one first")
    return pull(config.model, progress=progress), mixture


@contextmanager
def _saying_the_step(out: Path) -> Iterator[None]:
    """Add to an interrupt the step of the checkpoint from which the run resumes."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        if checkpoint := last_checkpoint(out):
            add_note(stopped, f"training goes on after step {step_of(checkpoint):,}")
        raise


def _fit(
    config: TrainConfig,
    model: Path,
    mixture: Path | None,
    out: Path,
    progress: Progress,
    say: Say,
    *,
    first: bool,
) -> CrossinTrainer:
    """The trainer, with the trained network and the record, at the end of the run."""
    import torch
    from transformers import PrinterCallback

    from crossin.training.session import arguments_of, load_trainable, plan_of
    from crossin.training.trainer import CrossinTrainer

    network, tokenizer = load_trainable(config, model, say)
    checkpoint = last_checkpoint(out)
    record = read_record(checkpoint) if checkpoint else Record(config.batches.tokens_on(network.device.type))
    plan = plan_of(config, mixture, network, tokenizer, record.shares)
    with held_signals(_STOPPING if first else "") as held:
        trainer = CrossinTrainer(
            plan=plan,
            record=record,
            watch=lambda step, note: progress("training", step, plan.steps, "steps", note),
            stop=lambda: held.number is not None,
            logged=log_writer(out, record.lines) if first else lambda: None,
            saved=page_writer(out, record.lines),
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
    if trainer.stopped:
        # Another process of the run got the signal.
        raise Stopped(signal.SIGTERM)
    return trainer


def _counts(trainer: CrossinTrainer) -> dict[str, int]:
    plan, lines, weights = trainer.plan, trainer.record.lines, list(trainer.model.parameters())
    return {
        "rows": len(plan.rows),
        "rows_held_out": len(plan.held_out),
        "steps": plan.steps,
        "pairs": sum(term["pairs"] for line in lines for term in line.get("terms", [])),
        "tokens": sum(line.get("tokens", 0) for line in lines),
        "learned_tokens": sum(line.get("learned_tokens", 0) for line in lines),
        "trained_weights": sum(weight.numel() for weight in weights if weight.requires_grad),
        "weights": sum(weight.numel() for weight in weights),
    }


def _write(trainer: CrossinTrainer, out: Path, base: Path, chat_template: str, say: Say) -> list[str]:
    """Write the results of the run; returns the files for the manifest. chat_template: the form of the
    prompts that were learned, '' where the model's own chat template is not to be replaced.
    """
    from crossin.models.adapters import CHAT_TEMPLATE
    from crossin.models.merging import merge

    config, lines = trainer.config, trainer.record.lines
    kind = ADAPTER if config.method.kind == "lora" else MODEL
    with writing_weights(out):
        trainer.model.save_pretrained(out / kind)
        if kind == ADAPTER:
            _sort_targets(out / kind / "adapter_config.json")
        # PEFT's model card is an empty form; the manifest describes the adapter.
        (out / kind / "README.md").unlink(missing_ok=True)
        if kind == MODEL:
            trainer.processing_class.save_pretrained(out / kind)
        if chat_template:
            write_text(out / kind / CHAT_TEMPLATE, chat_template)
        _write_ends(out / kind, base, [row.tokens[-1] for row in trainer.plan.rows])
    written = [path for path in (out / kind).iterdir() if path.is_file()]
    if config.export and kind == ADAPTER:
        written.append(merge(base, out / ADAPTER, out / MERGED).folder / MANIFEST)
    written += write_log(out, lines)
    if page := write_loss_page(out, lines):
        written.append(page)
    else:
        say(_no_page())
    return sorted(str(path.relative_to(out)) for path in written)


def _write_ends(folder: Path, base: Path, ends: Sequence[int]) -> None:
    """Let what is trained end its replies where the rows end, beside the base's own ends."""
    from crossin.models.merging import add_ends, end_tokens

    known = end_tokens(base)
    if new := sorted(set(ends) - set(known)):
        # Beside an adapter, too, for whoever merges it.
        add_ends(folder, [*known, *new])


def _no_page() -> str:
    return f"no plot of the losses: it needs vl-convert-python ({install_hint('report')})"


def _sort_targets(file: Path) -> None:
    """Put the names of the adapted layers in order: PEFT writes a set, in another order in each process."""
    config = read_json(file)
    if isinstance(config.get("target_modules"), list):
        write_json(file, config | {"target_modules": sorted(config["target_modules"])})
