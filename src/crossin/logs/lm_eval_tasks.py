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

from crossin.core.errors import CrossinError
from crossin.languages import parse_language
from crossin.languages.codes import language_name
from crossin.languages.countries import languages_of

_TABLE = Path(__file__).with_name("lm_eval_families.yaml")
# A language in a task's name has at most so many parts: `srp_cyrl_torl`.
_PARTS = 3
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
    return found | _by_comparison([name for name in names if name not in found])


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


def _known(name: str) -> Task | None:
    for pattern, written, family in _patterns():
        for parts in range(1, _PARTS + 1):
            spelled = rf"(?P<language>[^_-]+(?:[_-][^_-]+){{{parts - 1}}})"
            match = re.fullmatch(pattern.pattern.replace("(?P<language>.+)", spelled), name)
            if match is None:
                continue
            language = match["language"]
            code = family.languages.get(language) or _spelled_language(language)
            if not code and "{subtask}" not in written:
                code = _language(language)
            if code:
                gaps = match.groupdict()
                named = written.replace("{variant}", gaps.get("variant", ""))
                return Task(_without_gaps(named), code, gaps.get("subtask", ""), family)
    return None


def _without_gaps(name: str) -> str:
    return re.sub(r"([_-])\1+", r"\1", _GAP.sub("", name)).strip("_-")


@cache
def _language(spelled: str) -> str:
    """The language's code; '' where the text is none."""
    for text in (spelled, spelled.replace("_", " ")):
        try:
            return parse_language(text)
        except CrossinError:
            continue
    return ""


def _by_comparison(names: list[str]) -> dict[str, Task]:
    """The tasks in whose names exactly one part can be the language; a part that varies between tasks is more
    likely to be it.
    """
    languages: dict[str, set[str]] = {}
    for name in names:
        for template, code, _ in _candidates(name):
            languages.setdefault(template, set()).add(code)
    found = {}
    for name in names:
        likely = [
            (len(languages[template]), template, code, sure) for template, code, sure in _candidates(name)
        ]
        most = max((count for count, *_ in likely), default=0)
        # A part alone must be spelled so that it can hardly be anything else.
        best = [one for one in likely if one[0] == most and (most > 1 or one[3])]
        if len(best) == 1:
            _, template, code, _ = best[0]
            found[name] = Task(_without_gaps(template), code, "", TaskFamily())
    return found


@cache
def _candidates(name: str) -> tuple[tuple[str, str, bool], ...]:
    """Every part of a name that can be a language: the name with a gap in its place, the code, and whether it
    is spelled as hardly anything else is. A longer part hides those within it. Two languages side by side are
    those of a translation: neither is the language of the task.
    """
    parts = re.split(r"([_-])", name)
    found: list[tuple[str, str, bool]] = []
    taken: set[int] = set()
    for length in range(_PARTS, 0, -1):
        for start in range(0, len(parts) - 2 * length + 2, 2):
            end = start + 2 * length - 1
            spelled = "".join(parts[start:end])
            last = end == len(parts)
            if taken.intersection(range(start, end)) or (spelled == "mt" and not last):
                continue
            code = _spelled_language(spelled)
            if not code:
                continue
            if {start - 2, end + 1} & taken:
                return ()
            taken.update(range(start, end))
            template = "".join(parts[:start]) + "{language}" + "".join(parts[end:])
            found.append((template, code, last and start > 0 and len(spelled) != 3))
    return tuple(found)


@cache
def _spelled_language(spelled: str) -> str:
    """The code of a language that is written as a code, also with its script or country, or by its English
    name; '' for other texts, such as words that some rare language is called by.
    """
    from langcodes.language_lists import CLDR_LANGUAGES

    if spelled.replace("_", " ").casefold() in _english_names():
        return _language(spelled)
    shape = re.fullmatch(r"[A-Za-z]{2,3}((?:[_-][A-Za-z]{4})*)(?:[_-]([A-Za-z]{2}))?", spelled)
    code = _language(spelled) if shape else ""
    if shape is None or not code or shape[1]:
        return code
    alone = code.partition("-")[0]
    if shape[2]:
        # Two codes side by side may be two languages.
        return code if shape[2].isupper() or alone in languages_of(shape[2].lower()) else ""
    return code if len(alone) == 2 or alone in CLDR_LANGUAGES else ""


@cache
def _english_names() -> frozenset[str]:
    from langcodes.language_lists import CLDR_LANGUAGES

    names = (language_name(code).partition(" ")[2].casefold() for code in CLDR_LANGUAGES if len(code) == 2)
    return frozenset(name for name in names if name)
