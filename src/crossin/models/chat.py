"""A conversation in a model's chat template: one rendering for mixtures, training and evaluation.

By default a model does not think: where the template knows a switch for thoughts, it is off, and an empty
thought that the template writes before an answer is part of the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, cached_property
from string import ascii_letters
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator

from crossin.core import thoughts
from crossin.core.reasons import Reason

# Templates that write today's date get this one: the same command must give the same bytes tomorrow. It is
# the default of Llama's own template.
DATE = datetime(2024, 7, 26)
CHAT_DATE = f"{DATE:%Y-%m-%d}"

# The names by which templates let a caller switch thoughts, and the value that switches them on.
_SWITCHES = {
    "enable_thinking": True,  # Qwen3, GLM-4.5, SmolLM3, Hunyuan, EXAONE, Gemma
    "thinking": True,  # Granite, DeepSeek-V3.1, Kimi
    "reasoning": True,  # Command
    "enable_reasoning": True,
    "skip_reasoning": False,  # HyperCLOVA X
}
# Those that say how much; their values differ by model, so that none is set by default.
_AMOUNTS = ("reasoning_effort", "thinking_budget", "thinking_mode", "reasoning_mode")
_NO_AMOUNT = (None, False, 0, "", "none", "minimal", "off", "disabled", "no", "no_think", "chat")
# What `apply_chat_template` takes for itself.
_RESERVED = {
    *("conversation", "messages", "chat_template", "add_generation_prompt", "continue_final_message"),
    *("tokenize", "padding", "truncation", "max_length", "return_tensors", "return_dict", "tokenizer_kwargs"),
    *("return_assistant_tokens_mask", "sanitize_control_tokens", "strftime_now"),
}
_NO_THINK = "/no_think"
_WORD = re.compile(rf"['\"]{_NO_THINK}['\"]\s+in\b")
_ASKED, _ANSWERED = "crossinquestionsentinel", "crossinanswersentinel"
# transformers marks what the assistant wrote by these, which are not jinja's.
_GENERATION = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")

Turns = Sequence[Mapping[str, Any]]


class ChatNote(Reason):
    """What a user should know of how conversations were rendered."""

    UNKNOWN_ARGUMENT = (
        "unknown_template_argument",
        "the chat template has no such argument, and ignores it",
        "check its spelling in the model's chat template",
    )


def _not_reserved(arguments: dict[str, Any]) -> dict[str, Any]:
    if taken := sorted(_RESERVED & arguments.keys()):
        raise ValueError(f"'{taken[0]}' cannot be set: it is decided by what is rendered")
    return arguments


# The user's own arguments of a chat template, by name.
TemplateArguments = Annotated[dict[str, Any], AfterValidator(_not_reserved)]
ARGUMENTS_HELP = (
    "Arguments of the model's chat template: '{\"enable_thinking\": true}'. Thinking is off by default."
)


class Conversation(NamedTuple):
    """A conversation that ends with an answer: up to where an answer begins, and from there on.

    `begins` and `ends` are the places in `answer` of the answer's own text, between what the template writes
    before and after it; -1 where the template changed it.
    """

    prompt: str
    answer: str
    begins: int
    ends: int


class _Opening(NamedTuple):
    """What a template writes before every answer: an empty thought, and then other text."""

    empty_thought: str = ""
    text: str = ""


def thinks(arguments: Mapping[str, Any]) -> bool:
    """Whether a user's arguments of a template switch thoughts on."""
    switched = any(bool(arguments[name]) is on for name, on in _SWITCHES.items() if name in arguments)
    return switched or any(arguments[name] not in _NO_AMOUNT for name in _AMOUNTS if name in arguments)


class ChatTemplate:
    """The chat template of a tokenizer, with the user's own arguments."""

    def __init__(self, tokenizer: Any, arguments: Mapping[str, Any]) -> None:
        self._tokenizer, self._arguments = tokenizer, dict(arguments)
        template = tokenizer.get_chat_template()
        self._names, self._template = _names(template), _dated(template)
        # Nemotron's switch is a word in the system's turn.
        self._by_words = bool(_WORD.search(template)) and self._names.isdisjoint(_SWITCHES)

    @property
    def unknown_arguments(self) -> list[str]:
        """Notes on the arguments whose names do not occur in the template, which jinja ignores."""
        return [ChatNote.UNKNOWN_ARGUMENT.about(name) for name in self._arguments if name not in self._names]

    @cached_property
    def has_system(self) -> bool:
        """Whether the template writes a system turn: some refuse it, and some leave it out."""
        from jinja2 import TemplateError

        turns = [{"role": "system", "content": _ASKED}, {"role": "user", "content": _ANSWERED}]
        try:
            return _ASKED in self._rendered(turns, asks=True)
        except TemplateError:
            return False

    def folded(self, turns: Turns) -> Turns:
        """The turns as the template can write them: where it has no system turn, its text stands before the
        user's, with an empty line between.
        """
        if (
            len(turns) < 2
            or [turn.get("role") for turn in turns[:2]] != ["system", "user"]
            or self.has_system
        ):
            return turns
        system, user, *others = turns
        return [{**user, "content": f"{system['content']}\n\n{user['content']}"}, *others]

    def prompt(self, turns: Turns) -> str:
        """A conversation that asks for an answer, up to where the answer begins.

        Without thoughts, it ends behind an empty one where the template writes that before answers. It may
        end within a thought that the template begins (`thoughts.opening_at_end`). Raises jinja's
        TemplateError where the template refuses the conversation.
        """
        asked, empty = self._rendered(turns, asks=True), self._opening.empty_thought
        return asked if asked.endswith(empty) else asked + empty

    @property
    def before_answers(self) -> str:
        """What the template writes between such a prompt and an answer, such as the space after Llama 2's
        [/INST]; it is learned and scored with the answer.
        """
        return self._opening.text

    def conversation(self, turns: Turns) -> Conversation:
        """A conversation whose last turn is an answer; its prompt ends as `prompt` does.

        An answer with a thought (tags in its content, or a field such as `reasoning_content`) keeps it: its
        prompt is that of a model that thinks. Raises ValueError that says what is wrong with the template
        ("writes …"), and jinja's TemplateError where it refuses the conversation.
        """
        content = str(turns[-1]["content"]).strip()
        answer, thought = _parts(turns[-1], content)
        own = bool(thoughts.lines_within(thought))
        asked = self._rendered(turns[:-1], asks=True, own=own)
        whole = self._rendered(turns, asks=False, own=own)
        opening = thoughts.opening_at_end(asked, str(turns[-2]["content"]))
        empty = "" if opening else thoughts.empty_thought_at_end(asked)
        base = asked.removesuffix(opening or empty)
        if opening and not own:
            raise ValueError("begins every answer with a thought, and this answer has none")
        if not whole.startswith(base):
            raise ValueError("writes the turns differently before an answer than in its generation prompt")
        if own:
            rest = _with_thought(whole[len(base) :], content, answer, thought)
            # The prompt has it already.
            while opening and rest.lstrip().startswith(opening.strip()):
                rest = rest.lstrip().removeprefix(opening.strip()).lstrip()
            ends = rest.rfind(answer) + len(answer) if answer in rest else -1
            return Conversation(base + opening, rest, -1, ends)
        rest = whole[len(asked if whole.startswith(asked) else base) :]
        begins = rest.find(content)
        found = None if begins < 0 or thinks(self._arguments) else thoughts.empty_thought(rest[:begins])
        if found:
            asked, rest, begins = asked + found[0], rest[found.end() :], begins - found.end()
        return Conversation(asked, rest, begins, begins + len(content) if begins >= 0 else -1)

    @cached_property
    def _opening(self) -> _Opening:
        """Found with one exchange; nothing where the template cannot write one."""
        from jinja2 import TemplateError

        turns = [{"role": "user", "content": _ASKED}, {"role": "assistant", "content": _ANSWERED}]
        try:
            asked = self._rendered(turns[:-1], asks=True)
            found = self.conversation(turns)
        except (TemplateError, ValueError, TypeError):
            return _Opening()
        return _Opening(found.prompt.removeprefix(asked), found.answer[: max(0, found.begins)])

    def _rendered(self, turns: Turns, *, asks: bool, own: bool = False) -> str:
        """A conversation as the template writes it; `own`: its last answer has a thought."""
        switches = {name: on is own for name, on in _SWITCHES.items() if name in self._names}
        given = {**self._arguments, **switches} if own else {**switches, **self._arguments}
        if self._by_words and not own and not thinks(self._arguments):
            turns = _without_thinking(turns)
        text: str = self._tokenizer.apply_chat_template(
            [dict(turn) for turn in turns],
            tokenize=False,
            add_generation_prompt=asks,
            chat_template=self._template,
            **{"date_string": f"{DATE:%d %b %Y}", **given},
        )
        return text


def _without_thinking(turns: Turns) -> Turns:
    """The turns with the word in the system's turn that switches thoughts off, which the template removes."""
    if turns[0].get("role") == "system":
        return [{**turns[0], "content": f"{turns[0]['content']} {_NO_THINK}"}, *turns[1:]]
    return [{"role": "system", "content": _NO_THINK}, *turns]


def _parts(turn: Mapping[str, Any], content: str) -> tuple[str, str]:
    """The answer in a turn, and its thought: from a field of its own, or from the content."""
    answer = (thoughts.without_thoughts(content) or "").strip()
    apart = next((str(turn[field]) for field in thoughts.THOUGHT_FIELDS if turn.get(field)), "")
    if apart or not thoughts.holds_thought(content):
        return content if apart else answer, apart
    return answer, content[: content.rfind(answer)] if answer else content


def _with_thought(rest: str, content: str, answer: str, thought: str) -> str:
    """The end of a conversation with the thought of its last turn, which some templates leave out, in the
    place of an empty one.
    """
    if found := thoughts.empty_thought(rest):
        rest = rest[found.end() :]
    # A template may write the tags, and the white space beside them, in its own way.
    if all(line.strip() in rest for line in thoughts.lines_within(thought)):
        return rest
    if thought not in content:
        raise ValueError("leaves out the thought that an answer has in a field: put it into `content`")
    return content + rest[rest.rfind(answer) + len(answer) :] if answer and answer in rest else content


@cache
def _names(template: str) -> frozenset[str]:
    """The names that a template gets from whoever renders it."""
    from jinja2 import Environment, TemplateError, meta

    environment = Environment(extensions=["jinja2.ext.loopcontrols"], autoescape=False)
    try:
        return frozenset(meta.find_undeclared_variables(environment.parse(_GENERATION.sub("", template))))
    except TemplateError:
        return frozenset(re.findall(r"[A-Za-z_]\w*", template))


@cache
def _dated(template: str) -> str:
    """A template whose `strftime_now` knows one day only.

    transformers passes no functions to a template, and its own has today's date. So the template defines
    one: a macro that puts in the parts of the date.
    """
    if "strftime_now" not in template:
        return template
    written = "{{ format"
    for letter in ascii_letters:
        for directive in (f"%-{letter}", f"%{letter}"):
            value = DATE.strftime(directive)
            # Not seconds since 1970, which depend on the time zone of the machine.
            if letter != "s" and value != directive:
                written += f" | replace({directive!r}, {value!r})"
    # The line break belongs to the macro's end: nothing is added to the text.
    return "{% macro strftime_now(format) %}" + written + " }}{% endmacro %}\n" + template
