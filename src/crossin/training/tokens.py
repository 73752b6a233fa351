"""Tokenisation with a cache: the tokens of many texts are stored in the user's cache folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from crossin.core.errors import CrossinError
from crossin.core.files import atomic_path
from crossin.core.user_cache import TOKENS, cache_home, limit_tokens, token_limit
from crossin.models.joining import split

# Texts per call of the tokenizer. Fewer are faster to tokenise than to cache.
_AT_ONCE = 1024
# Part of every key: change it where the rule of `split`, or the file's format, changes.
_FORM = "1"

Tokens = list[tuple[Sequence[int], int]]


def tokenise(tokenizer: Any, texts: Sequence[str], borders: Sequence[int]) -> Tokens:
    """The tokens of each text and how many of them come before its border, as in `joining.split`.

    Those of many texts are cached in the user's cache folder, under a name that their content and the
    tokenizer decide; what was used longest ago makes room (`core.user_cache.token_limit`). A damaged file is
    recomputed; a cache that cannot be written is not used.
    """
    if len(texts) <= _AT_ONCE or not tokenizer.is_fast or not token_limit():
        return _tokenised(tokenizer, texts, borders)
    file = cache_home() / TOKENS / f"{_key(tokenizer, texts, borders)}.parquet"
    found = _read(file, len(texts))
    if found is None:
        found = _tokenised(tokenizer, texts, borders)
        with suppress(CrossinError):
            _write(file, found)
    with suppress(CrossinError):
        limit_tokens(file)
    return found


def _tokenised(tokenizer: Any, texts: Sequence[str], borders: Sequence[int]) -> Tokens:
    parts = [slice(start, start + _AT_ONCE) for start in range(0, len(texts), _AT_ONCE)]
    return [one for part in parts for one in split(tokenizer, list(texts[part]), list(borders[part]))]


def _key(tokenizer: Any, texts: Sequence[str], borders: Sequence[int]) -> str:
    """The SHA-256 of all that decides the tokens. Chat templates are already applied to the texts."""
    import tokenizers

    # The tokenizer's state holds the padding of the last call: this call resets it.
    tokenizer("")
    state = tokenizer.backend_tokenizer.to_str()
    digest = hashlib.sha256()
    for part in (_FORM, tokenizers.__version__, str(tokenizer.split_special_tokens), state):
        digest.update(hashlib.sha256(part.encode()).digest())
    for text, border in zip(texts, borders, strict=True):
        encoded = text.encode()
        digest.update(b"%d %d\n" % (len(encoded), border))
        digest.update(encoded)
    return digest.hexdigest()


def _write(file: Path, found: Tokens) -> None:
    import pyarrow
    import pyarrow.parquet

    kinds = {"tokens": pyarrow.list_(pyarrow.int32()), "border": pyarrow.int32()}
    table = pyarrow.table(list(zip(*found, strict=True)), schema=pyarrow.schema(kinds))
    with atomic_path(file) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def _read(file: Path, count: int) -> Tokens | None:
    """The tokens of `count` texts in the file, or None where it is missing or damaged."""
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file, page_checksum_verification=True)
        if len(table) != count or table.column_names != ["tokens", "border"]:
            return None
    except (OSError, pyarrow.ArrowException):
        return None
    found: Tokens = []
    for chunk in table.to_batches():
        lists = chunk.column("tokens")
        numbers = lists.flatten().to_numpy()
        # An object for each place of each text would be most of the memory: one for each token.
        objects = np.arange(numbers.max(initial=0) + 1).astype(object)
        flat = objects[numbers].tolist()
        ends = np.cumsum(lists.value_lengths().to_numpy()).tolist()
        starts = [0, *ends[:-1]]
        borders = chunk.column("border").to_pylist()
        found += [(flat[start:end], border) for start, end, border in zip(starts, ends, borders, strict=True)]
    return found
