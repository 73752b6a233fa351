"""One contestant of `compose.py` in a process of its own: reads a corpus, composes a mixture, and reports the
time of both and the peak of resident memory.

The mixture is that of the authors' released code: a language and a row, drawn at random, feed three modes.

- fields: the authors' way. Row by row, each field read from the dataset by itself
  (`dataset[i]["instruction"]`); a list of dicts; `Dataset.from_list`.
- rows: the same, but each draw fetches its two rows once.
- interleave: `map` over the languages zipped with English, a dataset for each mode and language, and
  `interleave_datasets`. Rows are taken from the front instead of being drawn: the fastest for `datasets`.
- interleave-batched: the same with `map(batched=True)`.
- crossin: `crossin.compose`, with all that it adds (ids, hashes of its outputs, the card).
- scale: crossin, with five kinds of components in equal parts, from the synthetic corpus.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from compose_corpora import LANGUAGES, MODES, TRANSLATE, Texts, modes_of, synthetic_languages, tagged, worded

Figures = dict[str, float]
OTHERS = LANGUAGES[1:]
SEED = 0


def peak_mib() -> float:
    """The most memory that was resident so far, files mapped into it included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def baseline(make: Callable[[dict[str, Any], int, Path], None], data: Path, rows: int, out: Path) -> Figures:
    """Time a way that uses `datasets` objects."""
    import datasets

    datasets.disable_caching()
    datasets.disable_progress_bars()
    start = time.perf_counter()
    corpora = {
        language: datasets.load_dataset(
            "json",
            data_files=str(data / f"alpaca_{language}.json"),
            split="train",
            cache_dir=str(out / "cache"),
        )
        for language in LANGUAGES
    }
    read, peak = time.perf_counter(), peak_mib()
    make(corpora, rows, out)
    done = time.perf_counter()
    return {"reading": read - start, "composing": done - read, "peak_reading": peak, "peak": peak_mib()}


def by_fields(corpora: dict[str, Any], rows: int, out: Path) -> None:
    random, english, made = Random(SEED), corpora["en"], []
    for _ in range(rows // len(MODES)):
        language, row = random.choice(OTHERS), random.randrange(len(english))
        other = corpora[language]
        prompt = worded(english[row]["instruction"], tagged(english[row]["input"], language))
        made.append({"prompt": prompt, "completion": other[row]["output"]})
        prompt = worded(other[row]["instruction"], tagged(other[row]["input"], "en"))
        made.append({"prompt": prompt, "completion": english[row]["output"]})
        prompt = worded(TRANSLATE, other[row]["instruction"])
        made.append({"prompt": prompt, "completion": english[row]["instruction"]})
    write_list(made, random, out)


def by_rows(corpora: dict[str, Any], rows: int, out: Path) -> None:
    random, english, made = Random(SEED), corpora["en"], []
    for _ in range(rows // len(MODES)):
        language, row = random.choice(OTHERS), random.randrange(len(english))
        for _, prompt, completion in modes_of(english[row], corpora[language][row], language):
            made.append({"prompt": prompt, "completion": completion})
    write_list(made, random, out)


def write_list(made: list[Texts], random: Random, out: Path) -> None:
    from datasets import Dataset

    random.shuffle(made)
    Dataset.from_list(made).to_parquet(out / "mixture.parquet")


def one_mode(row: dict[str, Any], mode: str, language: str) -> Texts:
    """What `map` makes of a row of English zipped with another language."""
    if mode == "en2x":
        prompt = worded(row["en_instruction"], tagged(row["en_input"], language))
        return {"prompt": prompt, "completion": row["output"]}
    if mode == "x2en":
        prompt = worded(row["instruction"], tagged(row["input"], "en"))
        return {"prompt": prompt, "completion": row["en_output"]}
    return {"prompt": worded(TRANSLATE, row["instruction"]), "completion": row["en_instruction"]}


def one_mode_batched(batch: dict[str, list[Any]], mode: str, language: str) -> dict[str, list[str]]:
    """The same of a thousand rows."""
    if mode == "en2x":
        pairs = zip(batch["en_instruction"], batch["en_input"], strict=True)
        prompts = [worded(instruction, tagged(given, language)) for instruction, given in pairs]
        return {"prompt": prompts, "completion": batch["output"]}
    if mode == "x2en":
        pairs = zip(batch["instruction"], batch["input"], strict=True)
        prompts = [worded(instruction, tagged(given, "en")) for instruction, given in pairs]
        return {"prompt": prompts, "completion": batch["en_output"]}
    prompts = [worded(TRANSLATE, instruction) for instruction in batch["instruction"]]
    return {"prompt": prompts, "completion": batch["en_instruction"]}


def interleaved(corpora: dict[str, Any], rows: int, out: Path, batched: bool = False) -> None:
    from datasets import concatenate_datasets, interleave_datasets

    english = corpora["en"].rename_columns({name: f"en_{name}" for name in corpora["en"].column_names})
    each = math.ceil(rows / len(MODES) / len(OTHERS))
    parts = []
    for language in OTHERS:
        zipped = concatenate_datasets([english, corpora[language]], axis=1).select(range(each))
        for mode in MODES:
            made = zipped.map(
                one_mode_batched if batched else one_mode,
                batched=batched,
                fn_kwargs={"mode": mode, "language": language},
                remove_columns=zipped.column_names,
            )
            parts.append(made)
    shares = [1 / len(parts)] * len(parts)
    mixed = interleave_datasets(parts, shares, seed=SEED, stopping_strategy="all_exhausted")
    mixed.select(range(rows)).to_parquet(out / "mixture.parquet")


def interleaved_batched(corpora: dict[str, Any], rows: int, out: Path) -> None:
    interleaved(corpora, rows, out, batched=True)


BASELINES = {
    "fields": by_fields,
    "rows": by_rows,
    "interleave": interleaved,
    "interleave-batched": interleaved_batched,
}


def released_code(rows: int) -> dict[str, Any]:
    """The recipe of the three modes."""
    files = {language: f"alpaca_{language}.json" for language in LANGUAGES}
    shared = {"corpus": "alpaca", "rows": rows // len(MODES), "replacement": True, "draw": "modes"}
    return {
        "name": "benchmark",
        "seed": SEED,
        "tag": "code",
        "template": "alpaca",
        "corpora": {"alpaca": {"files": files, "check": "none"}},
        "components": [{"kind": mode, **shared} for mode in MODES[:2]]
        + [{"kind": "trans", "direction": "to-pivot", **shared}],
    }


def equal_parts(rows: int, languages: list[str]) -> dict[str, Any]:
    """The recipe of five kinds of components, from the synthetic corpus."""
    kinds = ("base", "x2en", "en2x", "x2x", "trans")
    files = {language: f"{language}.parquet" for language in languages}
    return {
        "name": "benchmark",
        "seed": SEED,
        "rows": rows,
        "tag": "code",
        "corpora": {"synthetic": {"files": files, "check": "none"}},
        "components": [{"kind": kind, "corpus": "synthetic", "share": 1 / len(kinds)} for kind in kinds],
    }


def crossin(entries: dict[str, Any], data: Path, out: Path) -> Figures:
    """Time crossin. Reading is to hash the files, and to read and join them; all else is composing."""
    from crossin.core.inputs import input_hash
    from crossin.corpus.preparation import prepare
    from crossin.mixture import compose

    read = Reading()
    with (
        patch("crossin.core.stages.input_hash", read.timed(input_hash)),
        patch("crossin.mixture.job.prepare", read.timed(prepare)),
    ):
        start = time.perf_counter()
        compose(entries, data, out)
        seconds = time.perf_counter() - start
    return {
        "reading": read.seconds,
        "composing": seconds - read.seconds,
        "peak_reading": read.peak,
        "peak": peak_mib(),
    }


class Reading:
    """The seconds spent in the functions that read, and the peak of memory up to the end of the last."""

    seconds = 0.0
    peak = 0.0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            result = function(*args, **options)
            self.seconds += time.perf_counter() - start
            self.peak = peak_mib()
            return result

        return wrapped


def run(way: str, data: Path, rows: int, out: Path, languages: int) -> Figures:
    if way == "scale":
        return crossin(equal_parts(rows, synthetic_languages(languages)), data, out)
    if way == "crossin":
        return crossin(released_code(rows), data, out)
    out.mkdir(parents=True)
    return baseline(BASELINES[way], data, rows, out)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries print out of the answer."""
    kept, sys.stdout = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdout = kept


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("way", choices=(*BASELINES, "crossin", "scale"))
    parser.add_argument("--data", type=Path, required=True, help="a folder that compose_corpora.py wrote")
    parser.add_argument("--rows", type=int, required=True, help="the rows of the mixture")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the mixture")
    parser.add_argument("--languages", type=int, default=12, help="those of the synthetic corpus")
    parser.add_argument("--cores", type=int, help="use so many cores (Linux)")
    options = parser.parse_args()
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    with quiet():
        if options.way != "scale":
            run(options.way, options.data / "few", 60, options.out.with_name("warm-up"), options.languages)
        figures = run(options.way, options.data, options.rows, options.out, options.languages)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
