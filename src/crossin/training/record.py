"""The state of a run beside the weights: its log, and the sums since the log's last line.

It is saved in every checkpoint, so that a resumed run has the log of an uninterrupted one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crossin.core.files import read_json, sync, sync_tree, write_json, write_text, writing
from crossin.models.memory import peak_memory
from crossin.training.rows import Group

CHECKPOINTS = "checkpoints"
_RECORD = "crossin.json"
# The lines so far, for whoever looks at a run in progress. A run resumes from its checkpoint's record alone.
_LOG = "log.jsonl"


@dataclass
class Record:
    """`lines` are the log's; `shares` the languages' shares of each period of an adaptive sampler; `tokens`
    the size of a micro-batch, which may have been halved; `zeros` for how many steps in a row a term was 0.
    The rest are sums over the steps since the last line: `groups` of loss and learned tokens by group (its
    three parts joined by tabs), `terms` of each term's value, weighted value, weight and pairs, `figures` of
    each term's own figures.
    """

    tokens: int
    lines: list[dict[str, Any]] = field(default_factory=list)
    shares: list[dict[str, float]] = field(default_factory=list)
    groups: dict[str, list[float]] = field(default_factory=dict)
    terms: dict[str, list[float]] = field(default_factory=dict)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    zeros: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    read: int = 0
    seconds: float = 0.0

    def add_groups(self, sums: Mapping[Group, tuple[float, int]]) -> None:
        """Add a step's loss (nats) and learned tokens by group."""
        for group, (loss, count) in sums.items():
            if count:
                _add(self.groups, group, loss, count)

    def add_term(self, term: str, value: float, weight: float, used: int) -> None:
        """Add a step's value of a term before its weight, and its number of pairs."""
        held = self.terms.get(term, [0.0, 0.0, 0.0, 0])
        step = (value, weight * value, weight, used)
        self.terms[term] = [before + added for before, added in zip(held, step, strict=True)]

    def add_figures(self, term: str, figures: Mapping[str, float]) -> None:
        """Add a step's own figures of a term, which are means over its pairs."""
        for name, value in figures.items():
            held = self.figures.setdefault(term, {})
            held[name] = held.get(name, 0.0) + value

    def write_line(
        self, step: int, gradient_norm: float, learning_rate: float, norms: Mapping[str, float]
    ) -> None:
        """End a line of the log with the sums since the last one, and reset them. norms: each term's part of
        the gradient.
        """
        loss = sum(held[1] for held in self.terms.values()) / self.steps
        self.lines.append(
            {
                "step": step,
                "loss": loss,
                "learning_rate": learning_rate,
                "gradient_norm": gradient_norm,
                "tokens": self.read,
                "learned_tokens": int(sum(held[1] for held in self.groups.values())),
                "seconds": self.seconds,
                "tokens_per_second": self.read / self.seconds,
                "memory_mb": peak_memory(),
                "groups": _group_lines("train", self.groups),
                "terms": [
                    {
                        "term": name,
                        "value": value / self.steps,
                        "weight": weight / self.steps,
                        "pairs": pairs,
                        "gradient_norm": norms.get(name, 0.0),
                        "share": weighted / self.steps / loss if loss else 0.0,
                    }
                    for name, (value, weighted, weight, pairs) in self.terms.items()
                ],
                "figures": [
                    {"term": term, "figure": name, "value": value / self.steps}
                    for term, held in self.figures.items()
                    for name, value in held.items()
                ],
            }
        )
        self.groups, self.terms, self.figures = {}, {}, {}
        self.steps = self.read = 0
        self.seconds = 0.0

    def write_held_out(self, step: int, losses: list[tuple[Group, float, int]]) -> dict[str, float]:
        """Add a line with the losses (nats) and learned tokens of held-out rows; returns the mean loss by
        language.
        """
        groups: dict[str, list[float]] = {}
        languages: dict[str, list[float]] = {}
        for group, loss, count in losses:
            _add(groups, group, loss, count)
            _add(languages, (group.language,), loss, count)
        self.lines.append({"step": step, "groups": _group_lines("held-out", groups)})
        return {language: loss / count for language, (loss, count) in languages.items()}

    def figures_at(self, step: int) -> dict[str, float]:
        """What trackers get: the figures of the lines of this step, each with a name."""
        found: dict[str, float] = {}
        for line in self.lines[-2:]:
            if line["step"] == step:
                numbers = {name: value for name, value in line.items() if isinstance(value, int | float)}
                found |= {f"crossin/{name}": value for name, value in numbers.items() if name != "step"}
                for group in line["groups"]:
                    name = "/".join(group[part] for part in ("split", *Group._fields))
                    found[name] = group["loss"]
                found |= {f"term/{term['term']}": term["value"] for term in line.get("terms", [])}
                found |= {
                    f"term/{one['term']}/{one['figure']}": one["value"] for one in line.get("figures", [])
                }
        return found


def log_writer(out: Path, lines: Sequence[dict[str, Any]]) -> Callable[[], None]:
    """A function that writes those `lines` of a run that were added since it was last called to a file of the
    run's folder, which `lines_so_far` reads. The file begins with the lines that there are now.
    """
    path, written = out / CHECKPOINTS / _LOG, len(lines)
    write_text(path, _json_lines(lines))

    def write() -> None:
        nonlocal written
        if len(lines) > written:
            with writing(path), path.open("a", encoding="utf-8") as file:
                file.write(_json_lines(lines[written:]))
            written = len(lines)

    return write


def is_in_progress(out: Path) -> bool:
    """Whether the folder is that of a run that has not finished and has a log."""
    return (out / CHECKPOINTS / _LOG).is_file()


def lines_so_far(out: Path) -> list[dict[str, Any]] | None:
    """The log's lines of a run that has not finished; None where the folder has none."""
    try:
        text = (out / CHECKPOINTS / _LOG).read_text(encoding="utf-8")
    except OSError:
        return None
    # The last line may be half written.
    whole = text[: text.rfind("\n") + 1]
    return [json.loads(line) for line in whole.splitlines()]


def last_checkpoint(out: Path) -> Path | None:
    """The last whole checkpoint of the run in `out`; incomplete ones are removed."""
    whole = []
    for folder in (out / CHECKPOINTS).glob("checkpoint-*"):
        if (folder / _RECORD).exists():
            whole.append(folder)
        else:
            # Another rank may remove it at the same time.
            shutil.rmtree(folder, ignore_errors=True)
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The number of steps done when a checkpoint was saved."""
    return int(checkpoint.name.rpartition("-")[2])


def save_record(checkpoint: Path, record: Record) -> None:
    """Save the record into a checkpoint. It comes last, and marks the checkpoint as whole: all else is on the
    disk by then.
    """
    with writing(checkpoint):
        sync_tree(checkpoint)
        sync(checkpoint.parent)
    write_json(checkpoint / _RECORD, asdict(record))


def read_record(checkpoint: Path) -> Record:
    """The record in a checkpoint."""
    return Record(**read_json(checkpoint / _RECORD))


def _json_lines(lines: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def _add(sums: dict[str, list[float]], key: tuple[str, ...], loss: float, count: int) -> None:
    held = sums.setdefault("\t".join(key), [0.0, 0])
    held[0] += loss
    held[1] += count


def _group_lines(split: str, groups: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    return [
        {"split": split, **Group(*name.split("\t"))._asdict(), "loss": loss / count, "tokens": int(count)}
        for name, (loss, count) in sorted(groups.items())
    ]
