"""`crossin cache`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crossin.cli.options import Command, dry_run_option, option

if TYPE_CHECKING:
    from crossin.core.user_cache import CacheEntry


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show what crossin keeps in the user's cache folder: models, the tokens of texts, and what the alignment
    check found in corpora; or clear it.

    Tokens are limited to 5 GB, or to CROSSIN_TOKEN_CACHE_GB: what was used longest ago makes room.
    """
    if ctx.invoked_subcommand is not None:
        return
    from crossin.core.user_cache import cache_entries, cache_home, token_limit

    found = cache_entries()
    if found:
        _show(found)
    click.echo(f"{_size(sum(one.size for one in found))} in {cache_home()}")
    click.echo(f"limit of the tokens: {_size(token_limit())}")


@command.command("clear", cls=Command)
@click.argument("name", required=False)
@option("--yes", is_flag=True, help="Do not ask.")
@dry_run_option
def clear(name: str | None, yes: bool, dry_run: bool) -> None:
    """Remove NAME from the cache: `models`, `tokens`, `alignment`, or one model; everything if not given.

    Shows what would be removed, and asks. What another process is using stays.

    Example: `crossin cache clear tokens`
    """
    from crossin.core.errors import CrossinError
    from crossin.core.user_cache import (
        ALIGNMENT,
        MODELS,
        TOKENS,
        cache_entries,
        cache_home,
        remove_entry,
    )

    found = cache_entries()
    chosen = [one for one in found if name in (None, one.cache, one.name)]
    if name is not None and not chosen and name not in (MODELS, TOKENS, ALIGNMENT):
        there = ", ".join(dict.fromkeys(one.name if one.cache == MODELS else one.cache for one in found))
        raise CrossinError(
            f"there is no '{name}' in the cache {cache_home()}",
            hint=f"use one of: {there}" if there else "the cache is empty",
        )
    if not chosen:
        click.echo(f"there is nothing to remove in {cache_home()}")
        return
    _show(chosen)
    total = _size(sum(one.size for one in chosen))
    if dry_run or not (yes or _agreed(f"Remove {total}?")):
        click.echo("nothing was removed")
        return
    used = [one for one in chosen if not remove_entry(one)]
    for one in used:
        click.echo(f"kept: {one.cache} {one.name}, which another process is using")
    click.echo(f"removed: {_size(sum(one.size for one in chosen if one not in used))}")


def _agreed(question: str) -> bool:
    try:
        return click.confirm(question)
    except click.Abort:
        # No terminal to ask at.
        click.echo("", err=True)
        click.echo("to remove it without being asked, add --yes", err=True)
        return False


def _show(entries: Sequence[CacheEntry]) -> None:
    from time import time

    from rich.table import Table

    from crossin.cli.console import console

    table = Table("cache", "name", "size", "last used")
    table.columns[1].overflow = "fold"
    for one in entries:
        days = max(0, int((time() - one.used) // (24 * 3600)))
        ago = "today" if days == 0 else f"{days} day{'s' if days > 1 else ''} ago"
        table.add_row(one.cache, one.name, _size(one.size), ago)
    console.print(table)


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
