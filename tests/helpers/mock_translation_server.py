"""A mock server that speaks OpenAI's chat protocol and knows the true translations of a table, with faults on
request.

    python mock_translation_server.py TABLE.json [--faults 0.1] [--kinds 429,500,hang,…] [--delay 0.2]

TABLE.json maps each text of a request, as it is sent, to its translation. It prints its port, and answers at
/v1/chat/completions, /v1/models and /counts, until it is killed. /reset takes a JSON list of such arguments
and starts over with them. Which texts meet a fault is decided by their
hash; a fault of transport is met by the first attempt alone, one of content by every request without a
temperature, or with `--stubborn` by all.
With `--key` it takes no other key.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRANSPORT = ("429", "500", "hang", "cut stream", "bad JSON body")
CONTENT = (
    "bad JSON",
    "wrong language",
    "dropped placeholder",
    "dropped sentence",
    "doubled text",
    "refusal",
    "copy",
    "changed number",
)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")
_PLAIN = re.compile(
    r"(?s)Translate the following text from English into (?P<target>\w+)\."
    r"\nEnglish: (?P<text>.*)\n(?P=target):"
)
_OTHER_LANGUAGE = "Это совсем другой язык, на котором никто не просил отвечать, и он здесь ни к чему."


class MockTranslator:
    """What the server knows and has seen: how often each text was requested, and answered whole."""

    def __init__(self, arguments: list[str] | None) -> None:
        self.options = options = _options(arguments)
        self.table: dict[str, str] = json.loads(Path(options.table).read_text(encoding="utf-8") or "{}")
        self.kinds: list[str] = options.kinds.split(",") if options.kinds else [*TRANSPORT, *CONTENT]
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.met: Counter[str] = Counter()

    def fault_of(self, texts: dict[str, str], name: str, again: bool) -> str:
        """The fault that a request meets now, or nothing."""
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8])
        if number / 2**64 >= self.options.faults:
            return ""
        able = [kind for kind in self.kinds if _can(kind, texts)]
        kind = able[number % len(able)] if able else ""
        if kind in TRANSPORT:
            return kind if not self.met[name] else ""
        # A model gives the same answer to the same request, however often it is asked.
        return kind if self.options.stubborn or not again else ""

    async def answer(
        self, body: dict[str, Any], gone: Callable[[], bool]
    ) -> tuple[int, dict[str, str], str] | None:
        """Status, headers and body of the response to a chat request; None hangs up in the midst of it.

        gone: whether the client has left by now, so that the answer does not count.
        """
        if len(body["messages"]) == 1:
            # One text in, one text out, in the words of the prompt `tower`.
            plain = _PLAIN.fullmatch(body["messages"][0]["content"])
            assert plain is not None
            self.answered[plain[0]] += not gone()
            reply = self.table.get(f"{plain['target']}|{plain['text']}", plain["text"])
            return 200, {}, _completion(plain[0], f" {reply}\n")
        system, user = (message["content"] for message in body["messages"])
        try:
            # Before the texts may stand what was said before them.
            texts = json.loads(user.rpartition("Translate:\n")[2])
        except ValueError:
            texts = {"question": user}
        name = json.dumps([system, texts], sort_keys=True)
        request = json.dumps([name, body["temperature"]])
        self.asked[request] += 1
        kind = self.fault_of(texts, name, body["temperature"] > 0)
        if kind:
            self.met[name] += 1
        await asyncio.sleep(self.options.delay)
        if kind == "429":
            return 429, {"Retry-After": "0.2"}, '{"error": {"message": "slow down"}}'
        if kind == "500":
            return 500, {}, '{"error": {"message": "something broke"}}'
        if kind == "hang":
            await asyncio.sleep(self.options.hang)
            return None
        if kind == "cut stream":
            return None
        if kind == "bad JSON body":
            return 200, {}, '{"choices": [{"mess'
        language = next((code for code in ("Spanish", "Chinese", "English") if f"into {code}" in system), "")
        self.answered[request] += not gone()
        if "question" in texts:
            answer_language = "Spanish" if "in Spanish" in system else "Chinese"
            reply = self.table.get(
                f"{answer_language}|question", "Sí, por supuesto, con mucho gusto y cuando quieras."
            )
            return 200, {}, _completion(system + user, reply)
        found = {key: self.table.get(f"{language}|{text}", text) for key, text in texts.items()}
        reply = _spoilt(kind, texts, found)
        return 200, {}, _completion(system + user, reply)

    def counts(self) -> dict[str, Any]:
        """How many requests came, how many different ones were answered, and how many more than once."""
        return {
            "asked": self.asked.total(),
            "answered": self.answered.total(),
            "texts answered": sum(count > 0 for count in self.answered.values()),
            "answered twice": sum(max(0, count - 1) for count in self.answered.values()),
            "faults": self.met.total(),
        }


def _completion(asked: str, reply: str) -> str:
    return json.dumps(
        {
            "choices": [{"message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": len(asked) // 4, "completion_tokens": len(reply) // 4},
        }
    )


def _can(kind: str, texts: dict[str, str]) -> bool:
    whole = " ".join(texts.values())
    if kind == "dropped placeholder":
        return "⟦" in whole
    if kind == "dropped sentence":
        return any(len(_SENTENCE_END.split(text)) > 3 for text in texts.values())
    if kind == "changed number":
        return re.search(r"(?<!⟦)\d", whole) is not None
    return True


def _spoilt(kind: str, texts: dict[str, str], found: dict[str, str]) -> str:
    longest = max(found, key=lambda key: len(found[key]))
    spoilt = dict(found)
    if kind == "bad JSON":
        return json.dumps(found, ensure_ascii=False)[:-2]
    if kind == "refusal":
        return "I'm sorry, but I cannot help with that."
    if kind == "wrong language":
        spoilt[longest] = _OTHER_LANGUAGE
    if kind == "dropped placeholder":
        spoilt = {key: re.sub(r"⟦\d+⟧", "", text) for key, text in found.items()}
    if kind == "dropped sentence":
        longest = max(texts, key=lambda key: len(_SENTENCE_END.split(texts[key])))
        parts = [part for part in _SENTENCE_END.split(found[longest]) if part]
        spoilt[longest] = " ".join(parts[:1])
    if kind == "doubled text":
        spoilt[longest] = f"{found[longest]} {found[longest]}"
    if kind == "copy":
        spoilt = dict(texts)
    if kind == "changed number":
        spoilt = {key: re.sub(r"(?<![⟦\d])\d+", "8675309", text) for key, text in found.items()}
    return json.dumps(spoilt, ensure_ascii=False)


async def _serve() -> None:
    mock = MockTranslator(None)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal mock

        def gone() -> bool:
            return reader.at_eof() or reader.exception() is not None or writer.is_closing()

        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                content = await reader.readexactly(int(headers.get("content-length", "0")))
                if first.split()[1] == "/reset":
                    mock = MockTranslator(json.loads(content))
                found = await _respond(mock, first.split()[1], headers, content, gone)
                if found is None:
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b'{"choices"')
                    return
                status, more, text = found
                data = text.encode()
                shown = "".join(f"{name}: {value}\r\n" for name, value in more.items())
                writer.write(
                    f"HTTP/1.1 {status} S\r\nContent-Length: {len(data)}\r\n{shown}\r\n".encode() + data
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", mock.options.port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _respond(
    mock: MockTranslator, path: str, headers: dict[str, str], content: bytes, gone: Callable[[], bool]
) -> tuple[int, dict[str, str], str] | None:
    key = mock.options.key
    if path in ("/counts", "/reset"):
        return 200, {}, json.dumps(mock.counts())
    if key and headers.get("authorization") != f"Bearer {key}":
        return 401, {}, '{"error": {"message": "Incorrect API key provided"}}'
    if path.endswith("/models"):
        return 200, {}, json.dumps({"data": [{"id": "mock"}]})
    body = json.loads(content)
    if body["model"] != "mock":
        return 404, {}, '{"error": {"message": "no such model"}}'
    return await mock.answer(body, gone)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("--faults", type=float, default=0.0, help="share of texts that meet one")
    parser.add_argument("--kinds", default="", help="kinds of fault with commas; all if not given")
    parser.add_argument("--stubborn", action="store_true", help="faults of content do not pass")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--hang", type=float, default=600.0, help="seconds that a hanging request takes")
    parser.add_argument("--key", default="")
    parser.add_argument("--port", type=int, default=0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    asyncio.run(_serve())
