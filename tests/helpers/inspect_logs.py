"""Logs that inspect_ai itself writes: tasks on small data sets, answered by its model of given outputs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

from crossin.core.hashing import hash64
from crossin.logs.answers import LoggedAnswers
from crossin.logs.find import find_logs, read_logs

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Record = dict[str, Any]
NO_ANSWER = "I would rather not say."
LANGUAGES = ("en", "de", "vi", "zh")


def require_inspect() -> None:
    """Skip the test where inspect_ai is not installed."""
    pytest.importorskip("inspect_ai", reason="inspect_ai is not installed")
    # It would count tokens with a table from the network, and show its progress.
    os.environ["INSPECT_DISPLAY"] = "none"


def choice_records(language: str, count: int = 8) -> list[Record]:
    """Questions with four choices; the right one is at another place in each."""
    return [
        {
            "id": f"q{number}",
            "input": f"{language}: question {number}?",
            "choices": [f"{language} {number}{end}" for end in "wxyz"],
            "target": "ABCD"[number % 4],
        }
        for number in range(count)
    ]


def run_task(
    folder: Path,
    name: str,
    records: Sequence[Record],
    reply: Callable[[str], str],
    *,
    scorer: Any = None,
    solver: Any = None,
    log_format: str = "eval",
    metadata: Record | None = None,
    loading: Record | None = None,
    **options: Any,
) -> EvalLog:
    """Run a task of inspect_ai on records of a JSON file; `reply` gives the answer to each prompt. Its log is
    written into `folder`.
    """
    from inspect_ai import Task, eval
    from inspect_ai.dataset import FieldSpec, json_dataset
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import choice
    from inspect_ai.solver import multiple_choice

    folder.mkdir(parents=True, exist_ok=True)
    data = folder.parent / f"{name}.json"
    data.write_text(json.dumps(list(records), ensure_ascii=False), encoding="utf-8")
    fields = FieldSpec(
        metadata=[key for key in records[0] if key not in ("id", "input", "choices", "target")]
    )
    dataset = json_dataset(str(data), fields, **(loading or {}))

    def output(messages: Any, *_: Any) -> ModelOutput:
        found = ModelOutput.from_content("mockllm/model", reply(messages[-1].text))
        # Else it counts tokens, which needs the network.
        found.usage = ModelUsage()
        return found

    model = get_model("mockllm/model", custom_outputs=output, memoize=False)
    task = Task(
        dataset=dataset,
        solver=solver or multiple_choice(),
        scorer=scorer or choice(),
        name=name,
        metadata=metadata,
    )
    [log] = eval(task, model=model, log_dir=str(folder), log_format=log_format, display="none", **options)
    return log


def rewrite(file: Path, change: Callable[[str, Any], Any], method: int = 8) -> None:
    """Write an `.eval` file again: each member's content as `change` gives it, from its name and content;
    without those for which it gives None. method: of packing, by default that of older versions.
    """
    # Reads what this version writes.
    import inspect_ai._util.zipfile  # noqa: F401

    with ZipFile(file) as old:
        members = {name: json.loads(old.read(name)) for name in old.namelist()}
    with ZipFile(file, "w", compression=method) as new:
        for name, content in members.items():
            if (changed := change(name, content)) is not None:
                new.writestr(name, json.dumps(changed))


def accuracy(log: EvalLog, scorer: str = "choice", metric: str = "accuracy") -> float:
    """What inspect_ai reports."""
    assert log.results is not None
    [score] = [one for one in log.results.scores if one.name == scorer]
    return float(score.metrics[metric].value)


def read_run(*paths: Path) -> LoggedAnswers:
    """The only stored answers in files or folders."""
    [run] = find_logs(paths)
    [log] = read_logs(run)
    return log


def some_choice(prompt: str) -> str:
    """A reply that names a choice, by its letter in the prompt's list; to some prompts none."""
    drawn = hash64(prompt) % 5
    return NO_ANSWER if drawn == 4 else f"ANSWER: {'ABCD'[drawn]}"


def always(reply: str) -> Any:
    """One reply to every prompt."""
    return lambda _: reply


def edit_json(file: Path, change: Any) -> None:
    """Change the content of a JSON log."""
    content = json.loads(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(json.dumps(content), encoding="utf-8")
