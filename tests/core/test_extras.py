"""A missing package is answered with a command that works for this installation."""

from __future__ import annotations

import json
from importlib import metadata
from types import SimpleNamespace

import pytest

from crossin.core.extras import install_hint, require
from tests.helpers.errors import refused

ORIGINS = [
    (None, "pip install 'crossin[train]'"),
    (
        {"url": "file:///home/me/my%20code/crossin", "dir_info": {"editable": True}},
        "pip install -e '/home/me/my code/crossin[train]'",
    ),
    ({"url": "file:///home/me/crossin", "dir_info": {}}, "pip install '/home/me/crossin[train]'"),
    (
        {"url": "file:///tmp/crossin-0.1.0-py3-none-any.whl", "archive_info": {"hash": "sha256=0"}},
        "pip install '/tmp/crossin-0.1.0-py3-none-any.whl[train]'",
    ),
    (
        {"url": "https://example.org/crossin.git", "vcs_info": {"vcs": "git", "commit_id": "0"}},
        "pip install 'crossin[train] @ git+https://example.org/crossin.git'",
    ),
    (
        {"url": "https://example.org/crossin-0.1.0-py3-none-any.whl", "archive_info": {}},
        "pip install 'crossin[train] @ https://example.org/crossin-0.1.0-py3-none-any.whl'",
    ),
]


@pytest.mark.parametrize(("origin", "command"), ORIGINS)
def test_the_hint_installs_from_where_crossin_came(
    origin: dict[str, object] | None, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = None if origin is None else json.dumps(origin)
    monkeypatch.setattr(metadata, "distribution", lambda _: SimpleNamespace(read_text=lambda _: text))
    with refused("'no_such_package'", hint="crossin[train]") as caught:
        require("train", "json", "no_such_package")
    assert (caught.value.hint or "").endswith(command)


def test_without_an_installation_it_is_the_checkouts(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "distribution", missing)
    assert install_hint("demo").endswith("pip install '.[demo]' in the checkout")


def test_what_is_there_is_not_asked_for() -> None:
    require("train", "json", "pathlib")
