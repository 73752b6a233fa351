"""What `results_<date>.json` says about a run of lm-evaluation-harness: settings, counts, its own figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.plain_values import shown
from crossin.logs.lm_eval_samples import Sample, date_of, task_name

# Arguments of a model that do not change its answers.
_IDLE = {
    *("device", "device_map", "parallelize", "tensor_parallel_size", "data_parallel_size", "batch_size"),
    *("gpu_memory_utilization", "max_batch_size", "num_concurrent", "max_retries", "timeout", "cache_dir"),
    *("download_dir", "trust_remote_code", "tokenized_requests", "verify_certificate", "offload_folder"),
}
# What languages write differently in one prompt.
_OF_THE_LANGUAGE = {"until"}
_SHORTEST_CUE = 4
# Prompts of a file that are looked at.
_PROMPTS = 20


Results = Mapping[str, Any]


def read_results(files: Sequence[Path]) -> dict[Path, Results]:
    """The results that were written with each file of samples; empty where none lie beside it."""
    read: dict[tuple[Path, str], Results] = {}
    for file in files:
        key = file.parent, date_of(file)
        if key not in read:
            read[key] = _read_results(*key)
    return {file: read[file.parent, date_of(file)] for file in files}


def _read_results(folder: Path, date: str) -> Results:
    for place in sorted(folder.glob(f"*_{date}.json")) if date else []:
        content = read_json(place)
        if isinstance(content, dict) and isinstance(content.get("results"), dict):
            return {**content, "file": place}
    return {}


def settings_of(results: Results, task: str, samples: Sequence[Sample]) -> dict[str, str]:
    """How a task was run, as far as it decides answers, by name: from the results, else from the prompts."""
    found: dict[str, Any] = {}
    if results:
        config = results.get("config") or {}
        own = (results.get("configs") or {}).get(task) or {}
        found["backend"] = config.get("model")
        found["model_args"] = _arguments(config.get("model_args"))
        found["shots"] = (results.get("n-shot") or {}).get(task, own.get("num_fewshot"))
        found["task version"] = (results.get("versions") or {}).get(task)
        found["chat template"] = results.get("chat_template_sha")
        found["system instruction"] = results.get("system_instruction")
        found["shots as turns"] = results.get("fewshot_as_multiturn")
        found["gen_kwargs"] = config.get("gen_kwargs")
        kwargs = own.get("generation_kwargs") or {}
        found["generation"] = {name: kwargs[name] for name in sorted(kwargs) if name not in _OF_THE_LANGUAGE}
    else:
        found["shots"] = shots_in([sample.contexts[0] for sample in samples if sample.contexts])
    return {name: shown_value(value) for name, value in found.items() if value not in (None, {}, "")}


def shown_value(value: Any) -> str:
    """A value of the results as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _arguments(given: Any) -> Any:
    """A model's arguments without those that do not change its answers."""
    if isinstance(given, str):
        parts = [part.partition("=") for part in given.split(",") if part]
        given = {name.strip(): value.strip() for name, _, value in parts}
    if not isinstance(given, Mapping):
        return None
    return ",".join(f"{name}={given[name]}" for name in sorted(given) if name not in _IDLE)


def shots_in(prompts: Sequence[str]) -> int | None:
    """How many shots prompts have, from how often the words before an answer occur in them; None where the
    prompts do not show it.
    """
    first = prompts[:_PROMPTS]
    if len(first) < 2:
        return None
    common = first[0]
    for prompt in first[1:]:
        while not prompt.endswith(common):
            common = common[1:]
    # From the beginning of a line or turn: the end of the questions may be the same by chance.
    starts = [at for at in (common.find("\n"), common.find("<")) if at >= 0]
    cue = common[min(starts) :] if starts else ""
    if len(cue.strip()) < _SHORTEST_CUE:
        return None
    counts = {prompt.count(cue.rstrip()) - 1 for prompt in first}
    return counts.pop() if len(counts) == 1 else None


def check_settings(settings: Mapping[Path, Mapping[str, str]], languages: Mapping[Path, str]) -> None:
    """Raise CrossinError where two files of a set were not run alike."""
    seen: dict[str, tuple[Path, str]] = {}
    for file, found in settings.items():
        for name, value in found.items():
            before, other = seen.setdefault(name, (file, value))
            if other != value:
                raise CrossinError(
                    f"{languages[before]} and {languages[file]} were not run alike: {name} is {shown(other)} "
                    f"in {before.name}, and {shown(value)} here",
                    file=file,
                    field=name,
                    hint="run all languages with one model and the same settings, or put the files of each "
                    "run into a folder of its own",
                )


def check_complete(results: Results, file: Path, samples: int) -> None:
    """Raise CrossinError where a file has another number of samples than its results say."""
    counts = (results.get("n-samples") or {}).get(task_name(file)) or {}
    due = counts.get("effective") if isinstance(counts, dict) else None
    if isinstance(due, int) and due != samples:
        raise CrossinError(
            f"holds {samples:,} samples, and its results say {due:,}",
            file=file,
            hint="the file may be half written or copied: get it again, or run the task again (its results "
            f"are in {results['file'].name})",
        )


def means(samples: Sequence[Sample]) -> dict[str, float]:
    """The mean of each metric that every sample has, as the harness computes it."""
    names = [name for name in samples[0].metrics if all(name in sample.metrics for sample in samples)]
    return {name: sum(sample.metrics[name] for sample in samples) / len(samples) for name in names}


def check_figures(results: Results, file: Path, found: Mapping[str, float]) -> None:
    """Raise CrossinError where the means of the logged metrics are not the figures in the results."""
    task = task_name(file)
    own = results.get("results", {}).get(task) or {}
    config = (results.get("configs") or {}).get(task) or {}
    mean = {
        entry.get("metric")
        for entry in config.get("metric_list") or []
        if isinstance(entry, dict) and entry.get("aggregation", "mean") == "mean"
    }
    for name, value in found.items():
        metric, _, filtered = name.partition(",")
        due = own.get(f"{metric},{filtered or 'none'}")
        if metric in mean and isinstance(due, int | float) and due != value:
            raise CrossinError(
                f"the mean of {name} over the samples is {value}, and its results say {due}",
                file=file,
                field=metric,
                hint=f"the file or {results['file'].name} was changed after the run",
            )
