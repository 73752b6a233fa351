"""What the verb `evaluate` does with its words: models and benchmarks by label, the dry run, the runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from crossin.cli.console import console, print_json, progress_bars, say
from crossin.core.errors import CrossinError

if TYPE_CHECKING:
    from crossin.core.progress import Progress
    from crossin.core.stages import Stage
    from crossin.evaluation import Form
    from crossin.evaluation.preparation import Work
    from crossin.servers import Usage

_FACTS = "facts"
_KINDS = ("text", "letters", "generate")
# Of an example prompt, what fits on a screen.
_SHOWN = 2000


@dataclass(frozen=True)
class Job:
    """All that one call asks for: models and benchmarks by label, how they are asked (`asked` goes to
    `crossin.evaluation.evaluate` as it is), and how an engine is made of a model's name or folder.

    `served` says that a server has the models; `settled` that its form was not left to what it can do.
    """

    models: Mapping[str, str]
    benches: Mapping[str, str]
    out: Path
    form: Form
    asked: Mapping[str, Any]
    make: Callable[[Any], Any]
    served: bool
    settled: bool
    accept_licence: bool = False
    cache: Path | None = None

    def folder(self, model: str, bench: str) -> Path:
        """Where the answers of a model to a benchmark go, by their labels."""
        return self.out / model / bench


def labelled(texts: list[str], what: str, suffix: str = "") -> dict[str, str]:
    """Models or benchmarks by label: that of LABEL=TEXT, else the last part of the name, with `suffix`."""
    found: dict[str, str] = {}
    for text in texts:
        label, mark, rest = text.partition("=")
        if not mark or Path(text).exists():
            label, rest = Path(text).resolve().name + suffix, text
        if not label or label in (".", "..") or "/" in label or "\\" in label or not rest:
            raise CrossinError(f"'{text}' gives no {what} and no label for it", hint="write LABEL=NAME")
        if label in found:
            raise CrossinError(
                f"two {what}s are called '{label}'", hint=f"name one of them: other-{label}={rest}"
            )
        found[label] = rest
    return found


def evaluate_all(job: Job, *, as_json: bool) -> None:
    """Ask every model every benchmark, write and show the scores."""
    from crossin.cli.score import show_scores
    from crossin.evaluation import evaluate
    from crossin.models import pull
    from crossin.scoring import all_values, score, wordings, write_scores

    scores = []
    with progress_bars() as progress:
        benches = _benches(job, job.out / "benches", progress)
        # What can be wrong with one of them is found before the first is asked.
        _prepared(job, benches)
        models = {
            label: name if job.served else pull(name, accept_licence=job.accept_licence, progress=progress)
            for label, name in job.models.items()
        }
        for model, place in models.items():
            with closing(job.make(place)) as engine:
                form = job.form if job.settled else _possible(engine, job.form)
                for bench, folder in benches.items():
                    stage = evaluate(
                        engine,
                        folder,
                        job.folder(model, bench),
                        name=model,
                        form=form,
                        cache=job.cache,
                        progress=progress,
                        **job.asked,
                    )
                    _tell(stage, model, bench)
                    found = score([stage.folder], progress=progress)
                    write_scores(stage.folder, found, wordings(found))
                    scores += found
                if job.served:
                    _tell_usage(engine.usage)
    if as_json:
        print_json(all_values(scores, wordings(scores)))
        return
    show_scores(scores, wordings(scores))
    if len(scores) > 1:
        say(f"crossin score {job.out} --details shows the languages and tasks of each")


def preview(job: Job, *, as_json: bool) -> None:
    """Show what would be asked, and where the answers would go; write nothing."""
    with TemporaryDirectory() as temporary, progress_bars() as progress:
        benches = _benches(job, Path(temporary), progress)
        shown = [_outline(job, label, work) for label, work in _prepared(job, benches).items()]
    if as_json:
        print_json(shown)
        return
    for one in shown:
        lines = [
            f"{one['bench']}: {one['questions']:,} questions on {one['items']:,} items in "
            f"{', '.join(one['languages'])}",
            *(f"left out: {count:,}, {reason}" for reason, count in one["skipped"].items()),
            f"requests: {one['scored']:,} with options to score, {one['generated']:,} replies to generate",
        ]
        for model, about in one["models"].items():
            lines.append(f"model: {model}, to {about['out']}")
            if estimate := about.get("estimate"):
                cost = "" if estimate["cost"] is None else f", cost {estimate['cost']:,.2f}"
                lines.append(
                    f"  about {estimate['calls']:,} calls, {estimate['prompt_tokens']:,} tokens sent, "
                    f"at most {estimate['completion_tokens']:,} back{cost}"
                )
        lines += ["for example:", one["example"]["prompt"][:_SHOWN], *map(repr, one["example"]["options"])]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if job.served and not job.settled:
        say("without --form, the server is asked in the first of these that it can: " + ", ".join(_KINDS))
    say("dry run: nothing was asked, and nothing written")


def _benches(job: Job, home: Path, progress: Progress) -> dict[str, Path]:
    """The benchmarks' folders by label; `facts` is built in `home`."""
    from crossin.bench import build_named
    from crossin.bench.catalogue import names

    found: dict[str, Path] = {}
    languages = job.asked["languages"]
    for label, text in job.benches.items():
        if Path(text).exists():
            found[label] = Path(text)
        elif text == _FACTS:
            folder = home / "-".join([_FACTS, *(languages or ())])
            found[label] = build_named(_FACTS, folder, languages=languages, progress=progress).folder
        elif text in names():
            raise CrossinError(
                f"the benchmark '{text}' has to be built first",
                hint=f"crossin bench build {text} --out bench/{text}, and then --bench bench/{text}",
            )
        else:
            raise CrossinError(
                f"there is no benchmark '{text}'",
                hint="name a folder that `crossin bench build` made, or `facts`",
            )
    return found


def _prepared(job: Job, benches: Mapping[str, Path]) -> dict[str, Work]:
    from crossin.evaluation import prepare

    return {label: prepare(folder, form=job.form, **job.asked) for label, folder in benches.items()}


def _possible(engine: Any, form: Form) -> Form:
    """The form in the first kind that the server can."""
    can = engine.kinds(chat=form.chat)
    kind = next(kind for kind in _KINDS if kind in can)
    say(f"the server can: {', '.join(sorted(can))}; asked by --form {kind}")
    return form.model_copy(update={"kind": kind})


def _tell(stage: Stage, model: str, bench: str) -> None:
    counts = stage.manifest["counts"]
    for note in counts["notes"]:
        say(f"note: {note}")
    for reason, count in stage.manifest["skipped"].items():
        say(f"left out: {count:,}, {reason}")
    for name in ("replies cut at the limit", "options of unknown log-probability"):
        if counts[name]:
            say(f"{name}: {counts[name]:,}")
    tokens = f"{counts['tokens computed']:,} tokens computed, {counts['tokens saved']:,} saved"
    say(
        f"evaluate: {model} on {bench}, {counts['questions']:,} questions, {tokens}, in {stage.folder} "
        f"({stage.manifest['wall_seconds']:.1f} s)"
    )


def _tell_usage(usage: Usage) -> None:
    cost = "" if usage.cost is None else f", cost {usage.cost:,.2f}"
    say(
        f"server: {usage.calls:,} calls answered, {usage.retries:,} repeated, {usage.prompt_tokens:,} tokens "
        f"sent and {usage.completion_tokens:,} back{cost}"
    )


def _outline(job: Job, bench: str, work: Work) -> dict[str, Any]:
    """What would be asked of a benchmark, as a JSON value."""
    requests = work.requests
    scored = sum(bool(request.options) for request in requests)
    models: dict[str, dict[str, Any]] = {
        label: {"out": str(job.folder(label, bench))} for label in job.models
    }
    if job.served:
        for label, name in job.models.items():
            models[label]["estimate"] = asdict(job.make(name).estimate(requests, job.form.kind))
    first = requests[0]
    prompt = (
        first.prompt if isinstance(first.prompt, str) else "\n".join(f"{x}: {y}" for x, y in first.prompt)
    )
    return {
        "bench": bench,
        "questions": len(work.asked),
        "items": len({item.item for item in work.items}),
        "languages": work.languages,
        "skipped": work.skipped,
        "scored": scored,
        "generated": len(requests) - scored,
        "example": {"prompt": prompt, "options": list(first.options)},
        "models": models,
    }
