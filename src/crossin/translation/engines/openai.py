"""Translating by a chat model behind any OpenAI-compatible server: vLLM, SGLang, llama.cpp, OpenAI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Literal

from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value
from crossin.servers import Call, Refused, Server, Usage, price, rough_tokens, tokens_used
from crossin.translation.engine import Answer, Ask, BudgetSpent
from crossin.translation.prompt import ANSWER, PROMPT, QUESTION, messages, read_reply

# Greedy at first; what failed is asked again a little more freely, for it would fail in the same way.
_TEMPERATURES = (0.0, 0.5, 0.5)
# Tokens of a reply: a script that the tokenizer knows badly takes several for each of the source's.
_TIMES, _MORE = 4, 256
_LONGEST_ANSWER = 1024
# Without an answer to any of so many calls in a row the server is taken to be at its end.
_IN_A_ROW = 20
# Of a call that ended so, the text may be to blame; of the others nothing but the server, the key, the model.
_OF_THE_TEXT = {400, 408, 413, 422}


class OpenAITranslator:
    """A chat model behind a server, by the server's base URL (`http://localhost:8000/v1`).

    `prompt` takes the place of the system prompt; `{source}` and `{target}` in it become the languages'
    names. `body` holds further fields of each request, such as `{"response_format": …}`; a field that is None
    is left out (`{"temperature": None}`). `budget` is the most that a run may cost, in the currency of
    `prices` (of a million prompt tokens, and of a million completion tokens): once it is spent, no call is
    sent, and BudgetSpent is raised. The rest is as in `crossin.servers.Server`.
    """

    unit: Literal["row", "sentence"] = "row"
    attempts = len(_TEMPERATURES)
    by_span = False

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        prompt: str = PROMPT,
        body: Mapping[str, Any] | None = None,
        budget: float | None = None,
        key_variable: str = "OPENAI_API_KEY",
        concurrency: int = 16,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        retries: int = 5,
        timeout: float = 120.0,
        prices: tuple[float, float] | None = None,
    ) -> None:
        if budget is not None and prices is None:
            raise CrossinError(
                "a budget needs prices", field="budget", hint="give --price-in and --price-out too"
            )
        self.model, self.prompt, self.body, self.budget = model, prompt, dict(body or {}), budget
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
        # What the calls that are with the server are likely to cost.
        self._under_way: dict[Ask, float] = {}

    @property
    def identity(self) -> Mapping[str, Any]:
        """The model's name and all that is sent but the texts; not the server's address, which may change."""
        return {
            "engine": "openai",
            "model": self.model,
            "prompt": sha256_of_value([self.prompt, ANSWER])[:16],
            "temperatures": list(_TEMPERATURES),
            "body": self.body,
        }

    @property
    def usage(self) -> Usage:
        """What was asked and used so far."""
        return self._server.usage

    def check(self, source: str, targets: Sequence[str]) -> None:
        """A chat model is taken to have every language: the gates tell whether it has."""

    def tokens(self, ask: Ask) -> tuple[int, int]:
        """About how many tokens an ask sends, and at most gets back."""
        sent = sum(rough_tokens(turn["content"]) for turn in messages(ask, self.prompt))
        return sent, _limit(ask)

    def translate(self, asks: Iterable[Ask]) -> Iterator[tuple[Ask, Answer]]:
        """The translations as they come. A call that the server answers with an error that may be the text's
        own fault is an Answer with that trouble; wrong keys, models and addresses end the run at once.
        """
        lost = 0

        def bears(refused: Refused) -> bool:
            nonlocal lost
            lost += 1
            if refused.status is None:
                # No answer in time; but where none ever came, no server is there.
                return lost < _IN_A_ROW and self.usage.calls > 0
            return lost < _IN_A_ROW and (refused.status >= 500 or refused.status in _OF_THE_TEXT)

        with closing(self._server.ask_each(self._calls(asks), bears)) as answered:
            for call, found in answered:
                self._under_way.pop(call.about, None)
                if isinstance(found, Refused):
                    yield call.about, Answer(None, f"the server: {found.message}", kept=False)
                    continue
                lost = 0
                yield call.about, _read(found, call.about)

    def close(self) -> None:
        """Connections live no longer than the calls: there is nothing to let go of."""

    def _calls(self, asks: Iterable[Ask]) -> Iterator[Call]:
        for ask in asks:
            told = messages(ask, self.prompt)
            sent = sum(rough_tokens(turn["content"]) for turn in told)
            self._check_budget(ask, sent)
            fields = {
                "model": self.model,
                "messages": told,
                "temperature": _TEMPERATURES[min(ask.attempt, len(_TEMPERATURES) - 1)],
                "max_tokens": _limit(ask),
                **self.body,
            }
            body = {name: value for name, value in fields.items() if value is not None}
            yield Call("chat/completions", body, ask, f"{ask.target}", sent + _limit(ask))

    def _check_budget(self, ask: Ask, sent: int) -> None:
        """Count a call that is about to be sent; raises BudgetSpent where it and those under way are likely
        to cost more than is left. A translation is taken to be as long as its source.
        """
        if self.budget is None:
            return
        spent = (self.usage.cost or 0.0) + sum(self._under_way.values())
        expected = price(sent, sum(map(rough_tokens, ask.texts)), self.usage.prices) or 0.0
        if spent + expected > self.budget:
            raise BudgetSpent(
                f"the budget of {self.budget:g} is spent",
                hint="run again with a larger --budget: what was translated is kept, and not paid again",
            )
        self._under_way[ask] = expected


def _limit(ask: Ask) -> int:
    if ask.names == (QUESTION,):
        return _LONGEST_ANSWER
    return _TIMES * sum(map(rough_tokens, ask.texts)) + _MORE


def _read(answer: dict[str, Any], ask: Ask) -> Answer:
    prompt, completion = tokens_used(answer) or (0, 0)
    try:
        choice = answer["choices"][0]
        reply, cut = choice["message"]["content"] or "", choice.get("finish_reason") == "length"
        refused = choice["message"].get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        return Answer(None, "the server's answer is no chat completion", False, prompt, completion)
    if not isinstance(reply, str) or (refused and not reply):
        return Answer(None, "refused by the model", False, prompt, completion)
    texts, trouble = read_reply(reply, ask.names)
    if texts is None and cut:
        trouble = "the reply was cut at the limit of its tokens"
    return Answer(texts, trouble, cut, prompt, completion)
