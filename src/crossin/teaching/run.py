"""The teach stage: what a model answers consistently in the pivot becomes a corpus in every language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crossin.core.configs import config_of
from crossin.core.errors import CrossinError
from crossin.core.files import check_writable, write_parquet
from crossin.core.formats import FIELDS
from crossin.core.inputs import refuse_within
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.reasons import sentence_of
from crossin.core.stages import Stage, check_folder, stage
from crossin.evaluation.bench_answers import CACHE, answers_to, model_files, remove_cache
from crossin.evaluation.engine import Content, Engine
from crossin.evaluation.openai import OpenAIEngine
from crossin.evaluation.preparation import PreparedQuestion
from crossin.evaluation.run import KINDS, check_engine, engine_of, opened_engine
from crossin.items import Form
from crossin.items.item import Item, items_file
from crossin.items.shots import read_shots
from crossin.languages.words import word_files
from crossin.models import pull
from crossin.teaching.asked import prepared, requests_of
from crossin.teaching.config import TeachConfig
from crossin.teaching.expressing import (
    NAMES,
    ROWS,
    Row,
    names_of,
    needs_translation,
    rows_of,
    translated,
    write_rows,
)
from crossin.teaching.judging import Judgement, answer_of, judge
from crossin.teaching.questions import Questions, read_questions
from crossin.teaching.report import figures
from crossin.translation.run import prepared as check_translation

JUDGEMENTS = "asked.parquet"
# What a dry run shows.
_EXAMPLES = 2
_HINT = "see docs/teach.md"


def teach(
    config: TeachConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda _: None,
    **given: Any,
) -> Stage:
    """Make a corpus from what a model answers consistently in the pivot.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). given:
    settings by name, in place of those of `config`. engine: answers in place of the one that `config` names,
    and stays open. say: gets lines for the user.

    Each question is asked in the pivot in several wordings. Where the answers agree (`judge`), the answer is
    kept and expressed in every language. Writes `questions.parquet`, `names.parquet` and `asked.parquet`
    (docs/formats.md). Right answers are read for the manifest's report alone. Stopped at any moment, the
    same call resumes, and repeats no request. Raises CrossinError for what is wrong with settings and
    questions, and where answers have to be translated and nothing says how, before anything is asked.
    """
    config = config_of(TeachConfig, config, given, command="teach", hint=_HINT)
    out = as_path(out).absolute()
    with TemporaryDirectory() as temporary:
        questions = _checked(config, Path(temporary), progress)
    evaluation = config.evaluation()
    with nullcontext(engine) if engine else opened_engine(evaluation, out, progress) as model:
        settings, inputs = _described(config, model, questions)
        refuse_within(config.cache, inputs, out, "cache")
        with stage(out, "teach", settings, inputs) as work:
            if not work.done:
                form = _supported(config, model, say)
                asked = _requests(config, questions, form)
                found, known = answers_to(
                    model,
                    requests_of(asked),
                    {key: work.inputs[key] for key in model_files(model)},
                    own=out / CACHE,
                    cache=config.cache,
                    task=f"asking {as_path(config.answering[0]).name}",
                    progress=progress,
                )
                judgements = _judgements(config, questions, asked, found)
                texts = translated(config, questions, judgements, out, work.scratch, progress, say)
                skipped = questions.skipped + Counter(one.reason for one in judgements if one.reason)
                rows = list(rows_of(questions, judgements, texts, config.pivot, config.wordings, skipped))
                counts = {
                    "form": form.kind,
                    "answers_from_cache": known,
                    "notes": list(questions.notes),
                    "engine_notes": list(model.notes),
                }
                _finish(work, questions, judgements, rows, skipped, counts)
            remove_cache(out / CACHE, config.cache)
    return work


def _supported(config: TeachConfig, engine: Engine, say: Callable[[str], None]) -> Form:
    """How questions are put; where the settings leave it open, in the first way that a server supports."""
    if not isinstance(engine, OpenAIEngine) or not config.open_form:
        return config.form_of()
    supported = engine.kinds(chat=bool(config.chat))
    form = config.form_of(next(kind for kind in KINDS if kind in supported))
    say(f"the server supports {', '.join(sorted(supported))}: using --form {form.kind}")
    return form


def teaching_outline(
    config: TeachConfig, out: Path | str | None = None, *, progress: Progress = silent
) -> dict[str, Any]:
    """What `teach` would ask and write, as JSON values; nothing is loaded, sent or written. What would keep
    it from beginning, in the folder `out` too, is an error.
    """
    with TemporaryDirectory() as temporary:
        questions = _checked(config, Path(temporary), progress)
    form = config.form_of()
    asked = _requests(config, questions, form)
    name, _ = config.answering
    if out is not None:
        check_writable(as_path(out))
        if config.engine == "hf" and as_path(name).is_dir():
            engine = engine_of(config.evaluation(), str(pull(name)))
            check_folder(out, "teach", *_described(config, engine, questions))
    some = list(questions.items)[:_EXAMPLES]
    # As if they were answered with their first options.
    supposed = [Judgement(one, (), _first(questions, one, config.pivot), "…", 1.0, None, "") for one in some]
    shown: dict[str, str] = dict.fromkeys(FIELDS, "…")
    texts = {(one, code): shown for one in some for code in questions.languages}
    rows = list(rows_of(questions, supposed, texts, config.pivot, config.wordings, Counter()))
    return {
        "model": name,
        "questions": len(questions.items),
        "answers": len(asked),
        "languages": questions.languages,
        "pivot": config.pivot,
        "skipped": dict(questions.skipped),
        "notes": list(questions.notes),
        "translates": bool(config.translate and needs_translation(questions, config.pivot)),
        "example": asked[0].request.example,
        "rows": [{**row, "output": "…"} for row in rows],
        "names": len(names_of(questions.items, questions.inventories, questions.languages)),
    }


def _first(questions: Questions, name: str, pivot: str) -> str:
    item = questions.items[name][pivot]
    ids = questions.inventories[item.inventory].ids if item.inventory else item.option_ids
    return ids[0] if ids else ""


def _checked(config: TeachConfig, scratch: Path, progress: Progress) -> Questions:
    """The questions. All that can be wrong is a CrossinError here, before the first request."""
    questions = read_questions(config, scratch, progress)
    _requests(config, questions, config.form_of())
    check_engine(config.evaluation())
    name = needs_translation(questions, config.pivot)
    if name and config.translate is None:
        raise CrossinError(
            f"'{name}' has to be translated: its answer is a free text, or a language lacks it",
            file=config.questions,
            field="translate",
            hint="name settings of `crossin translate` with --translate (an engine and its model), or teach "
            f"in the pivot alone with --languages {config.pivot}",
        )
    to = tuple(language for language in questions.languages if language != config.pivot)
    if name and to:
        _check_translation(config, to)
    return questions


def _check_translation(config: TeachConfig, to: tuple[str, ...]) -> None:
    try:
        if (settings := config.translation(config.questions, to)) is not None:
            check_translation(settings, settings.translator())
    except CrossinError as error:
        if error.file is not None:
            raise
        # Options of another command, and a field of an entry here.
        place = ".".join(filter(None, ("translate", error.field)))
        hint = f"in the settings of --translate, as for `crossin translate`: {error.hint or _HINT}"
        raise CrossinError(error.message, field=place, hint=hint) from error


def _described(
    config: TeachConfig, engine: Engine, questions: Questions
) -> tuple[dict[str, Any], dict[str, Path]]:
    """The settings and inputs of the stage."""
    kept = {"pivot", "tasks", "limit", "seed", "choice", "agreement", "margin", "similarity", "wordings"}
    kept |= {"samples", "temperature", "top_p"} if config.samples else set()
    to = tuple(language for language in questions.languages if language != config.pivot)
    needed = needs_translation(questions, config.pivot)
    translation = config.translation(config.questions, to) if needed and to else None
    form = config.form_of().model_dump(mode="json")
    if config.engine == "openai" and config.open_form:
        form["kind"] = "open"
    settings = {
        **config.model_dump(mode="json", include=kept),
        "languages": questions.languages,
        "form": form,
        "engine": engine.identity,
        "translate": None
        if translation is None
        else translation.model_dump(
            mode="json", exclude={"corpus", "cache", "server", "to", "source"}, exclude_unset=True
        ),
    }
    inputs = model_files(engine) | questions.inputs | word_files(questions.languages)
    if config.shots_from is not None:
        inputs["shots"] = items_file(config.shots_from)
    return settings, inputs


def _requests(config: TeachConfig, questions: Questions, form: Form) -> list[PreparedQuestion]:
    """Every question of the pivot in every wording, as often as replies to it are drawn.

    Raises CrossinError where a single reply would agree with itself.
    """
    try:
        asked = prepared(
            questions.in_pivot(config.pivot),
            form,
            config.choice,
            shots=_shots(config, questions, form),
            seed=config.seed,
            draws=config.draws,
        )
    except CrossinError as error:
        if error.field not in ("wordings", "language"):
            raise
        # Its option has another name here.
        hint = (error.hint or _HINT).replace("--wordings", "--ask")
        raise CrossinError(error.message, field="ask", hint=hint) from error
    replies: dict[str, set[Content]] = {}
    for one in asked:
        if not one.request.options:
            replies.setdefault(one.question.item.item, set()).add(one.request.content)
    single = next((name for name, contents in replies.items() if len(contents) == 1), None)
    if single is not None:
        raise CrossinError(
            f"there would be one reply to '{single}', which agrees with itself",
            field="ask",
            hint="draw several replies (--samples 8), or ask in several wordings (a gap has one)",
        )
    return asked


def _shots(config: TeachConfig, questions: Questions, form: Form) -> list[Item]:
    """The items that worked examples are taken from. Raises CrossinError where one of them is asked, since
    its right answer would be read.
    """
    found = read_shots(form.shots, config.shots_from)
    if asked := next((shot.item for shot in found if shot.item in questions.items), None):
        raise CrossinError(
            f"the item '{asked}' is asked, and is a shot with its right answer",
            file=config.shots_from,
            field="shots_from",
            hint="take the shots from another part: crossin bench part",
        )
    return found


def _judgements(
    config: TeachConfig,
    questions: Questions,
    asked: Sequence[PreparedQuestion],
    found: Mapping[Content, dict[str, Any]],
) -> list[Judgement]:
    answers: dict[str, list[Any]] = {name: [] for name in questions.items}
    for one in asked:
        item = one.question.item
        answer = answer_of(
            one,
            found[one.request.content],
            None if one.bare is None else found[one.bare.content],
            config.choice,
            questions.inventories,
            whole=questions.instructions,
        )
        answers[item.item].append(answer)
    return [
        judge(
            questions.items[name][config.pivot],
            of,
            agreement=config.agreement,
            margin=config.margin,
            similarity=config.similarity,
        )
        for name, of in answers.items()
    ]


def _finish(
    work: Stage,
    questions: Questions,
    judgements: Sequence[Judgement],
    rows: Sequence[Row],
    skipped: Counter[str],
    counts: Mapping[str, Any],
) -> None:
    if not rows:
        why = "; ".join(f"{count:,}, {sentence_of(code)}" for code, count in skipped.most_common())
        raise CrossinError(
            f"no answer is certain enough to be taught: {why}",
            hint="ask a model that knows more (--teacher), or lower --agreement or --margin with another "
            f"--out and --cache {work.folder / CACHE} to keep the answers",
        )
    names = names_of(questions.items, questions.inventories, questions.languages)
    write_rows(work.folder / ROWS, rows)
    write_rows(work.folder / NAMES, names)
    _write_judgements(work.folder / JUDGEMENTS, questions, judgements)
    by_language = Counter(row["language"] for row in rows)
    work.finish(
        [ROWS, NAMES, JUDGEMENTS],
        {
            "questions": len(judgements),
            "certain": sum(not one.reason for one in judgements),
            "rows": len(rows),
            "names": len(names),
            "by_language": {language: by_language[language] for language in questions.languages},
            **figures(questions, judgements),
            **counts,
        },
        skipped,
    )


def _write_judgements(path: Path, questions: Questions, judgements: Sequence[Judgement]) -> None:
    """Write what each question's answers came to, without a right answer."""
    import pyarrow

    text, number = pyarrow.string(), pyarrow.float64()
    kinds = {
        **dict.fromkeys(("id", "group", "task", "reason", "answer"), text),
        **dict.fromkeys(("agreement", "margin"), number),
        **dict.fromkeys(("answers", "unread", "replies"), pyarrow.list_(text)),
    }
    rows = []
    for one in judgements:
        item = next(iter(questions.items[one.question].values()))
        rows.append(
            {
                "id": one.question,
                "group": item.group,
                "task": item.task,
                "reason": one.reason or None,
                "answer": one.meaning,
                "agreement": one.agreement,
                "margin": one.margin,
                "answers": [answer.meaning for answer in one.answers],
                "unread": [answer.unread or None for answer in one.answers],
                "replies": [answer.reply for answer in one.answers],
            }
        )
    write_parquet(path, pyarrow.Table.from_pylist(rows, pyarrow.schema(kinds.items())))
