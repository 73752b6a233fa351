"""What the command line prints: results on standard output, the rest on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from crossin.cli.progress_log import logged_progress
from crossin.cli.streams import discard, is_utf8
from crossin.core.progress import Progress, silent
from crossin.core.reasons import counted_sentences

if TYPE_CHECKING:
    from rich.table import Table

# More columns than any table needs.
_WIDEST = 10_000


class _Errors(Console):
    """Standard error. Where nobody reads it any more, the work goes on."""

    def on_broken_pipe(self) -> None:
        """Write no more."""
        discard(sys.stderr)


console = Console()
errors = _Errors(stderr=True)


def print_json(value: Any) -> None:
    """Figures for a program, on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=not is_utf8(sys.stdout)))


def say(text: str) -> None:
    """One line on what a stage did."""
    errors.print(Text(text), soft_wrap=True)


def say_skipped(skipped: Mapping[str, int], unit: str = "rows", notes: Sequence[str] = ()) -> None:
    """A line for each reason why something was left out, and notes on what to do about it."""
    for line in counted_sentences({code: count for code, count in skipped.items() if count}, unit):
        say(line)
    for note in notes:
        say(f"note: {note}")


def share_text(figure: Mapping[str, Any]) -> str:
    """A share with its interval, where it has one, and how many things it is of."""
    interval = "" if figure["low"] is None else f" ({figure['low']:.1%} to {figure['high']:.1%})"
    return f"{figure['value']:.1%}{interval} of {figure['of']:,}"


def show(table: Table) -> None:
    """A table at its full width: a narrow terminal wraps its lines, but nothing is cut off."""
    table.width = console.measure(table, options=console.options.update(width=_WIDEST)).maximum
    console.print(table, crop=False)


def excerpt(text: str, longest: int) -> str:
    """A text on one line, its line breaks as ⏎; of a long one the beginning and the end."""
    text = "⏎".join(text.split("\n"))
    if len(text) <= longest:
        return text
    end = longest // 3
    return f"{text[: longest - end - 3]} … {text[-end:]}"


def first_lines(lines: Sequence[str], most: int, what: str) -> list[str]:
    """At most `most` lines, the last of which says how many more there are of `what`."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"… and {len(lines) - most + 1:,} more {what}"]


@contextmanager
def progress_bars(rank: int = 0, world_size: int = 1) -> Iterator[Progress]:
    """A progress callback that shows one bar a task, with its rate and the time left; without a terminal, it
    writes lines (`progress_log`). rank, world_size: this process's number among those of the command.
    """
    if os.environ.get("RANK", "0") != "0":
        # Of the processes of torchrun, one reports.
        yield silent
        return
    if not is_live():
        with logged_progress(log, f"rank {rank}: " if world_size > 1 else "") as progress:
            yield progress
        return
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    tasks: dict[str, TaskID] = {}
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[unit]}", markup=False),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=errors,
        transient=True,
    ) as bars:

        def update(task: str, done: int, total: int, unit: str, note: str = "") -> None:
            if task not in tasks:
                tasks[task] = bars.add_task(task, total=total, unit=unit, note=note, rate="")
            speed = next((known.speed for known in bars.tasks if known.id == tasks[task]), None)
            rate = f"{speed:.1f} {unit}/s" if speed else ""
            bars.update(tasks[task], completed=done, total=total, note=note, rate=rate)
            if done >= total:
                bars.remove_task(tasks.pop(task))

        yield update


def log(line: str) -> None:
    """A line on standard error, for a log."""
    try:
        print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        # Where nobody reads the lines any more, the work goes on.
        discard(sys.stderr)


def is_live() -> bool:
    """Whether standard error is a terminal on which bars can move."""
    return sys.stderr is not None and sys.stderr.isatty() and not errors.is_dumb_terminal
