"""A benchmark as tasks for lm-evaluation-harness, one per language and wording.

The harness renders nothing: prompts and options are fields of the data, which `doc_to_text` and
`doc_to_choice` name, so that every text is asked as it is (docs/lm-eval.md). Written for lm-eval 0.4.13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from crossin.core.errors import CrossinError
from crossin.core.files import write_text
from crossin.core.paths import as_path
from crossin.core.stages import Stage, stage
from crossin.items import Form, Question, questions
from crossin.items.item import items_file, read_items
from crossin.items.selection import select
from crossin.items.shots import read_shots
from crossin.languages.words import word_files

# The module that the tasks read their data by.
_LOADER = Path(__file__).with_name("crossin_items.py")


def export_lm_eval(
    bench: Path | str,
    out: Path | str,
    *,
    form: Form,
    languages: Sequence[str] | None = None,
    limit: int | None = None,
    per_task: int | None = None,
    shots: Path | str | None = None,
    seed: int = 0,
    name: str | None = None,
) -> Stage:
    """Write the benchmark in `bench`, asked in `form`, as tasks and a group of them into the folder `out`.

    `languages` are codes, all where None; `limit` draws that many items, `per_task` that many of each task
    (`select`). `shots` is the benchmark that the form's shots come from, which may be the same; `seed` as in
    `questions`. The group is called `name`, or after the benchmark's folder, and a task after the group and
    its language. Free-text items, and all items where the form is to generate, become tasks of their own that
    end in `_generate`. Raises CrossinError for a chat form (the harness applies a chat template itself), for
    a language that the benchmark does not have, and where the items cannot be asked in this form
    (`questions`).
    """
    if form.chat:
        raise CrossinError(
            "lm-eval applies the chat template itself",
            hint="export without chat, and give lm_eval --apply_chat_template",
        )
    file, out = items_file(bench), as_path(out)
    items, skipped = select(
        read_items(file), file, languages=languages, limit=limit, per_task=per_task, seed=seed
    )
    group = _word(name or f"crossin_{file.resolve().parent.name}")
    asked = questions(items, form, shots=read_shots(form.shots, shots), seed=seed)
    inputs = {"bench": file} | ({"shots": items_file(shots)} if shots else {})
    inputs |= word_files(item.language for item in items)
    settings = {
        "group": group,
        "languages": list(dict.fromkeys(item.language for item in items)),
        "limit": limit,
        **({} if per_task is None else {"per_task": per_task}),
        "form": form.model_dump(mode="json"),
        "seed": seed,
    }
    with stage(out, "export-lm-eval", settings, inputs) as work:
        if work.done:
            return work
        tasks: dict[str, list[Question]] = {}
        several = len({question.wording for question in asked}) > 1
        for question in asked:
            wording = f"_{question.wording}" if several else ""
            kind = "" if question.options else "_generate"
            task = _word(f"{group}_{question.item.language}{wording}{kind}")
            tasks.setdefault(task, []).append(question)
        for task, part in tasks.items():
            _write_task(out, group, task, part, form)
        write_text(out / f"{group}.yaml", _group(group, tasks))
        write_text(out / _LOADER.name, _LOADER.read_text(encoding="utf-8"))
        written = [f"{task}.{kind}" for task in tasks for kind in ("yaml", "jsonl")]
        work.finish(
            [f"{group}.yaml", _LOADER.name, *written], {"tasks": len(tasks), "questions": len(asked)}, skipped
        )
    return work


def _word(text: str) -> str:
    """A name that is safe in file names and in lm-eval's comma-separated patterns."""
    return re.sub(r"[^\w-]", "_", text)


def _write_task(out: Path, group: str, task: str, asked: list[Question], form: Form) -> None:
    # In acc_norm, lm-eval measures options without what separates them from the prompt.
    separator = " " if all(option.startswith(" ") for one in asked for option in one.options) else ""
    # The harness's own exact_match knows neither. All lines have the same fields, as its reader needs.
    unset: dict[str, Any] = {"aliases": [], "answer_type": "text"}
    compared = [name for name in unset if any(getattr(one.item, name) != unset[name] for one in asked)]
    lines = [_line(group, question, separator, compared) for question in asked]
    config: dict[str, Any] = {
        "task": task,
        "dataset_kwargs": {"file": f"{task}.jsonl"},
        "test_split": "test",
        "num_fewshot": 0,
        "doc_to_text": "prompt",
        "doc_to_target": "target",
        "metadata": {"version": 1.0},
    }
    if asked[0].options:
        config |= {
            "output_type": "multiple_choice",
            "doc_to_choice": "choices",
            "target_delimiter": separator,
            "metric_list": [_mean("acc"), _mean("acc_norm")],
        }
    else:
        config |= {
            "output_type": "generate_until",
            "generation_kwargs": {
                # The same for all: they share language and wording.
                "until": list(asked[0].stop),
                "do_sample": False,
                "max_gen_toks": form.max_tokens,
            },
            "metric_list": [{**_mean("exact_match"), "ignore_case": True, "ignore_punctuation": True}],
        }
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_text(out / f"{task}.jsonl", text)
    # The tag is lm-eval's own, and no YAML dumper knows it.
    tag = f"custom_dataset: !function {_LOADER.stem}.load\n"
    write_text(out / f"{task}.yaml", tag + yaml.safe_dump(config, sort_keys=False, allow_unicode=True))


def _line(group: str, question: Question, separator: str, compared: Sequence[str]) -> dict[str, Any]:
    """What lm-eval asks, and what `crossin score` needs, since lm-eval logs the whole of it; `compared` names
    the item's fields that decide how replies are compared.
    """
    item = question.item
    asked = {
        "benchmark": group,
        "item": item.item,
        "group": item.group,
        "task": item.task,
        "language": item.language,
        "wording": question.wording,
        "option_ids": item.option_ids,
        "gold": item.answer,
        "prompt": question.prompt,
    }
    if question.options:
        choices = [option.removeprefix(separator) for option in question.options]
        return {**asked, "choices": choices, "target": item.option_ids.index(item.answer)}
    return {
        **asked,
        **{name: getattr(item, name) for name in compared},
        "options": item.options,
        "shown": question.shown_ids,
        "target": item.right_text,
    }


def _group(group: str, tasks: dict[str, list[Question]]) -> str:
    metrics = sorted({"acc" if asked[0].options else "exact_match" for asked in tasks.values()})
    config = {
        "group": group,
        "task": list(tasks),
        "aggregate_metric_list": [
            {"metric": metric, "aggregation": "mean", "weight_by_size": False} for metric in metrics
        ],
        "metadata": {"version": 1.0},
    }
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def _mean(metric: str) -> dict[str, Any]:
    return {"metric": metric, "aggregation": "mean", "higher_is_better": True}
