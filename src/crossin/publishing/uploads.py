"""Uploading a model, a mixture or results to the hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.formats import CLAIM, MANIFEST
from crossin.core.inputs import files_in
from crossin.core.network import use_certificates_for_hub
from crossin.core.paths import as_path

RepositoryKind = Literal["model", "dataset"]
# What a run leaves for itself, beside its databases: its claim, and checkpoints.
_PRIVATE = (CLAIM, "checkpoints/")


@dataclass(frozen=True)
class Upload:
    """Files (by their path in the repository) that would be uploaded, and their bytes."""

    files: dict[str, Path]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.stat().st_size for file in self.files.values())


def upload_of(folder: Path | str, card: Path | str | None = None) -> Upload:
    """What `push` uploads: the files of a folder (of a training the adapter or the model), with `card` as
    README.md. Databases, checkpoints and hidden files stay here.

    Raises CrossinError for an empty folder.
    """
    folder = as_path(folder)
    if not folder.is_dir():
        raise CrossinError("not a folder", file=folder, hint="name what a stage wrote")
    root = next((folder / name for name in ("adapter", "model") if (folder / name).is_dir()), folder)
    found = {name: root / name for name in files_in(root) if not name.startswith((*_PRIVATE, "."))}
    if root != folder and (folder / MANIFEST).is_file():
        found["training.json"] = folder / MANIFEST
    if card is not None:
        found["README.md"] = as_path(card)
    if not found:
        raise CrossinError("nothing to upload here", file=folder, hint="name a finished folder")
    return Upload(found)


def push(
    folder: Path | str,
    repository: str,
    *,
    card: Path | str | None = None,
    kind: RepositoryKind = "model",
    private: bool = True,
) -> str:
    """Upload a folder to the hub as one commit, and return its address. The repository is made where it is
    not there, private unless that is changed. The token is the hub's own (HF_TOKEN, or `hf auth login`).

    Raises CrossinError without a token, and where the hub refuses.
    """
    found = upload_of(folder, card)
    require("train", "huggingface_hub")
    from huggingface_hub import CommitOperationAdd, HfApi, get_token

    if get_token() is None:
        raise CrossinError(
            "there is no token for the hub", field="token", hint="set HF_TOKEN, or run `hf auth login`"
        )
    use_certificates_for_hub()
    api = HfApi()
    try:
        api.create_repo(repository, repo_type=kind, private=private, exist_ok=True)
        parts = [CommitOperationAdd(name, str(file)) for name, file in found.files.items()]
        commit = api.create_commit(
            repository, parts, repo_type=kind, commit_message=f"Upload {as_path(folder).name} with crossin"
        )
    except Exception as error:
        # The library and those below it raise errors of many kinds; to the user they are all one.
        message = (str(error).splitlines() or [type(error).__name__])[0][:300]
        hint = "check the name (owner/name), the token's rights and the network"
        raise CrossinError(f"the hub refused: {message}", field="repository", hint=hint) from error
    return str(commit.commit_url)
