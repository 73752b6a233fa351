"""Requests that fail while the server goes on: they cost an option or a reply, not the run.

A server may be unable to answer one request, always: no number for a log-probability, a prompt longer than
its context. Others are answered. But where the server is down, or can do nothing of what is asked, the run
stops: its answers would be no result. What tells them apart is a request that was answered before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from crossin.core.errors import CrossinError
from crossin.core.reasons import Reason
from crossin.core.skipping import MOST_SKIPPED
from crossin.servers import Refused, ServerRequest

T = TypeVar("T")
# After so many failures in a row, a request that was answered before is sent again.
_IN_A_ROW = 20
# So few failures are no reason to stop, whatever their share.
_HANDFUL = 4
# Statuses by which a server refuses what it is asked, and would again.
_REFUSALS = {400, 413, 422}


class RequestFailure(Reason):
    """Why a request has no answer."""

    REFUSED = "refused", "refused by the server", "a prompt too long for the model needs fewer shots"
    SERVER_ERROR = "server_failure", "an error of the server, also when asked again"
    NO_ANSWER = "no_answer", "no answer in time, also when asked again"
    UNUSABLE = "unusable_answer", "an answer without what was asked for"
    NO_ROOM = "no_room", "the prompt leaves no room for a reply in the server's context"


class Unusable(CrossinError):
    """An answer from which nothing can be read; `reason` is its code."""

    reason = RequestFailure.UNUSABLE


class NoRoom(Unusable):
    """A reply that was cut before its first token."""

    reason = RequestFailure.NO_ROOM


class Ask(Protocol):
    """How requests are sent: each is given back with its answer, or with why it has none. once: with little
    patience, where the server is known to answer.
    """

    def __call__(  # noqa: D102 (above)
        self, requests: Iterable[ServerRequest], /, *, once: bool = False
    ) -> Iterator[tuple[ServerRequest, dict[str, Any] | Refused]]: ...


def may_be_the_request(refused: Refused) -> bool:
    """Whether the request may be the reason; else it is the key, the model's name, the address or a quota."""
    status = refused.status
    return status is None or status in _REFUSALS | {200, 408} or status >= 500


def reason_of(error: CrossinError) -> RequestFailure:
    """Why a request has no answer."""
    if isinstance(error, Unusable):
        return error.reason
    status = error.status if isinstance(error, Refused) else 200
    if status in _REFUSALS:
        return RequestFailure.REFUSED
    if status is None or status == 408:
        return RequestFailure.NO_ANSWER
    return RequestFailure.SERVER_ERROR if status >= 500 else RequestFailure.UNUSABLE


def answered_or_failed(
    ask: Ask,
    read: Callable[[ServerRequest, dict[str, Any]], T],
    requests: Iterable[ServerRequest],
    *,
    total: int,
    known: ServerRequest | None,
) -> Iterator[tuple[ServerRequest, T | CrossinError]]:
    """Each request with what `read` makes of its answer, as they come; in the end those that failed, with
    their errors.

    total: the requests of the whole run, of which `known` was answered in an earlier one. What fails is asked
    once more when all others are answered, so that no outage remains in the results. Raises the error where
    the server does not answer now what it answered before, or has answered nothing; and a CrossinError where
    more than a tenth of all requests fail.
    """
    failed: list[tuple[ServerRequest, CrossinError]] = []
    last, in_a_row = known, 0

    def found(one: ServerRequest, answer: dict[str, Any] | Refused) -> T | CrossinError:
        try:
            return answer if isinstance(answer, Refused) else read(one, answer)
        except Unusable as error:
            return error

    def check(error: CrossinError) -> None:
        if last is not None:
            for one, answer in ask([last], once=True):
                if not isinstance(found(one, answer), CrossinError):
                    return
        raise error

    for again in (False, True):
        if again:
            # A refusal would be repeated.
            requests = [one for one, error in failed if reason_of(error) != RequestFailure.REFUSED]
            failed = [pair for pair in failed if reason_of(pair[1]) == RequestFailure.REFUSED]
        for one, answer in ask(requests, once=again):
            result = found(one, answer)
            if not isinstance(result, CrossinError):
                last, in_a_row = one, 0
                yield one, result
                continue
            failed.append((one, result))
            in_a_row += 1
            if in_a_row % _IN_A_ROW == 0:
                check(result)
            if len(failed) > max(_HANDFUL, MOST_SKIPPED * total):
                check(result)
                raise _too_many(len(failed), total, result)
        if in_a_row:
            check(failed[-1][1])
            in_a_row = 0
    yield from failed


def _too_many(count: int, total: int, last: CrossinError) -> CrossinError:
    return CrossinError(
        f"{count:,} of {total:,} requests fail; the last: {last.message}",
        hint=last.hint or "look at the server's own log, or use another --form",
    )
