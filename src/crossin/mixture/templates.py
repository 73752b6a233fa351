"""How a row becomes a prompt: the words around its instruction and its input."""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.mixture.tokens import load_tokenizer

DATA = Path(__file__).parent / "templates"
CHAT = "chat"

_PLACEHOLDER = re.compile(r"\{(?:instruction|input)\}")
# Plain words that no template changes: no white space at the ends, no mark that a template might escape.
_ASKED, _ANSWERED = "crossinquestionsentinel", "crossinanswersentinel"


class Template(BaseModel):
    """The text around a row: `with_input` holds {instruction} and behind it {input}, `without_input` the
    {instruction} alone, each exactly once. `separator` stands between prompt and completion and is learned
    with the completion; `end` stands behind it. Other braces are text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    with_input: str
    without_input: str
    separator: str = ""
    end: str = ""

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        wanted = {"with_input": ["{instruction}", "{input}"], "without_input": ["{instruction}"]}
        for field, placeholders in wanted.items():
            if _PLACEHOLDER.findall(getattr(self, field)) != placeholders:
                raise ValueError(f"`{field}` must hold {' and then '.join(placeholders)}, exactly once")
        return self

    def parts(self, has_input: bool) -> tuple[str, ...]:
        """The literal text before, between and after instruction and input; before and after the instruction
        where there is no input.
        """
        return tuple(_PLACEHOLDER.split(self.with_input if has_input else self.without_input))


def built_in() -> list[str]:
    """The names of the templates that come with the package."""
    return sorted(path.stem for path in DATA.glob("*.yaml"))


def load_template(name: str, folder: Path | None = None, *, tokenizer: str | None = None) -> Template:
    """A template by name (`alpaca`, `cl_boost`, `llama`, `gemma`), or from a YAML file in the same form.

    folder: what the path of such a file is relative to; None for the working folder. `chat` is the chat
    template of `tokenizer`.

    Raises CrossinError that names the file and the field that is wrong, or the templates that exist.
    """
    if name == CHAT:
        if not tokenizer:
            raise CrossinError("this template needs a tokenizer", field="tokenizer", hint="name a model's")
        return chat_template(tokenizer)
    if name in built_in():
        return _read(DATA / f"{name}.yaml")
    path = (folder or Path()) / name
    if path.suffix not in (".yaml", ".yml"):
        near = difflib.get_close_matches(name, [*built_in(), CHAT], n=1)
        raise CrossinError(
            f"no template is called '{name}'; these exist: {', '.join([*built_in(), CHAT])}",
            hint=f"did you mean '{near[0]}'?" if near else "choose one, or give the path of a .yaml file",
        )
    return _read(path)


def _read(path: Path) -> Template:
    entries = read_yaml(path)
    hint = f"compare with {DATA / 'alpaca.yaml'}"
    if not isinstance(entries, dict):
        raise CrossinError("holds no template", file=path, hint=hint)
    try:
        return Template.model_validate(entries)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        field = ".".join(str(part) for part in first["loc"]) or message.split("`")[1]
        raise CrossinError(message, file=path, field=field, hint=hint) from error


@cache
def chat_template(tokenizer: str) -> Template:
    """One turn of the chat template of a tokenizer (a hub id or a local folder).

    The template is rendered around marks, and what it writes around them is kept; instruction and input are
    joined by a blank line. Text that begins a sequence, and what follows the end-of-sequence token, are left
    out: the trainer adds both tokens, once. What the template writes before an answer in a conversation but
    not when it asks for one (an empty thought, a space) is learned with the answer.

    Raises CrossinError where the tokenizer cannot be loaded, has no chat template, or has one that does not
    show the user's or the assistant's words as they are. Code that comes with a tokenizer is never run.
    """
    loaded = load_tokenizer(tokenizer)
    if not loaded.chat_template:
        raise CrossinError(
            f"the tokenizer '{tokenizer}' has no chat template",
            field="tokenizer",
            hint="name an instruction-tuned model's, or choose a template by name",
        )
    user = {"role": "user", "content": _ASKED}
    answer = {"role": "assistant", "content": _ANSWERED}
    before, suffix = _split(_rendered(loaded, tokenizer, [user], True), [_ASKED], tokenizer)
    _, middle, end = _split(
        _rendered(loaded, tokenizer, [user, answer], False), [_ASKED, _ANSWERED], tokenizer
    )
    if not middle.startswith(suffix):
        raise CrossinError(
            f"the chat template of '{tokenizer}' asks for an answer in other words than it shows one in",
            field="tokenizer",
            hint="write the template as a YAML file",
        )
    prefix = before.removeprefix(loaded.bos_token or "")
    # The template's own braces are text, but one that reads like a placeholder would be filled.
    if _PLACEHOLDER.search(prefix + suffix):
        raise CrossinError(
            f"the chat template of '{tokenizer}' holds a placeholder of this project",
            field="tokenizer",
            hint="write the template as a YAML file",
        )
    return Template(
        with_input=prefix + "{instruction}\n\n{input}" + suffix,
        without_input=prefix + "{instruction}" + suffix,
        separator=middle.removeprefix(suffix),
        end=end.partition(loaded.eos_token)[0] if loaded.eos_token else end,
    )


def _rendered(loaded: Any, tokenizer: str, turns: list[dict[str, str]], asks: bool) -> str:
    from jinja2.exceptions import TemplateError

    try:
        # Llama 3's template writes today's date unless it is given one (this is the template's own default):
        # the same recipe must give the same bytes tomorrow.
        text = loaded.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=asks, date_string="26 Jul 2024"
        )
    except (TemplateError, ValueError, TypeError) as error:
        raise CrossinError(
            f"the chat template of '{tokenizer}' cannot be rendered: {error}",
            field="tokenizer",
            hint="write the template as a YAML file",
        ) from error
    return str(text)


def _split(text: str, marks: list[str], tokenizer: str) -> list[str]:
    """The text around `marks`, which must stand in it once each, in this order."""
    pieces = re.split("|".join(marks), text)
    if re.findall("|".join(marks), text) != marks:
        raise CrossinError(
            f"the chat template of '{tokenizer}' does not show each turn's words once, as they are",
            field="tokenizer",
            hint="write the template as a YAML file",
        )
    return pieces
