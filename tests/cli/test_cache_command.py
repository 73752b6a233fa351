from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from crossin.core.files import write_json, write_text
from tests.helpers.errors import refused


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with two models and the tokens of some texts."""
    home = tmp_path / "cache"
    monkeypatch.setenv("CROSSIN_CACHE", str(home))
    for name in ("smollm2-135m", "owner/name"):
        folder = home / "models" / name.replace("/", "--")
        write_text(folder / "model.safetensors", "x" * 2_000_000)
        write_json(folder / "manifest.json", {"model": name, "sizes": {}})
    write_text(home / "tokens" / "a.parquet", "x" * 3_500_000)
    return home


def crossin(*arguments: str, answer: str | None = None) -> Result:
    ended = CliRunner().invoke(app, ["cache", *arguments], input=answer, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    return ended


def left(home: Path) -> set[str]:
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.suffix != ".json"} - {
        "models",
        "tokens",
    }


ALL = {
    "models/smollm2-135m",
    "models/smollm2-135m/model.safetensors",
    "models/owner--name",
    "models/owner--name/model.safetensors",
    "tokens/a.parquet",
}


def test_it_shows_each_cache_with_its_size_and_the_limit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_TOKEN_CACHE_GB", "2")
    shown = crossin().output
    for words in ("owner/name", "smollm2-135m", "tokens", "1 file", "3.5 MB", "2.0 MB", "today"):
        assert words in shown
    assert f"7.5 MB in {home}" in shown
    assert "limit of the tokens: 2.0 GB" in shown
    assert left(home) == ALL


def test_alignment_checks_are_shown_and_cleared_alone(home: Path) -> None:
    assert "nothing to remove" in crossin("clear", "alignment").output
    for name in ("a", "b"):
        write_text(home / "alignment" / f"{name}.parquet", "x" * 1500)
    shown = crossin().output
    assert "alignment" in shown and "2 files" in shown and "3.0 kB" in shown
    crossin("clear", "alignment", "--yes")
    assert not list((home / "alignment").iterdir())
    assert left(home) - {"alignment"} == ALL


def test_an_empty_cache_is_shown_and_cleared_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "none"))
    assert f"0 bytes in {tmp_path / 'none'}" in crossin().output
    for arguments in ((), ("models",), ("tokens", "--yes")):
        assert "nothing to remove" in crossin("clear", *arguments).output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        ([], "models/smollm2 models/owner tokens/"),
        (["tokens"], "tokens/"),
        (["models"], "models/smollm2 models/owner"),
        (["owner/name"], "models/owner"),
    ],
)
def test_clear_removes_what_is_named_and_no_more(names: list[str], gone: str, home: Path) -> None:
    shown = crossin("clear", *names, answer="y\n").output
    assert left(home) == {path for path in ALL if not path.startswith(tuple(gone.split()))}
    assert "Remove " in shown and "removed: " in shown


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_nothing_is_removed_without_a_yes(answer: str, home: Path) -> None:
    shown = crossin("clear", answer=answer).output
    assert "nothing was removed" in shown and "owner/name" in shown
    assert ("--yes" in shown) == (answer == "")
    assert left(home) == ALL


def test_a_dry_run_shows_what_would_go(home: Path) -> None:
    shown = crossin("clear", "tokens", "--dry-run", "--yes").output
    assert "3.5 MB" in shown and "owner/name" not in shown
    assert left(home) == ALL


def test_yes_does_not_ask(home: Path) -> None:
    assert "Remove" not in crossin("clear", "--yes").output
    assert left(home) == set()


def test_an_unknown_name_lists_what_is_there(home: Path) -> None:
    with refused("no 'token'", hint="owner/name, smollm2-135m, tokens"):
        crossin("clear", "token", "--yes")
    assert left(home) == ALL


def test_what_another_process_uses_is_kept_and_named(home: Path) -> None:
    from crossin.core.user_cache import use

    assert use(home / "models" / "owner--name")
    shown = crossin("clear", "--yes").output
    assert "kept: models owner/name, which another process is using" in shown
    assert left(home) == {"models/owner--name", "models/owner--name/model.safetensors"}
