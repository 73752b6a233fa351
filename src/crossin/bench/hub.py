"""A dataset's files, from the hub: only those that are wanted, as they lie there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.extras import require

# Seconds to wait for the hub's first answer.
_PATIENCE = 10


def fetch(dataset: str, revision: str, patterns: Sequence[str]) -> Path:
    """A folder with the files of the hub's `dataset` that match one of `patterns`, kept in the hub library's
    own cache.

    The files are taken as they are, so that no code of a dataset is ever run. Raises CrossinError where the
    hub cannot be reached, refuses, or has no such file.
    """
    require("data", "huggingface_hub")
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                dataset,
                repo_type="dataset",
                revision=revision,
                allow_patterns=list(patterns),
                etag_timeout=_PATIENCE,
            )
        )
    except Exception as error:
        # The library raises its own errors, its HTTP client's and the disk's; what they say may quote the
        # user's token.
        raise CrossinError(
            f"'{dataset}' cannot be had from the hub ({type(error).__name__})",
            hint="look at the network, accept the dataset's terms on the hub where it has some, or get its "
            "files otherwise and name their folder: --source DIR",
        ) from None
    return folder
