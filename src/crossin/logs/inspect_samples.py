"""Samples of inspect_ai's logs as lines of answers.

What the harness scored decides: an option is the answer that its scorer read, in the order of the choices
that the sample has, whatever order the model was shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossin.core.errors import CrossinError
from crossin.items import Item
from crossin.logs.inspect_files import ATTACHMENT, Json, object_at
from crossin.logs.lines import Line, named_option
from crossin.logs.reasons import RecordFault

_HINT = "copy the log again, or leave the file out"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# inspect_ai's own values of a score, and texts that it reads as numbers.
_VALUES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
_TRUTHS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


@dataclass(frozen=True)
class AskedSamples:
    """How a log's samples were asked: what lines and items of all of them have in common.

    `scorer` names the score that decides. In a log whose solver `shuffled` the choices, a reply's letters are
    of another order than the sample's. `numbers` are answers that inspect_ai compared by value.
    """

    task: str
    source: str
    scorer: str
    epochs: bool
    shuffled: bool
    numbers: bool


@dataclass(frozen=True, eq=False)
class ReadSample:
    """A sample as a line, and what was asked. `contradicts`: the score is another than the answer's that the
    scorer read. `readable`: the scorer read no answer, and crossin's reader would.
    """

    line: Line
    item: Item
    contradicts: bool = False
    readable: bool = False


def read_sample(sample: Json, name: str, language: str, asked: AskedSamples) -> ReadSample | str:
    """A sample as the item `name` in a language, or the reason code why it is left out.

    Raises CrossinError, with the field, where it is no sample.
    """
    scores = object_at(sample, "scores")
    score = scores.get(asked.scorer)
    if sample.get("error") and not isinstance(score, dict):
        return RecordFault.FAILED
    if asked.scorer and (not isinstance(score, dict) or is_unscored(score)):
        return RecordFault.NOT_SCORED
    score = score if isinstance(score, dict) else {}
    choices = [_text(sample, one, "choices") for one in sample.get("choices") or []]
    targets = _targets(sample)
    reply = _reply(sample)
    golds = _gold_places(targets, choices)
    if choices and golds is not None and len(golds) > 1:
        return RecordFault.SEVERAL_RIGHT
    if not golds if choices else not any(target.strip() for target in targets):
        return RecordFault.NO_GOLD
    ids = [letter(place) for place in range(len(choices))]
    gold = ids[golds[0]] if choices and golds else targets[0]
    line: Line = {
        "item": name,
        "group": name,
        "task": asked.task,
        "language": language,
        "prompt": f"epoch {sample.get('epoch', 1)}" if asked.epochs else "",
        "option_ids": ids,
        "gold": gold,
        "answer": None,
        "reply": reply,
    }
    if not choices:
        line |= {"aliases": targets[1:], "answer_type": "number" if asked.numbers else "text"}
        return ReadSample(line, _item(line, sample, [], asked))
    item = _item(line, sample, choices, asked)
    texts = dict(zip(ids, choices, strict=True))
    if not asked.scorer and asked.shuffled:
        return RecordFault.NOT_SCORED
    answer, contradicts = _scored(score, ids, gold) if asked.scorer else (None, False)
    named = None
    if answer is None and reply and not asked.shuffled:
        named = named_option(reply, texts, ids, language)
    if not asked.scorer:
        return ReadSample({**line, "answer": named}, item)
    return ReadSample({**line, "answer": answer}, item, contradicts, named is not None)


def letter(place: int) -> str:
    """How inspect_ai calls the choice at a place from 0: A to Z, then 1, 2, …"""
    return _LETTERS[place] if place < len(_LETTERS) else str(place - len(_LETTERS) + 1)


def value_of(score: Json) -> float | None:
    """A score's value as a number, as inspect_ai's accuracy and mean take it; None for lists and objects."""
    value = score.get("value")
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    if value in _VALUES:
        return _VALUES[value]
    try:
        return _TRUTHS[value.lower()] if value.lower() in _TRUTHS else float(value)
    except ValueError:
        return 0.0


def is_unscored(score: Json) -> bool:
    """Whether a scorer gave no value: nan is left out of every figure of inspect_ai."""
    value = score.get("value")
    return value is None or (isinstance(value, float) and math.isnan(value))


def _scored(score: Json, ids: Sequence[str], gold: str) -> tuple[str | None, bool]:
    """The option that the scorer read, None for none or several; and whether its value contradicts it. The
    value decides, since accuracy is computed from it.
    """
    read = [one for one in str(score.get("answer") or "").replace(",", " ").split() if one]
    named = [one.strip("().").upper() for one in read]
    answer = named[0] if len(named) == 1 and named[0] in ids else None
    right = value_of(score) == 1.0
    if right:
        return gold, answer not in (gold, None)
    return (None, True) if answer == gold else (answer, False)


def _gold_places(targets: Sequence[str], choices: Sequence[str]) -> list[int] | None:
    """The places of the right choices, named by letters or by their texts; None where a target names none."""
    if not choices:
        return None
    by_letter = {letter(place): place for place in range(len(choices))}
    found: set[int] = set()
    for target in targets:
        words = target.replace(",", " ").split()
        signs = [sign for word in words for sign in ([word] if word.isnumeric() else word)]
        if signs and all(sign.upper() in by_letter for sign in signs):
            found |= {by_letter[sign.upper()] for sign in signs}
        elif target in choices:
            found.add(choices.index(target))
        else:
            return None
    return sorted(found)


def _targets(sample: Json) -> list[str]:
    target = sample.get("target")
    found = target if isinstance(target, list) else [target]
    return [_text(sample, str(one), "target") for one in found if one is not None]


def _item(line: Line, sample: Json, choices: list[str], asked: AskedSamples) -> Item:
    return Item(
        item=line["item"],
        group=line["group"],
        task=line["task"],
        language=line["language"],
        context="",
        question=_question(sample),
        options=choices,
        option_ids=line["option_ids"],
        answer=line["gold"],
        source=asked.source,
        licence="",
        aliases=line.get("aliases", []),
        answer_type=line.get("answer_type", "text"),
    )


def _question(sample: Json) -> str:
    found = sample.get("input")
    if isinstance(found, list):
        asked = [one for one in found if isinstance(one, dict) and one.get("role") == "user"]
        found = asked[-1].get("content") if asked else ""
    return _content(sample, found, "input")


def _reply(sample: Json) -> str | None:
    """What the model wrote at last, without its reasoning; None where it wrote nothing."""
    output = object_at(sample, "output")
    if isinstance(output.get("completion"), str):
        return _text(sample, output["completion"], "output.completion")
    choices = output.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return None
    return _content(sample, object_at(choices[0], "message").get("content"), "output.choices") or None


def _content(sample: Json, content: Any, field: str) -> str:
    """A message's content as text: a text, or parts, of which those of the type text count."""
    if isinstance(content, list):
        parts = [one for one in content if isinstance(one, dict) and one.get("type") == "text"]
        return "".join(_text(sample, one.get("text"), field) for one in parts)
    return _text(sample, content or "", field)


def _text(sample: Json, value: Any, field: str) -> str:
    """A text, which the sample may keep among its attachments."""
    if not isinstance(value, str):
        raise CrossinError("expected a text", field=field, hint=_HINT)
    if not value.startswith(ATTACHMENT):
        return value
    found = object_at(sample, "attachments").get(value.removeprefix(ATTACHMENT))
    if not isinstance(found, str):
        raise CrossinError("its text is not among the attachments", field=field, hint=_HINT)
    return found
