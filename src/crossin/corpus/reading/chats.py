"""A chat in any of the forms that public files have, as turns; and its turns as the texts of a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from crossin.core.thoughts import CLOSING, OPENING, THOUGHT_FIELDS
from crossin.corpus.conversations import Turn, joined
from crossin.corpus.reasons import CorpusReason

# Columns that hold a chat.
CHATS = ("messages", "conversations", "conversation")
# Columns that hold the system text beside a chat; the first that is there counts.
SYSTEMS = ("system", "system_prompt", "system_message")
_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    # Open-Assistant.
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
}
# Keys of a turn, the usual one first; and of an exchange that is one object.
_WHO, _WHAT = ("role", "from"), ("content", "value", "text", "parts")
# Keys of a turn that calls a tool.
_CALLS = ("tool_calls", "function_call")
_PAIRS = (
    ("human", "assistant"),
    ("user", "assistant"),
    ("input", "output"),
    ("instruction", "output"),
    ("question", "answer"),
    ("prompt", "response"),
    ("query", "response"),
)
# Kinds of parts that a message's content may have, if it is a list.
_TEXT_PARTS = {"text", "input_text", "output_text"}


class ChatTexts(NamedTuple):
    """A chat as the texts of a row, and how its turns are found in them ('' for a single exchange without a
    system turn). `changed`: what was left out of the chat.
    """

    instruction: str
    output: str
    turns: str = ""
    changed: CorpusReason | None = None


def texts_of_chat(chat: Any, system: str = "", *, several: bool) -> ChatTexts | CorpusReason:
    """The texts of a chat, or why it cannot be used.

    system: the system text beside a chat that has none of its own. several: whether chats of more than one
    exchange can be used. A first turn of the assistant, which answers nothing, and a last one of the user,
    which is not answered, are left out of a chat that has more than these.
    """
    found = turns_of(chat)
    if isinstance(found, CorpusReason):
        return found
    changed = None
    if several:
        kept, left_out = without_loose_ends([role for role, _ in found])
        found = [found[number] for number in kept]
        changed = left_out[-1] if left_out else None
    if found and found[0][0] == "system":
        beside, system = system, found.pop(0)[1]
        if beside not in ("", system):
            changed = changed or CorpusReason.OTHER_SYSTEM
    roles = [role for role, _ in found]
    if not several and len(found) > 2:
        return CorpusReason.SEVERAL_EXCHANGES
    if len(found) < 2 or (len(found) == 2 and roles != ["user", "assistant"]):
        return CorpusReason.INCOMPLETE_EXCHANGE
    if roles != ["user", "assistant"] * (len(found) // 2):
        return CorpusReason.TURNS_DO_NOT_ALTERNATE
    if len(found) > 2 and not all(text.strip() for _, text in found):
        return CorpusReason.TURN_WITHOUT_TEXT
    if len(found) == 2 and not system:
        return ChatTexts(found[0][1], found[1][1], "", changed)
    whole = [("system", system), *found] if system else found
    # One exchange without a user's text has no instruction, whatever its system turn says.
    if len(found) == 2 and not found[0][1].strip():
        return ChatTexts("", found[1][1], "", changed)
    return ChatTexts(*joined(whole), changed)


def turns_of(chat: Any) -> list[Turn] | CorpusReason:
    """The turns of a chat, or why it has none that can be read.

    A chat is a list of messages (`role` and `content`, or `from` and `value`), of exchanges (`human` and
    `assistant`, `input` and `output`, or two texts), of an even number of texts, such a list as JSON, or a
    tree of replies as Open-Assistant has them, of which the best path is read.
    """
    chat = parsed(chat)
    if chat is None:
        return CorpusReason.INCOMPLETE_EXCHANGE
    if isinstance(chat, dict) and "replies" in chat:
        chat = _best_path(chat)
    if not isinstance(chat, list):
        return CorpusReason.NO_CHAT
    if chat and len(chat) % 2 == 0 and all(isinstance(text, str) for text in chat):
        # Texts alone, as in UltraChat: by turns of user and assistant.
        return [(("user", "assistant")[place % 2], text) for place, text in enumerate(chat)]
    found: list[Turn] = []
    for part in chat:
        if isinstance(part, dict) and any(part.get(name) for name in _CALLS):
            return CorpusReason.OTHER_PART
        for role, content in _messages(part):
            if not isinstance(role, str):
                return CorpusReason.NO_CHAT
            if role.lower() not in _ROLES:
                return CorpusReason.OTHER_ROLE
            text = text_of_parts(content)
            if isinstance(text, CorpusReason):
                return text
            found.append((_ROLES[role.lower()], _with_thought(text, part)))
    return found


def _with_thought(text: str, message: Any) -> str:
    """The text after the thought that stands beside it, if any, which gets tags as in a reply."""
    thoughts = (message[name] for name in THOUGHT_FIELDS if isinstance(message, dict) and name in message)
    # Some have a switch of that name.
    thought = next((one for one in thoughts if isinstance(one, str) and one.strip()), "")
    return f"{OPENING}{thought}{CLOSING}{text}" if thought else text


def parsed(chat: Any) -> Any:
    """A chat that is a text of JSON, since CSV has no lists, as what it says; any other value as it is."""
    if not (isinstance(chat, str) and chat.lstrip().startswith(("[", "{"))):
        return chat
    try:
        return json.loads(chat)
    except ValueError:
        return chat


def without_loose_ends(roles: Sequence[str]) -> tuple[list[int], list[CorpusReason]]:
    """The turns to keep of a chat, by number, and what is left out where it has more than two beside a
    system turn: a first turn of the assistant, which answers nothing, and a last one of the user, which is
    not answered.
    """
    kept, left_out = list(range(len(roles))), []
    first = int(bool(roles) and roles[0] == "system")
    if len(kept) - first > 2 and roles[first] == "assistant":
        del kept[first]
        left_out.append(CorpusReason.GREETING)
    if len(kept) - first > 2 and roles[kept[-1]] == "user":
        kept.pop()
        left_out.append(CorpusReason.UNANSWERED_TURN)
    return kept, left_out


def with_history(history: Any, *own: Turn) -> Any:
    """A chat from the exchanges before an Alpaca row, and the row's own turns; another value as it is."""
    history = parsed(history)
    if not isinstance(history, list):
        return history
    return [*history, *({"role": role, "content": text} for role, text in own)]


def _messages(part: Any) -> list[tuple[Any, Any]]:
    """The role and the content of a message, or of an exchange's two; no role where it is neither."""
    if isinstance(part, list | tuple) and len(part) == 2 and all(isinstance(text, str) for text in part):
        return [("user", part[0]), ("assistant", part[1])]
    if not isinstance(part, dict):
        return [(None, None)]
    # Parquet has every key in every turn, and null where a turn lacks it.
    if who := next((key for key in _WHO if part.get(key) is not None), None):
        return [(part[who], next((part[key] for key in _WHAT if part.get(key) is not None), None))]
    for asked, answered in _PAIRS:
        if asked in part and answered in part:
            system = [("system", part["system"])] if part.get("system") else []
            return [*system, ("user", part[asked]), ("assistant", part[answered])]
    return [(None, None)]


def _best_path(tree: dict[str, Any]) -> list[Any]:
    """From the root to a leaf by the reply that people ranked best; of unranked ones the first."""
    path: list[Any] = []
    node: Any = tree
    while isinstance(node, dict):
        path.append(node)
        replies = [one for one in node.get("replies") or () if isinstance(one, dict) and not _deleted(one)]
        node = min(replies, key=_rank, default=None)
    return path


def _deleted(reply: dict[str, Any]) -> bool:
    # In CSV it is a text.
    return str(reply.get("deleted") or False).lower() not in ("false", "0")


def _rank(reply: dict[str, Any]) -> float:
    try:
        return float(reply.get("rank"))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("inf")


def text_of_parts(content: Any) -> str | CorpusReason:
    """The text of a message, whose parts may stand in a list; or why there is none."""
    if content is None:
        return CorpusReason.TURN_WITHOUT_TEXT
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return CorpusReason.NOT_TEXT
    texts = []
    for part in content:
        entries = part.items() if isinstance(part, dict) else ()
        said = {key: value for key, value in entries if value is not None}
        # Parts without a type are texts where they say nothing else.
        plain = said.get("type") in _TEXT_PARTS or list(said) == ["text"]
        text = said["text"] if plain and "text" in said else part
        if not isinstance(text, str):
            return CorpusReason.OTHER_PART
        texts.append(text)
    return "\n".join(texts) if texts else CorpusReason.TURN_WITHOUT_TEXT
