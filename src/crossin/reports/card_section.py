"""The results of a report as a section of a model card, and in its metadata.

A card is Markdown below a front matter of YAML, as the hub reads it. A section stands between two comments,
which name its benchmark, so that the next report updates it and leaves the rest as it is. `model-index` is
the hub's metadata of results: https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from textwrap import indent
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_text, write_text
from crossin.reports.cells import NONE, row_label
from crossin.reports.definitions import figure_of
from crossin.reports.lineage import in_short, of_training, trainings_of
from crossin.reports.sentences import headline
from crossin.reports.sources import sources_of
from crossin.reports.summary import Summary
from crossin.reports.table import escaped_markdown, markdown

_FRONT = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
# Up to the next key at the beginning of a line.
_INDEX = re.compile(r"^model-index:.*?(?=^[^\s#-]|\Z)", re.DOTALL | re.MULTILINE)
# Settings of a training that are shown also where they do not differ.
_MAIN = (
    "epochs",
    "method.kind",
    "method.rank",
    "optimiser.learning_rate",
    "mixture.name",
    "mixture.template",
)
_DATA_SET = re.compile(r"https://huggingface\.co/datasets/(\S+)")


def check_card(card: Path) -> None:
    """Raise CrossinError where results cannot be put into the file `card`, which may not exist yet."""
    if card.suffix.lower() != ".md":
        raise CrossinError("the card's name must end in .md", file=card, hint="for example --card README.md")
    if card.exists():
        _index_of(card, read_text(card))


def write_card(card: Path, summary: Summary, command: str) -> None:
    """Put a report's results into the model card `card`: the section of its benchmark is written or replaced,
    and so is its entry in `model-index`; the rest stays. command: what made the report.

    Raises CrossinError for a card whose front matter is not YAML.
    """
    text = read_text(card) if card.exists() else ""
    index = _with_result(_index_of(card, text), summary.subject, _result(summary))
    write_text(card, _with_index(_with_section(text, summary, command), index))


def section_of(summary: Summary, command: str) -> str:
    """Sentences, table, sources with licences, settings in short, and the command, as Markdown."""
    first, *rest = map(escaped_markdown, headline(summary))
    benchmark = _benchmark(summary)
    parts = [
        "## Results" + (f" on {escaped_markdown(benchmark)}" if benchmark else ""),
        first,
        "\n".join(f"- {line}" for line in rest),
        markdown(summary).rstrip(),
        *_sources(summary),
        _settings(summary),
        "Made by:",
        indent(" ".join(command.split()), "    "),
    ]
    return "\n\n".join(filter(None, parts))


def _sources(summary: Summary) -> list[str]:
    said = []
    for source in sources_of(summary.results):
        parts = [source.get("source", ""), f"licence {source['licence']}" if "licence" in source else ""]
        if any(parts):
            said.append(f"Questions: {escaped_markdown(', '.join(filter(None, parts)))}.")
    return said


def _settings(summary: Summary) -> str:
    """How models were made and asked: a table of what differs, and a line of the main things that do not."""
    runs = summary.results.runs
    trainings = trainings_of(runs)
    asked = [in_short(run, trainings.get(run.name)) for run in runs]
    made = [of_training(trainings[run.name]) if run.name in trainings else {} for run in runs]
    # Models that were not trained have none of a training's settings.
    trained = list(filter(None, made))
    rows, same = [], []
    for columns, among, shown in ((asked, asked, None), (made, trained, _MAIN)):
        for key in dict.fromkeys(key for column in columns for key in column):
            if len({column.get(key) for column in among}) > 1:
                cells = (key, *(column.get(key, NONE) for column in columns))
                rows.append(f"| {' | '.join(map(escaped_markdown, cells))} |")
            elif shown is None or key in shown:
                same.append(escaped_markdown(f"{key} {among[0][key]}"))
    heads = f"| | {' | '.join(escaped_markdown(run.name) for run in runs)} |"
    table = "\n".join([heads, "|---" * (len(runs) + 1) + "|", *rows]) if rows else ""
    return "\n\n".join(filter(None, [table, f"Settings: {'; '.join(same)}." if same else ""]))


def _benchmark(summary: Summary) -> str:
    return next((one["benchmark"] for one in sources_of(summary.results) if "benchmark" in one), "")


def _with_section(text: str, summary: Summary, command: str) -> str:
    name = re.sub(r"[^\w. -]", "", _benchmark(summary)).replace("--", "-")
    of = f"the report on {name}" if name else "the report"
    begin, end = f"<!-- begin of {of} -->", f"<!-- end of {of} -->"
    section = f"{begin}\n{section_of(summary, command)}\n{end}"
    old = re.compile(f"^{re.escape(begin)}$.*?^{re.escape(end)}$", re.DOTALL | re.MULTILINE)
    if old.search(text):
        return old.sub(lambda _: section, text, count=1)
    return f"{text.rstrip()}\n\n{section}\n".lstrip()


def _index_of(card: Path, text: str) -> list[dict[str, Any]]:
    """The `model-index` of a card, empty where it has none."""
    import yaml

    front = _FRONT.match(text)
    try:
        found = yaml.safe_load(front[1]) if front else None
    except yaml.YAMLError as error:
        raise CrossinError(
            "the front matter is not YAML", file=card, hint="repair what stands between the lines of ---"
        ) from error
    index = (found.get("model-index") if isinstance(found, dict) else None) or []
    if not isinstance(index, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("results", []), list) for entry in index
    ):
        raise CrossinError(
            "is not a list of models with their results",
            file=card,
            field="model-index",
            hint="repair the entry or remove it",
        )
    return index


def _result(summary: Summary) -> dict[str, Any]:
    """The main figures of the run under study, as the hub's metadata has them."""
    benchmark = _benchmark(summary) or "questions"
    found = (_DATA_SET.search(one.get("source", "")) for one in sources_of(summary.results))
    figures = summary.by_arm[summary.subject]
    metrics = [
        {"type": figure_of(key), "name": row_label(key), "value": round(float(figures[key].value), 4)}
        for key in summary.main_rows
        if not math.isnan(figures[key].value)
    ]
    return {
        "task": {"type": "question-answering"},
        "dataset": {"name": benchmark, "type": next((one[1] for one in found if one), benchmark)},
        "metrics": metrics,
    }


def _with_result(index: list[dict[str, Any]], model: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    """The index with a benchmark's result, in place of an earlier one. A card has one model."""
    first, *others = index or [{"name": model}]
    kept = [one for one in first.get("results", []) if not _is_of(one, result["dataset"]["name"])]
    return [{**first, "results": [*kept, result]}, *others]


def _is_of(result: Any, benchmark: str) -> bool:
    found = result.get("dataset") if isinstance(result, dict) else None
    return isinstance(found, dict) and found.get("name") == benchmark


def _with_index(text: str, index: list[dict[str, Any]]) -> str:
    """The card with this `model-index`; other entries of its front matter stay as they are written."""
    import yaml

    entry = yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True)
    front = _FRONT.match(text)
    entries = front[1] if front else ""
    entries = _INDEX.sub(lambda _: entry, entries, count=1) if _INDEX.search(entries) else entries + entry
    body = text[front.end() :] if front else f"\n{text}"
    return f"---\n{entries}---\n{body}"
