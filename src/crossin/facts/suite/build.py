"""The facts suite as a benchmark folder (docs/facts-suite.md)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.formats import ITEMS
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.facts.corpus import facts_of, split_of, subjects_of
from crossin.facts.suite import generation, knowledge, reading, reasoning
from crossin.facts.suite.material import Material
from crossin.facts.world import load_countries
from crossin.items.item import Item, write_items
from crossin.languages import load_words, parse_languages
from crossin.languages.words import DATA, RELATIONS, lacking

# The skill that each task asks for.
SKILLS = {
    "capital": "knowledge",
    "currency": "knowledge",
    "continent": "knowledge",
    "language": "knowledge",
    "neighbour": "knowledge",
    "weekday": "reasoning",
    "month": "reasoning",
    "population": "reasoning",
    "number": "reasoning",
    "profile": "reading",
    "name capital": "generation",
    "translate name": "generation",
}
_TASKS = (
    knowledge.facts,
    knowledge.neighbours,
    reasoning.weekdays,
    reasoning.months,
    reasoning.populations,
    reasoning.numbers,
    reading.profiles,
    generation.capitals,
    generation.translations,
)
_SPLITS = ("all", "train", "dev", "test")


def build_suite(
    out: Path,
    *,
    languages: list[str],
    split: str = "all",
    progress: Progress = silent,
    folder: Path = DATA,
) -> Stage:
    """Make the facts suite in `languages`: the same items in each, written to the folder `out`.

    `split` is "all", or "train", "dev" or "test" as the facts corpus divides the countries; an item about no
    country belongs where its group's name falls. `folder` holds the languages' template files. Raises
    CrossinError where a language has no file, or its file lacks an entry.
    """
    if split not in _SPLITS:
        raise CrossinError(f"no split is named '{split}'", hint=f"choose {', '.join(_SPLITS)}")
    languages = parse_languages(",".join(languages), folder)
    files = {f"words/{language}": folder / f"{language}.yaml" for language in languages}
    for language, path in zip(languages, files.values(), strict=True):
        if entries := lacking(language, folder):
            raise CrossinError(
                f"lacks what the facts suite asks: {', '.join(entries)}",
                file=path,
                hint="translate these entries of en.yaml, as CONTRIBUTING.md tells",
            )
    words = {language: load_words(language, folder) for language in languages}
    stage = begin(out, "bench", {"bench": "suite", "split": split, "languages": languages}, files)
    if stage.done:
        return stage
    countries, skipped = load_countries()
    subjects = subjects_of(countries, languages, skipped)
    facts = [fact for relation in RELATIONS for fact in facts_of(relation, countries, subjects, skipped)]
    suites = {language: each.suite for language, each in words.items() if each.suite}
    material = Material(words, suites, countries, subjects, facts, skipped)
    items: list[Item] = []
    for number, make in enumerate(_TASKS):
        progress("making the suite", number, len(_TASKS), "tasks")
        items += (item for item in make(material) if split in ("all", split_of(item.group)))
    progress("making the suite", len(_TASKS), len(_TASKS), "tasks")
    write_items(out / ITEMS, items)
    tasks = Counter(item.task for item in items if item.language == languages[0])
    skills: Counter[str] = Counter()
    for task, count in tasks.items():
        skills[SKILLS[task]] += count
    stage.finish(
        [ITEMS],
        {"items": tasks.total(), "languages": len(languages), "tasks": dict(tasks), "skills": dict(skills)},
        dict(sorted(skipped.items())),
    )
    return stage
