"""A dataset's files, from the hub or a folder, and their rows, whatever the format."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.network import use_certificates_for_hub
from crossin.items.item import writable

_ENDINGS = ("parquet", "jsonl", "json", "csv", "tsv")
# The names that the hub and the library `datasets` give files.
USUAL = (
    "{language}/{split}-*.parquet",
    "{language}/{split}/*.parquet",
    *(f"{{language}}/{{split}}.{ending}" for ending in _ENDINGS),
    *(f"{{language}}.{ending}" for ending in _ENDINGS),
    "{split}-*.parquet",
    "data/{split}-*.parquet",
    *(f"{{split}}.{ending}" for ending in _ENDINGS),
)
# Seconds to wait for the hub's first response.
_TIMEOUT = 10


@dataclass(frozen=True)
class DatasetRow:
    """One row: its values by column, its file, and its number there, counted from 1."""

    file: Path
    row: int
    values: dict[str, Any]

    def error(self, message: str, field: str, hint: str) -> CrossinError:
        """An error about the row."""
        return CrossinError(message, file=self.file, row=self.row, field=field, hint=hint)

    def value(self, column: str) -> Any:
        """The value of a column; `choices.text` is inside the column `choices`."""
        if column in self.values:
            return self.values[column]
        found: Any = self.values
        for part in column.split("."):
            if not isinstance(found, dict) or part not in found:
                names = ", ".join(list(self.values)[:20]) or "(none)"
                raise self.error(
                    f"there is no column '{column}'; the columns are: {names}",
                    column,
                    "correct the mapping, or get the file that it was written for",
                )
            found = found[part]
        return found

    def text(self, column: str) -> str:
        """The value of a column as stripped text; empty for null and NaN."""
        value = self.value(column)
        if isinstance(value, float):
            value = None if math.isnan(value) else int(value) if value.is_integer() else value
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise self.error(
                f"expected text, not {type(value).__name__}", column, "name a column that holds text"
            )
        return self.whole("" if value is None else str(value), column)

    def whole(self, text: str, column: str) -> str:
        """The text, stripped; an error if it cannot be written as UTF-8."""
        if not writable(text):
            raise self.error("contains half of a character (a lone surrogate)", column, "repair the row")
        return text.strip()


def fetch(dataset: str, revision: str, patterns: Sequence[str]) -> Path:
    """A folder, in the hub library's cache, with the files of the hub's `dataset` that match `patterns`.

    The files are downloaded as they are: no code of a dataset is ever run. Raises CrossinError where the hub
    cannot be reached or refuses.
    """
    require("data", "huggingface_hub")
    from huggingface_hub import snapshot_download

    use_certificates_for_hub()
    try:
        found = snapshot_download(
            dataset,
            repo_type="dataset",
            revision=revision,
            allow_patterns=list(patterns),
            etag_timeout=_TIMEOUT,
        )
    except Exception as error:
        # The library raises its own errors, its HTTP client's and the disk's; their texts may quote the
        # user's token.
        raise CrossinError(
            f"'{dataset}' cannot be downloaded from the hub ({type(error).__name__})",
            hint="check the network, accept the dataset's terms on the hub where it has some, or get its "
            "files in another way and give their folder: --source DIR",
        ) from None
    return Path(found)


def matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files, sorted, of the first pattern that matches any."""
    for pattern in patterns:
        try:
            found = sorted(path for path in folder.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError) as error:
            raise CrossinError(
                f"'{pattern}' is not a pattern of files below a folder",
                file=folder,
                field="files",
                hint="correct `files` and `languages` in the mapping, or --split",
            ) from error
        if found:
            return found
    return []
