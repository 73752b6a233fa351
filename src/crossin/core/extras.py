"""Checks for packages that a base install leaves out."""

from __future__ import annotations

import json
from importlib import metadata
from importlib.util import find_spec
from urllib.parse import urlsplit
from urllib.request import url2pathname

from crossin.core.errors import CrossinError


def require(extra: str, *packages: str) -> None:
    """Raise CrossinError with the extra to install if one of `packages` is missing; none is imported."""
    for package in packages:
        if find_spec(package) is None:
            raise CrossinError(f"this needs the package '{package}'", hint=install_hint(extra))


def install_hint(extra: str) -> str:
    """How to add an extra to this installation."""
    return f"install crossin[{extra}]: pip install {_target(extra)}"


def _target(extra: str) -> str:
    """What pip is to install: the checkout, wheel or repository that crossin came from, as installers write
    it down (PEP 610), or else its name in a package index.
    """
    try:
        origin = json.loads(metadata.distribution("crossin").read_text("direct_url.json") or "{}")
    except metadata.PackageNotFoundError:
        return f"'.[{extra}]' in the checkout"
    url = urlsplit(origin.get("url", ""))
    if url.scheme == "file":
        editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
        return f"{editable}'{url2pathname(url.path)}[{extra}]'"
    if url.scheme:
        vcs = origin["vcs_info"]["vcs"] + "+" if "vcs_info" in origin else ""
        return f"'crossin[{extra}] @ {vcs}{url.geturl()}'"
    return f"'crossin[{extra}]'"
