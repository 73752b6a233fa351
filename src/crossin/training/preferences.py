"""Preferences: of two answers of a model to one prompt, which one is better (docs/formats.md)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.core.formats import PREFERENCES
from crossin.core.reasons import Reason, counted_sentences
from crossin.training.config import Batches
from crossin.training.pairs import TokenizedQuestion
from crossin.training.reasons import RowReason
from crossin.training.row_texts import marks_of, plain_text
from crossin.training.rows import Group, rows_of

_COLUMNS = ["id", "group", "language", "prompt", "chosen", "rejected"]
# What the codes of left-out preferences are about.
_ABOUT = "preferences"


class PreferenceReason(Reason):
    """Why a preference is not trained on."""

    ALIKE = "answers_alike", "the two answers are the same"


@dataclass(frozen=True, eq=False)
class Preference:
    """Two answers to one prompt: `answers` holds the prompt with the chosen one and with the rejected one, as
    tokens. `texts` are the prompt with each of the answers; `group` is that of the question.
    """

    id: str
    group: str
    answers: TokenizedQuestion
    texts: list[tuple[str, str]]


def read_preferences(place: Path, tokenizer: Any, batches: Batches) -> tuple[list[Preference], Counter[str]]:
    """The preferences of a folder or file, in its order, and how many were left out, by reason code.

    An answer's tokens are those of a row's completion: with one end of text, which is learned too. Raises
    CrossinError for a file that cannot be read, an empty prompt, and where none is left.
    """
    file = place / PREFERENCES if place.is_dir() else place
    if not file.exists():
        raise CrossinError(
            "there are no preferences here",
            file=place,
            field="prefer.data",
            hint="make them first: crossin prefer",
        )
    found = read_parquet(file, _COLUMNS).to_pylist()
    skipped = Counter[str]()
    kept: list[dict[str, Any]] = []
    for row, one in enumerate(found, start=1):
        if empty := next((name for name in _COLUMNS[2:] if not isinstance(one[name], str)), None):
            raise CrossinError("expected a text", file=file, row=row, field=empty)
        if not one["prompt"]:
            raise CrossinError("empty", file=file, row=row, field="prompt", hint="leave the row out")
        if one["chosen"].strip() == one["rejected"].strip():
            skipped[PreferenceReason.ALIKE.about(_ABOUT)] += 1
        else:
            kept.append(one)
    marks = marks_of(tokenizer)
    texts = [
        (
            str(one["id"]),
            Group("", one["language"], one["language"]),
            plain_text(one["prompt"], one[answer], marks),
        )
        for one in kept
        for answer in ("chosen", "rejected")
    ]
    # A prompt that is cut would be another one for each answer.
    rows, changed = rows_of(texts, tokenizer, batches.model_copy(update={"too_long": "skip"}))
    if spelled := changed[RowReason.SPELLED_TOKEN]:
        skipped[RowReason.SPELLED_TOKEN.about(_ABOUT)] = spelled
    by_number = {row.number: row for row in rows}
    preferences = []
    for number, one in enumerate(kept):
        both = [by_number.get(2 * number), by_number.get(2 * number + 1)]
        answers = [row for row in both if row is not None]
        if len(answers) == 2:
            wholes = [tuple(row.tokens) for row in answers]
            starts = [row.learned_from for row in answers]
            pairs = [(one["prompt"], one[answer]) for answer in ("chosen", "rejected")]
            question = TokenizedQuestion(wholes, starts, ())
            preferences.append(Preference(str(one["id"]), str(one["group"]), question, pairs))
        elif one["chosen"] and one["rejected"]:
            skipped[RowReason.TOO_MANY_TOKENS.about(_ABOUT)] += 1
        else:
            skipped[RowReason.NO_TOKENS.about(_ABOUT)] += 1
    if not preferences:
        raise CrossinError(
            "; ".join(["no preference is left to learn from", *counted_sentences(skipped, "pairs")]),
            file=file,
            field="prefer.data",
            hint="raise batches.longest, or make more preferences: crossin prefer",
        )
    return preferences, skipped
