"""The language of a task of lm-evaluation-harness, and the benchmark it is a part of, from the task's name.

A table has the families that are known. In other names, the part that varies between tasks and is a language
is the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from crossin.logs.languages_of import MARK, language_of, languages_in

_TABLE = Path(__file__).with_name("lm_eval_families.yaml")
# The most parts of a language in a task's name: `srp_cyrl_torl`.
_PARTS = 3
# What stands beside the language: a word, or a code with its script.
_WORD = r"([a-z]{3}_[A-Z][a-z]{3}|[^\W_]+)"
_BEFORE, _AFTER = re.compile(rf"{_WORD}[\W_]$"), re.compile(rf"[\W_]{_WORD}")
_WITH_SCRIPT = re.compile(r"[a-z]{2,3}[_-][a-z]{4}(?![a-z])", re.IGNORECASE)
_LISTS = ("id", "group", "question", "options")
_GAP = re.compile(r"\{(language|subtask|variant)\}")


@dataclass(frozen=True)
class TaskFamily:
    """How the documents of a family of tasks are joined, and where they have what was asked.

    `id`, `group`, `question` and `options` are fields of the document (`mc1_targets.choices` is one within
    another); empty where the general rules find them. `gold` has the right answer, where `target` is
    something else; `answer` is `number` for sums.
    """

    id: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    context: str = ""
    question: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    gold: str = ""
    aliases: str = ""
    answer: str = "text"
    parallel: bool = True
    languages: Mapping[str, str] = field(default_factory=dict)


class Task(NamedTuple):
    """What a task's name says: the benchmark (the name without language and subtask), language, subtask."""

    benchmark: str
    language: str
    subtask: str
    family: TaskFamily


_Pattern = tuple[re.Pattern[str], str, TaskFamily]


def tasks_of(names: Iterable[str]) -> dict[str, Task]:
    """The tasks with a language among those of these names, which lie in one place."""
    names = list(dict.fromkeys(names))
    found = {name: task for name in names if (task := _known(name)) is not None}
    for name, parts in languages_in(name for name in names if name not in found).items():
        if not _is_of_two(parts.family):
            found[name] = Task(parts.benchmark, parts.language, "", TaskFamily())
    return found


def _is_of_two(name: str) -> bool:
    """Whether another language stands beside that of a name: then it is a translation, or its questions are
    in another language than its texts.
    """
    before, _, after = name.partition(MARK)
    beside = _BEFORE.search(before), _AFTER.match(after)
    # In names, `mt` is machine translation; codes of three letters are too often words.
    codes = [language_of(found[1]) for found in beside if found and found[1] != "mt"]
    return any(code and (len(code) == 2 or "-" in code) for code in codes)


@cache
def _patterns() -> list[_Pattern]:
    table: dict[str, dict[str, Any]] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    found = []
    for entry in table.values():
        names = entry.pop("tasks")
        values: dict[str, Any] = {
            name: _as_tuple(value) if name in _LISTS else value for name, value in entry.items()
        }
        found += [_pattern(name, TaskFamily(**values)) for name in names]
    return found


def _as_tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _pattern(name: str, family: TaskFamily) -> _Pattern:
    parts = enumerate(_GAP.split(name))
    written = (f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in parts)
    return re.compile("".join(written)), name, family


@cache
def _known(name: str) -> Task | None:
    for pattern, written, family in _patterns():
        for parts in range(1, _PARTS + 1):
            spelled = rf"(?P<language>[^_-]+(?:[_-][^_-]+){{{parts - 1}}})"
            match = re.fullmatch(pattern.pattern.replace("(?P<language>.+)", spelled), name)
            if match is None:
                continue
            language = match["language"]
            if parts > 1 and language not in family.languages and not _WITH_SCRIPT.match(language):
                continue
            code = family.languages.get(language) or language_of(language)
            # As `pro` in mmlu_pro, where another name could follow.
            if code == language and len(language) > 2 and "{subtask}" in written:
                continue
            if code:
                gaps = match.groupdict()
                named = written.replace("{variant}", gaps.get("variant", ""))
                return Task(_without_gaps(named), code, gaps.get("subtask", ""), family)
    return None


def _without_gaps(name: str) -> str:
    return re.sub(r"([_-])\1+", r"\1", _GAP.sub("", name)).strip("_-")
