"""The trainer of transformers with our steps and our loss: a step's rows and pairs, in micro-batches.

The data loader yields only the number of a step. Everything else about the step follows from it, the seed and
the record, so that a resumed run needs no other history.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch import Tensor

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.models.memory import is_out_of_memory
from crossin.models.weights import writing_weights
from crossin.training.config import TrainConfig
from crossin.training.losses import row_losses, row_weights
from crossin.training.record import Record, save_record
from crossin.training.rows import Group, TrainingRow
from crossin.training.sampling import micro_batches, share_of
from crossin.training.terms import Measured, Term

# A term that is 0 for this many steps in a row has no effect.
_DEAD = 20


class _TermValue(NamedTuple):
    """A term at a step, in this process."""

    name: str
    value: float
    weight: float
    pairs: int
    figures: dict[str, float]


@dataclass(frozen=True)
class TrainingPlan:
    """The steps of a run: the rows of each (over all processes), if any, and the other terms; all rows
    trained on, the held-out rows, and how many were left out, by reason code.

    `after_step` is called with the model, the number of steps done and, where it was just measured, the
    held-out loss by language.
    """

    config: TrainConfig
    steps: int
    rows_at: Callable[[int], Sequence[TrainingRow]]
    rows: Sequence[TrainingRow]
    held_out: Sequence[TrainingRow]
    skipped: dict[str, int]
    terms: Sequence[Term]
    after_step: Callable[[Any, int, dict[str, float]], None] = lambda *_: None

    def longest(self, step: int) -> int:
        """The tokens of the longest row or pair of a step, which no micro-batch can be smaller than."""
        rows = [len(row.tokens) for row in self.rows_at(step)]
        return max([*rows, *(term.longest(step) for term in self.terms)])


class GradientMeter:
    """Measures what each backward pass adds to the gradients of `weights`, which it copies."""

    def __init__(self, weights: Sequence[torch.nn.Parameter]) -> None:
        self._weights = weights
        self._before: dict[int, Tensor] = {}

    def added(self) -> float:
        """The norm of what was added since the last call, or since there were no gradients."""
        added = []
        for number, weight in enumerate(self._weights):
            if weight.grad is not None:
                now = weight.grad.detach()
                added.append((now - self._before[number] if number in self._before else now).float())
                self._before[number] = now.clone()
        return float(torch.nn.utils.get_total_norm(added)) if added else 0.0


class CrossinTrainer(transformers.Trainer):  # type: ignore[misc]
    """Transformers' Trainer; `plan` says what a step is, `record` is the run's state, and `watch` is called
    with the number of steps done and a short text. `logged` is called after each step, once the log has its
    lines, and `saved` after each checkpoint, in one process.

    Once `stop` is true in one of the processes, all of them end after the same step, with a checkpoint, and
    `stopped` is true.
    """

    def __init__(
        self,
        *,
        plan: TrainingPlan,
        record: Record,
        watch: Callable[[int, str], None],
        stop: Callable[[], bool] = lambda: False,
        logged: Callable[[], None] = lambda: None,
        saved: Callable[[], None] = lambda: None,
        **options: Any,
    ):
        super().__init__(**options)
        self.plan, self.config, self.record, self._watch = plan, plan.config, record, watch
        self._stop, self.stopped, self._ended_step = stop, False, -1
        self._logged, self._saved = logged, saved
        self._weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self._groups = sorted({row.group for row in plan.rows})
        self._norms: dict[str, float] = {}

    def get_train_dataloader(self) -> Any:
        """One number a step; every process gets all of them."""
        return torch.utils.data.DataLoader(
            [{"step": step} for step in range(self.plan.steps)],  # type: ignore[arg-type]
            batch_size=1,
            collate_fn=lambda batch: batch[0],
        )

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:  # noqa: ARG002
        """Our schedule, as a multiple of the highest learning rate."""
        optimiser, steps = self.config.optimiser, self.plan.steps
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer,
            lambda step: optimiser.learning_rate_at(min(step, steps - 1), steps) / optimiser.learning_rate,
        )
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def training_step(self, model: Any, inputs: Any, _items: Any = None) -> Tensor:
        """Forward and backward for a step; in smaller micro-batches where the memory is not enough."""
        model.train()
        step = int(inputs["step"])
        started = time.monotonic()
        while True:
            try:
                loss = self._step(model, step)
                break
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                longest = self.plan.longest(step)
                if self.args.world_size > 1 or self.record.tokens <= longest:
                    raise CrossinError(
                        f"not enough memory for step {step + 1}; the last checkpoint is kept",
                        field="batches.tokens",
                        hint="lower `batches.tokens`, `batches.longest` or `batches.pairs`, or set "
                        "`recompute: true`, and run in another folder",
                    ) from error
                self.record.tokens = max(longest, self.record.tokens // 2)
                note = f"not enough memory: micro-batches of {self.record.tokens} tokens from now on"
                self._watch(step, note)
                model.zero_grad()
        self.record.seconds += time.monotonic() - started
        self.record.steps += 1
        return loss

    def _step(self, model: Any, step: int) -> Tensor:
        rank, processes = self.args.process_index, self.args.world_size
        torch.manual_seed(hash64(str(self.config.seed), "step", str(step), str(rank)) >> 1)
        meter = GradientMeter(self._weights) if self._is_logged(step) else None
        total = torch.zeros((), device=self.args.device)
        values: list[_TermValue] = []
        read = 0
        for term in self.plan.terms:
            weight = term.weight(step)
            found: list[Measured] = []
            for places in term.parts(step, self.record.tokens):
                with self.accelerator.no_sync(model):
                    with self.compute_loss_context_manager():
                        measured = term.loss(model, step, places)
                    self.accelerator.backward(weight * measured.value)
                found.append(measured._replace(value=measured.value.detach()))
            values.append(_summed(term.name, weight, found))
            read += sum(one.tokens for one in found)
            if meter:
                self._norms[term.name] = meter.added()
        whole = self.plan.rows_at(step)
        if not whole:
            self._average_gradients()
            total = total + sum(one.weight * one.value for one in values)
            self._add_to_record(step, total, [], values)
            self.record.read += read
            return total
        mine = share_of(whole, rank, processes)
        # A process without rows computes one with weight 0: the others wait for it.
        spare = not mine
        parts = micro_batches(mine or whole[:1], self.record.tokens)
        each: list[tuple[TrainingRow, Tensor]] = []
        for number, part in enumerate(parts):
            weights = [0.0] * len(part) if spare else row_weights(part, whole, self.config.weigh)
            last = number == len(parts) - 1
            with nullcontext() if last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    loss, losses = row_losses(model, part, weights)
                # Gradients are averaged over the processes; the weights are of the whole step.
                self.accelerator.backward(loss * processes)
            total = total + loss.detach()
            if not spare:
                each += zip(part, losses, strict=True)
        if meter:
            self._norms["sft"] = meter.added()
        self._add_to_record(step, total, each, values)
        self.record.read += read + sum(len(row.tokens) for row in whole)
        return total

    def _average_gradients(self) -> None:
        """Average the gradients of a step without rows over the processes. Some terms do not reach all
        weights, which DistributedDataParallel would wait for.
        """
        if self.args.world_size == 1:
            return
        for weight in self._weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
            torch.distributed.all_reduce(weight.grad)
            weight.grad /= self.args.world_size

    def _add_to_record(
        self, step: int, total: Tensor, each: Sequence[tuple[TrainingRow, Tensor]], values: list[_TermValue]
    ) -> None:
        """Add the step's sums over all processes to the record; an error where one is not a number."""
        losses = torch.stack([part.double().sum() for _, part in each]).tolist() if each else []
        hint = "lower the learning rate, or check these rows; the last checkpoint is kept"
        for term in values:
            if not isfinite(term.value):
                what = f"step {step + 1}: the term '{term.name}' is {term.value}"
                raise CrossinError(what, field=term.name, hint=hint)
        wrong = [row.number + 1 for (row, _), loss in zip(each, losses, strict=True) if not isfinite(loss)]
        if wrong:
            shown = ", ".join(map(str, wrong[:10])) + (" and more" if len(wrong) > 10 else "")
            raise CrossinError(
                f"step {step + 1}: the loss is not a number (NaN or infinite) in rows {shown}",
                file=self.config.mixture,
                hint=hint,
            )
        sums = {group: [0.0, 0] for group in self._groups}
        for (row, _), loss in zip(each, losses, strict=True):
            sums[row.group][0] += loss
            sums[row.group][1] += row.learned
        mine = [number for pair in sums.values() for number in pair] + [float(total)]
        mine += [
            number / self.args.world_size
            for term in values
            for number in (term.value, *term.figures.values())
        ]
        # All processes must stop at the same step.
        table = torch.tensor([*mine, float(self._stop())], dtype=torch.float64)
        if self.args.world_size > 1:
            table = table.to(self.args.device)
            torch.distributed.all_reduce(table)
        *found, stops = table.tolist()
        self.stopped = stops > 0
        numbers = iter(found)
        self.record.add_groups({group: (next(numbers), int(next(numbers))) for group in sums})
        whole = next(numbers)
        if self.plan.rows:
            self.record.add_term("sft", whole, 1.0, 0)
        for name, _, weight, used, figures in values:
            value = next(numbers)
            self.record.add_term(name, value, weight, used)
            self.record.add_figures(name, {figure: next(numbers) for figure in figures})
            self.record.zeros[name] = self.record.zeros.get(name, 0) + 1 if value == 0 else 0
            if self.record.zeros[name] >= _DEAD:
                raise CrossinError(
                    f"the term '{name}' has been 0 for {_DEAD} steps: it has no effect",
                    field=name,
                    hint="check that the pairs have what it compares (docs/train.md), or leave it out",
                )

    def _is_logged(self, step: int) -> bool:
        # The first and the last: a run shorter than `log_every` has a beginning and an end, too.
        return (step + 1) % self.config.log_every == 0 or step in (0, self.plan.steps - 1)

    def _maybe_log_save_evaluate(
        self, tr_loss: Any, grad_norm: Any, *rest: Any, learning_rate: Any = None, **more: Any
    ) -> None:
        """Write a line of the log where one is due, and measure the held-out rows; then as transformers."""
        step, record = self.state.global_step, self.record
        # It is called once more at the end.
        if record.steps and step != self._ended_step:
            self._ended_step = step
            loss = (
                record.terms["sft"][0] if self.plan.rows else sum(held[1] for held in record.terms.values())
            )
            note = f"loss {loss / record.steps:.3f}, "
            note += f"{record.read / max(record.seconds, 1e-9):.0f} tokens/s"
            self._watch(step, note)
            if self._is_logged(step - 1):
                record.write_line(step, float(grad_norm), float(learning_rate), self._norms)
            by_language: dict[str, float] = {}
            if self.plan.held_out and (step % self.config.held_out.every == 0 or step == self.plan.steps):
                by_language = record.write_held_out(step, self._held_out_losses())
            self._logged()
            self.plan.after_step(self.model, step, by_language)
            self.stopped = self.stopped or (self.args.world_size == 1 and self._stop())
            if self.stopped:
                self.control.should_save = self.control.should_training_stop = True
        super()._maybe_log_save_evaluate(tr_loss, grad_norm, *rest, learning_rate=learning_rate, **more)

    @torch.no_grad()
    def _held_out_losses(self) -> list[tuple[Group, float, int]]:
        """Each held-out row's group, loss (nats) and learned tokens."""
        self.model.eval()
        found = []
        for part in micro_batches(self.plan.held_out, self.record.tokens):
            _, losses = row_losses(self.model, part, [1.0] * len(part))
            for row, each in zip(part, losses, strict=True):
                found.append((row.group, each.double().sum().item(), len(each)))
        self.model.train()
        return found

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trackers get transformers' figures and those of our last lines."""
        logs.update(self.record.figures_at(self.state.global_step))
        super().log(logs, start_time)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        # Who saves it removes older ones, too.
        with writing_weights(folder.parent if self.args.should_save else folder):
            super()._save_checkpoint(model, trial)
        if self.args.should_save:
            save_record(folder, self.record)
            self._saved()


def _summed(name: str, weight: float, parts: Sequence[Measured]) -> _TermValue:
    """A term at a step from its parts."""
    value = torch.stack([part.value for part in parts]).sum().item()
    figures = {name: sum(part.figures[name] for part in parts) for name in parts[0].figures}
    return _TermValue(name, value, weight, sum(part.pairs for part in parts), figures)
