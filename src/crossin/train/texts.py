"""The texts of a mixture or dataset: what is read, what is to be said, and what kind of row it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.compose.shards import DATA_FOLDER
from crossin.errors import CrossinError
from crossin.files import read_json, read_parquet, read_text
from crossin.train.document import Group

_KINDS = (".parquet", ".jsonl", ".json")


@dataclass(frozen=True)
class Text:
    """A row as text; `number` (from 0) is its place in the whole."""

    number: int
    id: str
    group: Group
    prompt: str
    completion: str


def read_texts(place: Path, tokenizer: Any) -> list[Text]:
    """The rows of a mixture folder (as compose writes it), or of Parquet, JSON lines or JSON: a file, or a
    folder of them in the order of their names.

    A row has `prompt` and `completion`, or `messages`, of which the last is learned and the others are read
    in the tokenizer's own chat template; and if it likes `id`, `lang_in`, `lang_out`, and `component` or
    `kind`. Raises CrossinError for a place without rows, and with file, row and field for one that cannot be
    learned from.
    """
    folder = place / DATA_FOLDER if (place / DATA_FOLDER).is_dir() else place
    files = [place] if place.is_file() else sorted(p for p in folder.glob("*") if p.suffix in _KINDS)
    if not files:
        raise CrossinError(
            "holds no mixture",
            file=place,
            fix=f"compose one first, or name a file or folder of {', '.join(_KINDS)}",
        )
    texts: list[Text] = []
    for file in files:
        for row, line in enumerate(_lines(file), start=1):
            texts.append(_text(file, row, line, len(texts), tokenizer))
    if not texts:
        raise CrossinError("is empty: it holds no rows", file=place, fix="compose the mixture again")
    return texts


def _lines(file: Path) -> Iterator[Any]:
    if file.suffix == ".parquet":
        import pyarrow.parquet

        try:
            names = pyarrow.parquet.read_schema(file).names
        except pyarrow.ArrowException as error:
            raise CrossinError(f"is no Parquet file: {error}", file=file, fix="make it again") from error
        yield from read_parquet(file, names).to_pylist()
    elif file.suffix == ".jsonl":
        for row, line in enumerate(read_text(file).splitlines(), start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise CrossinError(f"is no JSON: {error}", file=file, row=row, fix="mend the line") from error
    else:
        rows = read_json(file)
        if not isinstance(rows, list):
            raise CrossinError("is no list of rows", file=file, fix="give a list of objects, or JSON lines")
        yield from rows


def _text(file: Path, row: int, line: Any, number: int, tokenizer: Any) -> Text:
    def fault(
        message: str, field: str, fix: str = "compose the mixture again, or mend the row"
    ) -> CrossinError:
        return CrossinError(message, file=file, row=row, field=field, fix=fix)

    if not isinstance(line, dict):
        raise fault("is no row of named fields", "row")
    if line.get("messages") is not None:
        prompt, completion = _conversation(line["messages"], tokenizer, fault)
    else:
        for field in ("prompt", "completion"):
            if field not in line:
                there = ", ".join(sorted(map(str, line))) or "no fields at all"
                raise fault(
                    f"is not there; there are {there}",
                    field,
                    "a row needs `prompt` and `completion`, or `messages`",
                )
            if not isinstance(line[field], str):
                raise fault("is not a text", field)
            if not line[field]:
                raise fault("is empty", field)
        prompt, completion = line["prompt"], line["completion"]
    component = str(line.get("component") or line.get("kind") or "")
    group = Group(component, str(line.get("lang_in") or ""), str(line.get("lang_out") or ""))
    return Text(number, str(line.get("id") or ""), group, prompt, completion)


def _conversation(turns: Any, tokenizer: Any, fault: Any) -> tuple[str, str]:
    """What of a conversation is read, and what is learned: the last turn, up to its end."""
    if (
        not isinstance(turns, list)
        or len(turns) < 2
        or not all(isinstance(turn, dict) and isinstance(turn.get("content"), str) for turn in turns)
        or turns[-1].get("role") != "assistant"
    ):
        raise fault("is no conversation that ends with the assistant's turn", "messages")
    if not turns[-1]["content"]:
        raise fault("is empty in the last turn", "messages")
    if not tokenizer.chat_template:
        raise CrossinError(
            "this model's tokenizer has no chat template, and the mixture holds messages",
            field="messages",
            fix="compose with another template than `messages`, or take a model with a chat template",
        )
    prompt = tokenizer.apply_chat_template(turns[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    if not whole.startswith(prompt):
        raise fault("cannot be cut where the answer begins in this chat template", "messages")
    completion = whole[len(prompt) :]
    end = tokenizer.eos_token
    # What a template writes behind the end of the turn is not for the model to say.
    if end and end in completion:
        completion = completion[: completion.rindex(end) + len(end)]
    return prompt, completion
