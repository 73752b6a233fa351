"""Texts are tokenised once, and found again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from crossin.models.joining import split
from crossin.models.loading import load_tokenizer
from crossin.training import tokens
from crossin.training.tokens import tokenise

# More than one call of the tokenizer, and not a whole number of calls.
TEXTS = [f"{number}: the capital of Spain is Madrid, 马德里 \U0001f30d" for number in range(2 * 1024 + 5)]
BORDERS = [len(text) - 4 - number % 5 for number, text in enumerate(TEXTS)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tokenizer(tiny_model: Path) -> Any:
    return load_tokenizer(tiny_model)[0]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each call of the tokenizer had."""
    sizes: list[int] = []

    def counting(tokenizer: Any, texts: list[str], borders: list[int]) -> Any:
        sizes.append(len(texts))
        return split(tokenizer, texts, borders)

    monkeypatch.setattr(tokens, "split", counting)
    return sizes


def plain(found: Any) -> list[tuple[list[int], int]]:
    return [(list(numbers), border) for numbers, border in found]


def files(cache: Path) -> list[Path]:
    return sorted((cache / "tokens").iterdir()) if (cache / "tokens").exists() else []


def test_what_is_tokenised_in_several_calls_is_what_one_call_gives(tokenizer: Any, calls: list[int]) -> None:
    assert plain(tokenise(tokenizer, TEXTS, BORDERS)) == plain(split(tokenizer, TEXTS, BORDERS))
    assert calls == [1024, 1024, 5]


def test_the_same_texts_are_found_again_without_the_tokenizer(
    tokenizer: Any, cache: Path, calls: list[int]
) -> None:
    first = tokenise(tokenizer, TEXTS, BORDERS)
    assert len(files(cache)) == 1
    calls.clear()
    # How the tokenizer was used in between plays no part.
    tokenizer(["a", "of more tokens"], padding="max_length", max_length=9, truncation=True)
    assert plain(tokenise(tokenizer, TEXTS, BORDERS)) == plain(first)
    assert calls == []


def test_other_texts_borders_or_tokenizers_are_tokenised(
    tokenizer: Any, cache: Path, calls: list[int]
) -> None:
    tokenise(tokenizer, TEXTS, BORDERS)
    for texts, borders in (
        ([*TEXTS[:-1], "other"], [*BORDERS[:-1], 2]),
        (TEXTS, [*BORDERS[:-1], 1]),
        (TEXTS[:-1], BORDERS[:-1]),
    ):
        calls.clear()
        tokenise(tokenizer, texts, borders)
        assert calls
    tokenizer.add_tokens(["Madrid"])
    calls.clear()
    assert plain(tokenise(tokenizer, TEXTS, BORDERS)) == plain(split(tokenizer, TEXTS, BORDERS))
    assert calls
    assert len(files(cache)) == 5


@pytest.mark.parametrize("damage", ["emptied", "cut", "changed", "of other texts"])
def test_a_damaged_file_is_made_anew(tokenizer: Any, cache: Path, calls: list[int], damage: str) -> None:
    first = tokenise(tokenizer, TEXTS, BORDERS)
    (file,) = files(cache)
    whole = file.read_bytes()
    if damage == "emptied":
        file.write_bytes(b"")
    elif damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "changed":
        middle = len(whole) // 3
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    else:
        tokenise(tokenizer, TEXTS[1:], BORDERS[1:])
        (other,) = (path for path in files(cache) if path != file)
        file.write_bytes(other.read_bytes())
    calls.clear()
    assert plain(tokenise(tokenizer, TEXTS, BORDERS)) == plain(first)
    assert calls
    calls.clear()
    tokenise(tokenizer, TEXTS, BORDERS)
    assert calls == []


def test_a_cache_that_cannot_be_written_is_done_without(tokenizer: Any, cache: Path) -> None:
    cache.write_text("a file where the folder would be")
    assert plain(tokenise(tokenizer, TEXTS, BORDERS)) == plain(split(tokenizer, TEXTS, BORDERS))


def test_few_texts_are_not_kept(tokenizer: Any, cache: Path) -> None:
    assert plain(tokenise(tokenizer, TEXTS[:1024], BORDERS[:1024]))
    assert files(cache) == []


def test_texts_without_tokens_are_kept_in_their_places(tokenizer: Any) -> None:
    texts, borders = ["", *TEXTS, ""], [0, *BORDERS, 0]
    first, again = (plain(tokenise(tokenizer, texts, borders)) for _ in range(2))
    assert first == again
    assert again[0] == again[-1] == ([], 0)


def test_special_tokens_that_are_read_as_text_are_not_found_as_tokens(tokenizer: Any) -> None:
    texts = ["a<end>", *TEXTS]
    found = [tokenise(tokenizer, texts, [0, *BORDERS])[0]]
    tokenizer.split_special_tokens = True
    found.append(tokenise(tokenizer, texts, [0, *BORDERS])[0])
    assert len(found[0][0]) < len(found[1][0])


def test_the_cache_has_a_limit_and_keeps_what_was_used_last(
    tokenizer: Any, cache: Path, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenise(tokenizer, TEXTS, BORDERS)
    (first,) = files(cache)
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", str(2.5 * first.stat().st_size / 1e9))
    tokenise(tokenizer, TEXTS[1:], BORDERS[1:])
    (second,) = set(files(cache)) - {first}
    # The order of their last use, for a clock of any precision.
    for age, file in enumerate((second, first)):
        os.utime(file, (1e9 - age, 1e9 - age))
    calls.clear()
    tokenise(tokenizer, TEXTS, BORDERS)
    assert calls == []
    tokenise(tokenizer, TEXTS[2:], BORDERS[2:])
    assert first in files(cache) and second not in files(cache) and len(files(cache)) == 2


def test_without_room_nothing_is_kept(tokenizer: Any, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", "0")
    assert plain(tokenise(tokenizer, TEXTS, BORDERS)) == plain(split(tokenizer, TEXTS, BORDERS))
    assert files(cache) == []
