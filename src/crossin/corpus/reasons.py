"""Why rows of a corpus are left out, as codes; the language or column that is meant follows after a colon."""

from __future__ import annotations

from crossin.core.reasons import Reason

_ONE_EXCHANGE = "let each row be one exchange: a user's turn, and the assistant's answer"


class CorpusReason(Reason):
    """Codes of `rejects.parquet` and of manifests; those of the alignment check are in `alignment`."""

    SEVERAL_EXCHANGES = (
        "several_exchanges",
        "more than one exchange in the chat",
        "let the recipe write conversations (`format: messages` or `template: chat`), draw their first"
        " exchange (`turns: first`), or split them into rows of one exchange each",
    )
    INCOMPLETE_EXCHANGE = "incomplete_exchange", "no complete exchange in the chat", _ONE_EXCHANGE
    OTHER_ROLE = "other_role", "a turn of neither user nor assistant", _ONE_EXCHANGE
    NO_CHAT = (
        "no_chat",
        "no list of messages with role and content",
        'write the turns as [{"role": "user", "content": …}, {"role": "assistant", "content": …}]',
    )
    OTHER_PART = (
        "other_part",
        "a part of a message that is no text",
        "rows with images, sounds or files cannot be used: write their text, or drop them",
    )
    NOT_TEXT = (
        "value_not_text",
        "a value that is no text",
        "write text there, or name the column that holds it under `columns`",
    )
    BROKEN_TEXT = (
        "unreadable_text",
        "a NUL, half of a surrogate pair, or bytes that are not UTF-8",
        "remove such characters, or write the file again in UTF-8",
    )
    BROKEN_RECORD = (
        "unreadable_record",
        "a line that is not a JSON object, or not a row of the table",
        "repair the line: it may have been cut, or lack quotes around a comma",
    )
    TOO_LONG = (
        "too_long_field",
        "a text longer than `longest_field`",
        "shorten the text, or raise `longest_field` in the recipe",
    )
    TURN_WITHOUT_TEXT = "turn_without_text", "a turn without text", "write the turn's text, or drop the row"
    MISSING_ID = (
        "missing_id",
        "no id",
        "give each row an id, or name the column that holds it under `columns` (`{id: NAME}`)",
    )
    DUPLICATE_ID = (
        "duplicate_id",
        "the id occurs twice",
        "give each row an id of its own; where another column tells scripts or countries of a language apart,"
        ' name both: `columns: {language: "{language}_{script}"}`',
    )
    MISSING_TRANSLATION = (
        "missing_translation",
        "missing in a language",
        "`incomplete: keep` draws a row in the languages that it has",
    )
    EMPTY_INSTRUCTION = (
        "empty_instruction",
        "the instruction is empty",
        "fill the instructions, or name the column that holds them under `columns` (`{instruction: NAME}`)",
    )
    FILTERED = "filtered", "rejected by a filter"
    DUPLICATE = "duplicate", "repeats an earlier row"
    NEAR_DUPLICATE = "near_duplicate", "nearly repeats an earlier row"
    CONTAMINATED = "contaminated", "overlaps a benchmark"
    TURNS_DO_NOT_ALTERNATE = (
        "turns_do_not_alternate",
        "turns of user and assistant that do not alternate",
        "join turns of one side that follow each other, or drop the row",
    )
    TURNS_DIFFER = (
        "turns_differ",
        "other turns than the same row in another language",
        "let a row have the same turns in every language, a system turn included",
    )
    MISSING_FIELD = (
        "missing_field",
        "a row without a column that other rows have",
        "write it in every row, or name the column that holds it under `columns`",
    )
    NO_LANGUAGE = "no_language", "the record names no language", "write each row's language in its column"
    GREETING = "greeting", "the assistant's turn before the first of the user is left out", "", True
    OTHER_SYSTEM = (
        "other_system",
        "the text of a system column is left out: the chat has another system turn",
        "",
        True,
    )
    UNANSWERED_TURN = "unanswered_turn", "the user's last turn, which has no answer, is left out", "", True

    @property
    def number(self) -> int:
        """The reason's number, from 1, in an array of one byte a row; 0 is no reason."""
        return list(type(self)).index(self) + 1


# What a recipe asks for, and so may leave out any number of rows.
WANTED = frozenset(
    (
        CorpusReason.MISSING_TRANSLATION,
        CorpusReason.FILTERED,
        CorpusReason.DUPLICATE,
        CorpusReason.NEAR_DUPLICATE,
        CorpusReason.CONTAMINATED,
    )
)
