"""Samples as lm-evaluation-harness logs them, for tests of what real runs rarely hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

DATE = "2026-03-01T10-00-00.123456"
# The right option of each document, and the one that the model prefers.
GOLDS = (0, 1, 3, 2, 1, 0, 2, 3, 3, 1)
CHOSEN = (0, 1, 2, 2, 0, 0, 2, 1, 3, 1)
Sample = dict[str, Any]


def choice(number: int, language: str, *, gold: int | None = None, chosen: int | None = None) -> Sample:
    """A multiple-choice sample of a task that no table knows."""
    gold = GOLDS[number] if gold is None else gold
    chosen = CHOSEN[number] if chosen is None else chosen
    options = [f"{language} {number} {letter}" for letter in "abcd"]
    doc = {
        "id": f"q{number}",
        "question": f"{language} question {number}?",
        "choices": options,
        "answer": gold,
    }
    answers = [["-1.5" if place == chosen else "-2.5", "False"] for place in range(4)]
    return {
        "doc_id": number,
        "doc": doc,
        "target": str(gold),
        "arguments": {
            f"gen_args_{place}": {"arg_0": f"{doc['question']}\nAnswer:", "arg_1": f" {option}"}
            for place, option in enumerate(options)
        },
        "resps": [[answer] for answer in answers],
        "filtered_resps": answers,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": "0",
        "acc": float(gold == chosen),
    }


def sums(number: int, language: str, name: str = "strict", reply: str | None = None) -> Sample:
    """A sample of a sum that the model answers in words."""
    reply = f"{number} + 1 = {number + 1}." if reply is None else reply
    kept = str(number + 1) if name == "strict" and number % 2 else "[invalid]"
    return {
        "doc_id": number,
        "doc": {"question": f"{language}: {number} + 1?", "answer": None, "answer_number": number + 1},
        "target": str(number + 1),
        "arguments": {"gen_args_0": {"arg_0": f"{number} + 1?", "arg_1": {"until": ["\n"]}}},
        "resps": [[reply]],
        "filtered_resps": [kept],
        "filter": name,
        "exact_match": float(kept == str(number + 1)),
    }


def write_samples(folder: Path, task: str, samples: Sequence[Mapping[str, Any]], date: str = DATE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"samples_{task}_{date}.jsonl"
    file.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in samples), encoding="utf-8")
    return file


def write_set(
    folder: Path,
    languages: Sequence[str] = ("en", "es", "vi"),
    task: str = "quiz",
    change: Callable[[Sample, str], None] | None = None,
) -> list[Path]:
    """A file of ten multiple-choice samples for each language, after `change`."""
    files = []
    for language in languages:
        samples = [choice(number, language) for number in range(len(GOLDS))]
        for sample in samples if change else []:
            assert change is not None
            change(sample, language)
        files.append(write_samples(folder, f"{task}_{language}", samples))
    return files


def write_results(
    folder: Path, tasks: Mapping[str, Mapping[str, Any]], date: str = DATE, **changed: Any
) -> Path:
    """The results of a call of lm_eval. Of each task: its figures, and `samples`, `shots`, `version`."""
    content = {
        "results": {task: {"acc,none": known.get("acc", 0.7)} for task, known in tasks.items()},
        "configs": {task: {"metric_list": [{"metric": "acc", "aggregation": "mean"}]} for task in tasks},
        "n-samples": {
            task: {"original": 100, "effective": known.get("samples", 10)} for task, known in tasks.items()
        },
        "n-shot": {task: known.get("shots", 0) for task, known in tasks.items()},
        "versions": {task: known.get("version", 1.0) for task, known in tasks.items()},
        "config": {"model": "hf", "model_args": "pretrained=org/tiny,dtype=float32", "gen_kwargs": None},
        "model_name": "org/tiny",
        "chat_template_sha": None,
    }
    file = folder / f"results_{date}.json"
    file.write_text(json.dumps(content | changed), encoding="utf-8")
    return file
