"""The speed of composing a mixture, compared with the authors' code and `datasets`, and its memory.

`python benchmarks/compose.py --data ../shared/data/alpaca [--rows N] [--runs 3] [--json]` composes the three
modes of the authors' released code from the Alpaca files (en, zh, vi; the rows that all three have) and
writes them as Parquet. Each contestant (compose_ways.py says what it does) runs in a process of its own,
after a small run to warm up, in alternation with the others; figures are medians. *Compose* is from the
corpora, loaded in the contestant's own form, to the written files; *end to end* includes reading the JSON
files. Every row of every mixture is checked.

`python benchmarks/compose.py --scale [--rows-per-language 200000 2000000] [--languages 12] [--work DIR]`
composes, from synthetic corpora, mixtures of as many rows as the corpus has in each language. The larger one
needs 25 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# Nothing large is imported here: Linux counts a process's memory to the peaks of those that it starts.
from machine import machine
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
MODES = 3
LARGE = 1_200_000
WAYS = {
    "fields": "authors' way",
    "rows": "authors', rows fetched once",
    "interleave": "map, interleave",
    "interleave-batched": "map batched, interleave",
    "crossin": "crossin",
}
SPANS = ("compose", "end to end")
Result = dict[str, Any]


def child(script: str, work: Path, *arguments: object) -> Result:
    """What a script of this folder answers; its temporary files and caches go below `work`."""
    places = {name: str(work) for name in ("TMPDIR", "HF_HOME")}
    done = subprocess.run(
        [sys.executable, str(HERE / script), *map(str, arguments)],
        env={**os.environ, **places, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{script} {' '.join(map(str, arguments))} failed:\n{done.stderr[-3000:]}")
    answer: Result = json.loads(done.stdout)
    return answer


def compare(
    data: Path, rows: int | None, runs: int, cores: int | None, work: Path, console: Console
) -> Result:
    """Every way with the same rows, and crossin with many more."""
    corpus = work / "corpus"
    common = child("compose_corpora.py", work, "common", "--data", data, "--out", corpus)["rows"]
    rows = MODES * common if rows is None else rows // MODES * MODES
    # interleave_datasets draws without replacement: it has no more than each row in each mode and language.
    most = {way: 2 * MODES * common for way in WAYS if way.startswith("interleave")}
    entries = [(way, min(rows, most.get(way, rows))) for way in WAYS]
    entries += [("crossin", LARGE)] if rows < LARGE else []
    figures: list[list[Result]] = [[] for _ in entries]
    modes: list[Result] = [{} for _ in entries]
    for run in range(runs):
        for number, (way, wanted) in enumerate(entries):
            console.print(f"run {run + 1} of {runs}: {WAYS[way]}, {wanted:,} rows")
            place = work / "run"
            place.mkdir()
            limit = ["--cores", cores] if cores else []
            arguments = ["--data", corpus, "--rows", wanted, "--out", place / "out"]
            figures[number].append(child("compose_ways.py", place, way, *arguments, *limit))
            modes[number] = child("compose_corpora.py", work, "check", *arguments)
            shutil.rmtree(place)
    return {
        "corpus_rows": common,
        "runs": runs,
        "ways": [
            {"way": way, "rows": wanted, "modes": counted, **summary(wanted, found)}
            for (way, wanted), counted, found in zip(entries, modes, figures, strict=True)
        ],
    }


def summary(rows: int, runs: list[Result]) -> Result:
    """Medians of the runs, and rows per second by span."""
    seconds = {
        "compose": [run["composing"] for run in runs],
        "end to end": [run["composing"] + run["reading"] for run in runs],
    }
    return {
        "seconds": {span: statistics.median(found) for span, found in seconds.items()},
        "rows_per_second": {span: rows / statistics.median(found) for span, found in seconds.items()},
        "peak_mib": statistics.median(run["peak"] for run in runs),
        "all_runs": runs,
    }


def scale(sizes: list[int], languages: int, cores: int | None, work: Path, console: Console) -> Result:
    """crossin alone, with corpora of several sizes."""
    found = []
    for rows in sizes:
        console.print(f"{rows:,} rows in {languages} languages: making the corpus")
        place = work / "run"
        corpus = ["--rows", rows, "--languages", languages]
        made = child("compose_corpora.py", work, "synthesise", *corpus, "--out", place / "corpus")
        console.print(f"{rows:,} rows in {languages} languages: composing {rows:,} rows")
        limit = ["--cores", cores] if cores else []
        arguments = ["scale", *corpus, "--data", place / "corpus", "--out", place / "out", *limit]
        run = child("compose_ways.py", work, *arguments)
        found.append({"rows": rows, "corpus_bytes": made["bytes"], **summary(rows, [run])})
        shutil.rmtree(place)
    return {"languages": languages, "sizes": found}


def show_comparison(result: Result, console: Console) -> None:
    baselines = [entry for entry in result["ways"] if entry["way"] != "crossin"]
    ours = [entry for entry in result["ways"] if entry["way"] == "crossin"]
    sizes = " / ".join(f"{entry['rows']:,}" for entry in ours)
    table = Table(title=f"times: how many times as fast crossin is with {sizes} rows")
    table.add_column("contestant")
    table.add_column("rows", justify="right", no_wrap=True)
    for span in SPANS:
        table.add_column(f"{span}\nrows/s", justify="right", no_wrap=True)
        table.add_column("times", justify="right", no_wrap=True)
    table.add_column("peak\nMiB", justify="right")
    for entry in (*baselines, *ours):
        cells = []
        for span in SPANS:
            speed = entry["rows_per_second"][span]
            times = " / ".join(f"{one['rows_per_second'][span] / speed:.1f}" for one in ours)
            cells += [f"{speed:,.0f}", times if entry in baselines else ""]
        table.add_row(WAYS[entry["way"]], f"{entry['rows']:,}", *cells, f"{entry['peak_mib']:,.0f}")
    console.print(table)
    console.print(
        f"Corpus of {result['corpus_rows']:,} rows in en, zh, vi; medians of {result['runs']} runs."
    )
    console.print("Every row was checked. Rows by mode (en2x, x2en, trans):")
    for entry in result["ways"]:
        console.print(f"  {WAYS[entry['way']]}: {', '.join(f'{n:,}' for n in entry['modes'].values())}")


def show_scale(result: Result, console: Console) -> None:
    table = Table("rows a language\n= rows composed", title=f"crossin, {result['languages']} languages")
    spans = [f"{span}\nrows/s" for span in SPANS]
    for heading in (
        "corpus\nGB",
        "reading\ns",
        "composing\ns",
        *spans,
        "peak after\nreading, MiB",
        "peak\nMiB",
    ):
        table.add_column(heading, justify="right")
    for entry in result["sizes"]:
        speeds, run = entry["rows_per_second"], entry["all_runs"][0]
        table.add_row(
            f"{entry['rows']:,}", f"{entry['corpus_bytes'] / 1e9:.2f}", f"{run['reading']:.1f}",
            f"{run['composing']:.1f}", *(f"{speeds[span]:,.0f}" for span in SPANS),
            f"{run['peak_reading']:,.0f}", f"{run['peak']:,.0f}",
        )  # fmt: skip
    console.print(table)
    first, last = result["sizes"][0], result["sizes"][-1]
    if first is not last:
        growth = {
            "rows": last["rows"] / first["rows"],
            "end-to-end time": last["seconds"]["end to end"] / first["seconds"]["end to end"],
            "peak memory": last["peak_mib"] / first["peak_mib"],
        }
        console.print("Growth: " + ", ".join(f"{name} x{factor:.1f}" for name, factor in growth.items()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--data", type=Path, help="compare: the folder with alpaca_en.json and the others")
    task.add_argument("--scale", action="store_true", help="compose from large synthetic corpora")
    parser.add_argument(
        "--rows", type=int, help="rows to compare with; as many as the authors' `all` if not given"
    )
    parser.add_argument("--runs", type=int, default=3, help="how often each contestant runs")
    parser.add_argument("--rows-per-language", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument(
        "--languages", type=int, default=12, help="languages of the synthetic corpora (2 to 15)"
    )
    parser.add_argument("--cores", type=int, help="let each contestant use so many cores (Linux)")
    parser.add_argument("--work", type=Path, help="where the temporary folder is made")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    console = Console(stderr=options.json)
    with tempfile.TemporaryDirectory(prefix="crossin-benchmark-", dir=options.work) as folder:
        if options.scale:
            sizes, work = options.rows_per_language, Path(folder)
            result = scale(sizes, options.languages, options.cores, work, console)
        else:
            result = compare(options.data, options.rows, options.runs, options.cores, Path(folder), console)
    result["machine"] = machine("datasets", "pyarrow", "numpy")
    if options.json:
        print(json.dumps(result, indent=2))
        return
    (show_scale if options.scale else show_comparison)(result, console)
    console.print(result["machine"])


if __name__ == "__main__":
    main()
