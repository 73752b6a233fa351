"""`crossin models`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from crossin.cli.options import Command, option

_accept = option("--accept-licence", is_flag=True, help="Accept the model's terms.")
_DTYPES = click.Choice(["auto", "float32", "bfloat16", "float16"])


@click.group(no_args_is_help=True)
def command() -> None:
    """List the built-in models, get a model by name, talk to it, merge an adapter into it, or publish it."""


@command.command("list", cls=Command)
def list_models() -> None:
    """List the built-in models, and which of them are in the cache."""
    from rich.table import Table

    from crossin.cli.console import console
    from crossin.models import BUILT_IN
    from crossin.models.download import cached

    table = Table("name", "parameters", "licence", "on the hub", "in the cache")
    for column in table.columns:
        column.overflow = "fold"
    for model in BUILT_IN.values():
        record = cached(model.name)
        origin = "the hub" if record and "hub" in record["source"] else "a package"
        licence = f"{model.licence} (needs --accept-licence)" if model.terms else model.licence
        place = f"yes, from {origin}" if record else "no"
        table.add_row(model.name, model.parameters, licence, model.hub, place)
    console.print(table)


@command.command("pull", cls=Command)
@click.argument("name")
@_accept
def pull_model(name: str, accept_licence: bool) -> None:
    """Get a model into the cache, and print its folder: a built-in name, a hub id (owner/name), a folder,
    or a GGUF file.

    Example: `crossin models pull smollm2-135m`
    """
    from crossin.cli.console import progress_bars
    from crossin.models import pull

    with progress_bars() as progress:
        folder = pull(name, accept_licence=accept_licence, progress=progress)
    print(folder)


@command.command("merge", cls=Command)
@click.argument("model")
@click.argument("adapter", type=click.Path(path_type=Path))
@option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    required=True,
    help="For the merged model.",
)
@option("--dtype", type=_DTYPES, default="auto", help="Precision of the weights; auto: as the model's.")
@_accept
def merge_models(model: str, adapter: Path, out: Path, dtype: str, accept_licence: bool) -> None:
    """Merge an adapter (a trained folder, or one of PEFT) into the model that it was trained on: one model as
    safetensors, which needs no PEFT.

    Example: `crossin models merge smollm2-135m runs/x2x --out merged/x2x`
    """
    from crossin.cli.console import progress_bars, say
    from crossin.core.progress import phase
    from crossin.models import pull
    from crossin.models.merging import form_note, merge

    with progress_bars() as progress:
        folder = pull(model, accept_licence=accept_licence, progress=progress)
        with phase(progress, "merging", "models"):
            stage = merge(folder, adapter, out, dtype=dtype)
    if stage.manifest["counts"]["untied"]:
        say("the adapter changed embeddings and head in different ways: the merged model holds both")
    if note := form_note(adapter):
        say(f"note: {note}")
    print(out)


@command.command("chat", cls=Command)
@click.argument("model")
@option(
    "--adapter", type=click.Path(path_type=Path), metavar="FOLDER", help="Adapter to try: a trained folder."
)
@option("--system", metavar="TEXT", help="System prompt.")
@option("--plain", is_flag=True, help="Continue what is written, without the chat template.")
@option("--max-tokens", type=int, default=512, show_default=True, help="The longest reply.")
@option("--temperature", type=float, default=0.0, show_default=True, help="0: the likeliest words.")
@option("--seed", type=int, default=0, show_default=True, help="Of the temperature's draws.")
@option("--device", default="auto", show_default=True, help="`auto`, `cpu`, `cuda` or `mps`.")
@_accept
def chat_with_model(
    model: str, adapter: Path | None, system: str | None, accept_licence: bool, **given: Any
) -> None:
    """Talk to a model, with or without an adapter, to see what tuning did.

    Each line is a turn, and the reply follows. /new begins another conversation; /quit or the end of the
    input ends it. An adapter is asked in the form that it was trained on: in the model's chat template, or in
    Alpaca's form, say. Where that form is not known, write it yourself, with --plain.

    Example: `crossin models chat smollm2-135m --adapter runs/x2x`
    """
    from crossin.cli.console import progress_bars, say
    from crossin.models import pull
    from crossin.models.merging import form_note
    from crossin.models.talking import open_talk

    with progress_bars() as progress:
        folder = pull(model, accept_licence=accept_licence, progress=progress)
    reply = open_talk(folder, adapter, **given)
    if adapter is not None and not given["plain"] and (note := form_note(adapter)):
        say(f"note: {note}")
    first = [{"role": "system", "content": system}] if system and not given["plain"] else []
    turns = list(first)
    shown = "> " if sys.stdin.isatty() else ""
    print(shown, end="", flush=True)
    for line in sys.stdin:
        text = line.strip()
        if text == "/quit":
            return
        if text == "/new":
            turns = list(first)
        elif text:
            turns.append({"role": "user", "content": text})
            said = reply(turns, lambda piece: print(piece, end="", flush=True))
            turns.append({"role": "assistant", "content": said})
            print()
        print(shown, end="", flush=True)


@command.command("card", cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@option("--base", metavar="NAME", help="The base model's name on the hub. Known for a built-in model.")
@option("--mixture", type=click.Path(path_type=Path), metavar="FOLDER", help="What it was trained on.")
@option(
    "--evaluation",
    "evaluations",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    multiple=True,
    help="Answers to a benchmark, for the figures; the base model's too. Several: repeat it.",
)
@option(
    "--licence", default="unknown", show_default=True, help="Of the model, as the hub writes it: apache-2.0."
)
@option("--name", metavar="TEXT", help="The model's name. Default: the folder's.")
@option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Default: the terminal.")
def write_card(folder: Path, out: Path | None, **given: Any) -> None:
    """Write the model card of a training or a merged model, as the hub reads it: languages, base model, how
    to ask it, data with licences, settings, figures with intervals, limits.

    Example: `crossin models card runs/x2x --mixture mixtures/x2x --evaluation runs/eval/x2x/facts --out
    card.md`
    """
    from crossin.core.files import write_text
    from crossin.publishing.cards import model_card

    text = model_card(folder, **given)
    if out is None:
        print(text, end="")
        return
    write_text(out, text)
    print(out)


@command.command("push", cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("repository", metavar="OWNER/NAME")
@option("--card", type=click.Path(path_type=Path), metavar="FILE", help="The README.md: crossin models card.")
@option(
    "--kind",
    type=click.Choice(["model", "dataset"]),
    default="model",
    show_default=True,
    help="Of the repository.",
)
@option("--public", is_flag=True, help="Let everybody see a new repository.")
@option("--dry-run", is_flag=True, help="List what would be uploaded.")
def push_folder(
    folder: Path, repository: str, card: Path | None, kind: Any, public: bool, dry_run: bool
) -> None:
    """Upload a model, a mixture or results to the hub, with the hub's own token.

    The token is in HF_TOKEN, or stored by `hf auth login`. Of a training, the adapter or the model goes
    there. Caches, checkpoints and counts of a server's use stay here.

    Example: `crossin models push merged/x2x OWNER/NAME --card card.md --dry-run`
    """
    from crossin.publishing.uploads import push, upload_of

    if dry_run:
        found = upload_of(folder, card)
        for name, file in sorted(found.files.items()):
            print(f"{file.stat().st_size:>14,}  {name}")
        print(f"{found.bytes:>14,}  {len(found.files)} files to {repository} ({kind}); nothing was uploaded")
        return
    print(push(folder, repository, card=card, kind=kind, private=not public))
