"""Small files in the form in which PolyFact's makers publish their runs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

# By fact: subject and target in each language.
FACTS = {
    7: {"es": ("Ruritania", "Países Bajos"), "ja": ("ルリタニア", "オランダ")},
    8: {"es": ("Zenda", "Países Bajos"), "ja": ("ゼンダ", "オランダ王国")},
    9: {"es": ("Grustark", "Suiza"), "ja": ("グラウスターク", "スイス")},
}


def records(pred: str | None = None) -> list[dict[str, Any]]:
    return [
        {
            "language": language,
            "relation": "located_in",
            "index": index,
            "subject": subject,
            "target": target,
            "pred": target.lower() if pred is None else pred,
            "correct": pred is None,
            "contaminated": index == 9,
        }
        for language in ("es", "ja")
        for index, (subject, target) in ((index, fact[language]) for index, fact in FACTS.items())
    ]


def free_text(found: list[dict[str, Any]], **changed: Any) -> dict[str, Any]:
    counts = {
        language: [sum(one["correct"] for one in found if one["language"] == language), len(FACTS)]
        for language in ("es", "ja")
    }
    right = sum(one["correct"] for one in found)
    clean = [one["correct"] for one in found if not one["contaminated"]]
    return {
        "model": "somebody/small-7b",
        "langs": ["es", "ja"],
        "match_mode": "lenient",
        "per_lang": counts,
        "subset_acc": {
            "full": [right, len(found), right / len(found)],
            "clean_all": [sum(clean), len(clean), sum(clean) / len(clean)],
            "clean_shared_2": [1, 2, 0.5],
        },
        "records": found,
    } | changed


def cell(answer: int, correct: bool, options: int = 4) -> dict[str, Any]:
    scores = [-2.0 - place for place in range(options)]
    scores[answer] = -1.0
    return {"pred_idx": answer, "correct": correct, "scores": scores}


# Twenty items that all languages have right, so that a few others are no great part of them.
PLAIN = {f"virology/test/{number}": {"en": cell(1, True), "zh": cell(1, True)} for number in range(20)}


def choices(predictions: dict[str, Any]) -> dict[str, Any]:
    accuracy = {}
    for language in ("en", "zh"):
        flags = [cells[language]["correct"] for cells in predictions.values()]
        accuracy[language] = {"accuracy": sum(flags) / len(flags), "n": len(flags)}
    return {
        "per_language_accuracy": accuracy,
        "config": {"benchmark": "global_mmlu_lite", "model": "small-7b", "score_mode": "avg"},
        "predictions": predictions,
    }


def write(folder: Path, content: Any, name: str = "run.json.gz") -> Path:
    file = folder / name
    text = json.dumps(content, ensure_ascii=False, indent=1).encode()
    file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return file
