"""The corpora of `compose.py`: the common rows of the Alpaca files, and a synthetic corpus of any size; and
the check that a mixture holds rightful rows only. Each is a command of its own: its memory is not counted.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossin.core.formats import FIELDS
from crossin.languages.words import DATA
from crossin.mixture.templates import load_template

LANGUAGES = ("en", "zh", "vi")
MODES = ("en2x", "x2en", "trans")
TRANSLATE = "Translate the following sentence into English."
TEMPLATE = load_template("alpaca").with_input
# The rows of the corpus that each contestant warms up with.
FEW = 300

# Where the letters of a script begin; Latin for the others.
LETTERS = {"ar": 0x0628, "el": 0x03B1, "hi": 0x0915, "ru": 0x0430, "th": 0x0E01, "zh": 0x4E00}
SOUP_WORDS = 200_000
BATCH = 50_000

Texts = dict[str, str]


def common_rows(source: Path, target: Path) -> int:
    """Write the rows that all languages have, in one order, and a folder `few` with the first of them. Rows
    without an instruction or an output in some language are left out: crossin does not draw them, but its
    baselines would.
    """
    read = {
        language: json.loads((source / f"alpaca_{language}.json").read_text("utf-8"))
        for language in LANGUAGES
    }
    whole = {
        language: {row["id"]: row for row in rows if row["instruction"].strip() and row["output"].strip()}
        for language, rows in read.items()
    }
    common = [row for row in whole["en"] if all(row in rows for rows in whole.values())]
    for folder, ids in ((target, common), (target / "few", common[:FEW])):
        folder.mkdir(parents=True, exist_ok=True)
        for language, rows in whole.items():
            kept = [{name: rows[row][name] for name in ("id", *FIELDS)} for row in ids]
            (folder / f"alpaca_{language}.json").write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
    return len(common)


def modes_of(english: Texts, other: Texts, language: str) -> Iterator[tuple[str, str, str]]:
    """(mode, prompt, completion) of a row in the authors' three modes, worded as all contestants must."""
    yield "en2x", worded(english["instruction"], tagged(english["input"], language)), other["output"]
    yield "x2en", worded(other["instruction"], tagged(other["input"], "en")), english["output"]
    yield "trans", worded(TRANSLATE, other["instruction"]), english["instruction"]


def worded(instruction: str, given: str) -> str:
    return TEMPLATE.format(instruction=instruction, input=given)


def tagged(given: str, language: str) -> str:
    return f"{given}\n[{language}]" if given else f"[{language}]"


def check(data: Path, mixture: Path, rows: int) -> dict[str, int]:
    """Rows by mode; an error where one is not of the corpus in any mode, or where some are missing."""
    read = {
        language: json.loads((data / f"alpaca_{language}.json").read_text("utf-8")) for language in LANGUAGES
    }
    rightful = {
        hash((prompt, completion)): mode
        for language in LANGUAGES[1:]
        for english, other in zip(read["en"], read[language], strict=True)
        for mode, prompt, completion in modes_of(english, other, language)
    }
    modes: Counter[str] = Counter()
    for path in sorted(mixture.rglob("mixture*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(columns=["prompt", "completion"]):
            pairs = zip(batch["prompt"].to_pylist(), batch["completion"].to_pylist(), strict=True)
            modes.update(rightful.get(hash(pair), "wrong") for pair in pairs)
    if modes["wrong"] or modes.total() != rows:
        raise SystemExit(f"{mixture} holds {modes.total()} rows for {rows}, {modes['wrong']} of them wrong")
    return {mode: modes[mode] for mode in MODES}


def synthetic_languages(count: int) -> list[str]:
    """English and others that crossin has words for."""
    others = sorted(path.stem for path in DATA.glob("*.yaml") if path.stem != "en")
    return ["en", *others[: count - 1]]


def synthesise(folder: Path, languages: list[str], rows: int) -> None:
    """A parallel corpus of random words, one Parquet file a language, written as a stream."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, language in enumerate(languages):
        random = np.random.default_rng([rows, number])
        soup, begins = word_soup(random, LETTERS.get(language, ord("a")))
        with pq.ParquetWriter(folder / f"{language}.parquet", schema()) as writer:
            for start in range(0, rows, BATCH):
                size = min(BATCH, rows - start)
                asked = random.normal(60, 20, size).clip(12)
                # As in Alpaca, three of five rows have no input.
                given = random.normal(60, 20, size).clip(12) * (random.random(size) > 0.6)
                answered = random.gamma(2, 125, size).clip(8)
                ids = pa.array(np.arange(start, start + size)).cast(pa.string())
                columns = [cut(random, soup, begins, lengths) for lengths in (asked, given, answered)]
                writer.write_batch(pa.record_batch([ids, *columns], schema=schema()))


def schema() -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in ("id", *FIELDS)])


def word_soup(random: np.random.Generator, first: int) -> tuple[bytes, Any]:
    """Random words with spaces between, and the places where words begin."""
    words = [
        "".join(map(chr, random.integers(first, first + 20, length))).encode() + b" "
        for length in random.integers(2, 10, SOUP_WORDS).tolist()
    ]
    return b"".join(words), np.cumsum([0, *map(len, words)])


def cut(random: np.random.Generator, soup: bytes, begins: Any, lengths: Any) -> pa.Array:
    """Runs of words from random places of the soup, of about these lengths in bytes."""
    starts = begins[random.integers(0, len(begins) - 1000, len(lengths))]
    # An end at the beginning of a word, less the space before it, never splits a letter.
    ends = np.maximum(begins[np.searchsorted(begins, starts + lengths.astype(np.int64))] - 1, starts)
    data = b"".join([soup[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)])
    offsets = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(data))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("common", "check", "synthesise"))
    parser.add_argument("--data", type=Path, help="the folder of the Alpaca files")
    parser.add_argument(
        "--out", type=Path, required=True, help="where the corpus goes, or where the mixture is"
    )
    parser.add_argument("--rows", type=int, default=0, help="how many rows (a language) there must be")
    parser.add_argument("--languages", type=int, default=12, help="how many languages to synthesise")
    options = parser.parse_args()
    if options.task == "common":
        print(json.dumps({"rows": common_rows(options.data, options.out)}))
    elif options.task == "check":
        print(json.dumps(check(options.data, options.out, options.rows)))
    else:
        languages = synthetic_languages(options.languages)
        synthesise(options.out, languages, options.rows)
        size = sum(path.stat().st_size for path in options.out.glob("*.parquet"))
        print(json.dumps({"languages": languages, "bytes": size}))


if __name__ == "__main__":
    main()
