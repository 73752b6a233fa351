from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from crossin.cli.options import Command, settings_options
from crossin.core.errors import CrossinError
from crossin.core.settings import Settings, read_settings, setting


class Server(Settings):
    base_url: str | None = setting(None, "The server.", old_flags=("--url",))
    concurrency: int = setting(16, "Requests at once.", ge=1)
    body: dict[str, Any] = setting({}, "More fields.", metavar="JSON")


class Config(Settings):
    corpus: Path | None = setting(None, "Rows.", flag=False)
    to: tuple[str, ...] = setting((), "Languages.", greedy=True)
    source: str = setting("en", "Language of the rows.", alias="from")
    columns: dict[str, str] = setting({}, "Column names.", flag="--column")
    engine: Literal["local", "ray"] = setting("local", "Who works.")
    strict: bool = setting(False, "Stop at errors.")
    check: bool = setting(True, "Check the rows.")
    chat: bool | None = setting(None, "With a template, or plain.", flag="--chat/--plain")
    limit: int | None = setting(None, "Rows at most.", ge=1)
    server: Server = Server()


@click.command(cls=Command)
@click.argument("file", required=False)
@settings_options(Config)
def command(given: dict[str, Any], file: str | None) -> None:
    """Show what was given."""
    click.echo(json.dumps(given))
    read_settings(Config, None if file is None else Path(file), given, hint="see the docs")


def given(*words: str) -> Any:
    result = CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), {}),
        (("--to", "zh", "vi", "--limit", "3"), {"to": ["zh", "vi"], "limit": 3}),
        (("--to", "zh,vi", "--to", "th"), {"to": ["zh", "vi", "th"]}),
        (("--from", "Thai"), {"from": "Thai"}),
        (("--column", "output=a=b"), {"columns": {"output": "a=b"}}),
        (("--engine", "ray", "--strict"), {"engine": "ray", "strict": True}),
        (("--no-check",), {"check": False}),
        (("--chat",), {"chat": True}),
        (("--plain",), {"chat": False}),
        (("--concurrency", "2", "--url", "http://a"), {"server": {"concurrency": 2, "base_url": "http://a"}}),
        (("--body", '{"max_tokens": null}'), {"server": {"body": {"max_tokens": None}}}),
    ],
)
def test_options_have_the_form_of_a_settings_file(words: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert given(*words) == expected


@pytest.mark.parametrize(
    ("words", "flag"),
    [(("--limit", "0"), "--limit"), (("--concurrency", "0"), "--concurrency")],
)
def test_an_error_names_the_option(words: tuple[str, ...], flag: str) -> None:
    with pytest.raises(CrossinError) as error:
        CliRunner().invoke(command, list(words), catch_exceptions=False)
    assert error.value.field == flag


def test_an_option_overrides_the_file_and_the_files_own_error_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("limit: 0\nto: [zh]\n")
    with pytest.raises(CrossinError) as error:
        CliRunner().invoke(command, [str(file)], catch_exceptions=False)
    assert (error.value.file, error.value.field) == (file, "limit")
    assert read_settings(Config, file, {"limit": 2}, hint="").limit == 2


def test_help_shows_groups_defaults_and_no_old_names() -> None:
    text = CliRunner().invoke(command, ["--help"]).output
    assert "Server:" in text and "[default: 16]" in text
    assert "--url" not in text.replace("--base-url", "")


def test_relative_paths_in_a_file_start_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("corpus: rows.jsonl\n")
    assert read_settings(Config, tmp_path / "config.yaml", hint="").corpus == tmp_path / "rows.jsonl"
    assert read_settings(Config, None, {"corpus": "rows.jsonl"}, hint="").corpus == Path("rows.jsonl")
