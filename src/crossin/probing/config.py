"""The settings of `crossin probe`, and the reasons that its manifest counts."""

from __future__ import annotations

from pathlib import Path

from crossin.core.reasons import Reason
from crossin.core.settings import Settings, setting
from crossin.languages.codes import Language, Languages


class ProbeConfig(Settings):
    """What to measure: read from YAML, from flags and from Python alike."""

    model: str = setting(
        description="A name from `crossin models list`, a hub id, or a local folder.", flag=False
    )
    parallel: Path = setting(
        description="Folder with a text file for each language, a benchmark, or JSON lines or Parquet.",
        metavar="FILE|FOLDER",
    )
    languages: Languages[tuple[Language, ...]] = setting(
        (), "Languages, separated by commas, in any spelling: en,vi,Thai; all if not given.", metavar="LIST"
    )
    pivot: Language | None = setting(
        None, "Language that the others are compared with: English if not given.", metavar="LANGUAGE"
    )
    check_language: bool = setting(
        True, "Stop where most sentences are in another language than they should."
    )
    limit: int | None = setting(200, "Number of sentences to read.", ge=2)
    all_pairs: bool = setting(False, "Compare every two languages, not only each with the pivot.")
    adapter: Path | None = setting(
        None, "Adapter to apply: a training stage's folder, or PEFT's own.", metavar="FOLDER", group="Model"
    )
    device: str = setting("auto", "`auto`, `cpu`, `cuda` or `mps`.", group="Model")
    name: str | None = setting(None, "Name of the model on the page; MODEL if not given.", group="Model")
    accept_licence: bool = setting(False, "Accept the terms of the model's licence.", group="Model")
    draws: int = setting(1_000, "Bootstrap draws for the intervals.", ge=1, group="Intervals")
    seed: int = setting(0, "Seed of the draws.", ge=0, group="Intervals")


class ProbeReason(Reason):
    """Why something was left out."""

    MISSING_LANGUAGE = (
        "missing_language",
        "missing in the language",
        "leave the language out with --languages, or add what is missing in it",
    )
    NO_PLOTS = (
        "no_plots",
        "no page: it needs vl-convert-python (pip install 'crossin[report]', or the path of your checkout or "
        "wheel in place of the name)",
    )
