"""`crossin score`: figures of stored predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossin.cli.options import Command, json_option, option, settings_options
from crossin.cli.report import is_experiment, show_experiment
from crossin.core.errors import CrossinError
from crossin.core.reasons import counted_sentences, sentence_of
from crossin.core.settings import read_settings, setting
from crossin.core.skipping import MOST_SKIPPED
from crossin.languages.codes import Language
from crossin.logs.options import LogOptions

if TYPE_CHECKING:
    from crossin.logs.tables import Predictions
    from crossin.scoring.scores import Score, Wordings


class ScoreOptions(LogOptions):
    """The options of `score` and `compare`."""

    pivot: Language | None = setting(
        None, "Language that the others are compared with: English if not given.", metavar="LANGUAGE"
    )
    # As crossin.metrics.DRAWS, which is not loaded for a help text.
    draws: int = setting(10_000, "Bootstrap draws for the intervals.", ge=1)
    seed: int = setting(0, "Seed of the draws.", ge=0)


def options_of(given: dict[str, Any]) -> dict[str, Any]:
    """The options as keyword arguments."""
    return read_settings(ScoreOptions, None, given, hint="see --help").model_dump()


@click.command(cls=Command)
@click.argument("paths", metavar="FILE|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@settings_options(ScoreOptions)
@option("--details", is_flag=True, help="Also how every two languages agree, and unread replies by language.")
@option(
    "--seaeval", is_flag=True, help="SeaEval's own figures of its logs; with --json as in its score files."
)
@option(
    "--page",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write a page of all runs (.html) for each benchmark, as `crossin report` does; figures go "
    "beside it.",
)
@json_option
def command(
    paths: tuple[Path, ...],
    given: dict[str, Any],
    details: bool,
    seaeval: bool,
    page: Path | None,
    as_json: bool,
) -> None:
    """Score stored predictions: accuracy, consistency, agreement beyond chance, transfer, free text.

    FILE|FOLDER: evaluation folders, files of replies, logs of SeaEval, lm-eval (samples), inspect_ai and
    lighteval (details), PolyFact's published runs, or folders that hold them; or the folder of an
    experiment, whose arms are compared. In brackets: 95% intervals.

    A file of replies is JSON lines or Parquet with `item`, `language` and `reply` (and `prompt`, if there
    are several wordings). A reply to a multiple-choice question counts as the option that it names. A reply
    that names none counts as missing; it is never drawn at random. A reply to a free-text question that has
    an inventory counts as the entity that it names, and is compared with the reference text, too.

    \b
    crossin score runs/eval/smollm2-135m/facts
    crossin score replies.jsonl --bench bench/facts
    crossin score out --page out.html    # of lm_eval --log_samples --output_path out
    """
    from crossin.cli.console import print_json, progress_bars, say
    from crossin.core.progress import phase
    from crossin.reports.arms import arm_names, by_benchmark
    from crossin.reports.make import check_page, write_each
    from crossin.reports.results import results_of
    from crossin.scoring.scores import score, wordings
    from crossin.scoring.values import all_values

    options = options_of(given)
    if seaeval:
        if page:
            raise CrossinError("--seaeval makes no page", field="page", hint="leave one of the two out")
        _show_seaeval(paths, as_json)
        return
    if len(paths) == 1 and is_experiment(paths[0]):
        if unused := sorted(set(given) - {"draws", "seed"}):
            raise CrossinError("does not apply to an experiment", field=unused[0], hint="leave it out")
        _show_experiment(paths[0], page, options["draws"], options["seed"], details=details, as_json=as_json)
        return
    if page:
        check_page(page)
    of_draws = {"draws": options["draws"], "seed": options["seed"]}
    with progress_bars() as progress:
        scores = score(paths, **options, progress=progress)
        varied = wordings(scores, **of_draws)
        if page:
            with phase(progress, "making the page", "pages"):
                found = [one.predictions for one in scores]
                groups = [[found[place] for place in group] for group in by_benchmark(found)]
                made = write_each([results_of(arm_names(group)) for group in groups], page, **of_draws)
            for one in made:
                say(f"Page: {one.page}\nFigures: {one.figures}")
    if as_json:
        print_json(all_values(scores, varied))
        return
    show_scores(scores, varied, details=details)
    if len(scores) > 1 and not details:
        say("--details shows the languages and tasks of each")


def _show_experiment(
    folder: Path, page: Path | None, draws: int, seed: int, *, details: bool, as_json: bool
) -> None:
    from crossin.cli.console import print_json, progress_bars, say
    from crossin.core.progress import phase
    from crossin.experiments.page import write_experiment_page
    from crossin.experiments.results import current_results

    with progress_bars() as progress, phase(progress, "scoring", "experiments"):
        results = current_results(folder, draws=draws, seed=seed)
        if page:
            made = write_experiment_page(folder, page, draws=draws, seed=seed)
            say(f"Page: {made}\nFigures: {made.with_suffix('.json')}")
    if as_json:
        print_json({"notes": list(results.notes), "figures": results.rows})
    else:
        show_experiment(results, details=details)


def show_scores(scores: Sequence[Score], varied: Sequence[Wordings], *, details: bool = False) -> None:
    """Print scores as tables: all figures of a single one, a line each of several; `details`: all of each."""
    from crossin.cli.console import show
    from crossin.scoring.display import summary, tables, wordings_table

    if len(scores) > 1:
        show(summary(scores))
    for table in map(wordings_table, varied):
        show(table)
    for one in scores:
        show_predictions(one.predictions, details=details)
        for table in tables(one, details=details) if details or len(scores) == 1 else []:
            show(table)


def show_predictions(predictions: Predictions, prefix: str = "", *, details: bool = False) -> None:
    """Print what was asked, and what is left out of the figures."""
    asked = f"{predictions.items:,} items in {len(predictions.languages)} languages"
    lines = [f"{prefix}{predictions.name}: {asked}, {predictions.file}"]
    for language, count in Counter(predictions.incomplete.values()).items():
        lines.append(f"left out: {count:,} items that lack {language}")
    lines += counted_sentences(predictions.log.skipped, "records")
    lines += [f"note: {note}" for note in predictions.log.notes]
    if predictions.unanswered:
        lines.append(f"not in the file: {predictions.unanswered:,} items of the benchmark")
    if cut := predictions.thoughts_cut:
        languages = ", ".join(f"{language} {count:,}" for language, count in cut.items())
        lines.append(
            f"note: {sum(cut.values()):,} replies end within a thought and are missing ({languages}): let "
            "the model write more tokens, or switch thinking off"
        )
    lines += _unread(predictions, details)
    lacking, total = len(predictions.incomplete), predictions.items + len(predictions.incomplete)
    if lacking > MOST_SKIPPED * total:
        wanted = ", ".join(dict.fromkeys(predictions.incomplete.values()))
        lines.append(
            f"note: {lacking:,} of {total:,} items are left out of all figures: ask them in {wanted} too, or "
            f"leave that language out of {predictions.file.name}"
        )
    if len(predictions.languages) == 1:
        lines.append("note: asked in one language, so there is no consistency")
    elif not predictions.parallel:
        counts = ", ".join(f"{language} {count:,}" for language, count in predictions.by_language.items())
        lines.append(
            f"note: each item was asked in one language only ({counts}), so there is accuracy by language "
            "and no more: consistency, AC3, kappa, RankC and transfer need the same items in every language"
        )
    print("\n".join(lines))


def _unread(predictions: Predictions, details: bool) -> list[str]:
    """How many replies name no entity that could be read, by reason; `details`: and by language."""
    unread = predictions.unread
    by_reason: Counter[str] = Counter()
    for reasons in unread.values():
        by_reason.update(reasons)
    if not by_reason:
        return []
    total = by_reason.total() + len(predictions.entities)
    lines = [f"unread: {by_reason.total():,} of {total:,} replies; they are missing answers"]
    for code, count in by_reason.most_common():
        of_each = ", ".join(f"{x} {reasons[code]:,}" for x, reasons in unread.items() if code in reasons)
        lines.append(f"  {count:,}: {sentence_of(code)}" + (f" ({of_each})" if details else ""))
    return lines


def _show_seaeval(paths: Sequence[Path], as_json: bool) -> None:
    from crossin.cli.console import print_json, progress_bars, show
    from crossin.scoring.display import parity_table
    from crossin.scoring.seaeval_parity import parity

    with progress_bars():
        found = parity(paths)
    if not as_json:
        show(parity_table(found))
    elif len(found) == 1:
        print_json(found[0].scores)
    else:
        print_json({str(one.file): one.scores for one in found})
