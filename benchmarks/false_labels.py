"""How often a text that answers nothing is read as an option's label.

`python benchmarks/false_labels.py --data ../shared/data` reads texts of XCOPA, MGSM and KLAR, each as a reply
to four and to nine options that it does not name, and prints those that are read nevertheless.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossin.items.replies import read_reply

OPTIONS = [f"opt{letter}" for letter in "abcdefghi"]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def texts(data: Path) -> Iterator[tuple[str, str]]:
    """Language and text; names of fields and ids are too short to be among them."""
    for file in sorted((data / "xcopa").rglob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines()[:400]:
            yield from ((file.parent.name, text) for text in strings(json.loads(line)))
    for file in sorted((data / "mgsm").glob("*.tsv")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield file.stem.removeprefix("mgsm_"), line.split("\t")[0]
    for file in sorted((data / "klar").rglob("*.json")):
        found = list(strings(json.loads(file.read_text(encoding="utf-8"))))[:800]
        yield from ((file.parent.name, text) for text in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder that holds xcopa/, mgsm/ and klar/"
    )
    asked = {pair for pair in texts(parser.parse_args().data) if len(pair[1]) > 12 or " " in pair[1]}
    read = 0
    for language, text in sorted(asked):
        for count in (4, 9):
            position = read_reply(text, OPTIONS[:count], language=language)
            if position is not None:
                read += 1
                print(f"{language}, {count} options: {position} in {text[:100]!r}")
    print(f"{read} of {2 * len(asked)} were read, in {len({language for language, _ in asked})} languages")


if __name__ == "__main__":
    main()
