"""`crossin view`: a run's folder in the browser."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from crossin.cli.options import Command, option


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@option("--open", "in_browser", is_flag=True, help="Open it in the browser.")
def command(folder: Path, in_browser: bool) -> None:
    """Look at the pages of a run in the browser, also while it is running.

    DIR is any folder: a training run, an evaluation, an experiment. Prints an address, which works on this
    machine only, until Ctrl-C. There: an index of the pages (.html) and figures (.json, .svg, .png) in the
    folder and, of a training run in progress, its losses so far. Reload a page to see what is new.

    \b
    crossin train demo --model smollm2-135m --mixture mixtures/x2x --out runs/x2x &
    crossin view runs/x2x --open
    """
    from crossin.cli.console import say
    from crossin.viewing.server import FolderServer

    with FolderServer(folder) as server, suppress(KeyboardInterrupt):
        # Ctrl-C is how it ends, and there is nothing to save.
        print(server.url, flush=True)
        say("Ctrl-C ends it. Keep the address to yourself: with it, any user of this machine can read it.")
        if in_browser:
            import webbrowser

            webbrowser.open(server.url_to_open())
        server.serve_forever()
