"""Why records of a log are left out."""

from __future__ import annotations

from crossin.core.reasons import Reason


class RecordFault(Reason):
    """What keeps a logged record from being an answer."""

    FAILED = "record_failed", "the harness failed at it", "run the harness again on what failed"
    NOT_SCORED = "record_not_scored", "the harness gave no score", "score the log again with the harness"
    NOT_LOGGED = "record_not_logged", "asked, and not in the log", "finish the run"
    SEVERAL_RIGHT = "several_right", "several options are right"
    NO_GOLD = "no_gold", "the record names no right answer", "add it to the task's data set"
    NO_LANGUAGE = "no_language", "the record names no language", "name it in the record"
