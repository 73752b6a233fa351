"""Small files in the layout that the experiment `alpaca` reads: facts in the paper's languages."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet

NAMES = {"en": "English", "zh": "Chinese", "vi": "Vietnamese"}
_LETTERS = "ABCD"


def write_paper_data(facts: Path, folder: Path, items: int = 8) -> None:
    """Write `data/alpaca`, `data/seaeval` and `data/xquad` in the folder, from a facts corpus."""
    for place in ("alpaca", "seaeval", "xquad"):
        (folder / "data" / place).mkdir(parents=True)
    rows = pyarrow.parquet.read_table(facts / "questions.parquet").to_pylist()
    by_fact: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for line in pyarrow.parquet.read_table(facts / "facts.parquet").to_pylist():
        if line["relation"] == "capital":
            by_fact[line["fact"]][line["language"]] = line
    chosen = list(by_fact.values())[:items]
    for language in NAMES:
        keys = ("id", "instruction", "input", "output")
        lines = [{key: row[key] for key in keys} for row in rows if row["language"] == language]
        _write(folder / "data" / "alpaca" / f"alpaca_{language}.json", lines)
        _write(
            folder / "data" / "xquad" / f"xquad.{language}.json", _squad([one[language] for one in chosen])
        )
    for name in ("cross_mmlu", "cross_logiqa"):
        _write(
            folder / "data" / "seaeval" / f"{name}.json",
            [_record(number, one) for number, one in enumerate(chosen)],
        )


def _record(number: int, fact: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A question with lettered options, as SeaEval has them."""
    found: dict[str, Any] = {"id": f"test_{number}"}
    for language, name in NAMES.items():
        line = fact[language]
        choices = [f"({letter}) {option}" for letter, option in zip(_LETTERS, line["options"], strict=True)]
        right = choices[line["option_ids"].index(line["answer_id"])]
        found[name] = {"question": line["questions"][0], "choices": choices, "answer": right, "context": ""}
    return found


def _squad(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """One paragraph with all answers, and a question for each."""
    context, questions = "", []
    for line in lines:
        context += f"{line['subject']}: "
        answer = {"text": line["answer"], "answer_start": len(context)}
        questions.append({"id": line["fact"], "question": line["questions"][0], "answers": [answer]})
        context += f"{line['answer']}. "
    paragraph = {"context": context.strip(), "qas": questions}
    return {"version": "1", "data": [{"title": "Capitals", "paragraphs": [paragraph]}]}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
