"""The evaluation stage: an engine and a benchmark in, a table of answers out."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossin import __version__
from crossin.core.cache import Cache
from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value
from crossin.core.formats import ANSWERS, ITEMS, MANIFEST
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.evaluation.answers import Row, replied_row, scored_row, write_answers
from crossin.evaluation.engine import Engine, Reply, Request, Scores
from crossin.evaluation.preparation import Choice, Content, Work, content, prepare
from crossin.items import Form
from crossin.items.item import items_file, write_items
from crossin.items.wordings import word_files

# Where answers are kept as they come; the finished table holds all of them, so that it goes then.
CACHE = "cache.sqlite"
# Answers are put on the disk this often.
_SECONDS = 1.0


def evaluate(
    engine: Engine,
    bench: Path,
    out: Path,
    *,
    name: str,
    form: Form = Form(),  # noqa: B008 (it is frozen)
    choice: Choice = "sum",
    languages: Collection[str] | None = None,
    tasks: Collection[str] | None = None,
    limit: int | None = None,
    shots: Path | None = None,
    seed: int = 0,
    cache: Path | None = None,
    progress: Progress = silent,
) -> Stage:
    """Ask a model a benchmark's items (its folder, or its file), in these languages and tasks, or in all.

    `name` is what the report calls the model. `form` says how it is asked, `choice` what decides between
    options that are scored (`option_values`); a reply in text is read (`read_reply`), and items in free text
    are always answered so. `limit` draws that many items in whole groups (`select`); shots come from the
    benchmark `shots`. The seed decides the draw, the shots, and where rotated options begin.

    Answers are kept in the file `cache` as they come, keyed by all that decides them, the bytes of the model
    among it: a run that was stopped goes on, and nothing is asked twice. Several runs may share a cache of
    their own; without one, it lies in `out` until the run is finished. Writes `answers.parquet` and the items
    asked (docs/formats.md). The engine stays open.
    """
    work = prepare(
        bench,
        form=form,
        choice=choice,
        languages=languages,
        tasks=tasks,
        limit=limit,
        shots=shots,
        seed=seed,
    )
    settings = {
        "name": name,
        "engine": engine.identity,
        "form": form.model_dump(mode="json"),
        "choice": choice,
        "languages": work.languages,
        "tasks": None if tasks is None else sorted(tasks),
        "limit": limit,
        "seed": seed,
    }
    model = _model_files(engine)
    inputs = {
        **model,
        "bench": items_file(bench),
        **({} if shots is None else {"shots": items_file(shots)}),
        **word_files(work.languages),
    }
    stage = begin(out, "evaluate", settings, inputs)
    if not stage.done:
        with Cache(cache or out / CACHE) as store:
            weights = {key: stage.inputs[key] for key in model}
            decides = sha256_of_value({"crossin": __version__, "engine": engine.identity, "inputs": weights})
            keys = {sha256_of_value([decides, content(request)]): request for request in work.requests}
            if cache is not None and (out / CACHE).exists():
                # What a run without `cache` left is not asked again.
                with Cache(out / CACHE) as own:
                    store.put(own.get(keys))
            known = store.get(keys)
            try:
                _ask(engine, keys, known, store, f"asking {name}", progress)
            except (CrossinError, KeyboardInterrupt):
                # What cannot be asked so may be asked otherwise, and in the same folder.
                if not store.get(keys):
                    store.close()
                    _remove_cache(out)
                    stage.release()
                raise
            # From the store, whoever put them there: the same answers again after a restart.
            found = store.get(keys)
        answers = {content(request): found[key] for key, request in keys.items()}
        _finish(stage, engine, work, answers, len(known))
    _remove_cache(out)
    return stage


def _model_files(engine: Engine) -> dict[str, Path]:
    """What the engine reads. Of a folder with a manifest `begin` would take the manifest's word, also where
    weights or chat template have changed since: such a folder stands there by its files.
    """
    found: dict[str, Path] = {}
    for name, path in engine.inputs.items():
        if (path / MANIFEST).exists():
            files = (file for file in sorted(path.rglob("*")) if file.is_file())
            found |= {f"{name}/{file.relative_to(path).as_posix()}": file for file in files}
        else:
            found[name] = path
    return found


def _ask(
    engine: Engine,
    keys: Mapping[str, Request],
    known: Collection[str],
    store: Cache,
    task: str,
    progress: Progress,
) -> None:
    """Have the engine answer what is not known yet, and put its answers into the store as they come."""
    total, done, saved = len(keys) - len(known), 0, 0
    resumed = f", {len(known):,} answers known before" if known else ""
    waiting: dict[str, Any] = {}
    last = time.monotonic()
    scored = {key: request for key, request in keys.items() if request.options}
    replied = {key: request for key, request in keys.items() if not request.options}
    try:
        for ask, requests in ((engine.logprobs, scored), (engine.generate, replied)):
            names = list(requests)
            wanted = {number for number, key in enumerate(names) if key not in known}
            if not wanted:
                continue
            for number, answer in ask(list(requests.values()), wanted):
                _check(answer, requests[names[number]])
                waiting[names[number]] = asdict(answer)
                done, saved = done + 1, saved + answer.saved
                progress(task, done, total, "questions", f"{saved:,} tokens saved{resumed}")
                if time.monotonic() - last >= _SECONDS:
                    store.put(waiting)
                    waiting, last = {}, time.monotonic()
    finally:
        store.put(waiting)


def _check(answer: Scores | Reply, request: Request) -> None:
    """Refuse what is no number: it is neither more nor less likely than anything."""
    if isinstance(answer, Scores) and any(one is not None and math.isnan(one) for one in answer.logprobs):
        raise CrossinError(
            f"{request.name}: the model gives a log-probability that is no number (nan)",
            hint="take --dtype float32 or bfloat16, which do not overflow as float16 does, or mend the model",
        )


def _finish(
    stage: Stage, engine: Engine, work: Work, answers: Mapping[Content, dict[str, Any]], known: int
) -> None:
    rows: list[Row] = []
    for one in work.asked:
        answer = answers[content(one.request)]
        if one.question.options:
            bare = None if one.bare is None else Scores(**answers[content(one.bare)])
            rows.append(scored_row(one.question, Scores(**answer), bare, stage.settings["choice"]))
        else:
            rows.append(replied_row(one.question, Reply(**answer)))
    write_answers(stage.folder / ANSWERS, rows)
    write_items(stage.folder / ITEMS, work.items)
    counts = {
        "questions": len(rows),
        "items": len({item.item for item in work.items}),
        "requests": len(answers),
        "answers known before": known,
        "tokens computed": sum(answer["computed"] for answer in answers.values()),
        "tokens saved": sum(answer["saved"] for answer in answers.values()),
        "replies cut at the limit": sum(answer.get("cut", False) for answer in answers.values()),
        "options of unknown log-probability": sum(
            answer.get("logprobs", []).count(None) for answer in answers.values()
        ),
        "notes": list(engine.notes),
    }
    stage.finish([ANSWERS, ITEMS], counts, work.skipped)


def _remove_cache(out: Path) -> None:
    """Remove the run's own cache, with what a killed process left beside it."""
    for path in out.glob(f"{CACHE}*"):
        path.unlink(missing_ok=True)
