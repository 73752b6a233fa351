from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from crossin.cli.main import COMMANDS
from crossin.cli.options import Command, set_option, settings_options
from crossin.core.errors import CrossinError
from crossin.core.settings import Settings, read_settings, setting
from tests.helpers.errors import refused


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


class Shelf(Settings):
    kind: str
    width: int = setting(1, ge=1)


class Shelves(Settings):
    shelves: tuple[Shelf, ...]
    server: Server = Server()


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@settings_options(Shelves)
@set_option("shelves.oak.width=3")
def shelves(file: Path, given: dict[str, Any]) -> None:
    """Show the settings."""
    click.echo(read_settings(Shelves, file, given, hint="see the docs").model_dump_json())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shelves.yaml"
    path.write_text("shelves: [{kind: oak, width: 2}, {kind: ash, width: 4}]\n")
    return path


def test_an_entry_is_set_inside_of_lists_and_beside_flags(file: Path) -> None:
    words = ["--concurrency", "4", "--set", "shelves.ash.width=5", "--set", "server.body={top_k: 1}"]
    words += ["--set", "server.body.top_p=.5", "--set", "shelves.oak={width: 7}"]
    found = json.loads(CliRunner().invoke(shelves, [str(file), *words], catch_exceptions=False).output)
    assert found["shelves"] == [{"kind": "oak", "width": 7}, {"kind": "ash", "width": 5}]
    assert (found["server"]["concurrency"], found["server"]["body"]) == (4, {"top_k": 1, "top_p": 0.5})


@pytest.mark.parametrize(
    ("entry", "field", "word"),
    [
        ("shelves.oakk.width=1", "shelves.oakk", "'oak'"),
        ("shelves.oak.wide=1", "shelves.0.wide", "no key 'wide'"),
        ("shelves.oak.width=0", "shelves.0.width", "1"),
        ("shelvs=[]", "shelvs", "'shelves'"),
        ("shelves.oak.width.max=1", "shelves.oak.width.max", "2"),
    ],
)
def test_an_entry_that_leads_nowhere_is_an_error_that_names_it_and_no_file(
    file: Path, entry: str, field: str, word: str
) -> None:
    with refused(word, field=field) as error:
        CliRunner().invoke(
            shelves, [str(file), "--set", entry], catch_exceptions=False, standalone_mode=False
        )
    assert error.value.file is None


def test_what_is_wrong_in_the_file_is_the_files(file: Path) -> None:
    file.write_text("shelves: [{kind: oak, width: two}]\n")
    with refused("'two'", file=file.name, field="shelves.0.width"):
        CliRunner().invoke(shelves, [str(file), "--set", "server.body={}"], catch_exceptions=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_with_settings_in_a_file_lets_any_entry_be_set(name: str) -> None:
    command = import_module(f"crossin.cli.{name}").command
    names = {word for one in command.params for word in [*one.opts, one.name]}
    with_a_file = names & {"--config", "config", "recipe"}
    assert not with_a_file or "--set" in names
