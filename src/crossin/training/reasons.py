"""Why rows are left out of a training, or changed."""

from __future__ import annotations

from crossin.core.reasons import Reason


class RowReason(Reason):
    """Why a row is not trained on, or not whole."""

    TOO_MANY_TOKENS = (
        "too_many_tokens",
        "more tokens than `batches.longest`",
        "raise `batches.longest`, or cut the prompts with `batches.too_long: cut`",
    )
    COMPLETION_TOO_LONG = (
        "completion_too_long",
        "more tokens in the completion than `batches.longest`",
        "raise `batches.longest`",
    )
    TURNS_CUT = (
        "turns_cut",
        "only the first turns of the conversation: all have more tokens than `batches.longest`",
        "",
        True,
    )
    PROMPT_CUT = "prompt_cut", "only the beginning of the prompt", "", True
    EMPTY_EXCHANGE = (
        "empty_exchange",
        "an empty prompt or completion",
        "fill it, or leave these rows out of the mixture",
    )
    TEMPLATE_REJECTS = (
        "template_rejects",
        "the chat template rejects it",
        "correct these rows, or leave them out of the mixture",
    )
    SPELLED_TOKEN = (
        "special_token_spelled",
        "a special token is spelled out in a text: it is read as text",
        "",
        True,
    )
    SYSTEM_FOLDED = (
        "system_folded",
        "the chat template has no system turn: its text is put before the user's",
        "",
        True,
    )
    ONLY_READ = (
        "answer_only_read",
        "an answer that the chat template cannot write as the last is only read",
        "",
        True,
    )
    NO_TOKENS = (
        "completion_without_tokens",
        "the completion has no tokens",
        "fill the completions, or leave these rows out of the mixture",
    )
