"""The verb `models`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(
    no_args_is_help=True, help="List the built-in models, get a model by name, or merge an adapter in."
)


@app.command("list")
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
        source = (
            "no"
            if record is None
            else "yes, from " + ("the hub" if "hub" in record["source"] else "a package")
        )
        licence = f"{model.licence} (needs --accept-licence)" if model.terms else model.licence
        table.add_row(model.name, model.parameters, licence, model.hub, source)
    console.print(table)


@app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="A built-in name, a hub id (owner/name), or a local folder.")],
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the model's terms.")
    ] = False,
) -> None:
    """Get a model into the cache, and print its folder.

    Example: `crossin models pull smollm2-135m`
    """
    from crossin.cli.console import progress_bars
    from crossin.models import pull

    with progress_bars() as progress:
        folder = pull(name, accept_licence=accept_licence, progress=progress)
    typer.echo(folder)


@app.command("merge")
def merge_models(
    model: Annotated[
        str, typer.Argument(help="What the adapter was trained on: a built-in name, a hub id, or a folder.")
    ],
    adapter: Annotated[Path, typer.Argument(help="A trained folder, or an adapter's of PEFT.")],
    out: Annotated[Path, typer.Option(help="Folder for the merged model.")],
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        typer.Option(help="What the weights are stored in; auto: as the model's own."),
    ] = "auto",
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the model's terms.")
    ] = False,
) -> None:
    """Add an adapter into its model's weights: one model as safetensors, which needs no PEFT.

    Example: `crossin models merge smollm2-135m runs/x2x --out merged/x2x`
    """
    from crossin.cli.console import progress_bars, say
    from crossin.models import pull
    from crossin.models.merging import merge

    with progress_bars() as progress:
        folder = pull(model, accept_licence=accept_licence, progress=progress)
    stage = merge(folder, adapter, out, dtype=dtype)
    if stage.manifest["counts"]["untied"]:
        say("the adapter changed embeddings and head apart: the merged model holds both")
    typer.echo(out)
