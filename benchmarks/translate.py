"""`crossin translate` against a server that answers with true translations and has faults.

    python benchmarks/translate.py speed --data DATA    # 10,000 requests, 64 at once, beside a bare loop
    python benchmarks/translate.py kills --data DATA    # killed twenty times, beside an undisturbed run

DATA holds alpaca_en.json and alpaca_zh.json. The server is the tests' mock server, on loopback, in a process
of its own. It answers after --delay seconds, and a tenth of the texts meet a fault of transport at their
first attempt: 429 with Retry-After, 500, no answer, a cut stream, a body that is not JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import filecmp
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from machine import machine

from crossin.core.formats import FIELDS
from crossin.translation.language_specific import language_specific_reason
from crossin.translation.prompts import messages
from crossin.translation.protection import protect
from crossin.translation.requests import TranslationRequest

MOCK_SERVER = Path(__file__).parent.parent / "tests" / "helpers" / "mock_translation_server.py"
TRANSPORT = "429,500,hang,cut stream,bad JSON body"


def prepare(data: Path, home: Path, count: int) -> tuple[Path, Path]:
    """`count` English rows as a file, and the mock server's table: each text as it is sent, and its Chinese.

    Rows whose translation lacks a protected span, and rows that are specific to English, are left out.
    """
    english, chinese = (
        {row["id"]: row for row in json.loads((data / f"alpaca_{code}.json").read_text("utf-8"))}
        for code in ("en", "zh")
    )
    table: dict[str, str] = {}
    rows: list[dict[str, str]] = []
    for name, row in english.items():
        if len(rows) == count:
            break
        other = chinese.get(name)
        if other is None or language_specific_reason(row, "en"):
            continue
        first, whole, pairs = 1, True, {}
        for field in FIELDS:
            asked = protect(row[field], {}, first)
            answer = other[field]
            for number, kept in enumerate(asked.kept, first):
                whole = whole and answer.count(kept) == 1
                answer = answer.replace(kept, f"⟦{number}⟧")
            pairs[f"Chinese|{asked.text.strip()}"] = answer
            first += len(asked.kept)
        if whole:
            table |= pairs
            rows.append({"id": str(name), **{field: row[field] for field in FIELDS}})
    corpus, known = home / "rows.jsonl", home / "table.json"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    known.write_text(json.dumps(table, ensure_ascii=False), "utf-8")
    return corpus, known


@contextmanager
def mock_server(table: Path, *options: str) -> Iterator[str]:
    """The base URL of a fresh mock server."""
    command = [sys.executable, str(MOCK_SERVER), str(table), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
        finally:
            process.kill()


def counts(url: str) -> dict[str, int]:
    """What the server has seen."""
    found: dict[str, int] = httpx2.get(url.removesuffix("/v1") + "/counts", trust_env=False).json()
    return found


def command(corpus: Path, out: Path, url: str, concurrency: int, timeout: float) -> list[str]:
    """The command that is measured."""
    options = {
        "--to": "zh",
        "--engine": "openai",
        "--model": "mock",
        "--base-url": url,
        "--concurrency": str(concurrency),
        "--timeout": str(timeout),
        "--out": str(out),
    }
    words = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "crossin.cli.main", "translate", str(corpus), *words, "--json"]


async def bare_loop(corpus: Path, url: str, concurrency: int, timeout: float) -> float:
    """Seconds that the same requests take in a loop of httpx, which repeats each until it has an answer."""
    bodies: list[dict[str, Any]] = []
    for line in corpus.read_text("utf-8").splitlines():
        row, first, texts = json.loads(line), 1, {}
        for field in FIELDS:
            asked = protect(row[field], {}, first)
            first += len(asked.kept)
            if asked.text.strip():
                texts[field] = asked.text.strip()
        request = TranslationRequest("en", "zh", tuple(texts), tuple(texts.values()))
        bodies.append({"model": "mock", "messages": messages(request), "temperature": 0.0, "max_tokens": 999})
    queue = iter(bodies)
    began = time.perf_counter()
    async with httpx2.AsyncClient(
        timeout=timeout, trust_env=False, limits=httpx2.Limits(max_connections=None)
    ) as client:

        async def work() -> None:
            for body in queue:
                while True:
                    try:
                        response = await client.post(f"{url}/chat/completions", json=body)
                        if response.status_code == 200:
                            json.loads(response.json()["choices"][0]["message"]["content"])
                            break
                        await asyncio.sleep(float(response.headers.get("retry-after", 0.5)))
                    except (httpx2.HTTPError, ValueError):
                        continue

        await asyncio.gather(*(work() for _ in range(concurrency)))
    return time.perf_counter() - began


def speed(options: argparse.Namespace) -> None:
    """10,000 rows through `crossin translate` and through a bare loop, each against a fresh server."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        corpus, table = prepare(options.data, home, options.rows)
        faults = ("--delay", str(options.delay), "--faults", str(options.faults), "--kinds", TRANSPORT)
        with mock_server(table, *faults) as url:
            bare = asyncio.run(bare_loop(corpus, url, options.concurrency, options.timeout))
        with mock_server(table, *faults) as url:
            began = time.perf_counter()
            done = subprocess.run(
                command(corpus, home / "out", url, options.concurrency, options.timeout),
                capture_output=True,
                text=True,
                check=False,
            )
            ours = time.perf_counter() - began
            seen = counts(url)
        if done.returncode:
            sys.exit(done.stderr)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        found = json.loads(done.stdout)["counts"]
        language = found["languages"]["zh"]
        print(
            f"{machine()}; {options.rows:,} rows, {options.concurrency} at once, "
            f"answers after {options.delay} s"
        )
        # Rows that fail a check are requested again, so that there are more answers than rows.
        answers = seen["answered"]
        print("| | seconds | answers | answers/s |\n|---|---|---|---|")
        print(f"| bare httpx loop | {bare:.1f} | {options.rows:,} | {options.rows / bare:.1f} |")
        print(f"| crossin translate, whole | {ours:.1f} | {answers:,} | {answers / ours:.1f} |")
        ratio = answers / ours / (options.rows / bare)
        print(f"\nratio {ratio:.3f} by answers, {bare / ours:.3f} by rows, peak memory {memory:.0f} MiB")
        print(
            json.dumps(
                {"server": seen, "rows": language, "responses": found["responses"]}, ensure_ascii=False
            )
        )


def kills(options: argparse.Namespace) -> None:
    """Killed at random again and again, and then left alone: the same corpus, and what the server saw."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        corpus, table = prepare(options.data, home, options.rows)
        faults = ("--delay", str(options.delay), "--faults", str(options.faults), "--kinds", TRANSPORT)
        draws = random.Random(options.seed)
        times = 0
        with mock_server(table, *faults) as url:
            words = command(corpus, home / "killed", url, options.concurrency, options.timeout)
            while times < options.kills:
                process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    process.wait(draws.uniform(0.5, options.longest))
                    break
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    times += 1
            before = counts(url)
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seen = counts(url)
        with mock_server(table, *faults) as url:
            words = command(corpus, home / "whole", url, options.concurrency, options.timeout)
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            undisturbed = counts(url)
        found = sorted((home / "whole" / "data").rglob("*.parquet"))
        files = [*(str(path.relative_to(home / "whole")) for path in found), "rejects.parquet"]
        same = [filecmp.cmp(home / "whole" / name, home / "killed" / name, shallow=False) for name in files]
        print(f"{machine()}; {options.rows:,} rows, killed {times} times")
        print(f"files of the corpus: {len(files)}, the same bytes: {sum(same)}")
        print("server, before the last run:", before)
        print("server, in the end:", seen)
        print("server, undisturbed run:", undisturbed)
        print(
            f"answered and asked again: {seen['answered twice']} of {seen['answered']:,} "
            "(they came in the moments before a kill)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("speed", "kills"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--delay", type=float, default=0.3)
    parser.add_argument("--faults", type=float, default=0.1)
    parser.add_argument("--timeout", type=float, default=5.0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, default=6.0, help="seconds before a kill, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    {"speed": speed, "kills": kills}[options.what](options)


if __name__ == "__main__":
    main()
