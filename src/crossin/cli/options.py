"""Options of commands, generated from settings models, where names, types, help and defaults are written."""

from __future__ import annotations

import functools
import json
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from crossin.core.entries import changed
from crossin.core.errors import CrossinError

OUTPUT = "Output"
# The home folder at the beginning of a word, or of the value in OPTION=VALUE or LABEL=VALUE.
_HOME = re.compile(r"([\w-]+=|)~(?=/|$)")


class Option(click.Option):
    """An option with the title of its group. A `greedy` one takes all words up to the next option, but no
    paths: those are arguments.
    """

    def __init__(self, *names: Any, group: str = "Options", greedy: bool = False, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.group, self.greedy = group, greedy


class Command(click.Command):
    """A command whose help shows options by group."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat greedy options before each of their words, as click expects; `~` is the home folder, which a
        shell leaves as it is in `--out=~/runs`.
        """
        greedy = {name for one in self.params if isinstance(one, Option) and one.greedy for name in one.opts}
        return super().parse_args(ctx, list(_repeated(map(_with_home, args), greedy)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options below the titles of their groups."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                groups.setdefault(getattr(parameter, "group", "Options"), []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)


def option(*names: str, **attributes: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`click.option` of our `Option`."""
    return click.option(*names, cls=Option, **attributes)


out_option = option(
    "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Folder for the results."
)
config_option = option(
    "--config",
    metavar="FILE|NAME",
    help="Settings in YAML: a file, or an example's name (`crossin examples`). Options go before it.",
)
dry_run_option = option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
json_option = option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")


def set_option(example: str, to: str = "given") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--set KEY=VALUE` for any entry of the command's file, whose entries join the mapping in the
    parameter `to`, by keys with dots (`core/entries.py`). It stands below `settings_options`.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def called(entries: Sequence[str], **values: Any) -> Any:
            changes = dict(values.pop(to, {}))
            for entry in entries:
                key, value = _entry(entry, example)
                changes[key] = changed(changes, {key: value})[key] if "." not in key else value
            return command(**values, **{to: changes})

        return option(
            "--set",
            "entries",
            multiple=True,
            metavar="KEY=VALUE",
            group="Settings",
            help=f"Any other entry of the file, its value as YAML: {example}.",
        )(called)

    return decorate


def _entry(text: str, example: str) -> tuple[str, Any]:
    """Key and value of a word such as `batches.rows=8`."""
    import yaml

    key, equals, value = text.partition("=")
    if not (key and equals):
        raise CrossinError(f"expected KEY=VALUE, got '{text}'", field="--set", hint=example)
    try:
        return key, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise CrossinError(f"not YAML: {value}", field=key, hint=example) from error


def settings_options(
    model: type[BaseModel], *, leave_out: Sequence[str] = (), nested: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for each field of `model`.

    The command gets what was given on the command line as the mapping `given`, in the form of a settings
    file. With `nested`, the fields of models inside are options too, in a group named after their field.
    leave_out: fields without an option, such as those that are arguments.
    """
    flags = list(_flags(model, (), leave_out, nested))

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def called(**values: Any) -> Any:
            given: dict[str, Any] = {}
            for flag in flags:
                value = values.pop(flag.parameter)
                if value is not None and value != ():
                    _put(given, flag.place, flag.read(value))
            try:
                return command(given=given, **values)
            except CrossinError as error:
                raise _named_by_flag(error, flags, given) from error

        made: Callable[..., Any] = called
        for flag in reversed(flags):
            made = flag.decorate(made)
        return made

    return decorate


def languages_in(names: Iterable[str]) -> list[str]:
    """The codes of languages in any spelling, with commas or one by one, each once."""
    from crossin.languages.codes import parse_language

    found = [name for text in names for name in text.split(",") if name.strip()]
    return list(dict.fromkeys(map(parse_language, found)))


def config_file(command: str, config: str | None) -> Path | None:
    """The file that `--config` names, if it was given."""
    from crossin.cli.console import say
    from crossin.core.examples import named_file

    return None if config is None else named_file(command, config, say)


def need_out(out: Path | None) -> Path:
    """The folder to write to; an error where it was not given."""
    if out is None:
        raise CrossinError("needs a folder to write to", hint="--out DIR, or look first with --dry-run")
    return out


@dataclass(frozen=True)
class _Flag:
    """One option: the `place` of its field in the settings, its `parameter`'s name, and how it is read."""

    place: tuple[str, ...]
    parameter: str
    names: tuple[str, ...]
    attributes: Mapping[str, Any]
    hidden: tuple[str, ...]
    read: Callable[[Any], Any]

    def decorate(self, command: Callable[..., Any]) -> Callable[..., Any]:
        """The command with this option; its old names work too, and do not show in the help."""
        if self.hidden:
            command = option(*self.hidden, f"{self.parameter}_old", **{**self.attributes, "hidden": True})(
                _first_given(command, self.parameter)
            )
        return option(*self.names, self.parameter, **self.attributes)(command)


def _first_given(command: Callable[..., Any], parameter: str) -> Callable[..., Any]:
    @functools.wraps(command)
    def called(**values: Any) -> Any:
        old = values.pop(f"{parameter}_old")
        if values[parameter] in (None, ()):
            values[parameter] = old
        return command(**values)

    return called


def _flags(
    model: type[BaseModel], inside: tuple[str, ...], leave_out: Sequence[str], nested: bool, group: str = ""
) -> Iterator[_Flag]:
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if name in leave_out or extra.get("flag") is False:
            continue
        place = (*inside, field.alias or name)
        kind = _without_none(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if nested:
                yield from _flags(kind, place, leave_out, nested, field.title or name.capitalize())
            continue
        made = _attributes(kind, field, extra)
        if made is None:
            continue
        attributes, read = made
        flag = str(extra.get("flag") or "--" + (field.alias or name).replace("_", "-"))
        # A flag that is on has a second name to turn it off; one with a slash in its name has two already.
        names = (f"{flag}/--no-{flag[2:]}",) if kind is bool and field.default is True else (flag,)
        attributes["group"] = extra.get("group") or group or "Settings"
        hidden = tuple(str(one) for one in _listed(extra.get("old_flags")))
        yield _Flag(place, "_".join(place).replace("-", "_"), names, attributes, hidden, read)


def _attributes(
    kind: Any, field: FieldInfo, extra: Mapping[str, Any]
) -> tuple[dict[str, Any], Callable[[Any], Any]] | None:
    """What click needs to know of a field's option, and how its value is put into the settings."""
    shown = field.default
    text = field.description or ""
    if shown is not None and shown not in ((), {}, "") and not field.is_required() and kind is not bool:
        text = f"{text.rstrip('.')} [default: {', '.join(shown) if isinstance(shown, tuple) else shown}]."
    attributes: dict[str, Any] = {"help": text, "default": None, "metavar": extra.get("metavar")}
    origin, inner = get_origin(kind), get_args(kind)
    if kind is bool:
        off = {"is_flag": True, "flag_value": True} if field.default is False else {}
        return {**attributes, **off}, bool
    if origin is Literal:
        return {**attributes, "type": click.Choice([str(one) for one in inner])}, str
    if extra.get("metavar") == "JSON":
        return attributes, _json_object
    if origin in (dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        return {**attributes, "multiple": True, "metavar": extra.get("metavar") or "KEY=VALUE"}, _mapping
    if origin in (list, tuple, set, frozenset) or getattr(origin, "__name__", "") == "Sequence":
        attributes |= {"multiple": True, "greedy": bool(extra.get("greedy"))}
        element = _without_none(inner[0])
        if element is Path:
            return {**attributes, "type": click.Path(path_type=Path)}, list
        return attributes, _listed_with_commas
    if kind is Path:
        return {**attributes, "type": click.Path(path_type=Path)}, Path
    if kind in (int, float, str):
        return {**attributes, "type": kind}, kind
    return None


def _without_none(annotation: Any) -> Any:
    """A type without `| None` and without pydantic's remarks."""
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _without_none(kinds[0])
    return annotation


def looks_like_path(word: str) -> bool:
    """Whether a word is a path by its form. Names of languages, benchmarks and models of ours are not; what
    exists in the working directory plays no part.
    """
    return any(mark in word for mark in "/\\.") or word.startswith("~")


def _with_home(word: str) -> str:
    found = _HOME.match(word)
    return word if found is None else f"{found[1]}{Path.home()}{word[found.end() :]}"


def _repeated(args: Iterable[str], greedy: set[str]) -> Iterator[str]:
    """The words of a command line with the name of a greedy option before each of its words."""
    current, count = "", 0
    for word in args:
        if word.startswith("-"):
            _need_words(current, count)
            name, equals, _ = word.partition("=")
            current, count = (name, len(equals)) if name in greedy else ("", 0)
            if not current or equals:
                yield word
        elif current and not looks_like_path(word):
            yield from (current, word)
            count += 1
        else:
            yield word
    _need_words(current, count)


def _need_words(option: str, count: int) -> None:
    if option and not count:
        raise CrossinError("needs at least one word", field=option, hint="see --help")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _listed_with_commas(values: Sequence[str]) -> list[str]:
    return [one.strip() for text in values for one in str(text).split(",") if one.strip()]


def _mapping(entries: Sequence[str]) -> dict[str, str]:
    for entry in entries:
        if "=" not in entry:
            raise CrossinError(f"expected KEY=VALUE, got '{entry}'", hint="for example output=response")
    return dict(entry.split("=", 1) for entry in entries)


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CrossinError(f"not valid JSON: {error}", hint="for example '{\"top_p\": 0.9}'") from error
    if not isinstance(value, dict):
        raise CrossinError("expected a JSON object", hint="for example '{\"top_p\": 0.9}'")
    return value


def _put(given: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    for part in place[:-1]:
        given = given.setdefault(part, {})
    given[place[-1]] = value


def _named_by_flag(error: CrossinError, flags: Iterable[_Flag], given: Mapping[str, Any]) -> CrossinError:
    """An error about a setting that no file holds, with the name of its option; further inside, it may be of
    `--set`.
    """
    if error.file is None and error.field:
        place = error.field.split(".")
        for flag in flags:
            if place == list(flag.place) or (
                _holds(given, flag.place) and place[: len(flag.place)] == list(flag.place)
            ):
                name = flag.names[0].split("/")[0]
                return CrossinError(error.message, row=error.row, field=name, hint=error.hint)
    return error


def _holds(given: Any, place: tuple[str, ...]) -> bool:
    for part in place:
        if not isinstance(given, Mapping) or part not in given:
            return False
        given = given[part]
    return True
