"""From mixture rows to tokens: which tokens are read and which are learned."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.compose.shards import DATA_FOLDER
from crossin.errors import CrossinError
from crossin.files import read_parquet


@dataclass(frozen=True)
class TokenisedRow:
    """The tokens of prompt, completion and end of text; those from `learned_from` on are learned."""

    tokens: list[int]
    learned_from: int


def read_rows(mixture: Path, tokenizer: Any, longest: int) -> tuple[list[TokenisedRow], dict[str, int]]:
    """The rows of a mixture folder in order, and how many were left out because they are longer than
    `longest` tokens.

    A row that is too long is left out whole: cut, it would lose its end token, or have nothing to learn.
    """
    files = sorted((mixture / DATA_FOLDER).glob("*.parquet"))
    if not files:
        raise CrossinError("holds no mixture", file=mixture, fix="compose one first")
    prompts: list[str] = []
    completions: list[str] = []
    for file in files:
        table = read_parquet(file, ["prompt", "completion"])
        for number, row in enumerate(table.to_pylist()):
            if not row["prompt"] or not row["completion"]:
                field = "completion" if row["prompt"] else "prompt"
                raise CrossinError(
                    "is empty", file=file, row=number + 1, field=field, fix="compose the mixture again"
                )
            prompts.append(row["prompt"])
            completions.append(row["completion"])
    bare = tokenizer(prompts)["input_ids"]
    whole = tokenizer([p + c for p, c in zip(prompts, completions, strict=True)])["input_ids"]
    rows, skipped = [], Counter[str]()
    for prompt, full in zip(bare, whole, strict=True):
        # The tokenizer may itself end a text; the end token is learned once.
        tokens = [*full, *([] if full[-1] == tokenizer.eos_token_id else [tokenizer.eos_token_id])]
        if len(tokens) > longest:
            skipped[f"row: longer than {longest} tokens"] += 1
            continue
        shared = 0
        # The prompt's tokens need not begin those of the whole: learn from where the two part, but never the
        # first token.
        while shared < min(len(prompt), len(full)) and prompt[shared] == full[shared]:
            shared += 1
        rows.append(TokenisedRow(tokens, max(1, shared)))
    return rows, dict(skipped)
