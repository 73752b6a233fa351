"""Scores and comparisons as JSON values: what `crossin score --json` prints, and `scores.json` holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.files import write_json
from crossin.logs.tables import Predictions
from crossin.metrics.generation import signatures
from crossin.reports.cells import figures_json, number
from crossin.scoring.comparison import Compared, Comparison
from crossin.scoring.scores import Score, Wordings

SCORES = "scores.json"


def all_values(scores: Sequence[Score], varied: Sequence[Wordings]) -> dict[str, Any]:
    """Scores, and the effect of the wording."""
    return {
        "scores": [score_values(one) for one in scores],
        "wordings": [wordings_values(one) for one in varied],
    }


def write_scores(folder: Path, scores: Sequence[Score], varied: Sequence[Wordings]) -> Path:
    """Write the scores of the answers in `folder` to `scores.json` there, and return the file."""
    write_json(folder / SCORES, all_values(scores, varied))
    return folder / SCORES


def score_values(score: Score) -> dict[str, Any]:
    """A score: what was asked, and every figure with its interval; null where a figure is undefined."""
    return {
        **_asked(score.predictions),
        "pivot": score.pivot,
        "choices": figures_json(score.choices),
        "by_task": {task: figures_json(figures) for task, figures in score.by_task.items()},
        "texts": figures_json(score.texts),
        **_rankc(score),
        # sacrebleu's settings: chrF and BLEU are comparable only where these are the same.
        "signatures": signatures(score.predictions.languages) if score.texts else {},
    }


def wordings_values(wordings: Wordings) -> dict[str, Any]:
    """The effect of the prompt's wording."""
    return {
        "model": wordings.model,
        "prompts": wordings.prompts,
        "spread": {
            name: {"median": number(found.median), "low": number(found.low), "high": number(found.high)}
            for name, found in wordings.spread.items()
        },
        "wording_agreement": figures_json(wordings.agreement),
    }


def comparison_values(comparison: Comparison) -> dict[str, Any]:
    """A comparison of two models."""
    return {
        "ours": _asked(comparison.ours),
        "theirs": _asked(comparison.theirs),
        "pivot": comparison.pivot,
        "choices": _compared(comparison.choices),
        "texts": _compared(comparison.texts),
        "mcnemar": {
            language: {"p": number(p), "holm": number(comparison.holm[language])}
            for language, p in comparison.p.items()
        },
        "split": figures_json(comparison.split),
        "settings_apart": {name: list(pair) for name, pair in comparison.settings_apart.items()},
    }


def _rankc(score: Score) -> dict[str, float | None]:
    """What RankC is for opposite and for random rankings; nothing without RankC."""
    if score.rankc_references is None:
        return {}
    floor, chance = score.rankc_references
    return {"rankc_floor": number(floor), "rankc_random": number(chance)}


def _asked(predictions: Predictions) -> dict[str, Any]:
    return {
        "model": predictions.model,
        "benchmark": predictions.log.benchmark,
        "prompt": predictions.prompt,
        "file": str(predictions.file),
        "languages": list(predictions.languages),
        "items": predictions.items,
        "groups": len({group for table in predictions.tables for group in table.groups}),
        "incomplete": dict(Counter(predictions.incomplete.values())),
        "unanswered": predictions.unanswered,
        "skipped": dict(predictions.log.skipped),
        "reported": dict(predictions.log.reported),
        "thoughts_cut": dict(predictions.thoughts_cut),
        "unread": {language: dict(reasons) for language, reasons in predictions.unread.items()},
        "parallel": predictions.parallel,
        "items_by_language": predictions.by_language,
    }


def _compared(compared: Compared | None) -> dict[str, Any] | None:
    if compared is None:
        return None
    figures = {name: figures_json(getattr(compared, name)) for name in ("ours", "theirs", "difference")}
    return {**figures, "corrected": {name: number(p) for name, p in compared.corrected.items()}}
