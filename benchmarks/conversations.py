"""The speed and the memory of composing conversations, beside single exchanges.

`python benchmarks/conversations.py [--rows 100000] [--languages 4] [--exchanges 2] [--json]` composes as many
rows as the corpus has, half of them `x2en` and half `switch` (of single exchanges `x2x`), as messages,
without the alignment check: once from conversations, and once from single exchanges of such turns. Each run
is in a process of its own. *Turns* counts the turns of users and assistants.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "es", "zh", "vi", "de", "fr", "ru", "ar", "th", "hi", "tr", "ro")
TEXT = "The river is long and the hills behind it are green in the spring when the rain has come"
WORDS = TEXT.split()


def text(language: str, row: int, turn: int) -> str:
    """About 90 characters, another text for each turn."""
    start = (row + turn) % len(WORDS)
    return f"{language} {row} {turn} " + " ".join(WORDS[start:] + WORDS[:start])


def write_corpora(folder: Path, rows: int, languages: list[str], exchanges: int) -> None:
    for language in languages:
        with (folder / f"{language}.jsonl").open("w", encoding="utf-8") as file:
            for row in range(rows):
                turns = [
                    {"role": role, "content": text(language, row, 2 * number + place)}
                    for number in range(exchanges)
                    for place, role in enumerate(("user", "assistant"))
                ]
                file.write(json.dumps({"id": row, "messages": turns}) + "\n")


def run(folder: Path, rows: int, languages: list[str], exchanges: int) -> dict[str, float]:
    """Compose in this process; seconds, and the peak of its memory in MiB."""
    from crossin.mixture import compose

    kinds = ("x2en", "switch" if exchanges > 1 else "x2x")
    recipe = {
        "name": "benchmark",
        "format": "messages",
        "corpora": {"talk": {"files": {code: f"{code}.jsonl" for code in languages}, "check": "none"}},
        "components": [{"kind": kind, "rows": rows // 2, "epochs": 9} for kind in kinds],
    }
    start = time.perf_counter()
    compose(recipe, folder, folder / "out", check_language=False)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--languages", type=int, default=4)
    parser.add_argument("--exchanges", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    languages = list(LANGUAGES[: options.languages])
    if options.child:
        print(json.dumps(run(options.child, options.rows, languages, options.exchanges)))
        return
    found: dict[str, dict[str, Any]] = {}
    for name, exchanges in (("single exchanges", 1), ("conversations", options.exchanges)):
        with tempfile.TemporaryDirectory() as work:
            write_corpora(Path(work), options.rows, languages, exchanges)
            command = [sys.executable, __file__, "--child", work, "--exchanges", str(exchanges)]
            command += ["--rows", str(options.rows), "--languages", str(options.languages)]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            one = json.loads(ended.stdout)
        turns = 2 * exchanges * options.rows
        found[name] = {**one, "turns": turns, "turns_per_second": turns / one["seconds"]}
    ratio = found["conversations"]["turns_per_second"] / found["single exchanges"]["turns_per_second"]
    if options.json:
        print(json.dumps({**found, "ratio": ratio}, indent=1))
        return
    for name, one in found.items():
        print(
            f"{name}: {one['turns']:,} turns in {one['seconds']:.1f} s,"
            f" {one['turns_per_second']:,.0f} turns/s, peak {one['peak']:,.0f} MiB"
        )
    print(f"turns/s of conversations: {ratio:.2f} of single exchanges")


if __name__ == "__main__":
    main()
