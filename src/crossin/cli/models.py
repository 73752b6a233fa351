"""The verb `models`."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="List the built-in models, or get a model by name.")


@app.command("list")
def list_models() -> None:
    """List the built-in models, and which of them are in the cache."""
    from rich.table import Table

    from crossin.cli.console import console
    from crossin.models import BUILT_IN
    from crossin.models.pull import cached

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
