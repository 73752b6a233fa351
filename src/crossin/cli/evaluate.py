"""The command `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from crossin.cli.console import console, print_json, progress_bars, say
from crossin.cli.options import (
    Command,
    config_file,
    config_option,
    dry_run_option,
    json_option,
    need_out,
    out_option,
    set_option,
    settings_options,
)
from crossin.core.interrupts import saying_what_was_saved
from crossin.core.reasons import counted_sentences
from crossin.evaluation.config import EvaluateConfig, read_config

# Of an example prompt, what fits on a screen.
_SHOWN = 600


@click.command(cls=Command)
@click.argument("models", nargs=-1, metavar="MODEL...")
@config_option
@settings_options(EvaluateConfig)
@set_option("server.timeout=60")
@out_option
@dry_run_option
@json_option
def command(
    given: dict[str, Any],
    models: tuple[str, ...],
    config: str | None,
    out: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask models a parallel benchmark in every language, and score the answers.

    MODEL is a name from `crossin models list`, a hub id or a folder, also of a training or an adapter; with a
    server, its name of the model.
    LABEL=MODEL gives one a name of its own. Each model's answers to each benchmark go to OUT/MODEL/BENCH:
    `answers.parquet`, `scores.json`, `manifest.json`. What questions share is computed once. Stopped at any
    moment, the same command resumes, and repeats no request.

    Look first: `crossin evaluate smollm2-135m --bench facts --languages en,vi --out runs/eval --dry-run`

    Then two models, fifty items: `crossin evaluate smollm2-135m gemma3-270m --bench bench/xquad --limit 50
    --out runs/eval`

    Before and after tuning: `crossin evaluate smollm2-135m tuned=runs/training --bench facts --out runs/eval`

    A model on a server: `crossin evaluate NAME --engine openai --base-url http://localhost:8000/v1 --bench
    bench/mmlu --out runs/eval`

    Afterwards: `crossin compare runs/eval/smollm2-135m/facts runs/eval/tuned/facts`
    """
    if models:
        given["models"] = list(models)
    settings = read_config(config_file("evaluate", config) or {}, given)
    if dry_run:
        _show_outline(settings, out or Path("OUT"), as_json)
        return
    from crossin.cli.score import show_scores
    from crossin.evaluation import evaluate
    from crossin.scoring.scores import wordings
    from crossin.scoring.values import all_values

    out = need_out(out)
    with progress_bars() as progress, saying_what_was_saved(out):
        found = evaluate(settings, out, progress=progress, say=say)
        scores = [score for one in found for score in one.scores]
        varied = wordings(scores)
    if as_json:
        print_json(all_values(scores, varied))
        return
    show_scores(scores, varied)
    if len(scores) > 1:
        say(f"crossin score {out} --details shows the languages and tasks of each")


def _show_outline(settings: EvaluateConfig, out: Path, as_json: bool) -> None:
    """Show what would be asked, and where the answers would go."""
    from crossin.evaluation.run import evaluation_outline

    with progress_bars() as progress:
        outlines = evaluation_outline(settings, out, progress=progress)
    if as_json:
        print_json(outlines)
        return
    for one in outlines:
        lines = [
            "for example:",
            _beginning_and_end(one["example"]["prompt"]),
            *map(repr, one["example"]["options"]),
            f"{one['bench']}: {one['questions']:,} questions on {one['items']:,} items in "
            f"{', '.join(one['languages'])}",
            *counted_sentences(one["skipped"], "questions"),
            f"requests: {one['scored']:,} with options to score, {one['generated']:,} replies to generate",
        ]
        for model, about in one["models"].items():
            lines.append(f"model: {model}, to {about['out']}")
            if estimate := about.get("estimate"):
                cost = "" if estimate["cost"] is None else f", cost {estimate['cost']:,.2f}"
                lines.append(
                    f"  about {estimate['requests']:,} requests, {estimate['prompt_tokens']:,} tokens sent, "
                    f"at most {estimate['completion_tokens']:,} received{cost}"
                )
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if settings.engine == "openai" and settings.form is None:
        say("without --form, a server gets the first that it supports: text, letters, generate")
    say("dry run: nothing was asked, and nothing written")


def _beginning_and_end(prompt: str) -> str:
    """A prompt, of a long one without the middle: its end is what the model goes on from."""
    if len(prompt) <= _SHOWN:
        return prompt
    return f"{prompt[: _SHOWN // 2]} […] {prompt[-_SHOWN // 2 :]}"
