"""A model behind any OpenAI-compatible server as an engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from crossin.core.errors import CrossinError
from crossin.core.thoughts import OPENING
from crossin.evaluation.engine import CutPrompts, EngineNote, Reply, Request, Scores
from crossin.evaluation.openai import answers
from crossin.evaluation.openai.dialect import (
    CHAT,
    COMPLETIONS,
    UNSUPPORTED,
    Dialect,
    find_dialect,
    messages,
    takes_seed,
)
from crossin.evaluation.openai.failures import (
    Ask,
    NoRoom,
    answered_or_failed,
    may_be_the_request,
    reason_of,
)
from crossin.evaluation.openai.prompt_counts import (
    LONGER_CONTEXT,
    PromptCounts,
    prompt_size,
    shortened,
)
from crossin.servers import (
    Accounting,
    Refused,
    ServerRequest,
    ServerSettings,
    Usage,
    request_all,
    request_each,
    rough_tokens,
    tokens_used,
)

T = TypeVar("T")
# OpenAI takes no more; the reply is cut at the others here.
_MOST_STOPS = 4
# Some servers take no greater seed.
_SEEDS = 2**31
# After so many questions without any log-probability the server is taken to give none.
_ALL_UNKNOWN = 20


class OpenAIEngine:
    """A model behind a server.

    chat: True sends everything as a conversation, False nothing; None sends conversations as such, and plain
    prompts too where the server completes none. accounting: what it shares with other engines, or the
    file of that, which is made at the first question. Nothing is sent before.
    """

    def __init__(
        self,
        model: str,
        server: ServerSettings,
        *,
        chat: bool | None = None,
        truncate: bool = False,
        accounting: Accounting | Path | None = None,
    ) -> None:
        self.model, self.server, self.chat, self.truncate = model, server, chat, truncate
        self._url = server.url
        self._shared = accounting
        self._dialects: dict[str, Dialect] = {}
        # By path and how replies are sampled, whether a seed may be sent.
        self._seeded: dict[tuple[str, float, float], bool] = {}
        self._counts = PromptCounts()
        self._checked: dict[str, int] = {}
        self.notes: list[str] = []

    @property
    def identity(self) -> dict[str, Any]:
        """The server, the model's name and how it is used.

        Nothing more is known without a request: neither the weights behind a name nor what the server can do
        (whether letters are looked up among its most probable tokens; the notes say that), for which another
        server at the same address needs a cache of its own.
        """
        given = ({"body": self.server.body} if self.server.body else {}) | (
            {"truncate": True} if self.truncate else {}
        )
        known = {"engine": "openai", "server": self._url, "model": self.model}
        return {**known, "chat": self.chat, "temperature": 0, **given}

    @property
    def inputs(self) -> dict[str, Path]:
        """No files."""
        return {}

    @cached_property
    def _accounting(self) -> Accounting:
        given = self._shared
        return given if isinstance(given, Accounting) else Accounting(self.server, given)

    @property
    def usage(self) -> Usage:
        """Requests, tokens and cost so far."""
        return self._accounting.usage

    def kinds(self, *, chat: bool = False) -> set[str]:
        """What the server can do with plain prompts, or with conversations: "text" (log-probabilities of
        given continuations), "letters" (of the most probable first tokens), "generate". It is probed once.

        Raises Refused (a CrossinError) where the server answers nothing.
        """
        return self._dialect(chat).kinds

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """The scores of the wanted requests, as they come; each option is a request to the server.

        Where the server gives no log-probabilities of given texts, options that are single letters are looked
        up among the most probable first tokens, by one request; a letter that is not there has None. So has
        an option whose request fails, where the server answers others. Raises CrossinError for other options,
        where the server refuses, where too many requests fail (`answered_or_failed`), and CutPrompts.
        """
        self._find_dialects(requests, wanted)
        sent = (one for number in sorted(wanted) for one in self._scorings(requests[number], number))
        total = sum(map(self._count, requests))
        parts: dict[int, dict[int, Scores]] = {}
        unknown: int | None = 0
        for one, found in self._send(requests, wanted, sent, self._scores, total):
            number, place = one.tag
            request = requests[number]
            if isinstance(found, CrossinError):
                size = 1 if place is not None else len(request.options)
                found = Scores([None] * size, [0] * size, failed=[reason_of(found)])
            part = parts.setdefault(number, {})
            part[place or 0] = found
            if place is not None and len(part) < len(request.options):
                continue
            scores = answers.joined([part[place] for place in range(len(part))])
            del parts[number]
            if place is not None and scores.logprobs.count(None) > len(scores.failed):
                self._note(EngineNote.UNKNOWN_LOGPROBS)
            if unknown is not None:
                unknown = unknown + 1 if scores.logprobs.count(None) == len(scores.logprobs) else None
            yield number, scores
            if unknown == _ALL_UNKNOWN:
                raise CrossinError(
                    f"{request.name}: the server gives a log-probability of no option, nor did it for the "
                    f"{unknown - 1} questions before",
                    hint="use --form generate",
                )

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """The replies to the wanted requests, as they come; greedy, where the server knows a temperature and
        the request has no `sampling`. That is sent with a seed of its own, where the server takes one.

        A reply whose request fails, where the server answers others, is empty. Raises as `logprobs` does.
        """
        self._find_dialects(requests, wanted)
        # Here: nothing can be probed while requests are being sent.
        for number in wanted:
            self._sampled(requests[number])
        sent = (self._generation(requests[number], number) for number in sorted(wanted))
        for one, found in self._send(requests, wanted, sent, self._reply, len(requests)):
            if isinstance(found, CrossinError):
                found = Reply("", failed=[reason_of(found)])
            yield one.tag, found

    def recall(self, known: Iterable[tuple[Request, int]]) -> int | None:
        """See `Recalling`."""
        cuts = [
            self._seen(request, max(request.options, key=len, default=""), n) for request, n in known if n
        ]
        found = [cut.least for cut in cuts if cut is not None]
        if not found or self.truncate:
            return None
        self._counts = PromptCounts()
        return min(found)

    def close(self) -> None:
        """Nothing to release: connections last no longer than the requests."""

    def _note(self, note: EngineNote) -> None:
        if note not in self.notes:
            self.notes.append(str(note))

    def _send(
        self,
        requests: Sequence[Request],
        wanted: Collection[int],
        sent: Iterator[ServerRequest],
        read: Callable[[Request, int | None, dict[str, Any]], T],
        total: int,
    ) -> Iterator[tuple[ServerRequest, T | CrossinError]]:
        """Each request that is `sent` with what `read` makes of its answer, or with its error.

        total: how many there are with those that were answered in an earlier run.
        """

        def ask(
            batch: Iterable[ServerRequest], /, *, once: bool = False
        ) -> Iterator[tuple[ServerRequest, dict[str, Any] | Refused]]:
            server = self._impatient if once else self.server
            yield from request_each(server, batch, self._accounting, may_be_the_request)

        def found(one: ServerRequest, answer: dict[str, Any]) -> T:
            number, place = one.tag if isinstance(one.tag, tuple) else (one.tag, None)
            request = requests[number]
            count = answers.sent_tokens(answer)
            cut = None
            if not count:
                self._note(EngineNote.UNCOUNTED_TOKENS)
            else:
                cut = self._seen(request, "" if place is None else request.options[place], count)
                cut = cut or self._drops_turns(ask, request)
            if cut is not None and not self.truncate:
                raise cut
            if cut is not None:
                self._note(EngineNote.CUT_PROMPTS)
            return read(request, place, answer)

        before = next((number for number in range(len(requests)) if number not in wanted), None)
        known = None if before is None else self._first_of(requests[before], before)
        yield from answered_or_failed(ask, found, sent, total=total, known=known)

    def _count(self, request: Request) -> int:
        """How many requests to the server it takes."""
        return len(request.options) if request.options and self._dialect_of(request).text else 1

    def _first_of(self, request: Request, number: int) -> ServerRequest:
        scored = self._scorings(request, number) if request.options else None
        return self._generation(request, number) if scored is None else next(scored)

    def _seen(self, request: Request, option: str, count: int) -> CutPrompts | None:
        """Note how many tokens the server counts; with what there is to say where it cuts prompts."""
        size = prompt_size(request.prompt, option)
        return self._counts.add(request.key, request.prompt, size, count, request.name)

    def _drops_turns(self, ask: Ask, request: Request) -> CutPrompts | None:
        """Whether the server leaves out the beginning of a conversation with worked examples, as Ollama does
        with what is too long: then it counts as much without the first of them. It is asked both, for the
        first of each key, and where one is longer by a quarter.
        """
        both = shortened(request.prompt, f"({self._accounting.run_id[:6]}) ")
        size = prompt_size(request.prompt)
        if both is None or size < 1.25 * self._checked.get(request.key, 0):
            return None
        self._checked[request.key] = size
        dialect = self._dialect_of(request)
        fields = {**dialect.generate, dialect.limit: 1}
        sent = [self._request(dialect, fields, replace(request, prompt=one), one) for one in both]
        found = {
            one.tag: 0 if isinstance(answer, Refused) else answers.sent_tokens(answer)
            for one, answer in ask(sent, once=True)
        }
        whole, less = both
        return self._counts.shortened(request.name, whole, found[whole], less, found[less])

    @property
    def _impatient(self) -> ServerSettings:
        return self.server.model_copy(update={"retries": min(1, self.server.retries)})

    def _probe(self, request: ServerRequest) -> dict[str, Any]:
        [(_, answer)] = request_all(self._impatient, [request], self._accounting)
        if tokens_used(answer) is not None:
            self._counts.saw_tiny(answers.sent_tokens(answer))
        return answer

    def _dialect(self, conversation: bool) -> Dialect:
        if conversation and self.chat is False:
            raise CrossinError("conversations need a server with chat", hint="leave out --plain")
        path = CHAT if conversation or self.chat else COMPLETIONS
        if path not in self._dialects:
            try:
                self._dialects[path] = find_dialect(self._probe, self.model, path)
            except Refused as error:
                if path == CHAT or self.chat is False or error.status not in UNSUPPORTED:
                    raise
                self._dialects[path] = self._dialect(True)
                self._note(EngineNote.PLAIN_AS_CHAT)
        return self._dialects[path]

    def _dialect_of(self, request: Request) -> Dialect:
        return self._dialect(not isinstance(request.prompt, str))

    def _find_dialects(self, requests: Sequence[Request], wanted: Collection[int]) -> None:
        for conversation in {not isinstance(requests[number].prompt, str) for number in wanted}:
            self._dialect(conversation)

    def _scorings(self, request: Request, number: int) -> Iterator[ServerRequest]:
        dialect = self._dialect_of(request)
        if dialect.text is not None:
            if dialect.path == CHAT and not _last_text(request).strip():
                raise CrossinError(
                    f"{request.name}: nothing precedes the options, and the server takes conversations only",
                    hint="use --form letters or generate, or --chat, where the sentence is the question",
                )
            for place, option in enumerate(request.options):
                if not option:
                    raise CrossinError(f"{request.name}: an option is empty", hint="fix the benchmark's item")
                yield self._request(dialect, dialect.text, request, (number, place), option)
            return
        if dialect.letters is None or any(len(option.strip()) != 1 for option in request.options):
            raise CrossinError(
                f"{request.name}: the server gives no log-probabilities of given texts",
                hint="use --form letters if it gives the most probable tokens, else --form generate",
            )
        yield self._request(dialect, dialect.letters, request, (number, None))

    def _generation(self, request: Request, number: int) -> ServerRequest:
        dialect = self._dialect_of(request)
        fields = {**dialect.generate, **self._sampled(request), dialect.limit: request.max_tokens}
        if request.stop:
            fields["stop"] = list(request.stop[:_MOST_STOPS])
        return self._request(dialect, fields, request, number, expected=request.max_tokens)

    def _sampled(self, request: Request) -> dict[str, Any]:
        """The fields that make the server sample the reply; none for a greedy one."""
        if request.sampling is None or request.draw is None:
            return {}
        dialect, sampling = self._dialect_of(request), request.sampling
        fields = {"temperature": sampling.temperature} | (
            {"top_p": sampling.top_p} if sampling.top_p < 1 else {}
        )
        if sampling.temperature == 1 and "temperature" not in dialect.generate:
            # It has only this one, and refuses the field.
            del fields["temperature"]
        key = dialect.path, sampling.temperature, sampling.top_p
        if key not in self._seeded:
            self._seeded[key] = takes_seed(self._probe, self.model, dialect, fields)
        if not self._seeded[key]:
            self._note(EngineNote.UNSEEDED)
            return fields
        return {**fields, "seed": request.draw.key % _SEEDS}

    def _request(
        self,
        dialect: Dialect,
        fields: dict[str, Any],
        request: Request,
        tag: Any,
        option: str = "",
        expected: int = 1,
    ) -> ServerRequest:
        turns = (("user", request.prompt),) if isinstance(request.prompt, str) else request.prompt
        if dialect.path == CHAT:
            prompt = messages((*turns, ("assistant", option)) if option else turns)
        else:
            prompt = {"prompt": f"{request.prompt}{option}"}
        tokens = sum(rough_tokens(text) for _, text in turns) + rough_tokens(option)
        body = {"model": self.model, **prompt, **fields}
        return ServerRequest(dialect.path, body, tag, request.name, tokens, expected)

    def _reply(self, request: Request, _: int | None, answer: dict[str, Any]) -> Reply:
        found = answers.reply(answer, request.stop, request.name)
        count = answers.sent_tokens(answer)
        if found.cut and found.text in ("", OPENING) and (tokens_used(answer) or (0, 1))[1] == 0:
            raise NoRoom(
                f"{request.name}: the server ends the reply before its first token",
                hint=f"{LONGER_CONTEXT}, or use fewer shots",
            )
        return replace(found, prompt_tokens=count)

    def _scores(self, request: Request, place: int | None, answer: dict[str, Any]) -> Scores:
        """The scores of the option at `place`, or of all, looked up in a list."""
        if place is None:
            self._note(EngineNote.TOP_LETTERS)
            return answers.letters(answer, request)
        plain = self._dialect_of(request).path == COMPLETIONS
        scores, unscored = answers.option(answer, request, place, plain=plain)
        if unscored:
            self._note(EngineNote.UNSCORED_FIRST)
        return scores


def _last_text(request: Request) -> str:
    return request.prompt if isinstance(request.prompt, str) else request.prompt[-1][1]
