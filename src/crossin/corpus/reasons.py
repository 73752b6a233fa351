"""Why rows of a corpus are left out, as codes; the language or column that is meant follows after a colon."""

from __future__ import annotations

from crossin.core.reasons import Reason


class CorpusReason(Reason):
    """Codes of `rejects.parquet` and of manifests; those of the alignment check are in `alignment`."""

    SEVERAL_EXCHANGES = "several_exchanges", "more than one exchange in the chat"
    INCOMPLETE_EXCHANGE = "incomplete_exchange", "no complete exchange in the chat"
    OTHER_ROLE = "other_role", "a turn of neither user nor assistant"
    TURN_WITHOUT_TEXT = "turn_without_text", "a turn without text"
    MISSING_ID = "missing_id", "no id"
    DUPLICATE_ID = "duplicate_id", "the id occurs twice"
    MISSING_TRANSLATION = "missing_translation", "missing in a language"
    EMPTY_INSTRUCTION = "empty_instruction", "the instruction is empty"
    FILTERED = "filtered", "rejected by a filter"
    DUPLICATE = "duplicate", "repeats an earlier row"
    NEAR_DUPLICATE = "near_duplicate", "nearly repeats an earlier row"
    CONTAMINATED = "contaminated", "overlaps a benchmark"

    @property
    def number(self) -> int:
        """The reason's number, from 1, in an array of one byte a row; 0 is no reason."""
        return list(type(self)).index(self) + 1
