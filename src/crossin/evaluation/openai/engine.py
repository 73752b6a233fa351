"""The engine that asks any OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossin.core.errors import CrossinError
from crossin.evaluation.engine import Reply, Request, Scores
from crossin.evaluation.openai import answers
from crossin.evaluation.openai.border import first_scored
from crossin.evaluation.openai.dialect import CHAT, COMPLETIONS, UNABLE, Dialect, find_dialect, messages
from crossin.servers import Call, Refused, Server, Usage, price, rough_tokens

# OpenAI takes no more; the reply is cut at the others here.
_MOST_STOPS = 4


@dataclass(frozen=True)
class Estimate:
    """What asking would take: calls, characters sent, and tokens, which are rough: one for every four bytes
    of UTF-8 sent, and each reply as long as it may be. `cost` is None without prices.
    """

    calls: int
    characters: int
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


class OpenAIEngine:
    """A model behind a server that speaks OpenAI's protocol, by the server's base URL.

    `chat`: True asks everything as a conversation, False nothing; None asks conversations as such, and plain
    prompts too where the server completes none. `prices` are those of a million prompt and completion tokens.
    The rest is as in `crossin.servers.Server`. Nothing is sent before the first question.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        chat: bool | None = None,
        key_variable: str = "OPENAI_API_KEY",
        concurrency: int = 16,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        retries: int = 5,
        timeout: float = 60.0,
        prices: tuple[float, float] | None = None,
    ) -> None:
        self.model, self.chat, self.prices = model, chat, prices
        self._server = Server(
            base_url,
            key_variable=key_variable,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            retries=retries,
            timeout=timeout,
            prices=prices,
        )
        self._dialects: dict[str, Dialect] = {}
        self.notes: list[str] = []

    @property
    def identity(self) -> dict[str, Any]:
        """The server, the model's name and how it is asked.

        Nothing more is known without asking: neither the weights behind a name nor what the server can do
        (whether letters are looked up among its most probable tokens; the notes say that), for which another
        server at the same address needs a cache of its own.
        """
        return {
            "engine": "openai",
            "server": self._server.base_url,
            "model": self.model,
            "chat": self.chat,
            "temperature": 0,
        }

    @property
    def inputs(self) -> dict[str, Path]:
        """No files."""
        return {}

    @property
    def usage(self) -> Usage:
        """Calls, tokens and cost so far."""
        return self._server.usage

    def kinds(self, *, chat: bool = False) -> set[str]:
        """What the server can do with plain prompts, or with conversations: "text" (log-probabilities of
        given continuations), "letters" (of the most probable first tokens), "generate". It is asked once.

        Raises Refused (a CrossinError) where the server answers nothing.
        """
        return self._dialect(chat).kinds

    def estimate(
        self, requests: Sequence[Request], kind: Literal["text", "letters", "generate"] = "text"
    ) -> Estimate:
        """What asking would take, without asking: by kind "text" each option is a call of its own."""
        calls = characters = sent = received = 0
        for request in requests:
            prompt = (
                request.prompt
                if isinstance(request.prompt, str)
                else "".join(text for _, text in request.prompt)
            )
            options = request.options if kind == "text" and request.options else ("",)
            calls += len(options)
            characters += sum(len(prompt) + len(option) for option in options)
            sent += sum(rough_tokens(prompt + option) for option in options)
            received += len(options) * max(1, 0 if request.options else request.max_tokens)
        return Estimate(calls, characters, sent, received, price(sent, received, self.prices))

    def logprobs(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Scores]]:
        """The scores of the wanted requests, as they come; a call an option.

        Where the server tells no log-probabilities of given texts, options that are single letters are looked
        up among the most probable first tokens, by one call; a letter that is not there has None. Raises
        CrossinError for other options, and where the server refuses.
        """
        self._find_dialects(requests, wanted)
        calls = (call for number in sorted(wanted) for call in self._calls(requests[number], number))
        parts: dict[int, dict[int, Scores]] = {}
        for call, answer in self._ask(calls):
            number, place = call.about
            request = requests[number]
            if place is None:
                self._note("letters were looked up among the server's most probable first tokens")
                yield number, _letters(answer, request)
                continue
            part = parts.setdefault(number, {})
            part[place] = self._option(answer, request, request.options[place])
            if len(part) == len(request.options):
                scores = _joined([part[place] for place in range(len(part))])
                del parts[number]
                if None in scores.logprobs:
                    self._note(
                        "options have no log-probability where the server's tokens do not spell them, or "
                        "nothing stands before them"
                    )
                yield number, scores

    def generate(self, requests: Sequence[Request], wanted: Collection[int]) -> Iterator[tuple[int, Reply]]:
        """The replies to the wanted requests, as they come; greedy, where the server knows a temperature."""
        self._find_dialects(requests, wanted)
        calls = (self._generation(requests[number], number) for number in sorted(wanted))
        for call, answer in self._ask(calls):
            request = requests[call.about]
            yield call.about, answers.reply(answer, request.stop, request.name)

    def close(self) -> None:
        """Connections live no longer than the questions: there is nothing to let go of."""

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _ask(self, calls: Iterator[Call]) -> Iterator[tuple[Call, dict[str, Any]]]:
        yield from self._server.ask(calls)
        if self.usage.uncounted:
            self._note("the server does not count the tokens of all its answers: tokens and cost are too low")

    def _dialect(self, conversation: bool) -> Dialect:
        if conversation and self.chat is False:
            raise CrossinError(
                "conversations are to be asked of a server that is said to have no chat",
                hint="leave out --chat, or say that the server has one",
            )
        path = CHAT if conversation or self.chat else COMPLETIONS
        if path not in self._dialects:
            try:
                self._dialects[path] = find_dialect(self._server, self.model, path)
            except Refused as error:
                if path == CHAT or self.chat is False or error.status not in UNABLE:
                    raise
                self._dialects[path] = self._dialect(True)
                self._note("the server completes no plain prompts: they are asked as conversations")
        return self._dialects[path]

    def _find_dialects(self, requests: Sequence[Request], wanted: Collection[int]) -> None:
        for conversation in {not isinstance(requests[number].prompt, str) for number in wanted}:
            self._dialect(conversation)

    def _calls(self, request: Request, number: int) -> Iterator[Call]:
        dialect = self._dialect(not isinstance(request.prompt, str))
        if dialect.text is not None:
            for place, option in enumerate(request.options):
                if not option:
                    raise CrossinError(
                        f"{request.name}: an option is empty", hint="mend the benchmark's item"
                    )
                yield self._call(dialect, dialect.text, request, (number, place), option)
            return
        if dialect.letters is None or any(len(option.strip()) != 1 for option in request.options):
            raise CrossinError(
                f"{request.name}: the server tells no log-probabilities of given texts",
                hint="ask by option letters, if it tells the most probable tokens; else let it generate",
            )
        yield self._call(dialect, dialect.letters, request, (number, None))

    def _generation(self, request: Request, number: int) -> Call:
        dialect = self._dialect(not isinstance(request.prompt, str))
        fields = {**dialect.generate, dialect.limit: request.max_tokens}
        if request.stop:
            fields["stop"] = list(request.stop[:_MOST_STOPS])
        return self._call(dialect, fields, request, number, expected=request.max_tokens)

    def _call(
        self,
        dialect: Dialect,
        fields: dict[str, Any],
        request: Request,
        about: Any,
        option: str = "",
        expected: int = 1,
    ) -> Call:
        turns = (("user", request.prompt),) if isinstance(request.prompt, str) else request.prompt
        if dialect.path == CHAT:
            prompt = messages((*turns, ("assistant", option)) if option else turns)
        else:
            prompt = {"prompt": f"{request.prompt}{option}"}
        tokens = sum(rough_tokens(text) for _, text in turns) + rough_tokens(option) + expected
        return Call(dialect.path, {"model": self.model, **prompt, **fields}, about, request.name, tokens)

    def _option(self, answer: dict[str, Any], request: Request, option: str) -> Scores:
        read = answers.prompt_tokens(answer, request.name)
        if read is None:
            raise CrossinError(
                f"{request.name}: the server has stopped telling log-probabilities",
                hint="look at the server; what was answered is kept",
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
    logprobs = [answers.letter_logprob(tops, option) for option in request.options]
    return Scores(logprobs, [int(logprob is not None) for logprob in logprobs], *answers.computed(answer))


def _joined(parts: list[Scores]) -> Scores:
    return Scores(
        [part.logprobs[0] for part in parts],
        [part.tokens[0] for part in parts],
        sum(part.computed for part in parts),
        sum(part.saved for part in parts),
    )
