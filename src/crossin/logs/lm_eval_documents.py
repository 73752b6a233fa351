"""What a document of lm-evaluation-harness asks: its id, question and options, and which answer is right.

The table of families says which fields hold this. For other tasks, usual names of fields are tried.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from crossin.core.errors import CrossinError
from crossin.logs.lm_eval_samples import Sample
from crossin.logs.lm_eval_tasks import TaskFamily

# Fields that name a document, the likeliest first.
_IDS = ("id", "idx", "sample_id", "question_id", "item_id", "story_id", "doc_id", "qid", "ID", "uid", "ind")
_QUESTIONS = (
    "question",
    "query",
    "instruction",
    "problem",
    "premise",
    "sentence",
    "prompt",
    "ctx",
    "goal",
    "text",
)
_OPTIONS: tuple[tuple[str, ...], ...] = (
    ("choices",),
    ("choices.text",),
    ("options",),
    ("endings",),
    ("mc1_targets.choices",),
    tuple(f"option_{letter}" for letter in "abcdefghij"),
    tuple(f"option_{number}" for number in range(10)),
    tuple(f"option{number}" for number in range(1, 6)),
    tuple(f"choice{number}" for number in range(1, 6)),
    tuple(f"mc_answer{number}" for number in range(1, 6)),
    tuple(f"solution{number}" for number in range(5)),
    ("sol1", "sol2"),
    tuple("ABCDEFGHIJ"),
)
_GOLDS = (
    "label",
    "gold",
    "answer",
    "answer_idx",
    "answerKey",
    "correct",
    "correct_answer",
    "correct_answer_num",
)
# Of the documents of a language, this share must have an id of their own.
_UNIQUE = 0.9
# What stands before this share of the references belongs to none of them.
_NEARLY, _LONGEST_PREFIX = 0.9, 20


@dataclass(frozen=True)
class AskedDocument:
    """What one sample asks, in its language; `reference` is the right text of a question without options."""

    context: str
    question: str
    options: list[str]
    reference: str
    aliases: list[str]


def labels(count: int) -> list[str]:
    """The ids of options: letters, or numbers where there are too few."""
    letters = string.ascii_uppercase
    return list(letters[:count]) if count <= len(letters) else [str(number + 1) for number in range(count)]


def value_of(doc: Mapping[str, Any], name: str) -> Any:
    """A field of a document; `a.b` is one within another. None where it is not there."""
    value: Any = doc
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def id_fields(parts: Sequence[Sequence[Sample]], family: TaskFamily) -> tuple[str, ...]:
    """The fields that name a document alike in all languages; empty where there are none: then the position
    does. `parts` are the samples by language and subtask.
    """
    for fields in filter(None, (family.id, *((name,) for name in _IDS))):
        found = [[id_of(sample, fields) for sample in part] for part in parts]
        if not all(all(ids) for ids in found):
            continue
        if all(len(set(ids)) >= _UNIQUE * len(ids) for ids in found):
            return fields
    return ()


def id_of(sample: Sample, fields: Sequence[str]) -> str:
    """A document's id from these fields, or its position; '' where a field is not there."""
    if not fields:
        return str(sample.doc_id)
    values = [value_of(sample.doc, name) for name in fields]
    if not all(isinstance(value, str | int) and str(value).strip() for value in values):
        return ""
    return "#".join(map(str, values))


def asked_of(sample: Sample, family: TaskFamily, *, listed: bool) -> AskedDocument:
    """What a sample asks; `listed`: to choose from options."""
    options = options_of(sample, family) if listed else []
    context = _joined(sample.doc, (family.context,)) if family.context else ""
    question = _joined(sample.doc, family.question) or _first(sample.doc, _QUESTIONS)
    if not question and sample.contexts:
        question = sample.contexts[0].strip().rpartition("\n\n")[2]
    reference, aliases = ("", []) if options else _reference(sample, family)
    return AskedDocument(context, question or str(sample.doc_id), options, reference, aliases)


def options_of(sample: Sample, family: TaskFamily) -> list[str]:
    """The texts of the options; empty where the answer is a text."""
    count = len(sample.logprobs)
    letter = _letter(sample.target)
    if not count and letter is None:
        return []
    for fields in filter(None, (family.options, *_OPTIONS)):
        found = _values(sample.doc, fields)
        if len(found) == count if count else len(found) > max(1, letter or 0):
            return found
    if len(set(sample.continuations)) == count:
        return [text.strip() for text in sample.continuations]
    # The contexts differ, and the continuation is one.
    return [text.strip().rpartition("\n\n")[2] for text in sample.contexts] or labels(count)


def right_options(samples: Sequence[Sample], family: TaskFamily) -> list[int | None]:
    """The position of each sample's right option; None where the harness has none.

    `target` is a position, a letter or an option's text, or says something else; then a field of the document
    says it. The reading is the one that agrees with the harness's own accuracy in every sample. Raises
    CrossinError, with the row, where none does.
    """
    found: list[tuple[int, int, list[int | None]]] = []
    for reading in _readings(family):
        golds = [reading(sample) for sample in samples]
        wrong = sum(not _agrees(sample, gold) for sample, gold in zip(samples, golds, strict=True))
        if not wrong and None not in golds:
            return golds
        found.append((wrong, golds.count(None), golds))
    wrong, _, golds = min(found, key=lambda one: one[:2])
    if not wrong:
        return golds
    sample, gold = next(
        (one, gold) for one, gold in zip(samples, golds, strict=True) if not _agrees(one, gold)
    )
    names = labels(len(sample.logprobs))
    right = "none" if gold is None else names[gold]
    raise CrossinError(
        f"the logged accuracy ({sample.metrics['acc']:g}) contradicts the log-probabilities: the largest is "
        f"that of option {names[best(sample.logprobs)]}, and the right option is {right}",
        file=sample.file,
        row=sample.row,
        field="acc",
        hint="the samples may be of a task with its own rule for what is right, or changed since the run",
    )


def best(logprobs: Sequence[float]) -> int:
    """The option with the largest log-probability; the first of equals, as in the harness's `acc`."""
    return max(range(len(logprobs)), key=logprobs.__getitem__)


def _agrees(sample: Sample, gold: int | None) -> bool:
    own = sample.metrics.get("acc")
    if own is None or not sample.logprobs:
        return True
    return own == float(gold is not None and best(sample.logprobs) == gold)


_Reading = Callable[[Sample], int | None]


def _readings(family: TaskFamily) -> list[_Reading]:
    """Ways to read which option is right, the likeliest first."""
    fields = ([family.gold] if family.gold else []) + [name for name in _GOLDS if name != family.gold]
    found: list[_Reading] = []
    for name in ("", *fields):
        found += [
            partial(_by_position, name, family),
            partial(_by_letter, name, family),
            partial(_by_text, name, family),
        ]
        # A field may count from 1; the harness's own positions count from 0.
        found += [partial(_by_position, name, family, first=1)] if name else []
    return found


def _gold_of(sample: Sample, name: str) -> Any:
    """A field of the document, or the sample's target for ''."""
    return value_of(sample.doc, name) if name else sample.target


def _by_position(name: str, family: TaskFamily, sample: Sample, *, first: int = 0) -> int | None:
    return _position(_gold_of(sample, name), _count(sample, family), first)


def _by_letter(name: str, family: TaskFamily, sample: Sample) -> int | None:
    return _letter(_gold_of(sample, name), _count(sample, family))


def _count(sample: Sample, family: TaskFamily) -> int:
    return len(sample.logprobs) or len(options_of(sample, family))


def _position(value: Any, count: int, first: int = 0) -> int | None:
    """The position that a number means, where the first option has the number `first`."""
    if isinstance(value, bool | float):
        return None
    text = str(value).strip() if isinstance(value, str | int) else ""
    if not re.fullmatch(r"\d{1,3}", text):
        return None
    return int(text) - first if 0 <= int(text) - first < count else None


def _letter(value: Any, count: int = 26) -> int | None:
    text = value.strip().strip("().") if isinstance(value, str) else ""
    if len(text) != 1 or text not in string.ascii_uppercase:
        return None
    place = string.ascii_uppercase.index(text)
    return place if place < count else None


def _by_text(name: str, family: TaskFamily, sample: Sample) -> int | None:
    """The position of the only option with the text."""
    value = _gold_of(sample, name)
    if not isinstance(value, str) or not value.strip():
        return None
    for texts in (list(sample.continuations), options_of(sample, family)):
        places = [at for at, text in enumerate(texts) if text.strip() == value.strip()]
        if len(places) == 1:
            return places[0]
    return None


def _reference(sample: Sample, family: TaskFamily) -> tuple[str, list[str]]:
    """The right text, and others that are as right."""
    known = value_of(sample.doc, family.gold) if family.gold else None
    text = str(sample.target if known is None else known).strip()
    # As GSM8K writes a solution.
    text = text.rpartition("#### ")[2].strip()
    others = value_of(sample.doc, family.aliases) if family.aliases else None
    aliases = [one.strip() for one in others if isinstance(one, str)] if isinstance(others, list) else []
    return text, [one for one in dict.fromkeys(aliases) if one and one != text]


def prefix_of(samples: Sequence[Sample], references: Sequence[str]) -> str:
    """What stands before nearly every reference, and before replies: `A: `; '' for nothing."""
    targets = (str(sample.target).strip() for sample in samples)
    before = Counter(
        target.removesuffix(text) if text and target.endswith(text) else ""
        for target, text in zip(targets, references, strict=True)
    )
    [(prefix, times)] = before.most_common(1) or [("", 0)]
    return prefix if times >= _NEARLY * len(samples) and len(prefix) <= _LONGEST_PREFIX else ""


def all_numbers(references: Sequence[str]) -> bool:
    """Whether every reference is a number, so that replies are compared by their last number."""
    return all(re.fullmatch(r"[-−]?[\d.,\s]*\d", text) for text in references)


def _values(doc: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    """The options in a field with a list, or in a field each; those that are empty are left out."""
    values = [value_of(doc, name) for name in fields]
    if (
        len(values) == 1
        and isinstance(values[0], str)
        and re.fullmatch(r"\[.*\]", values[0].strip(), re.DOTALL)
    ):
        values[0] = _python_list(values[0])
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    texts = [value if isinstance(value, str) else str(value) for value in values if value not in (None, "")]
    return [text.strip() for text in texts]


def _python_list(text: str) -> Any:
    import ast

    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _joined(doc: Mapping[str, Any], fields: Sequence[str]) -> str:
    found = [value_of(doc, name) for name in fields]
    return "\n".join(text.strip() for text in found if isinstance(text, str))


def _first(doc: Mapping[str, Any], names: Sequence[str]) -> str:
    found = (value_of(doc, name) for name in names)
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()), "")
