"""Recipes and settings that come with the package. They have names: `crossin train demo`."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import read_text
from crossin.core.paths import as_path

# COMMAND/NAME.yaml
FOLDER = Path(__file__).parents[1] / "examples"
_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Example:
    """A file that comes with the package, for one command."""

    command: str
    name: str
    path: Path

    @property
    def about(self) -> str:
        """Its first line, which is a comment."""
        return read_text(self.path).partition("\n")[0].lstrip("# ")


def list_examples(command: str | None = None) -> list[Example]:
    """All examples, or those of a command."""
    found = (Example(path.parent.name, path.stem, path) for path in sorted(FOLDER.glob("*/*.yaml")))
    return [one for one in found if command in (None, one.command)]


def find_example(name: str) -> Example:
    """The example NAME, or COMMAND/NAME. Raises CrossinError where there is none, or more than one."""
    command, _, short = name.removesuffix(".yaml").rpartition("/")
    known = list_examples()
    found = [one for one in known if one.name == short and command in ("", one.command)]
    if not found:
        raise CrossinError(f"there is no example '{name}'", hint=_hint(short, known))
    if len(found) > 1:
        several = [f"{one.command}/{one.name}" for one in found]
        raise CrossinError(
            f"several examples are called '{name}'",
            hint=f"name one: crossin examples {several[0]}, or {' or '.join(several[1:])}",
        )
    return found[0]


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=3)


def named_file(command: str, given: str | os.PathLike[str], say: Callable[[str], None] = _warn) -> Path:
    """The recipe or settings file that a user named for a command.

    A path with a folder or a suffix (.yaml, .yml, .json) is a file. A bare name is a file if there is one in
    the working directory, else an example; where there are both, `say` gets a line, and without it Python
    warns. Raises CrossinError for a name that is neither, with those that are near.
    """
    text, path = os.fspath(given), as_path(given)
    known = {one.name: one for one in list_examples(command)}
    bare = not any(mark in text for mark in (os.sep, os.altsep or os.sep)) and path.suffix not in _SUFFIXES
    if path.is_file():
        if bare and text in known:
            say(f"'{text}' is the file of that name here, not the example of `crossin {command}`")
            # Not a bare name, so that this is said once.
            return path.absolute()
        return path
    if bare:
        if text in known:
            return known[text].path
        raise CrossinError(
            f"there is neither a file nor an example '{text}' for `crossin {command}`",
            hint=_hint(text, list(known.values())),
        )
    # Such as examples/train-demo.yaml, where examples had no names.
    name = path.stem.removeprefix(f"{command}-")
    if not path.exists() and name in known:
        raise CrossinError(
            "there is no such file", file=path, hint=f"for the example of that name: crossin {command} {name}"
        )
    return path


def is_example(file: Path) -> bool:
    """Whether a file comes with the package."""
    return FOLDER in file.parents


def folder_of(file: Path) -> Path:
    """The folder that relative paths in a file start from: its own. An example's is the working directory."""
    return Path() if is_example(file) else file.parent


def _hint(name: str, known: list[Example]) -> str:
    """What the user may have meant."""
    near = difflib.get_close_matches(name, {one.name for one in known}, n=3, cutoff=0.5)
    others = [f"`crossin {one.command}`" for one in list_examples() if one.name == name]
    listed = "`crossin examples` lists all"
    if others:
        return f"it is an example for {' and '.join(others)}; {listed}"
    return f"did you mean {' or '.join(map(repr, near))}? {listed}" if near else listed
