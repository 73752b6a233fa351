"""The tokenizer of a translation model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require


def open_tokenizer(folder: Path) -> Any:
    """The tokenizer in a folder: no code of it runs, and nothing is fetched. Raises CrossinError."""
    require("translate", "transformers")
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        return transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:
        # The libraries below raise errors of many kinds.
        message = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CrossinError(
            f"holds no tokenizer that can be read ({message})",
            file=folder,
            hint="name the folder of the model that it was converted from with --tokenizer",
        ) from error


def vocabulary_of(tokenizer: Any) -> frozenset[str]:
    """All tokens, those that were added among them."""
    return frozenset(tokenizer.get_vocab()) | frozenset(tokenizer.all_special_tokens)


def writes(tokenizer: Any, text: str) -> bool:
    """Whether a text comes back whole from the tokenizer."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return bool(tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text)
