"""The command `examples`."""

from __future__ import annotations

import click

from crossin.cli.options import Command


@click.command(cls=Command)
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the recipes and settings that come with crossin, or print the one called NAME.

    A command takes an example by its name, where it takes a file: `crossin train demo`. The rest are options,
    which go before the file's entries.

    To change one: `crossin examples first-paper-x2x > my.yaml`

    Where two commands have an example of one name: `crossin examples train/demo`
    """
    from crossin.cli.console import console
    from crossin.core.examples import find_example, list_examples
    from crossin.core.files import read_text

    if name is not None:
        click.echo(read_text(find_example(name).path), nl=False)
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "command", "about")
    for one in list_examples():
        table.add_row(*map(Text, (one.name, one.command, one.about)))
    console.print(table)
