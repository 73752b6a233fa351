"""The number of tokens of a text: counted by a tokenizer, or estimated from its characters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.network import use_certificates_for_hub

Count = Callable[[pa.Array], npt.NDArray[np.float64]]
# A token of an English-centric tokenizer is about four Latin letters; characters of several bytes in UTF-8
# take more tokens. A rule of thumb: for exact figures the recipe names a tokenizer.
_PER_CHARACTER, _PER_FURTHER_BYTE = 0.25, 0.4


def token_counter(tokenizer: str | None) -> Count:
    """A function from texts (n,) to their numbers of tokens (n,): exact with a tokenizer (a local folder or a
    hub id), an estimate without.
    """
    if tokenizer is None:
        return estimated_tokens
    found = load_tokenizer(tokenizer)

    def count(texts: pa.Array) -> npt.NDArray[np.float64]:
        encoded = found(texts.to_pylist(), add_special_tokens=False)["input_ids"] if len(texts) else []
        return np.array([len(ids) for ids in encoded], dtype=np.float64)

    return count


def load_tokenizer(tokenizer: str) -> Any:
    """The tokenizer of a local folder or a hub id; code that comes with it is never run.

    Raises CrossinError where it cannot be loaded.
    """
    require("train", "transformers")
    from transformers import AutoTokenizer

    use_certificates_for_hub()
    try:
        return AutoTokenizer.from_pretrained(tokenizer, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CrossinError(
            f"the tokenizer '{tokenizer}' cannot be loaded: {reason}",
            field="tokenizer",
            hint="check the hub id or the folder, and the network",
        ) from error


def estimated_tokens(texts: pa.Array) -> npt.NDArray[np.float64]:
    """The approximate number of tokens of each text, from its characters and bytes."""
    characters = pc.utf8_length(texts).to_numpy(zero_copy_only=False).astype(np.float64)
    further = pc.binary_length(texts).to_numpy(zero_copy_only=False) - characters
    return np.asarray(characters * _PER_CHARACTER + further * _PER_FURTHER_BYTE)
