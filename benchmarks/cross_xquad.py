"""How hard Cross-XQuAD is without reading: simple heuristics, and a model without the paragraph.

`python benchmarks/cross_xquad.py --source ../shared/data/xquad` builds it and prints the heuristics by
language. `--model smollm2-135m` also asks that model, without the paragraph and with it; `--limit 200` asks
only that many items with it. Intervals are 95%, over paragraphs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from crossin.bench.heuristics import guesses
from crossin.bench.xquad import build_xquad
from crossin.core.formats import ITEMS
from crossin.evaluation.engine import Engine, Request
from crossin.evaluation.hf import HfEngine
from crossin.items.item import Item, read_items
from crossin.languages import load_words, parse_languages
from crossin.metrics.bootstrap import Figure, resample
from crossin.metrics.families import Family
from crossin.models import pull
from crossin.reports.cells import digits


def means(hits: dict[str, Sequence[float]], groups: list[str]) -> dict[str, Figure]:
    """Each row of hits as a mean with its interval over the groups."""
    columns = np.column_stack([*hits.values(), np.ones(len(groups))])
    family = Family(
        columns, lambda sums: {name: sums[:, place] / sums[:, -1] for place, name in enumerate(hits)}
    )
    return resample([family], groups)


def heuristics(items: list[Item], languages: list[str]) -> dict[str, dict[str, Figure]]:
    """By heuristic, its accuracy in each language and in their mean."""
    by_language = {language: [item for item in items if item.language == language] for language in languages}
    groups = [item.group for item in by_language[languages[0]]]
    found = {language: guesses(asked) for language, asked in by_language.items()}
    result = {}
    for heuristic in found[languages[0]]:
        hits: dict[str, Sequence[float]] = {language: found[language][heuristic] for language in languages}
        hits["mean"] = np.mean(list(hits.values()), axis=0).tolist()
        result[heuristic] = means(hits, groups)
    return result


def ask(engine: Engine, items: list[Item], paragraph: bool) -> dict[str, Figure]:
    """The model's accuracy, by what is compared: the log-probability of the option's text, or that minus its
    log-probability without the question, since a sum prefers short options.
    """
    words = load_words(items[0].language)
    bare_prompt = words.ask("").splitlines()[-1]
    options = [[words.separator + option for option in item.options] for item in items]

    def logprobs(prompts: list[str]) -> list[np.ndarray[Any, Any]]:
        requests = [Request(prompt, tuple(shown)) for prompt, shown in zip(prompts, options, strict=True)]
        found = dict(engine.logprobs(requests, range(len(requests))))
        return [np.array(found[number].logprobs) for number in range(len(requests))]

    asked = logprobs(
        [words.ask(f"{item.context}\n{item.question}" if paragraph else item.question) for item in items]
    )
    bare = logprobs([bare_prompt] * len(items))
    right = [item.option_ids.index(item.answer) for item in items]
    compared = {"sum": asked, "less the bare option's": [a - b for a, b in zip(asked, bare, strict=True)]}
    hits: dict[str, Sequence[float]] = {
        name: [float(one.argmax() == place) for one, place in zip(values, right, strict=True)]
        for name, values in compared.items()
    }
    found = means(hits, [item.group for item in items])
    where = f"{'with' if paragraph else 'without'} the paragraph, {len(items)} items"
    return {f"{where}, {name}": figure for name, figure in found.items()}


def show(title: str, figures: dict[str, dict[str, Figure]]) -> None:
    columns = list(next(iter(figures.values())))
    table = Table(title, *columns)
    for name, row in figures.items():
        table.add_row(name, *(_cell(row[c]) for c in columns))
    Console(width=40 + 16 * len(columns)).print(table)


def _cell(figure: Figure) -> str:
    return f"{digits(figure.value)}\n{digits(figure.low)} to {digits(figure.high)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, required=True, help="the folder with XQuAD's files")
    parser.add_argument("--model", help="a model to ask, by name or folder")
    parser.add_argument("--languages", default="en", help="languages to ask the model in, with commas")
    parser.add_argument("--limit", type=int, help="items to ask with the paragraph, evenly over all of them")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        stage = build_xquad(options.source, Path(folder) / "bench")
        seconds = time.perf_counter() - begin
        items = read_items(stage.folder / ITEMS)
    counts = {**stage.manifest["counts"], "skipped": stage.manifest["skipped"], "seconds": round(seconds, 1)}
    del counts["hardness"]
    found = {"heuristics": heuristics(items, stage.manifest["settings"]["languages"])}
    if options.model:
        engine = HfEngine(pull(options.model))
        asked = {}
        for language in parse_languages(options.languages):
            those = [item for item in items if item.language == language]
            limit = min(options.limit or len(those), len(those))
            sample = [those[place * len(those) // limit] for place in range(limit)]
            asked[language] = ask(engine, those, False) | ask(engine, sample, True)
        found[options.model] = {
            name: {language: asked[language][name] for language in asked}
            for name in next(iter(asked.values()))
        }
    if options.json:
        print(json.dumps({"counts": counts, **found}, default=vars, indent=2, ensure_ascii=False))
        return
    for name, value in counts.items():
        print(f"{name}: {value}")
    for title, figures in found.items():
        show(title, figures)


if __name__ == "__main__":
    main()
