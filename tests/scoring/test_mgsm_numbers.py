"""MGSM's real golds as numbers: each is read, also from replies in the digits of every language."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from crossin.items import Item
from crossin.languages.numbers import last_number
from crossin.metrics.texts import exact_match
from crossin.scoring.predictions import read_predictions
from tests.helpers.paths import REAL_DATA
from tests.helpers.small_bench import write_bench, write_replies

SOURCE = REAL_DATA / "mgsm"
# The digit 0 of the script, and the sign between thousands.
NATIVE = {
    "bn": ("০", ","),
    "de": ("0", "."),
    "en": ("0", ","),
    "es": ("0", "."),
    "fr": ("0", "\u202f"),
    "ja": ("\uff10", "\uff0c"),
    "ru": ("0", "\u00a0"),
    "sw": ("0", ","),
    "te": ("౦", ","),
    "th": ("๐", ","),
    "zh": ("0", ","),
}

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="MGSM's files are not here")


def golds(language: str) -> list[str]:
    text = (SOURCE / f"mgsm_{language}.tsv").read_text(encoding="utf-8")
    return [row[1] for row in csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)]


def native(number: int, language: str) -> str:
    zero, separator = NATIVE[language]
    shifted = {ord(str(digit)): chr(ord(zero) + digit) for digit in range(10)}
    return f"{number:,}".replace(",", separator).translate(shifted)


@pytest.mark.parametrize("change", [0, 1, -1])
def test_the_right_number_counts_in_native_digits_and_its_neighbours_do_not(
    change: int, tmp_path: Path
) -> None:
    items, replies = [], []
    for language in NATIVE:
        for row, gold in enumerate(golds(language)):
            name = str(row + 1)
            items.append(
                Item(name, name, "sums", language, "", "?", [], [], gold, "", "", answer_type="number")
            )
            (value,) = {one for one in last_number(gold, language) if one.denominator == 1}
            said = f"3 + 4 = 7. {native(int(value) + change, language)}."
            replies.append({"item": name, "language": language, "reply": said})
    assert len(items) == 11 * 250
    bench = write_bench(tmp_path / "bench", items)
    [found] = read_predictions(write_replies(tmp_path / "replies.jsonl", replies), bench)
    assert found.texts is not None
    assert set(exact_match(found.texts).tolist()) == {0.0 if change else 1.0}
