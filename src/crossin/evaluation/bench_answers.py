"""One model's answers to one benchmark: the stage that asks an engine and writes a table of answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossin import __version__
from crossin.core.cache import Cache, CacheWriter
from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value, write_json
from crossin.core.formats import ANSWERS, ENTITIES, ITEMS, MANIFEST, PROMPTS
from crossin.core.inputs import files_in, refuse_within
from crossin.core.interrupts import RESUMES, add_note
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.core.thoughts import OPENING, begins_within_thought, holds_thought, without_thoughts
from crossin.evaluation.answers import Row, replied_row, scored_row, write_answers
from crossin.evaluation.engine import Content, CutPrompts, Engine, Recalling, Reply, Request, Scores
from crossin.evaluation.preparation import PreparedBench, prepare
from crossin.items import Form
from crossin.items.inventories import write_inventories
from crossin.items.item import write_items
from crossin.items.replies.entities import read_entity
from crossin.items.scored_options import Choice
from crossin.models.chat import CHAT_DATE

# Holds the answers until the run is finished; the finished table has all of them.
CACHE = "cache.sqlite"
# Of fewer questions, none needs to have a log-probability.
_FEW = 4


def ask_bench(
    engine: Engine,
    bench: Path | str,
    out: Path | str,
    *,
    name: str,
    form: Form = Form(),  # noqa: B008 (it is frozen)
    choice: Choice = "sum",
    languages: Collection[str] | str | None = None,
    tasks: Collection[str] | str | None = None,
    limit: int | None = None,
    per_task: int | None = None,
    shots: Path | str | None = None,
    seed: int = 0,
    cache: Path | str | None = None,
    progress: Progress = silent,
) -> Stage:
    """Ask a model a benchmark's items (its folder, or its file), in these languages and tasks, or in all.

    name: what the report calls the model. form: how questions are put. choice: what decides between options
    that are scored (`option_values`); a reply in text is parsed (`read_reply`), and items in free text are
    always answered so. limit, per_task: draw that many items, in all or of each task, in whole groups
    (`select`). shots: the benchmark that worked examples come from, which may be the same. seed: decides the
    draw, the shots, and where rotated options begin.

    Each answer is put in the file `cache` as it comes, keyed by all that decides it, the bytes of the model
    included: a run that was stopped resumes, and no request is repeated. Several runs may share a cache;
    without one, it lies in `out` until the run is finished. Writes `answers.parquet` and the items
    (docs/formats.md), and the inventories that these name. The engine stays open.
    """
    out = as_path(out)
    cache = None if cache is None else as_path(cache)
    prepared = prepare(
        bench,
        form=form,
        choice=choice,
        languages=languages,
        tasks=tasks,
        limit=limit,
        per_task=per_task,
        shots=shots,
        seed=seed,
    )
    settings, inputs = described(engine, prepared, name, form)
    model = model_files(engine)
    refuse_within(cache, engine.inputs, out, "cache")
    with stage(out, "evaluate", settings, inputs) as work:
        if not work.done:
            weights = {key: work.inputs[key] for key in model}
            by_content, known = answers_to(
                engine,
                prepared.requests,
                weights,
                own=out / CACHE,
                cache=cache,
                task=f"asking {name}",
                progress=progress,
            )
            _finish(work, engine, prepared, by_content, known)
        remove_cache(out / CACHE, cache)
    return work


def answers_to(
    engine: Engine,
    requests: Sequence[Request],
    weights: Mapping[str, str],
    *,
    own: Path,
    cache: Path | None,
    task: str,
    progress: Progress = silent,
) -> tuple[dict[Content, dict[str, Any]], int]:
    """The engine's answer to each request, as the fields of `Scores` or `Reply`, and how many were known.

    weights: the hashes of the engine's inputs. own: the file that holds the answers until a stage is
    finished, where no `cache` is named; it is removed where nothing was answered, so that the stage's folder
    is free for other settings.
    """
    decides = sha256_of_value({"crossin": __version__, "engine": engine.identity, "inputs": dict(weights)})
    keys = {sha256_of_value([decides, request.content]): request for request in requests}
    _import_answers(own, cache, keys)
    with Cache(cache or own) as answers:
        known = _known(engine, keys, answers)
        failed: dict[str, dict[str, Any]] = {}
        try:
            failed = _ask(engine, keys, known, answers.path, task, progress)
        except CutPrompts as cut:
            _forget(answers, keys, cut.least)
            raise
        except KeyboardInterrupt as stopped:
            if answers.get(keys):
                add_note(stopped, RESUMES)
            raise
        finally:
            # Read back, whoever put them there: a restart must give the same answers again.
            found = answers.get(keys)
            if not found:
                remove_cache(own, cache)
    _check_known(keys, found)
    return {request.content: (failed | found)[key] for key, request in keys.items()}, len(known)


def described(
    engine: Engine, prepared: PreparedBench, name: str, form: Form
) -> tuple[dict[str, Any], dict[str, Path]]:
    """The settings and inputs of the stage of `ask_bench`."""
    settings = {
        "name": name,
        "engine": engine.identity,
        "form": form.model_dump(mode="json"),
        **prepared.settings,
        # A server decides for itself which date its template writes.
        **({"chat_date": CHAT_DATE} if form.chat and "model" in engine.inputs else {}),
    }
    return settings, model_files(engine) | prepared.inputs


def model_files(engine: Engine) -> dict[str, Path]:
    """What the engine reads. A folder with a manifest counts by its files, so that an error names the one
    that has changed.
    """
    found: dict[str, Path] = {}
    for name, path in engine.inputs.items():
        if (path / MANIFEST).exists():
            found |= {f"{name}/{file}": path / file for file in files_in(path)}
        else:
            found[name] = path
    return found


def _import_answers(own: Path, cache: Path | None, keys: Collection[str]) -> None:
    """Put what a run without `cache` left into it."""
    if cache is not None and own.exists():
        with Cache(own) as old, Cache(cache) as new:
            new.put(old.get(keys))


def _known(engine: Engine, keys: Mapping[str, Request], answers: Cache) -> dict[str, Any]:
    """What is answered already, but for what the server has cut."""
    known = answers.get(keys)
    if isinstance(engine, Recalling):
        least = engine.recall((keys[key], answer.get("prompt_tokens", 0)) for key, answer in known.items())
        if least is not None:
            _forget(answers, keys, least)
            known = answers.get(keys)
    return known


def _forget(answers: Cache, keys: Collection[str], least: int) -> None:
    """Remove the answers to prompts of which the server counted `least` tokens, or more."""
    found = answers.get(keys)
    answers.remove(key for key, answer in found.items() if answer.get("prompt_tokens", 0) >= least)


def _ask(
    engine: Engine,
    keys: Mapping[str, Request],
    known: Collection[str],
    cache: Path,
    task: str,
    progress: Progress,
) -> dict[str, dict[str, Any]]:
    """Have the engine answer what is not known yet, and put each answer into the cache as it comes.

    Returns those with requests that failed. They are not kept: a restart asks them again, so that a fault
    that passes is not in later results.
    """
    failed: dict[str, dict[str, Any]] = {}
    total, done, saved = len(keys) - len(known), 0, 0
    resumed = f", {len(known):,} answers from the cache" if known else ""
    scored = {key: request for key, request in keys.items() if request.options}
    replied = {key: request for key, request in keys.items() if not request.options}
    with CacheWriter(cache) as writer:
        for ask, requests in ((engine.logprobs, scored), (engine.generate, replied)):
            names = list(requests)
            wanted = {number for number, key in enumerate(names) if key not in known}
            if not wanted:
                continue
            for number, answer in ask(list(requests.values()), wanted):
                _check(answer, requests[names[number]])
                if answer.failed:
                    failed[names[number]] = asdict(answer)
                else:
                    writer.put(names[number], asdict(answer))
                done, saved = done + 1, saved + answer.saved
                progress(task, done, total, "questions", f"{saved:,} tokens saved{resumed}")
    return failed


def _check(answer: Scores | Reply, request: Request) -> None:
    """Refuse NaN, which is neither more nor less likely than anything."""
    if isinstance(answer, Scores) and any(one is not None and math.isnan(one) for one in answer.logprobs):
        raise CrossinError(
            f"{request.name}: the model gives a log-probability that is not a number (nan)",
            hint="use --dtype float32 or bfloat16, which do not overflow as float16 does; or fix the model",
        )


def _check_known(keys: Mapping[str, Request], found: Mapping[str, dict[str, Any]]) -> None:
    """Refuse results in which no option of any question has a log-probability."""
    scored = [answer["logprobs"] for answer in found.values() if "logprobs" in answer]
    if len(scored) >= _FEW and all(one is None for logprobs in scored for one in logprobs):
        name = next(request.name for request in keys.values() if request.options)
        raise CrossinError(
            f"{name}: no option has a log-probability, neither here nor in the other {len(scored) - 1:,} "
            "questions",
            hint="use --form generate",
        )


def _finish(
    work: Stage,
    engine: Engine,
    prepared: PreparedBench,
    answers: Mapping[Content, dict[str, Any]],
    known: int,
) -> None:
    rows: list[Row] = []
    answers = _with_thoughts_begun(answers)
    for one in prepared.questions:
        answer = answers[one.request.content]
        if one.question.options:
            bare = None if one.bare is None else Scores(**answers[one.bare.content])
            rows.append(scored_row(one.question, Scores(**answer), bare, work.settings["choice"]))
        else:
            rows.append(replied_row(one.question, Reply(**answer)))
    thoughts_cut = sum(row["reply"] is not None and without_thoughts(row["reply"]) is None for row in rows)
    write_answers(work.folder / ANSWERS, rows)
    write_items(work.folder / ITEMS, prepared.items)
    write_json(work.folder / PROMPTS, _first_prompts(prepared))
    outputs = [ANSWERS, ITEMS, PROMPTS]
    counts: dict[str, Any] = {
        "questions": len(rows),
        "items": len({item.item for item in prepared.items}),
        "requests": len(answers),
        "answers_from_cache": known,
        "tokens_computed": sum(answer["computed"] for answer in answers.values()),
        "tokens_saved": sum(answer["saved"] for answer in answers.values()),
        "thoughts_cut": thoughts_cut,
        "truncated_replies": sum(answer.get("cut", False) for answer in answers.values()),
        "failed_requests": dict(
            sorted(Counter(code for answer in answers.values() for code in answer.get("failed", [])).items())
        ),
        "unknown_logprobs": sum(answer.get("logprobs", []).count(None) for answer in answers.values()),
        "notes": list(engine.notes),
    }
    if prepared.inventories:
        write_inventories(work.folder / ENTITIES, prepared.inventories.values())
        outputs.append(ENTITIES)
        counts["unread"] = _unread(prepared, rows)
    work.finish(outputs, counts, prepared.skipped)


def _first_prompts(prepared: PreparedBench) -> list[dict[str, Any]]:
    """The first prompt, and the options scored after it, in each language and wording."""
    first: dict[tuple[str, str], Request] = {}
    for one in prepared.questions:
        first.setdefault((one.question.item.language, one.question.wording), one.request)
    return [
        {"language": language, "wording": wording, **request.example}
        for (language, wording), request in first.items()
    ]


def _unread(prepared: PreparedBench, rows: Sequence[Row]) -> dict[str, int]:
    """How many replies name no entity of their item's inventory that counts, by reason code."""
    codes = [
        read_entity(
            row["reply"],
            prepared.inventories[row["inventory"]],
            row["language"],
            question=one.question.item.question,
        ).unread
        for one, row in zip(prepared.questions, rows, strict=True)
        if row["inventory"]
    ]
    return dict(sorted(Counter(code for code in codes if code is not None).items()))


def _with_thoughts_begun(answers: Mapping[Content, dict[str, Any]]) -> dict[Content, dict[str, Any]]:
    """The answers; where replies of a server show that its template begins a thought, those that were cut
    before its end begin with the tag.
    """
    texts = [str(answer.get("text", "")) for answer in answers.values()]
    begun = any(map(begins_within_thought, texts))

    def is_cut(answer: dict[str, Any]) -> bool:
        return begun and answer.get("cut", False) and not holds_thought(answer["text"])

    return {
        content: {**answer, "text": OPENING + answer["text"]} if is_cut(answer) else answer
        for content, answer in answers.items()
    }


def remove_cache(own: Path, named: Path | None) -> None:
    """Remove a run's own cache, with what a killed process left beside it; never the one that was named."""
    if named is None or named.resolve() != own.resolve():
        for path in (own, own.with_name(f"{own.name}-journal")):
            path.unlink(missing_ok=True)
