"""Checks for packages that a base install leaves out."""

from __future__ import annotations

from importlib.util import find_spec

from crossin.core.errors import CrossinError


def require(extra: str, *packages: str) -> None:
    """Raise CrossinError with the extra to install if one of `packages` is missing; none is imported."""
    for package in packages:
        if find_spec(package) is None:
            raise CrossinError(f"this needs the package '{package}'", hint=f"pip install 'crossin[{extra}]'")
