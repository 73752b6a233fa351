"""A model behind any OpenAI-compatible server as an engine."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossin.core.errors import CrossinError
from crossin.evaluation.engine import EngineNote, Reply, Request, Scores
from crossin.evaluation.openai import answers
from crossin.evaluation.openai.border import first_scored
from crossin.evaluation.openai.dialect import (
    CHAT,
    COMPLETIONS,
    UNSUPPORTED,
    Dialect,
    find_dialect,
    messages,
)
from crossin.servers import (
    Accounting,
    Refused,
    ServerRequest,
    ServerSettings,
    Usage,
    request_all,
    rough_tokens,
)

# OpenAI takes no more; the reply is cut at the others here.
_MOST_STOPS = 4


@dataclass(frozen=True)
class Estimate:
    """What an evaluation would take: requests, characters sent, and tokens, which are rough: one for every
    four bytes of UTF-8 sent, and each reply as long as it may be. `cost` is None without prices.
    """

    requests: int
    characters: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


class OpenAIEngine:
    """A model behind a server.

    chat: True sends everything as a conversation, False nothing; None sends conversations as such, and plain
    prompts too where the server completes none. accounting: what it shares with other engines. Nothing is
    sent before the first question.
    """

    def __init__(
        self,
        model: str,
        server: ServerSettings,
        *,
        chat: bool | None = None,
        accounting: Accounting | None = None,
    ) -> None:
        self.model, self.server, self.chat = model, server, chat
        self._url = server.url
        self._accounting = accounting or Accounting(server)
        self._dialects: dict[str, Dialect] = {}
        self.notes: list[str] = []

    @property
    def identity(self) -> dict[str, Any]:
        """The server, the model's name and how it is used.

        Nothing more is known without a request: neither the weights behind a name nor what the server can do
        (whether letters are looked up among its most probable tokens; the notes say that), for which another
        server at the same address needs a cache of its own.
        """
        body = {"body": self.server.body} if self.server.body else {}
        known = {"engine": "openai", "server": self._url, "model": self.model}
        return {**known, "chat": self.chat, "temperature": 0, **body}

    @property
    def inputs(self) -> dict[str, Path]:
        """No files."""
        return {}

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

    def estimate(
        self, requests: Sequence[Request], kind: Literal["text", "letters", "generate"] = "text"
    ) -> Estimate:
        """What the requests would take; nothing is sent. By kind "text" each option is a request."""
        count = characters = sent = received = 0
        for request in requests:
            prompt = (
                request.prompt
                if isinstance(request.prompt, str)
                else "".join(text for _, text in request.prompt)
            )
            options = request.options if kind == "text" and request.options else ("",)
            count += len(options)
            characters += sum(len(prompt) + len(option) for option in options)
            sent += sum(rough_tokens(prompt + option) for option in options)
            received += len(options) * max(1, 0 if request.options else request.max_tokens)
        return Estimate(count, characters, sent, received, self.server.cost(sent, received))

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """The scores of the wanted requests, as they come; each option is a request to the server.

        Where the server gives no log-probabilities of given texts, options that are single letters are looked
        up among the most probable first tokens, by one request; a letter that is not there has None. Raises
        CrossinError for other options, and where the server refuses.
        """
        self._find_dialects(requests, wanted)
        sent = (one for number in sorted(wanted) for one in self._scorings(requests[number], number))
        parts: dict[int, dict[int, Scores]] = {}
        for one, answer in self._send(sent):
            number, place = one.tag
            request = requests[number]
            if place is None:
                self._note(EngineNote.TOP_LETTERS)
                yield number, _letters(answer, request)
                continue
            part = parts.setdefault(number, {})
            part[place] = self._option(answer, request, request.options[place])
            if len(part) == len(request.options):
                scores = _joined([part[place] for place in range(len(part))])
                del parts[number]
                if None in scores.logprobs:
                    self._note(EngineNote.UNKNOWN_LOGPROBS)
                yield number, scores

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """The replies to the wanted requests, as they come; greedy, where the server knows a temperature."""
        self._find_dialects(requests, wanted)
        sent = (self._generation(requests[number], number) for number in sorted(wanted))
        for one, answer in self._send(sent):
            request = requests[one.tag]
            yield one.tag, answers.reply(answer, request.stop, request.name)

    def close(self) -> None:
        """Nothing to release: connections last no longer than the requests."""

    def _note(self, note: EngineNote) -> None:
        if note not in self.notes:
            self.notes.append(str(note))

    def _send(self, requests: Iterator[ServerRequest]) -> Iterator[tuple[ServerRequest, dict[str, Any]]]:
        yield from request_all(self.server, requests, self._accounting)
        if self.usage.uncounted:
            self._note(EngineNote.UNCOUNTED_TOKENS)

    def _probe(self, request: ServerRequest) -> dict[str, Any]:
        impatient = self.server.model_copy(update={"retries": min(1, self.server.retries)})
        [(_, answer)] = request_all(impatient, [request], self._accounting)
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

    def _find_dialects(self, requests: Sequence[Request], wanted: Collection[int]) -> None:
        for conversation in {not isinstance(requests[number].prompt, str) for number in wanted}:
            self._dialect(conversation)

    def _scorings(self, request: Request, number: int) -> Iterator[ServerRequest]:
        dialect = self._dialect(not isinstance(request.prompt, str))
        if dialect.text is not None:
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
        dialect = self._dialect(not isinstance(request.prompt, str))
        fields = {**dialect.generate, dialect.limit: request.max_tokens}
        if request.stop:
            fields["stop"] = list(request.stop[:_MOST_STOPS])
        return self._request(dialect, fields, request, number, expected=request.max_tokens)

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

    def _option(self, answer: dict[str, Any], request: Request, option: str) -> Scores:
        read = answers.prompt_tokens(answer, request.name)
        if read is None:
            raise CrossinError(
                f"{request.name}: the server no longer gives log-probabilities",
                hint="check the server and run again: finished answers are cached",
            )
        tokens, logprobs = read
        plain = self._dialect(not isinstance(request.prompt, str)).path == COMPLETIONS
        text = f"{request.prompt}{option}" if plain else option
        first = first_scored(tokens, text, len(text) - len(option))
        scored = [] if first is None else logprobs[first:]
        known = [logprob for logprob in scored if logprob is not None]
        whole = bool(scored) and len(known) == len(scored)
        return Scores([sum(known) if whole else None], [len(scored)], *answers.computed(answer))


def _letters(answer: dict[str, Any], request: Request) -> Scores:
    tops = answers.top_tokens(answers.choice(answer, request.name))
    # For each letter its best token, with blanks or without.
    logprobs = [
        max((logprob for token, logprob in tops if token.strip() == option.strip()), default=None)
        for option in request.options
    ]
    return Scores(logprobs, [int(logprob is not None) for logprob in logprobs], *answers.computed(answer))


def _joined(parts: list[Scores]) -> Scores:
    return Scores(
        [part.logprobs[0] for part in parts],
        [part.tokens[0] for part in parts],
        sum(part.computed for part in parts),
        sum(part.saved for part in parts),
    )
