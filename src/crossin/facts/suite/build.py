"""The facts suite as a benchmark folder (docs/facts-suite.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crossin.core.coercion import listed
from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.facts.corpus import facts_of, split_of, subjects_of
from crossin.facts.suite import generation, knowledge, reading, reasoning
from crossin.facts.suite.material import SKILLS, Material
from crossin.facts.world import load_countries
from crossin.items.item import Item, finish_bench
from crossin.languages import load_words, parse_languages
from crossin.languages.words import DATA, RELATIONS, lacking

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
    out: Path | str,
    *,
    languages: Sequence[str] | str,
    split: str = "all",
    progress: Progress = silent,
    folder: Path = DATA,
) -> Stage:
    """Build the facts suite in `languages`: the same items in each, written to the folder `out`.

    `split` is "all", or "train", "dev" or "test" as the facts corpus divides the countries; an item about no
    country is divided by its group's name. `folder` holds the languages' template files. Raises CrossinError
    for a language without a file, and for a file that lacks an entry.
    """
    if split not in _SPLITS:
        raise CrossinError(f"unknown split '{split}'", hint=f"use one of: {', '.join(_SPLITS)}")
    languages = parse_languages(",".join(listed(languages)), folder)
    files = {f"words/{language}": folder / f"{language}.yaml" for language in languages}
    for language, path in zip(languages, files.values(), strict=True):
        if entries := lacking(language, folder):
            raise CrossinError(
                f"entries that the facts suite needs are missing: {', '.join(entries)}",
                file=path,
                hint="translate these entries of en.yaml (CONTRIBUTING.md)",
            )
    settings = {"bench": "suite", "split": split, "languages": languages}
    with stage(out, "bench", settings, files) as work:
        if work.done:
            return work
        words = {language: load_words(language, folder) for language in languages}
        suites = {language: found.suite for language, found in words.items() if found.suite}
        countries, skipped = load_countries()
        subjects = subjects_of(countries, languages, skipped)
        facts = [fact for relation in RELATIONS for fact in facts_of(relation, countries, subjects, skipped)]
        material = Material(words, suites, countries, subjects, facts, skipped)
        items: list[Item] = []
        for number, make in enumerate(_TASKS):
            progress("building the suite", number, len(_TASKS), "tasks")
            items += (item for item in make(material) if split in ("all", split_of(item.group)))
        progress("building the suite", len(_TASKS), len(_TASKS), "tasks")
        skills = Counter(SKILLS[item.task] for item in items if item.language == languages[0])
        finish_bench(work, items, skipped, skills=skills)
    return work
