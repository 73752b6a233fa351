"""The accuracy of language fidelity: each FLORES sentence as a reply in each language.

`python benchmarks/fidelity.py --data FOLDER [--words 0 3] [--lines N] [--without LANGUAGE ...] [--json]`
reads one file per language, with the same sentences line by line. *Right* is the fidelity of sentences in
the language asked (1 is perfect), *wrong* that of the same sentences in all other languages (0 is perfect),
*open* the undecided share of either, *worst* the other language that passes most often. With
`--words 3`, only the first three words of each sentence are used (twelve characters in Chinese, Japanese and
Thai); 0 is the whole sentence. The references hold no words, so that they decide nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from crossin.languages.detection import RIGHT, UNDECIDED
from crossin.metrics.language_fidelity import verdicts
from crossin.metrics.table import Integers
from crossin.metrics.texts import TextTable

SPACELESS = ("ja", "th", "zh")
CHARACTERS_A_WORD = 4


def beginning(text: str, language: str, words: int) -> str:
    if not words:
        return text
    return text[: CHARACTERS_A_WORD * words] if language in SPACELESS else " ".join(text.split()[:words])


def judged(texts: list[str], languages: tuple[str, ...]) -> Integers:
    """Verdicts on the same texts as replies in each language: [texts, languages]."""
    names = tuple(str(number) for number in range(len(texts)))
    return verdicts(
        TextTable(
            items=names,
            languages=languages,
            groups=names,
            tasks=("flores",) * len(texts),
            replies=tuple((text,) * len(languages) for text in texts),
            references=(("0",) * len(languages),) * len(texts),
        )
    )


def measure(sentences: dict[str, list[str]], words: int) -> dict[str, Any]:
    """For each language asked, figures of right and wrong replies, and the most confused language."""
    begin = time.perf_counter()
    languages = tuple(sentences)
    found = np.stack(
        [judged([beginning(text, x, words) for text in texts], languages) for x, texts in sentences.items()]
    )  # [written, sentence, asked]
    result: dict[str, Any] = {}
    for asked, language in enumerate(languages):
        passed, decided = found[..., asked] == RIGHT, found[..., asked] != UNDECIDED
        others = np.arange(len(languages)) != asked
        share = np.where(decided.sum(1) > 0, passed.sum(1) / np.maximum(decided.sum(1), 1), np.nan)
        worst = max((i for i in np.flatnonzero(others)), key=lambda i: passed[i].sum())
        result[language] = {
            "right": float(share[asked]),
            "open, right": float(1 - decided[asked].mean()),
            "wrong": float(passed[others].sum() / max(decided[others].sum(), 1)),
            "open, wrong": float(1 - decided[others].mean()),
            "worst": languages[worst],
            "worst passes": float(share[worst]),
            "open, worst": float(1 - decided[worst].mean()),
        }
    return {"seconds": time.perf_counter() - begin, "languages": result}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with one text file a language")
    parser.add_argument("--words", type=int, nargs="+", default=[0, 3], help="words a sentence; 0: whole")
    parser.add_argument("--lines", type=int, help="sentences to use (all)")
    parser.add_argument("--without", nargs="+", default=[], metavar="LANGUAGE", help="languages to leave out")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    sentences = {
        path.stem: path.read_text(encoding="utf-8").splitlines()[: options.lines]
        for path in sorted(options.data.glob("*.txt"))
        if path.stem not in options.without
    }
    results = {words: measure(sentences, words) for words in options.words}
    if options.json:
        print(json.dumps(results, indent=2))
        return
    console = Console()
    for words, result in results.items():
        names = next(iter(result["languages"].values()))
        title = f"{f'first {words} words' if words else 'whole sentences'}, {result['seconds']:.0f} s"
        table = Table("asked", *names, title=title)
        for language, row in result["languages"].items():
            values = (value if isinstance(value, str) else f"{value:.3f}" for value in row.values())
            table.add_row(language, *values)
        console.print(table)


if __name__ == "__main__":
    main()
