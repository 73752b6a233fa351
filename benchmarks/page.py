"""Size and speed of a report's page in a browser, for three sizes of benchmark.

`python benchmarks/page.py --data FOLDER [--page demo xquad mmlu] [--json]` makes
evaluations with drawn answers, `crossin report` of them, and opens the page in headless Chromium (selenium,
chromedriver). The texts are real: of the built-in facts (demo: 4 languages, 242 questions, 3 arms), of XQuAD
(12 languages, 1,190 questions, 4 arms), and of sentences from FLORES, as long as MMLU's questions (mmlu: 4
languages, 14,042 questions, 2 arms). *Ready* is the time from the start of loading until a question can be
read; *a step* is the time to draw the next question, with layout (the median and the slowest of 50).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from machine import machine
from rich.console import Console
from rich.table import Table
from screenshots import browser

from crossin.core.files import sha256, write_json
from crossin.facts import build_bench, build_facts
from crossin.items.item import read_items
from crossin.reports.make import report

LANGUAGES = ("en", "zh", "vi", "es")
STEPS = 50
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Measured:
    """Megabytes of the page, seconds of the command and until ready, milliseconds of a step."""

    page: str
    megabytes: float
    command: float
    ready: float
    step: float
    slowest: float


def facts_rows(folder: Path) -> Rows:
    build_facts(LANGUAGES, folder / "facts")
    bench = build_bench(folder / "facts", folder / "bench", split=["dev", "test"])
    return [asdict(item) for item in read_items(bench.folder)][: 242 * len(LANGUAGES)]


def xquad_rows(data: Path) -> Rows:
    """Every question of XQuAD; the other options are other answers of its article."""
    rows: Rows = []
    for file in sorted((data / "xquad").glob("xquad.*.json")):
        for number, article in enumerate(json.loads(file.read_text("utf-8"))["data"]):
            asked = [(part["context"], one) for part in article["paragraphs"] for one in part["qas"]]
            answers = [one["answers"][0]["text"] for _, one in asked]
            for place, (context, one) in enumerate(asked):
                others = dict.fromkeys(answers[place:] + answers[:place])
                options = list(others)[:4]
                rows.append(
                    _row(
                        one["id"],
                        f"article {number}",
                        file.suffixes[0][1:],
                        one["question"],
                        options,
                        context,
                    )
                )
    return rows


def mmlu_rows(data: Path) -> Rows:
    """Questions of two sentences, and options of some words of others."""
    rows: Rows = []
    draws = np.random.default_rng(0).integers(1012, size=(14042, 6))
    for language in LANGUAGES:
        lines = (data / "flores200" / f"{language}.txt").read_text("utf-8").splitlines()
        for number, drawn in enumerate(draws):
            question = " ".join(lines[place] for place in drawn[:2])
            options = [f"{lines[place][:40]} {step}" for step, place in enumerate(drawn[2:])]
            rows.append(_row(f"{number:05d}", f"subject {number % 57}", language, question, options, ""))
    return rows


def _row(
    item: str, group: str, language: str, question: str, options: list[str], context: str
) -> dict[str, Any]:
    texts = {"context": context, "question": question, "options": options, "option_ids": list("ABCD")}
    about = {"answer": "A", "source": "drawn", "licence": "none"}
    return {"item": item, "group": group, "task": group, "language": language, **texts, **about}


def write_run(folder: Path, rows: Rows, arm: int) -> Path:
    """An evaluation of `rows` with drawn answers."""
    draws = np.random.default_rng(arm)
    answers = []
    for row in rows:
        logprobs = draws.normal(-20, 2, len(row["option_ids"]))
        logprobs[row["option_ids"].index(row["answer"])] += 1 + arm
        keys = {name: row[name] for name in ("item", "group", "task", "language", "option_ids")}
        chosen = row["option_ids"][int(logprobs.argmax())]
        answers.append({**keys, "logprobs": logprobs.tolist(), "answer": chosen, "gold": row["answer"]})
    folder.mkdir(parents=True)
    pyarrow.parquet.write_table(pa.Table.from_pylist(answers), folder / "answers.parquet")
    kept = [{key: value for key, value in row.items() if value or key == "context"} for row in rows]
    pyarrow.parquet.write_table(pa.Table.from_pylist(kept), folder / "items.parquet")
    outputs = {name: sha256(folder / name) for name in ("answers.parquet", "items.parquet")}
    made = {"stage": "evaluate", "fingerprint": "", "settings": {"arm": arm}, "outputs": outputs}
    write_json(folder / "manifest.json", {**made, "inputs": {}, "counts": {}, "skipped": {}, "versions": {}})
    return folder


def measure(name: str, rows: Rows, arms: int, home: Path, driver: Any) -> Measured:
    runs: dict[str, Path | str] = {
        f"arm {arm}": write_run(home / name / str(arm), rows, arm) for arm in range(arms)
    }
    begin = time.perf_counter()
    page = report(runs, home / f"{name}.html").page
    command = time.perf_counter() - begin
    ready = statistics.median(opened(driver, page) for _ in range(3))
    steps = driver.execute_script(f"""
        return [...Array({STEPS})].map(() => {{
            const begin = performance.now();
            step(1);
            document.body.offsetHeight;
            return performance.now() - begin;
        }});
    """)
    return Measured(
        name, page.stat().st_size / 1e6, command, ready / 1000, statistics.median(steps), max(steps)
    )


def opened(driver: Any, page: Path) -> float:
    """Milliseconds until the page says that it is ready."""
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get("about:blank")
    driver.get(page.as_uri())
    found = WebDriverWait(driver, 300).until(
        lambda one: one.execute_script("return document.body.dataset.ready")
    )
    return float(found)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with xquad/ and flores200/")
    parser.add_argument(
        "--page", nargs="+", choices=("demo", "xquad", "mmlu"), default=["demo", "xquad", "mmlu"]
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    console = Console()
    with TemporaryDirectory() as temporary:
        home, found, driver = Path(temporary), [], browser()
        for name in given.page:
            made = {
                "demo": (facts_rows, home, 3),
                "xquad": (xquad_rows, given.data, 4),
                "mmlu": (mmlu_rows, given.data, 2),
            }
            rows, source, arms = made[name]
            found.append(measure(name, rows(source), arms, home, driver))
        driver.quit()
    if given.json:
        console.print_json(data=[asdict(one) for one in found])
        return
    table = Table(title=machine("vl-convert-python"), title_justify="left")
    for head in ("page", "size, MB", "command, s", "ready, s", "a step, ms", "slowest step, ms"):
        table.add_column(head)
    for one in found:
        figures = (one.megabytes, one.command, one.ready, one.step, one.slowest)
        table.add_row(one.page, *(f"{figure:.2f}" for figure in figures))
    console.print(table)


if __name__ == "__main__":
    main()
