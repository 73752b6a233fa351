"""What a base install leaves out, asked for where it is needed."""

from __future__ import annotations

from importlib.util import find_spec

from crossin.core.errors import CrossinError


def require(extra: str, *packages: str) -> None:
    """Raise CrossinError that tells which extra to install where one of `packages` is missing; imports none
    of them.
    """
    for package in packages:
        if find_spec(package) is None:
            raise CrossinError(f"this needs the package '{package}'", hint=f"pip install 'crossin[{extra}]'")
