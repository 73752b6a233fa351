"""Why a translation is rejected, as codes."""

from __future__ import annotations

from dataclasses import dataclass

from crossin.core.reasons import Reason


class TranslationReason(Reason):
    """Reasons of the translator, of the placeholders, and of the quality checks. Those that the alignment
    check has too are `crossin.alignment.reasons.AlignmentReason`.
    """

    SERVER_ERROR = "server_error", "the server did not answer"
    INVALID_RESPONSE = "invalid_response", "the server's answer is not a chat completion"
    INVALID_JSON = "invalid_json", "the reply is not valid JSON"
    WRONG_KEYS = "wrong_keys", "the reply does not have the requested keys"
    NOT_TEXT = "not_text", "the reply holds a value that is not a text"
    TOKEN_LIMIT = "token_limit", "cut off at the token limit"
    PLACEHOLDER_MISSING = "placeholder_missing", "a placeholder is missing"
    PLACEHOLDER_REPEATED = "placeholder_repeated", "a placeholder is repeated"
    PLACEHOLDER_UNKNOWN = "placeholder_unknown", "a placeholder that the request does not have"
    UNKNOWN_TOKEN = "unknown_token", "the model wrote its unknown token in the place of a word"
    CONTROL_CHARACTER = "control_character", "a control character that the source does not have"
    ADDED_TEXT = "added_text", "a text where the source has none"
    REFUSAL = "refusal", "the model refuses"
    COMMENT = "comment", "a comment about the translation"
    REPETITION = "repetition", "repeated text"
    MISSING_SENTENCES = "missing_sentences", "sentences are missing"
    ADDED_SENTENCES = "added_sentences", "sentences were added"
    UNFINISHED = "unfinished", "breaks off"
    TOO_SHORT = "too_short", "too short"
    TOO_LONG = "too_long", "too long"
    LINE_BREAKS = "line_breaks", "line breaks differ"
    ROUND_TRIP = "round_trip", "the round trip scores too low"
    QUALITY = "quality", "the quality score is too low"


@dataclass(frozen=True)
class Rejection:
    """Why a translation is rejected: the reason, the field that it is about, and a detail for people."""

    reason: str
    field: str = ""
    detail: str = ""
