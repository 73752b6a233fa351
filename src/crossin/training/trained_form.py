"""The form of the prompts that a mixture trains, as a chat template: a model that learned Alpaca's form must
be asked in it, and whoever loads the model asks in its chat template.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.corpus.reading.chats import CHATS
from crossin.corpus.reading.records import read_records
from crossin.mixture.recipe import Recipe, read_recipe
from crossin.mixture.rendering import PLAIN, QUESTION, plain_template
from crossin.mixture.templates import CHAT, Template, built_in, load_template
from crossin.mixture.tokens import load_tokenizer
from crossin.models.joining import heading_of
from crossin.training.rows import files_of

_RECIPE = "recipe.yaml"
# A system text stands before the user's; each exchange is one of those that were trained.
_EXCHANGES = (
    "{{%- set kept = namespace(system='') -%}}"
    "{begin}"
    "{{%- for message in messages -%}}"
    "{{%- if message['role'] == 'system' -%}}{{%- set kept.system = message['content'] + '\\n\\n' -%}}"
    "{{%- elif message['role'] == 'user' -%}}"
    "{{{{ {before} + kept.system + message['content'] + {after} }}}}{{%- set kept.system = '' -%}}"
    "{{%- else -%}}{{{{ {separator} + message['content'] + {end} + eos_token }}}}"
    "{{%- endif -%}}{{%- endfor -%}}"
)


class PromptForm(NamedTuple):
    """What prompts are trained. name: a template's name, `chat` for the model's own chat template, '' where
    it is not known. chat_template: the form as a chat template, '' where it is the model's own or has none.
    """

    name: str
    chat_template: str = ""


def prompt_form(mixture: Path | None, tokenizer: Any) -> PromptForm:
    """The form of a mixture's prompts, by its recipe or its columns."""
    recipe = _recipe_of(mixture) if mixture else None
    if recipe is None:
        return PromptForm(CHAT if mixture and _holds_chats(mixture) else "")
    if recipe.format == "messages" or (recipe.template == CHAT and _is_own(recipe, tokenizer)):
        return PromptForm(CHAT)
    if recipe.template == PLAIN:
        return PromptForm(PLAIN, as_chat_template(plain_template(recipe.pivot), tokenizer))
    if recipe.template == QUESTION or recipe.template not in built_in():
        # The words are those of the row's language, or in a file that we do not have.
        return PromptForm(recipe.template)
    return PromptForm(recipe.template, as_chat_template(load_template(recipe.template), tokenizer))


def as_chat_template(template: Template, tokenizer: Any) -> str:
    """A template of single exchanges as a chat template, with the beginning of a sequence where the tokenizer
    puts one before a text.
    """
    before, after = template.parts(False)
    begin = tokenizer.bos_token is not None and tokenizer.bos_token_id in heading_of(tokenizer)
    texts = {"before": before, "after": after, "separator": template.separator, "end": template.end}
    return _EXCHANGES.format(
        begin="{{ bos_token }}" if begin else "",
        **{name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()},
    )


def _recipe_of(mixture: Path) -> Recipe | None:
    try:
        return read_recipe(mixture / _RECIPE) if (mixture / _RECIPE).is_file() else None
    except CrossinError:
        # A file of this name that is something else.
        return None


def _is_own(recipe: Recipe, tokenizer: Any) -> bool:
    """Whether the rows are in this tokenizer's chat template, and not in another one's."""
    try:
        found = load_tokenizer(recipe.tokenizer or "").chat_template
    except CrossinError:
        return False
    return bool(found == tokenizer.chat_template)


def _holds_chats(mixture: Path) -> bool:
    _, record = next(iter(read_records(files_of(mixture)[0])))
    return "prompt" not in record and any(name in record for name in CHATS)
