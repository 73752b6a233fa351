"""`crossin prefer`: pairs of a model's own answers, of which one means what its answers in the pivot do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crossin.core.configs import config_of
from crossin.core.errors import CrossinError
from crossin.core.files import check_writable, write_parquet
from crossin.core.formats import PREFERENCES
from crossin.core.inputs import refuse_within
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.reasons import fix_of, sentence_of
from crossin.core.stages import Stage, check_folder, stage
from crossin.evaluation.bench_answers import CACHE, answers_to, model_files, remove_cache
from crossin.evaluation.engine import Engine, Request
from crossin.evaluation.preparation import PreparedQuestion
from crossin.evaluation.run import check_engine, engine_of, opened_engine
from crossin.items.item import Item
from crossin.languages.words import word_files
from crossin.models import pull
from crossin.teaching.asked import AskedAnswer, Place, answers_by_place, opened, prepared, requests_of
from crossin.teaching.prefer_config import PreferConfig
from crossin.teaching.preferences import Agreed, AnswerPair, PreferReason, agreed, candidates, pair_of
from crossin.teaching.questions import Questions, read_questions
from crossin.teaching.reasons import TeachReason
from crossin.teaching.report import mean_of, means_gold

Row = dict[str, Any]
_TEXTS = ("id", "group", "language", "prompt", "chosen", "rejected")
_HINT = "see docs/prefer.md"


@dataclass(frozen=True)
class _Plan:
    """What is asked. `questions` are those whose meaning can be compared, `targets` the pairs' languages."""

    questions: Questions
    targets: list[str]
    asked: list[PreparedQuestion]
    skipped: Counter[str]


def prefer(
    config: PreferConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
    **given: Any,
) -> Stage:
    """Make pairs of a model's own answers in each language: one that means what the pivot's answers agree on,
    and one that does not.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). given:
    settings by name, in place of those of `config`. engine: answers instead of the model that `config` names,
    and stays open.

    Writes `preferences.parquet` (docs/formats.md), which `crossin train` reads (`prefer.data`). Right answers
    are read for the manifest's report alone. Stopped at any moment, the same call resumes, and repeats no
    request. Raises CrossinError for what is wrong with settings and questions before anything is asked, and
    where there is no pair.
    """
    config = config_of(PreferConfig, config, given, command="prefer", hint=_HINT)
    out = as_path(out).absolute()
    plan = _planned(config, progress)
    evaluation = config.evaluation()
    with nullcontext(engine) if engine else opened_engine(evaluation, out, progress) as model:
        settings, inputs = _described(config, model, plan)
        refuse_within(config.cache, inputs, out, "cache")
        with stage(out, "prefer", settings, inputs) as work:
            if not work.done:
                found, known = answers_to(
                    model,
                    requests_of(plan.asked),
                    {key: work.inputs[key] for key in model_files(model)},
                    own=out / CACHE,
                    cache=config.cache,
                    task=f"asking {as_path(config.model).name}",
                    progress=progress,
                )
                answers = answers_by_place(plan.asked, found, config.choice, plan.questions.inventories)
                _finish(config, work, plan, answers, {"answers_from_cache": known, "notes": [*model.notes]})
            remove_cache(out / CACHE, config.cache)
    return work


def preference_outline(
    config: PreferConfig, out: Path | str | None = None, *, progress: Progress = silent
) -> dict[str, Any]:
    """What `prefer` would ask, as JSON values; nothing is loaded, sent or written. What would keep it from
    beginning, in the folder `out` too, is an error.
    """
    plan = _planned(config, progress)
    if out is not None:
        check_writable(as_path(out))
        if config.engine == "hf" and as_path(config.model).is_dir():
            engine = engine_of(config.evaluation(), str(pull(config.model)))
            check_folder(out, "prefer", *_described(config, engine, plan))
    requests = requests_of(plan.asked)
    return {
        "model": config.model,
        "questions": len(plan.questions.items),
        "pivot": config.pivot,
        "languages": plan.targets,
        "scored": sum(bool(request.options) for request in requests),
        "generated": sum(not request.options for request in requests),
        "skipped": dict(plan.skipped),
        "example": requests[0].example,
    }


def _planned(config: PreferConfig, progress: Progress) -> _Plan:
    """What is asked. All that can be wrong is a CrossinError here, before the first request."""
    with TemporaryDirectory() as temporary:
        questions = read_questions(config, Path(temporary), progress)
    check_engine(config.evaluation())
    targets = [code for code in questions.languages if code != config.pivot]
    if config.languages is not None:
        targets = [code for code in targets if code in config.languages]
    skipped = questions.skipped
    comparable = {name: of for name, of in questions.items.items() if _is_comparable(of[config.pivot])}
    skipped[PreferReason.FREE_TEXT] += len(questions.items) - len(comparable)
    if not comparable or not targets:
        raise CrossinError(
            "the questions are in one language only" if comparable else sentence_of(PreferReason.FREE_TEXT),
            file=config.questions,
            field="questions",
            hint="name a benchmark in several languages" if comparable else fix_of(PreferReason.FREE_TEXT),
        )
    skipped.update(
        TeachReason.NO_QUESTION.about(code)
        for code in targets
        for of in comparable.values()
        if code not in of
    )
    items = [of[code] for of in comparable.values() for code in (config.pivot, *targets) if code in of]
    inventories = dict(questions.inventories)
    if config.form == "open":
        items, of_options = opened(items)
        inventories |= of_options
    asked = prepared(items, config.asked_form, config.choice, seed=config.seed, draws=config.draws)
    kept = Questions(comparable, questions.languages, questions.inputs, skipped, inventories, questions.golds)
    return _Plan(kept, targets, asked, +skipped)


def _is_comparable(item: Item) -> bool:
    """Whether answers in two languages can be seen to mean the same."""
    return not item.free_text or bool(item.inventory) or item.answer_type == "number"


def _described(config: PreferConfig, engine: Engine, plan: _Plan) -> tuple[dict[str, Any], dict[str, Path]]:
    """The settings and inputs of the stage."""
    kept = {"pivot", "tasks", "limit", "seed", "choice", "samples", "temperature", "top_p", "share"}
    settings = {
        **config.model_dump(mode="json", include=kept),
        "languages": plan.targets,
        "open": config.form == "open",
        "form": config.asked_form.model_dump(mode="json"),
        "engine": engine.identity,
    }
    return settings, model_files(engine) | plan.questions.inputs | word_files([config.pivot, *plan.targets])


def _finish(
    config: PreferConfig,
    work: Stage,
    plan: _Plan,
    answers: Mapping[Place, Sequence[AskedAnswer]],
    counts: Mapping[str, Any],
) -> None:
    skipped = plan.skipped.copy()
    pivot: dict[str, Agreed] = {}
    rows: list[Row] = []
    prompts = _Prompts(config)
    for name, of in plan.questions.items.items():
        found = agreed(candidates(answers[name, config.pivot], config.temperature), config.share)
        if found.reason:
            skipped[found.reason] += 1
            continue
        pivot[name] = found
        for code in plan.targets:
            if code not in of:
                continue
            here = answers[name, code]
            prompt, before = prompts.of(here[0].question.request)
            pair = pair_of(found.meaning, candidates(here, config.temperature))
            if isinstance(pair, AnswerPair) and not prompt:
                pair = PreferReason.NO_PROMPT
            if not isinstance(pair, AnswerPair):
                skipped[pair.about(code)] += 1
                continue
            texts = (name, of[code].group, code, prompt, before + pair.chosen, before + pair.rejected)
            rows.append(
                dict(zip(_TEXTS, texts, strict=True)) | {"pivot_share": found.share, "meaning": found.meaning}
            )
    if not rows:
        why = "; ".join(f"{count:,}, {sentence_of(code)}" for code, count in skipped.most_common())
        raise CrossinError(
            f"there is no pair: {why}",
            hint="draw more --samples, lower --share, or score the options: --form text",
        )
    _write(work.folder / PREFERENCES, rows)
    work.finish([PREFERENCES], {**_counts(plan, answers, pivot, rows), **counts}, skipped)


class _Prompts:
    """The prompts as the model sees them, and what stands between each and an answer."""

    def __init__(self, config: PreferConfig) -> None:
        self._config = config
        self._loaded: tuple[Any, Any] | None = None

    def of(self, request: Request) -> tuple[str, str]:
        """The text, and what is before an option that is scored."""
        if isinstance(request.prompt, str):
            return request.prompt, ""
        from crossin.evaluation.hf.tokens import prompt_text
        from crossin.models.chat import ChatTemplate
        from crossin.models.loading import load_tokenizer

        if self._loaded is None:
            tokenizer, _ = load_tokenizer(pull(self._config.model))
            self._loaded = tokenizer, ChatTemplate(tokenizer, self._config.chat_template_kwargs)
        found = prompt_text(self._loaded[0], request, self._loaded[1])
        return found.text, found.before_option if request.options else ""


def _counts(
    plan: _Plan,
    answers: Mapping[Place, Sequence[AskedAnswer]],
    pivot: Mapping[str, Agreed],
    rows: Sequence[Row],
) -> dict[str, Any]:
    """`right`: where right answers are known, the share of questions that the pivot's answer is right of,
    among all it agrees on and among the pairs; with 95% intervals.
    """
    golds = plan.questions.golds
    groups = {name: next(iter(of.values())).group for name, of in plan.questions.items.items()}

    def right(names: Sequence[str]) -> dict[str, float | int | None] | None:
        known = [name for name in names if name in golds]
        values = [means_gold(pivot[name].meaning, golds[name]) for name in known]
        return mean_of(values, [groups[name] for name in known])

    every = [one.answer for of in answers.values() for one in of]
    by_language = Counter(row["language"] for row in rows)
    return {
        "questions": len(plan.questions.items),
        "consistent": len(pivot),
        "pairs": len(rows),
        "by_language": {code: by_language[code] for code in plan.targets},
        "answers": len(every),
        "unread": dict(sorted(Counter(one.unread for one in every if one.unread).items())),
        "right": {
            "consistent": right(list(pivot)),
            "pairs": right([row["id"] for row in rows]),
        },
    }


def _write(path: Path, rows: Sequence[Row]) -> None:
    import pyarrow

    text = pyarrow.string()
    schema = pyarrow.schema(
        [*((name, text) for name in _TEXTS), ("pivot_share", pyarrow.float64()), ("meaning", text)]
    )
    write_parquet(path, pyarrow.Table.from_pylist(list(rows), schema))
