"""Several finished probes on one page: before and after training, say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import read_json, write_text
from crossin.core.formats import MANIFEST
from crossin.core.paths import as_path
from crossin.probing.charts import page
from crossin.probing.run import FIGURES


def is_probe(path: Path | str) -> bool:
    """Whether a folder is that of a finished probe."""
    return (as_path(path) / FIGURES).is_file()


def write_probes_page(
    folders: Mapping[str, Path | str], out: Path | str, *, title: str | None = None
) -> Path:
    """Write one page of finished probes, by name; returns its path.

    Raises CrossinError where a folder holds no finished probe, where they are not of the same sentences in
    the same languages with the same pivot, and where vl-convert is not installed.
    """
    require("report", "vl_convert")
    write_text(as_path(out), page(read_probes(folders), title))
    return as_path(out)


def read_probes(folders: Mapping[str, Path | str]) -> dict[str, Any]:
    """The figures of finished probes (`probe.json`) by name; they are of the same sentences."""
    found: dict[str, Any] = {}
    first: tuple[str, dict[str, Any]] | None = None
    for name, given in folders.items():
        folder = as_path(given)
        if not is_probe(folder) or not (folder / MANIFEST).is_file():
            raise CrossinError("is not a finished probe", file=folder, hint="run `crossin probe` first")
        probe, manifest = read_json(folder / FIGURES), read_json(folder / MANIFEST)
        read = {key: value for key, value in manifest["inputs"].items() if key.startswith("parallel/")}
        of = {**{key: probe[key] for key in ("pivot", "languages", "sentences")}, "parallel": read}
        if first is None:
            first = (name, of)
        for key, value in of.items():
            if value != first[1][key]:
                raise CrossinError(
                    f"'{name}' and '{first[0]}' are not of the same sentences",
                    file=folder,
                    field=key,
                    hint="probe both with the same --parallel, --languages, --pivot and --limit",
                )
        found[name] = probe
    return found
