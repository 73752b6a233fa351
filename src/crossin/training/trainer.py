"""The trainer of transformers with our batches and our loss: a step's rows and pairs, in passes.

What the data loader hands out is the number of a step alone. Everything else about the step follows from it,
the seed and the record, so that a resumed run needs no history but these.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.models.memory import is_out_of_memory, peak_memory
from crossin.models.weights import writing_weights
from crossin.training.batches import passes, share_of
from crossin.training.document import Group, Row
from crossin.training.gradients import GradientMeter
from crossin.training.record import Record, write_record
from crossin.training.sft import row_losses, row_weights

# A term that is 0 for so many steps on end is not at work.
_DEAD = 20


@dataclass(frozen=True)
class Term:
    """A term of the loss beside that of the rows.

    `weight` tells its weight at a step; `loss` computes it for the model, at a step: its value, how many
    pairs it is of, and how many tokens it read.
    """

    name: str
    weight: Callable[[int], float]
    loss: Callable[[Any, int], tuple[torch.Tensor, int, int]]


@dataclass(frozen=True)
class Work:
    """What is to be done: `steps` steps, the rows of each (over all processes), the other terms, and the rows
    held out, whose loss is measured every `held_out_every` steps. `after_step` hears the
    model, how many steps are done and, where it was just measured, the held-out loss by language.
    """

    steps: int
    rows_at: Callable[[int], Sequence[Row]]
    groups: Sequence[Group]
    weigh: str
    terms: Sequence[Term]
    held_out: Sequence[Row]
    held_out_every: int
    after_step: Callable[[Any, int, dict[str, float]], None]
    learning_rate_at: Callable[[int], float]
    mixture: Path
    seed: int


class CrossinTrainer(transformers.Trainer):  # type: ignore[misc]
    """Transformers' Trainer; `work` says what a step is, `record` is what the run knows of itself."""

    def __init__(self, *, work: Work, record: Record, watch: Callable[[int, str], None], **options: Any):
        super().__init__(**options)
        self.work, self.record, self._watch = work, record, watch
        self._weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        self._norms: dict[str, float] = {}

    def get_train_dataloader(self) -> Any:
        """One number a step; every process gets all of them."""
        return torch.utils.data.DataLoader(
            [{"step": step} for step in range(self.work.steps)],  # type: ignore[arg-type]
            batch_size=1,
            collate_fn=lambda batch: batch[0],
        )

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:  # noqa: ARG002
        """Our schedule, as a multiple of the highest learning rate."""
        highest = self.args.learning_rate
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer,
            lambda step: self.work.learning_rate_at(min(step, self.work.steps - 1)) / highest,
        )
        self._created_lr_scheduler = True
        return self.lr_scheduler

    def training_step(self, model: Any, inputs: Any, _items: Any = None) -> torch.Tensor:
        """All passes of a step, forth and back; where memory does not suffice, in smaller passes."""
        model.train()
        step = int(inputs["step"])
        started = time.monotonic()
        loss = None
        while loss is None:
            try:
                loss = self._step(model, step)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if self.args.world_size > 1 or not self._halve(step):
                    raise CrossinError(
                        f"there is not enough memory for step {step + 1}; the last checkpoint is kept",
                        field="batches.tokens",
                        hint="take fewer `tokens` a pass or a smaller `longest`, or `recompute: true`, and "
                        "run in another folder",
                    ) from error
                model.zero_grad()
        self.record.seconds += time.monotonic() - started
        self.record.steps += 1
        return loss

    def _halve(self, step: int) -> bool:
        longest = max(len(row.tokens) for row in self.work.rows_at(step))
        if self.record.tokens <= longest:
            return False
        self.record.tokens = max(longest, self.record.tokens // 2)
        self._watch(step, f"not enough memory: passes of {self.record.tokens} tokens from here on")
        return True

    def _step(self, model: Any, step: int) -> torch.Tensor:
        rank, processes = self.args.process_index, self.args.world_size
        torch.manual_seed(hash64(str(self.work.seed), "step", str(step), str(rank)) >> 1)
        meter = GradientMeter(self._weights) if self._is_logged(step) else None
        total = torch.zeros((), device=self.args.device)
        values: list[tuple[str, float, float, int]] = []
        read = 0
        for term in self.work.terms:
            weight = term.weight(step)
            with self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    value, used, tokens = term.loss(model, step)
                self.accelerator.backward(weight * value)
            values.append((term.name, value.item(), weight, used))
            read += tokens
            if meter:
                self._norms[term.name] = meter.added()
        whole = self.work.rows_at(step)
        mine = share_of(whole, rank, processes)
        # A process without rows goes the same way with one that weighs nothing: the others wait for it.
        spare = not mine
        parts = passes(mine or whole[:1], self.record.tokens)
        each: list[tuple[Row, torch.Tensor]] = []
        for number, part in enumerate(parts):
            weights = [0.0] * len(part) if spare else row_weights(part, whole, self.work.weigh)
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
        self._keep(step, total, each, values, read + sum(len(row.tokens) for row in whole))
        return total

    def _keep(
        self,
        step: int,
        total: Any,
        each: list[tuple[Row, torch.Tensor]],
        values: list[tuple[str, float, float, int]],
        read: int,
    ) -> None:
        """Add the step to the record, over all processes; stop where a number is none."""
        sums = torch.stack([losses.double().sum() for _, losses in each]) if each else torch.zeros(0)
        self._check_numbers(step, [row for row, _ in each], sums.tolist(), values)
        places = {group: number for number, group in enumerate(self.work.groups)}
        table = torch.zeros(2 * len(places) + 1 + len(values), dtype=torch.float64)
        for (row, losses), loss in zip(each, sums.tolist(), strict=True):
            table[2 * places[row.group]] += loss
            table[2 * places[row.group] + 1] += len(losses)
        table[2 * len(places)] = float(total)
        for number, (_, value, _, _) in enumerate(values):
            table[2 * len(places) + 1 + number] = value / self.args.world_size
        if self.args.world_size > 1:
            table = table.to(self.args.device)
            torch.distributed.all_reduce(table)
        numbers = table.tolist()
        self.record.add_groups(
            {
                group: (numbers[2 * place], int(numbers[2 * place + 1]))
                for group, place in places.items()
                if numbers[2 * place + 1]
            }
        )
        self.record.add_term("sft", numbers[2 * len(places)], 1.0, 0)
        for (name, _, weight, used), value in zip(values, numbers[2 * len(places) + 1 :], strict=True):
            self.record.add_term(name, value, weight, used)
            self.record.zeros[name] = self.record.zeros.get(name, 0) + 1 if value == 0 else 0
            if self.record.zeros[name] >= _DEAD:
                raise CrossinError(
                    f"the term '{name}' has been 0 for {_DEAD} steps: it does nothing",
                    field=name,
                    hint="check that the pairs have what it compares (docs/train.md), or leave it out",
                )
        self.record.read += read

    def _check_numbers(
        self,
        step: int,
        rows: Sequence[Row],
        losses: Sequence[float],
        values: list[tuple[str, float, float, int]],
    ) -> None:
        hint = "lower the learning rate, or look at these rows; the last checkpoint is kept"
        for name, value, _, _ in values:
            if not math.isfinite(value):
                raise CrossinError(f"step {step + 1}: the term '{name}' is {value}", field=name, hint=hint)
        wrong = [row.number + 1 for row, loss in zip(rows, losses, strict=True) if not math.isfinite(loss)]
        if wrong:
            shown = ", ".join(map(str, wrong[:10])) + (" and more" if len(wrong) > 10 else "")
            raise CrossinError(
                f"step {step + 1}: the loss is no number in the rows {shown}",
                file=self.work.mixture,
                hint=hint,
            )

    def _is_logged(self, step: int) -> bool:
        return (step + 1) % self.args.logging_steps == 0 or step + 1 == self.work.steps

    def _maybe_log_save_evaluate(
        self, tr_loss: Any, grad_norm: Any, *rest: Any, learning_rate: Any = None, **more: Any
    ) -> None:
        """Write a line of the log where one is due, measure the held-out rows; then transformers' own."""
        step = self.state.global_step
        if self.record.steps:
            note = f"loss {self.record.terms['sft'][0] / self.record.steps:.3f}, "
            note += f"{self.record.read / max(self.record.seconds, 1e-9):.0f} tokens/s"
            self._watch(step, note)
            if self._is_logged(step - 1):
                self.record.lines.append(self._line(step, float(grad_norm), float(learning_rate)))
                self.record.clear()
            by_language: dict[str, float] = {}
            if self.work.held_out and (step % self.work.held_out_every == 0 or step == self.work.steps):
                by_language = self._measure_held_out(step)
            self.work.after_step(self.model, step, by_language)
        super()._maybe_log_save_evaluate(tr_loss, grad_norm, *rest, learning_rate=learning_rate, **more)

    def _line(self, step: int, gradient_norm: float, learning_rate: float) -> dict[str, Any]:
        record = self.record
        loss = sum(held[1] for held in record.terms.values()) / record.steps
        return {
            "step": step,
            "loss": loss,
            "learning_rate": learning_rate,
            "gradient_norm": gradient_norm,
            "tokens": record.read,
            "learned_tokens": int(sum(held[1] for held in record.groups.values())),
            "seconds": record.seconds,
            "tokens_per_second": record.read / record.seconds,
            "memory_mb": peak_memory(),
            "groups": _group_lines("train", record.groups),
            "terms": [
                {
                    "term": name,
                    "value": held[0] / record.steps,
                    "weight": held[2] / record.steps,
                    "pairs": held[3],
                    "gradient_norm": self._norms.get(name, 0.0),
                    "share": held[1] / record.steps / loss if loss else 0.0,
                }
                for name, held in record.terms.items()
            ],
        }

    @torch.no_grad()
    def _measure_held_out(self, step: int) -> dict[str, float]:
        """Add a line with the loss of the rows held out; returns it by language of the completion."""
        self.model.eval()
        sums: dict[str, list[float]] = {}
        by_language: dict[str, list[float]] = {}
        for part in passes(self.work.held_out, self.record.tokens):
            _, losses = row_losses(self.model, part, [1.0] * len(part))
            for row, each in zip(part, losses, strict=True):
                for held in (
                    sums.setdefault("\t".join(row.group), [0.0, 0]),
                    by_language.setdefault(row.group.lang_out or row.group.lang_in, [0.0, 0]),
                ):
                    held[0] += each.double().sum().item()
                    held[1] += len(each)
        self.model.train()
        self.record.lines.append({"step": step, "groups": _group_lines("held-out", sums)})
        return {language: loss / count for language, (loss, count) in by_language.items()}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """What trackers see: transformers' figures, and our last lines' as plain numbers."""
        for line in self.record.lines[-2:]:
            if line["step"] == self.state.global_step:
                logs.update(_flat(line))
        super().log(logs, start_time)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with writing_weights(folder):
            super()._save_checkpoint(model, trial)
        if self.args.should_save:
            write_record(folder, self.record)


def _group_lines(split: str, groups: dict[str, list[float]]) -> list[dict[str, Any]]:
    return [
        {
            "split": split,
            **dict(zip(Group._fields, name.split("\t"), strict=True)),
            "loss": loss / count,
            "tokens": int(count),
        }
        for name, (loss, count) in sorted(groups.items())
    ]


def _flat(line: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """A line of the log as numbers with a name each."""
    for name, value in line.items():
        if isinstance(value, int | float) and name != "step":
            yield f"crossin/{name}", value
    for group in line.get("groups", []):
        name = "/".join(group[part] for part in Group._fields)
        yield f"{group['split']}/{name}", group["loss"]
    for term in line.get("terms", []):
        yield f"term/{term['term']}", term["value"]
