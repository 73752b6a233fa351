"""How a row becomes a prompt: the words around its instruction and its input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo, field_validator

from crossin.core.errors import CrossinError
from crossin.core.settings import Settings, read_settings
from crossin.core.suggestions import nearest
from crossin.mixture.tokens import load_tokenizer
from crossin.models.chat import ChatTemplate, Turns

DATA = Path(__file__).parent / "templates"
CHAT = "chat"

_PLACEHOLDER = re.compile(r"\{(?:instruction|input)\}")
# Plain words that templates do not change: no white space at the ends, nothing that is escaped.
_ASKED, _ANSWERED = "crossinquestionsentinel", "crossinanswersentinel"


class Template(Settings):
    """The text around a row: `with_input` holds {instruction} and then {input}, `without_input` only
    {instruction}, each exactly once. `separator` is between prompt and completion and is learned with the
    completion; `end` follows it. Other braces are text.
    """

    with_input: str
    without_input: str
    separator: str = ""
    end: str = ""

    @field_validator("with_input", "without_input")
    @classmethod
    def _placeholders(cls, text: str, field: ValidationInfo) -> str:
        wanted = ["{instruction}", "{input}"] if field.field_name == "with_input" else ["{instruction}"]
        if _PLACEHOLDER.findall(text) != wanted:
            raise ValueError(f"must hold {' and then '.join(wanted)}, exactly once")
        return text

    def parts(self, has_input: bool) -> tuple[str, ...]:
        """The literal text before, between and after instruction and input; before and after the instruction
        where there is no input.
        """
        return tuple(_PLACEHOLDER.split(self.with_input if has_input else self.without_input))


def built_in() -> list[str]:
    """The names of the templates that come with the package."""
    return sorted(path.stem for path in DATA.glob("*.yaml"))


def load_template(
    name: str,
    folder: Path | None = None,
    *,
    tokenizer: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Template:
    """A template by name (`alpaca`, `cl_boost`, `llama`, `gemma`), or from a YAML file in the same form.

    folder: the path of such a file is relative to it; None for the working folder. `chat` is the chat
    template of `tokenizer`, which gets the user's own `arguments`.

    Raises CrossinError that names the file and the wrong field, or the templates that exist.
    """
    if name == CHAT:
        if not tokenizer:
            raise CrossinError("this template needs a tokenizer", field="tokenizer", hint="name a model's")
        return chat_template(tokenizer, arguments)
    if name in built_in():
        return _read(DATA / f"{name}.yaml")
    path = (folder or Path()) / name
    if path.suffix not in (".yaml", ".yml"):
        near = nearest(name, [*built_in(), CHAT])
        raise CrossinError(
            f"no template is called '{name}'; these exist: {', '.join([*built_in(), CHAT])}",
            hint=f"did you mean '{near[0]}'?" if near else "choose one, or give the path of a .yaml file",
        )
    return _read(path)


def _read(path: Path) -> Template:
    return read_settings(Template, path, hint=f"compare with {DATA / 'alpaca.yaml'}")


def chat_template(tokenizer: str, arguments: Mapping[str, Any] | None = None) -> Template:
    """One turn of the chat template of a tokenizer (a hub id or a local folder), which gets the user's own
    `arguments`.

    The template is rendered around marks, and the text around them is kept; instruction and input are joined
    by a blank line. The token that begins a sequence, and all from the end-of-sequence token on, are left
    out: the trainer adds both tokens, once. An empty thought before an answer is part of the prompt
    (`ChatTemplate`); other text that the template writes there (a space) is learned with the answer.

    Raises CrossinError where the tokenizer cannot be loaded, has no chat template, or has one that changes
    the user's or the assistant's words. Code that comes with a tokenizer is never run.
    """
    loaded = load_tokenizer(tokenizer)
    if not loaded.chat_template:
        raise CrossinError(
            f"the tokenizer '{tokenizer}' has no chat template",
            field="tokenizer",
            hint="name an instruction-tuned model's, or choose a template by name",
        )
    try:
        return _one_turn(loaded, arguments or {})
    except ValueError as error:
        raise CrossinError(
            f"the chat template of '{tokenizer}' {error}",
            field="tokenizer",
            hint="write the template as a YAML file",
        ) from error


def _one_turn(loaded: Any, arguments: Mapping[str, Any]) -> Template:
    """The template around one turn. Raises ValueError that says why there is none."""
    from jinja2.exceptions import TemplateError

    turns = [{"role": "user", "content": _ASKED}, {"role": "assistant", "content": _ANSWERED}]
    try:
        found = ChatTemplate(loaded, arguments).conversation(turns)
    except (TemplateError, TypeError) as error:
        raise ValueError(f"cannot be rendered: {error}") from error
    before, suffix = _split(found.prompt, [_ASKED])
    separator, end = _split(found.answer, [_ANSWERED])
    prefix = before.removeprefix(loaded.bos_token or "")
    # The template's own braces are text, but a placeholder among them would be filled.
    if _PLACEHOLDER.search(prefix + suffix):
        raise ValueError("holds {instruction} or {input}")
    return Template(
        with_input=prefix + "{instruction}\n\n{input}" + suffix,
        without_input=prefix + "{instruction}" + suffix,
        separator=separator,
        end=end.partition(loaded.eos_token)[0] if loaded.eos_token else end,
    )


def conversation_text(chat: ChatTemplate, tokenizer: Any, turns: Turns) -> tuple[str, str]:
    """A conversation up to its last answer, and this answer, as a row's prompt and completion; without the
    tokens that begin and end a sequence, as in `chat_template`.

    Raises CrossinError where the template refuses the conversation.
    """
    from jinja2.exceptions import TemplateError

    try:
        found = chat.conversation(chat.folded(turns))
    except (TemplateError, ValueError) as error:
        raise CrossinError(
            f"the chat template cannot write a conversation of {len(turns)} turns: {error}",
            field="template",
            hint="draw single exchanges (`turns: first` in the component), or use `format: messages`",
        ) from error
    text, end = found.answer[: max(0, found.ends)], found.answer[max(0, found.ends) :]
    end = end.partition(tokenizer.eos_token)[0] if tokenizer.eos_token else end
    return found.prompt.removeprefix(tokenizer.bos_token or ""), text + end


def _split(text: str, marks: list[str]) -> list[str]:
    """The text around `marks`, which must occur once each, in this order."""
    pattern = "|".join(marks)
    if re.findall(pattern, text) != marks:
        raise ValueError("does not hold each turn's words unchanged, exactly once")
    return re.split(pattern, text)
