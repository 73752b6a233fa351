"""The card of a tuned model, in the form that the hub reads: what it is, how to ask it, what it was trained
on, and how well it does, with intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin import __version__
from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import MANIFEST
from crossin.core.paths import as_path
from crossin.core.reasons import counted_sentences
from crossin.languages.codes import language_name
from crossin.mixture.recipe import Recipe, as_yaml, read_recipe
from crossin.models.adapters import CHAT_TEMPLATE, adapter_folder
from crossin.models.catalogue import BUILT_IN
from crossin.publishing.figures import Scored, figures_section, scores_of

# Settings of a training that people ask for first.
_SETTINGS = (
    *("method", "optimiser", "batches", "epochs", "max_steps", "max_tokens", "weigh"),
    *("align", "consist", "prefer", "chat_template_kwargs", "seed"),
)


def model_card(
    folder: Path | str,
    *,
    base: str | None = None,
    mixture: Path | str | None = None,
    evaluations: Sequence[Path | str] = (),
    licence: str = "unknown",
    name: str | None = None,
) -> str:
    """The text of a card for the folder of a training, or of a merged model.

    base: the base model's name on the hub; of a built-in model it is known. mixture: what it was trained on.
    evaluations: folders of answers (`crossin evaluate`), the base model's too, for the figures.

    Raises CrossinError for a folder that is neither, and for answers that cannot be scored.
    """
    import yaml

    folder, mixture = as_path(folder), as_path(mixture) if mixture else None
    record = _record(folder)
    recipe = read_recipe(mixture / "recipe.yaml") if mixture else None
    base = base or _base_of(folder)
    scored = scores_of(evaluations)
    name = name or folder.absolute().name
    languages = {
        *(recipe.languages or () if recipe else ()),
        *(code for one in scored for code in one.languages),
    }
    front = {
        "language": sorted(languages),
        "license": licence,
        "base_model": base,
        "library_name": "peft" if adapter_folder(folder) != folder else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["crossin", "cross-lingual", "instruction-tuning"],
    }
    front = {key: value for key, value in front.items() if value}
    sections = [
        f"---\n{yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip()}\n---",
        f"# {name}",
        f"{base or 'A language model'}, tuned with crossin {__version__} so that it answers in one language"
        " what it knows in another (after CrossIn, arXiv 2404.11932).",
        _asking(folder, record, recipe, name),
        _data(recipe, mixture) if recipe and mixture else "",
        _training(record) if record["stage"] == "train" else "",
        figures_section(scored),
        _limits(scored),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _record(folder: Path) -> dict[str, Any]:
    """The manifest of a training or a merge."""
    record = read_json(folder / MANIFEST) if (folder / MANIFEST).is_file() else {}
    if not isinstance(record, dict) or record.get("stage") not in ("train", "merge"):
        raise CrossinError(
            "not the folder of a training, or of a merged model",
            file=folder,
            hint="name what `crossin train` or `crossin models merge` wrote",
        )
    return record


def _base_of(folder: Path) -> str:
    """The base that an adapter names; a built-in model by its name on the hub, no folder of this machine."""
    config = adapter_folder(folder) / "adapter_config.json"
    found = read_json(config).get("base_model_name_or_path") if config.is_file() else None
    if not isinstance(found, str):
        return ""
    name = Path(found).name.replace("--", "/")
    built_in = next((one for one in BUILT_IN.values() if one.name in (found, name)), None)
    if built_in:
        return built_in.hub
    return "" if Path(found).is_absolute() else found


def _asking(folder: Path, record: Mapping[str, Any], recipe: Recipe | None, name: str) -> str:
    template = record["counts"].get("template") or (recipe.template if recipe else "")
    own = (adapter_folder(folder) / CHAT_TEMPLATE).is_file()
    how = "It was trained on rows of prompt and completion: ask as they do."
    if template == "chat" or own or record["stage"] == "merge":
        how = "Ask it in its chat template."
    elif template:
        how = f"It was trained on the template `{template}`, and not on a chat template: ask in this form."
    words = f"BASE --adapter {name}" if record["stage"] == "train" else name
    return f"## How to ask it\n\n{how}\n\n```\ncrossin models chat {words}\n```"


def _data(recipe: Recipe, mixture: Path) -> str:
    counts = read_json(mixture / MANIFEST)["counts"]
    rows = [
        f"| {name} | {direction} | {amount:,} |"
        for name, directions in counts["components"].items()
        for direction, amount in directions.items()
        if direction != "rows"
    ]
    licences = [f"- {name}: {spec.licence}" for name, spec in recipe.corpora.items()]
    # A folder of this machine has no meaning elsewhere.
    tokenizer = Path(recipe.tokenizer).name if recipe.tokenizer else None
    parts = [
        f"## Data\n\n{counts['rows']:,} rows of the mixture `{recipe.name}`:",
        "\n".join(["| component | language in > out | rows |", "|---|---|---|", *rows]),
        "\n".join(["Licences of its corpora:", "", *licences]) if licences else "",
        _section(mixture / "README.md", "Where the rows come from"),
        f"```yaml\n{as_yaml(recipe.model_copy(update={'tokenizer': tokenizer})).rstrip()}\n```",
    ]
    return "\n\n".join(filter(None, parts))


def _section(file: Path, title: str) -> str:
    """The text below a heading of a page, '' where there is none."""
    text = file.read_text("utf-8") if file.is_file() else ""
    return text.partition(f"## {title}\n\n")[2].partition("\n\n## ")[0].rstrip()


def _training(record: Mapping[str, Any]) -> str:
    import yaml

    counts, settings = record["counts"], record["settings"]
    chosen = {name: settings[name] for name in _SETTINGS if settings.get(name) not in (None, {})}
    tokens = f"{counts['tokens']:,} tokens, {counts['learned_tokens']:,} of them learned"
    weights = f"{counts['trained_weights']:,} of {counts['weights']:,} weights trained"
    parts = [
        f"## Training\n\n{counts['rows']:,} rows, {tokens}, in {counts['steps']:,} steps; {weights}.",
        "\n".join(f"- {line}" for line in counted_sentences(record.get("skipped", {}))),
        f"```yaml\n{yaml.safe_dump(chosen, sort_keys=False).rstrip()}\n```",
    ]
    return "\n\n".join(filter(None, parts))


def _limits(scored: Sequence[Scored]) -> str:
    measured = "Nothing was measured."
    if scored:
        languages = dict.fromkeys(code for one in scored for code in one.languages)
        benches = ", ".join(dict.fromkeys(one.bench for one in scored))
        measured = f"It was measured in {', '.join(map(language_name, languages))} on {benches} alone."
    return (
        f"## Limits\n\n{measured} Tuning on one kind of question can cost others, and the language itself."
        " What the model says may be wrong in any language."
    )
