"""Why questions are not taught, or not in a language."""

from __future__ import annotations

from crossin.core.reasons import Reason


class TeachReason(Reason):
    """Why a question is left out, in all languages or in one."""

    NOT_IN_PIVOT = "not_in_pivot", "there is no such question in the pivot", "add it, or choose another pivot"
    UNREAD = "unread_answers", "too few of its answers could be read"
    ANSWERS_DISAGREE = "answers_disagree", "its answers disagree"
    SMALL_MARGIN = "small_margin", "the second option is nearly as likely as the first"
    NO_QUESTION = (
        "no_question",
        "there is no such question in the language",
        "add it, or give settings of `crossin translate` with --translate",
    )
    NO_ANSWER_NAME = "no_answer_name", "the answer has no name in the language", "add it to entities.parquet"
    NOT_TRANSLATED = "not_translated", "it was not translated, or its translation was rejected"


class Unsure(Reason):
    """Why nothing was read from an answer, beside the reasons of `Unread`."""

    UNSCORED = "unscored_options", "some options have no log-probability"
    FAILED = "request_failed", "the server did not answer"
    CUT = "reply_cut", "the reply ends at the limit of tokens", "raise --max-tokens"
    NO_OPTION = "no_option", "the reply names none of the options, or several"
    NO_NUMBER = "no_number", "the reply has no number, or one that can be read in two ways"
