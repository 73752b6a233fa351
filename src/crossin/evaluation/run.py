"""Every model on every benchmark: their answers and scores in OUT/MODEL/BENCH."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crossin.core.cache import check_cache
from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.files import check_writable
from crossin.core.formats import USAGE
from crossin.core.paths import as_path
from crossin.core.progress import Progress, silent
from crossin.core.reasons import counted_sentences, sentence_of
from crossin.core.results import ResultList, Tabular
from crossin.core.stages import Stage, check_folder
from crossin.evaluation.bench_answers import ask_bench, described
from crossin.evaluation.config import EvaluateConfig, FormKind, labelled, read_config
from crossin.evaluation.hf import HfEngine
from crossin.evaluation.openai import OpenAIEngine, estimate
from crossin.evaluation.preparation import PreparedBench, prepare
from crossin.items.item import items_file
from crossin.models.chat import thinks
from crossin.servers import Accounting, ServerSettings, Usage, check_client

if TYPE_CHECKING:
    import pyarrow

    from crossin.scoring.scores import Score

# In the order of preference, with a server that does not support all of them.
KINDS: tuple[FormKind, ...] = ("text", "letters", "generate")
_FACTS = "facts"
# Counts worth a line of their own.
_COUNTED = {
    "truncated_replies": "replies cut at the limit of tokens",
    "thoughts_cut": "replies that end within a thought, and are missing (raise --max-tokens, or switch "
    "thinking off with --chat-template-kwargs)",
    "unknown_logprobs": "options of unknown log-probability",
}


@dataclass(frozen=True, repr=False)
class Evaluation(Tabular):
    """One model on one benchmark, by their labels: the finished stage, and a score for each wording."""

    model: str
    bench: str
    stage: Stage
    scores: list[Score]

    def __repr__(self) -> str:
        return f"Evaluation({self.model!r} on {self.bench!r}: {', '.join(map(repr, self.scores))})"

    def to_arrow(self) -> pyarrow.Table:
        """The figures of all wordings, as those of `Score`, with the column `bench`. The answers are
        `stage.to_arrow()`.
        """
        import pyarrow

        table = pyarrow.concat_tables([score.to_arrow() for score in self.scores])
        return table.add_column(1, "bench", pyarrow.repeat(self.bench, len(table)))


def evaluate(
    config: EvaluateConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    progress: Progress = silent,
    say: Callable[[str], None] = lambda _: None,
    **given: Any,
) -> ResultList[Evaluation]:
    """Ask every model every benchmark, and score the answers.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). given:
    settings by name, in place of those of `config`: `evaluate("facts", out, models=…)`. say: gets a line for
    each result.

    Each model's answers to each benchmark go to OUT/MODEL/BENCH with `scores.json`. Stopped at any moment,
    the same call resumes, and repeats no request. A budget holds for all models together. For an engine of
    your own see `ask_bench`.
    """
    from crossin.scoring.scores import score, wordings
    from crossin.scoring.values import write_scores

    config = read_config(config, given)
    out = as_path(out)
    benches = _benches(config, out / "benches", progress)
    names = _models(config)
    served = config.engine == "openai"
    prepared = _checked(config, benches)
    located = {label: _located(config, name, progress) for label, name in names.items()}
    for model, (own, name) in located.items():
        for bench, one in prepared.items():
            _check_folder(own, engine_of(own, name), model, one, out / model / bench)
    accounting = Accounting(config.server, out / USAGE) if served else None
    found: ResultList[Evaluation] = ResultList()
    for model, (own, name) in located.items():
        with closing(engine_of(own, name, accounting)) as engine:
            kind: FormKind | None = None
            if isinstance(engine, OpenAIEngine) and _is_form_open(config):
                supported = engine.kinds(chat=bool(config.chat))
                kind = next(kind for kind in KINDS if kind in supported)
                say(f"the server supports {', '.join(sorted(supported))}: using --form {kind}")
            for bench, folder in benches.items():
                stage = ask_bench(
                    engine,
                    folder,
                    out / model / bench,
                    name=model,
                    form=config.form_of(kind),
                    cache=config.cache,
                    progress=progress,
                    **config.selection,
                )
                _say_counts(stage, model, bench, say)
                scores = score([stage.folder], progress=progress)
                write_scores(stage.folder, scores, wordings(scores))
                found.append(Evaluation(model, bench, stage, scores))
    if accounting is not None:
        say(_usage_line(accounting.usage))
    return found


def evaluation_outline(
    config: EvaluateConfig, out: Path | str, *, progress: Progress = silent
) -> list[dict[str, Any]]:
    """What `evaluate` would ask, as a JSON value for each benchmark; nothing is loaded, sent or written. What
    would keep it from beginning, in the folder `out` too, is an error.
    """
    out = as_path(out)
    with TemporaryDirectory() as temporary:
        benches = _benches(config, Path(temporary), progress)
        models = _models(config)
        prepared = _checked(config, benches)
        for model, name in models.items():
            # A model by name may be one that has to be downloaded.
            served = config.engine == "openai"
            if served or as_path(name).is_dir():
                own, name = _located(config, name, progress)
                engine = engine_of(own, name)
                for bench, one in prepared.items():
                    _check_folder(own, engine, model, one, out / model / bench)
        return [_outline(config, out, bench, one, models) for bench, one in prepared.items()]


def _checked(config: EvaluateConfig, benches: Mapping[str, Path]) -> dict[str, PreparedBench]:
    """The questions of each benchmark. All that can be wrong, with what scoring will need too, is a
    CrossinError here, before the first request.
    """
    prepared = {
        bench: prepare(folder, form=config.form_of(), **config.selection) for bench, folder in benches.items()
    }
    if any(item.free_text for one in prepared.values() for item in one.items):
        require("text", "sacrebleu", "lingua")
    check_engine(config)
    return prepared


def check_engine(config: EvaluateConfig) -> None:
    """Raise CrossinError for what is wrong with cache, server, device or adapter; nothing is loaded."""
    if config.cache is not None:
        check_cache(config.cache)
    if config.engine == "openai":
        check_client(config.server)
        return
    from crossin.models.loading import resolve

    resolve(config.device, config.dtype)
    if config.adapter is not None and not config.adapter.is_dir():
        raise CrossinError("no such folder", file=config.adapter, hint="name the adapter's with --adapter")


@contextmanager
def opened_engine(
    config: EvaluateConfig, out: Path, progress: Progress = silent
) -> Iterator[HfEngine | OpenAIEngine]:
    """The engine of the one model that the settings name, for a stage in the folder `out` that asks it."""
    [name] = config.models
    config, name = _located(config, name, progress)
    # As a file, which must not be there before the stage has claimed its folder.
    with closing(engine_of(config, name, out / USAGE)) as engine:
        yield engine


def _located(config: EvaluateConfig, name: str, progress: Progress) -> tuple[EvaluateConfig, str]:
    """The settings of one model, with its adapter where its folder is that of one, and its folder, or a
    server's name of it.
    """
    if config.engine == "openai":
        return config, name
    from crossin.models import pull
    from crossin.models.adapters import tuned_model

    if config.adapter is None and (found := tuned_model(name)) is not None:
        name, adapter = found
        config = config.model_copy(update={"adapter": adapter})
    return config, str(pull(name, accept_licence=config.accept_licence, progress=progress))


def _check_folder(
    config: EvaluateConfig,
    engine: HfEngine | OpenAIEngine,
    model: str,
    prepared: PreparedBench,
    out: Path,
) -> None:
    """Refuse a folder of another run before the models whose turn is earlier have been asked."""
    if not out.exists():
        check_writable(out)
        return
    # Which kind of question a server supports is known only once it is asked.
    kinds = KINDS if isinstance(engine, OpenAIEngine) and _is_form_open(config) else (None,)
    errors = []
    for kind in kinds:
        try:
            check_folder(out, "evaluate", *described(engine, prepared, model, config.form_of(kind)))
            return
        except CrossinError as error:
            errors.append(error)
    raise errors[0]


def _is_form_open(config: EvaluateConfig) -> bool:
    """Whether a server decides how questions are put."""
    return config.form is None and not thinks(config.chat_template_kwargs)


def _models(config: EvaluateConfig) -> dict[str, str]:
    return labelled(config.models, "model", f"+{config.adapter.name}" if config.adapter else "")


def engine_of(
    config: EvaluateConfig, model: str, accounting: Accounting | Path | None = None
) -> HfEngine | OpenAIEngine:
    """The engine of a model's name on the server, or of its folder; nothing is loaded or sent yet."""
    if config.engine == "openai":
        return OpenAIEngine(
            model,
            _server(config),
            chat=config.chat,
            truncate=config.truncate is not None,
            accounting=accounting,
        )
    return HfEngine(
        Path(model),
        adapter=config.adapter,
        merge=config.merge,
        device=config.device,
        dtype=config.dtype,
        processes=config.processes,
        batch_tokens=config.batch_tokens,
        truncate=config.truncate is not None,
        chat_template_kwargs=config.chat_template_kwargs,
    )


def _server(config: EvaluateConfig) -> ServerSettings:
    """The server's settings; each request has the arguments of the chat template, where the user gave some:
    vLLM, SGLang and llama.cpp take them, and other servers refuse the field.
    """
    given, body = config.chat_template_kwargs, config.server.body
    if not given:
        return config.server
    merged = {**(body.get("chat_template_kwargs") or {}), **given}
    return config.server.model_copy(update={"body": {**body, "chat_template_kwargs": merged}})


def _benches(config: EvaluateConfig, home: Path, progress: Progress) -> dict[str, Path]:
    """The benchmarks' folders by label; `facts` is built in `home`."""
    from crossin.bench import build_named
    from crossin.bench.catalogue import names

    found: dict[str, Path] = {}
    for label, text in labelled(config.bench, "benchmark").items():
        path = as_path(text)
        # A folder that happens to be called as a benchmark is none.
        if path.exists() and (text not in names() or items_file(path).is_file()):
            found[label] = path
        elif text == _FACTS:
            languages = None if config.languages is None else list(dict.fromkeys(config.languages))
            folder = home / "-".join([_FACTS, *(languages or ())])
            found[label] = build_named(_FACTS, folder, languages=languages, progress=progress).folder
        elif text in names():
            raise CrossinError(
                f"the benchmark '{text}' has to be built first",
                hint=f"crossin bench build {text} --out bench/{text}, and then --bench bench/{text}",
            )
        else:
            near = get_close_matches(text, names(), n=1)
            raise CrossinError(
                f"there is no benchmark '{text}', and no such folder",
                hint=f"did you mean {near[0]}?"
                if near
                else "name a folder that `crossin bench build` wrote, or `facts`",
            )
    return found


def _say_counts(stage: Stage, model: str, bench: str, say: Callable[[str], None]) -> None:
    counts = stage.manifest["counts"]
    for note in counts["notes"]:
        say(f"note: {sentence_of(note)}")
    for line in counted_sentences(stage.manifest["skipped"], "questions"):
        say(line)
    for code, count in counts["failed_requests"].items():
        say(f"unanswered requests: {count:,}, {sentence_of(code)}")
    # A run of an earlier version, or a benchmark without inventories, counts none.
    for code, count in counts.get("unread", {}).items():
        say(f"replies in which no entity was read: {count:,}, {sentence_of(code)}")
    for name, words in _COUNTED.items():
        if counts[name]:
            say(f"{words}: {counts[name]:,}")
    tokens = f"{counts['tokens_computed']:,} tokens computed, {counts['tokens_saved']:,} saved"
    say(
        f"evaluate: {model} on {bench}, {counts['questions']:,} questions, {tokens}, in {stage.folder} "
        f"({stage.manifest['wall_seconds']:.1f} s)"
    )


def _usage_line(usage: Usage) -> str:
    cost = "" if usage.cost is None else f", cost {usage.cost:,.2f}"
    return (
        f"server: {usage.requests:,} requests answered, {usage.retries:,} repeated, "
        f"{usage.prompt_tokens:,} tokens sent and {usage.completion_tokens:,} received{cost}"
    )


def _outline(
    config: EvaluateConfig, out: Path, bench: str, prepared: PreparedBench, models: Iterable[str]
) -> dict[str, Any]:
    requests = prepared.requests
    scored = sum(bool(request.options) for request in requests)
    taken: dict[str, Any] = {}
    if config.engine == "openai":
        taken["estimate"] = asdict(estimate(requests, config.form_of().kind, config.server))
    return {
        "bench": bench,
        "questions": len(prepared.questions),
        "items": len({item.item for item in prepared.items}),
        "languages": prepared.settings["languages"],
        "skipped": prepared.skipped,
        "scored": scored,
        "generated": len(requests) - scored,
        "example": requests[0].example,
        "models": {label: {"out": str(out / label / bench), **taken} for label in models},
    }
