"""Stored predictions of any kind as tables: an evaluation's answers, a file of replies, a SeaEval log,
lm-eval's samples.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import ANSWERS, MANIFEST
from crossin.core.paths import as_path
from crossin.core.results import brief
from crossin.core.thoughts import without_thoughts
from crossin.items import Item, read_items
from crossin.items.item import items_file, share_items
from crossin.items.replies.cleaning import own_answer
from crossin.metrics.reading import tables_of
from crossin.metrics.table import AnswerTable, Floats, ItemTable
from crossin.metrics.texts import TextTable, text_table_of
from crossin.scoring.lines import Line, complete, read_lines
from crossin.scoring.lm_eval import is_samples, read_samples, run_of, runs_in
from crossin.scoring.seaeval import is_log, read_log


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """One model's answers under one wording of the prompt.

    `choices` holds the multiple-choice items, `logprobs` [I, L, K] the options' log-probabilities (or what
    decided in their place, `read_logprobs`) where the file has them, and `texts` the items answered in free
    text; what a file does not hold is None. `prompt` names the wording; it is empty where the file names
    none. `unanswered` counts the benchmark's items that are not in the file (0 where the benchmark is not
    known), and `thoughts_cut` by language the replies that end within a thought, which are missing.
    """

    model: str
    prompt: str
    file: Path
    choices: AnswerTable | None
    logprobs: Floats | None
    texts: TextTable | None
    unanswered: int = 0
    thoughts_cut: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Predictions({self.name!r}, {self.items:,} items in {brief(self.languages)})"

    @property
    def name(self) -> str:
        """Model and wording, as a table's heading."""
        return f"{self.model} {self.prompt}".rstrip()

    @property
    def tables(self) -> list[ItemTable]:
        """What the file holds: multiple choice, free text, or both."""
        return [table for table in (self.choices, self.texts) if table is not None]

    @property
    def items(self) -> int:
        """How many items the figures are computed from."""
        return sum(len(table.items) for table in self.tables)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages asked in, including those with free text only."""
        return tuple(dict.fromkeys(language for table in self.tables for language in table.languages))

    @property
    def parallel(self) -> bool:
        """Whether the items were asked in every language, and not each in one only."""
        return all(table.parallel for table in self.tables)

    @property
    def by_language(self) -> dict[str, int]:
        """How many items a language's figures are computed from."""
        counts: Counter[str] = Counter()
        for table in self.tables:
            counts.update(dict(zip(table.languages, table.asked.sum(axis=0).tolist(), strict=True)))
        return dict(counts)

    @property
    def incomplete(self) -> dict[str, str]:
        """Items left out of every figure, each with the first language that it lacks."""
        return {item: language for table in self.tables for item, language in table.incomplete.items()}


def read_predictions(path: Path | str, bench: Path | str | None = None) -> list[Predictions]:
    """The predictions in a file, or in an evaluation's folder: one entry for each wording of the prompt.

    Formats: `answers.parquet`; SeaEval's logs (JSON); lm-eval's samples of an exported benchmark (any file of
    a run, or a folder with one run); replies (JSON lines or Parquet with `item`, `language`, `reply`, and
    `prompt` where there are several), for which `bench` is the folder of the benchmark asked. Raises
    CrossinError where the file is none of these or answers another benchmark.
    """
    path = as_path(path)
    file = _only_run(path) or path / ANSWERS if path.is_dir() else path
    if not file.is_file():
        raise _not_found(file)
    if file.suffix == ".json":
        return [_of_log(file)]
    samples = is_samples(file)
    parts = {part: read_samples(part) for part in run_of(file)} if samples else {file: read_lines(file)}
    lines = [line for part in parts.values() for line in part]
    items = _items(file, bench)
    if items is None:
        if lines and "option_ids" not in lines[0]:
            raise CrossinError(
                "holds replies; the options that they name are in the benchmark",
                file=file,
                hint="name the benchmark's folder with --bench",
            )
        return _predictions(_model(file), file, lines)
    lines = [line for part, read in parts.items() for line in complete(read, items, part)]
    unanswered = {item.item for item in items} - {line["item"] for line in lines}
    found = _predictions(_model(file), file, lines, len(unanswered))
    if not all(one.parallel for one in found) and share_items(items):
        raise CrossinError(
            "each item was asked in one language only, though the benchmark has it in several",
            file=file,
            field="language",
            hint="ask every item in every language",
        )
    return found


def find_predictions(paths: Path | str | Iterable[Path | str]) -> list[Path]:
    """The files and evaluation folders among `paths`; of any other folder, all that it holds, at any depth.
    Of a run of lm-eval, one of its files of samples.

    Raises CrossinError where a path does not exist, or a folder holds no predictions.
    """
    found: list[Path] = []
    for path in map(as_path, [paths] if isinstance(paths, str | os.PathLike) else paths):
        if not path.exists():
            raise _not_found(path)
        if not path.is_dir() or (path / ANSWERS).is_file():
            found.append(run_of(path)[0] if is_samples(path) else path)
            continue
        inside = [file.parent for file in sorted(path.rglob(ANSWERS))]
        inside += [file for file in sorted(path.rglob("*.json")) if file.is_file() and is_log(file)]
        inside += runs_in(path)
        if not inside:
            raise CrossinError(
                f"no predictions found: no {ANSWERS}, SeaEval log or samples of lm-eval",
                file=path,
                hint="check the path; files of replies are given by name",
            )
        found += inside
    return list(dict.fromkeys(found))


def _only_run(folder: Path) -> Path | None:
    """The only run of lm-eval in a folder that is not an evaluation's; None where there is none."""
    runs = [] if (folder / ANSWERS).is_file() else runs_in(folder)
    if len(runs) > 1:
        raise CrossinError(
            f"holds {len(runs)} runs of lm-eval",
            file=folder,
            hint=f"name a file of one run, such as {runs[-1].relative_to(folder)}",
        )
    return runs[0] if runs else None


def _of_log(file: Path) -> Predictions:
    log = read_log(file)
    replies: list[Line] = [
        {"item": item, "language": language, "reply": reply}
        for (item, language), reply in log.replies.items()
    ]
    # SeaEval names a run by its mode and the number of its prompt: zero_shot_p1.
    mode, _, prompt = file.stem.rpartition("_")
    if not re.fullmatch(r"p\d+", prompt):
        mode, prompt = file.stem, ""
    [found] = _predictions(f"{file.parent.name}/{mode}", file, complete(replies, log.items, file))
    return replace(found, prompt=prompt)


def _items(file: Path, bench: Path | str | None) -> list[Item] | None:
    """The benchmark asked: the one named, or the copy that an evaluation leaves beside its answers."""
    place = items_file(file.parent if bench is None else as_path(bench))
    if place.is_file():
        return read_items(place)
    if bench is None:
        return None
    raise CrossinError("not found", file=place, hint="name a benchmark's folder with --bench")


def _not_found(path: Path) -> CrossinError:
    return CrossinError("not found", file=path, hint="check the path, or finish the evaluation")


def _predictions(model: str, file: Path, lines: list[Line], unanswered: int = 0) -> list[Predictions]:
    """One entry for each wording of the prompt."""
    if not lines:
        raise CrossinError("holds no answers", file=file, hint="write a line for every item and language")
    of_prompt: dict[str, list[Line]] = {}
    for line in lines:
        of_prompt.setdefault(line.get("prompt") or "", []).append(line)
    choices = tables_of(lines, file) if any(line["option_ids"] for line in lines) else {}
    found = []
    for prompt, part in of_prompt.items():
        table, logprobs = choices.get(prompt, (None, None))
        texts = text_table_of(map(_answered, part), file)
        # An answer that is there was not read from the reply here.
        replied = [line for line in part if line.get("reply") and line["answer"] is None]
        cut = Counter(line["language"] for line in replied if without_thoughts(line["reply"]) is None)
        found.append(Predictions(model, prompt, file, table, logprobs, texts, unanswered, dict(cut)))
    return found


def _answered(line: Line) -> Line:
    """A line of free text with the part of its reply that is the answer."""
    reply = line.get("reply")
    return line if line["option_ids"] or not isinstance(reply, str) else {**line, "reply": own_answer(reply)}


def _model(file: Path) -> str:
    """What the evaluation called its model; else the name of the file, or of its folder."""
    if is_samples(file):
        # lm-eval names the folder after the model's path, with __ for each slash.
        return file.parent.name.rpartition("__")[2] or file.parent.name
    if file.name != ANSWERS:
        return file.stem
    manifest = file.parent / MANIFEST
    if not manifest.is_file():
        return file.parent.name
    content = read_json(manifest)
    settings = content.get("settings") if isinstance(content, dict) else None
    if not isinstance(settings, dict):
        raise CrossinError("not the manifest of a run", file=manifest, hint="repair or remove the file")
    return str(settings.get("name") or file.parent.name)
