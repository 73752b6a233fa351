"""What several verbs take: names and languages on the command line."""

from __future__ import annotations

from typing import Annotated

import typer

from crossin.core.errors import CrossinError

# What every verb that asks a server takes.
SERVER = "A server (openai)"
BaseUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="The server, as in http://localhost:8000/v1.", rich_help_panel=SERVER),
]
KeyVariable = Annotated[
    str, typer.Option(metavar="NAME", help="Environment variable of the key.", rich_help_panel=SERVER)
]
Concurrency = Annotated[int, typer.Option(min=1, help="Calls under way at once.", rich_help_panel=SERVER)]
RequestsPerMinute = Annotated[
    float | None, typer.Option(help="No more calls than these.", rich_help_panel=SERVER)
]
TokensPerMinute = Annotated[
    float | None, typer.Option(help="No more tokens than these, about.", rich_help_panel=SERVER)
]
PriceIn = Annotated[
    float | None, typer.Option(help="Price of a million prompt tokens.", rich_help_panel=SERVER)
]
PriceOut = Annotated[
    float | None, typer.Option(help="Price of a million reply tokens.", rich_help_panel=SERVER)
]


def codes(languages: str | None) -> list[str] | None:
    """The codes of languages with commas between, in any spelling, each once; None where not given."""
    from crossin.languages.codes import parse_language

    if languages is None:
        return None
    names = [name for name in languages.split(",") if name.strip()]
    if not names:
        raise CrossinError(
            "names no language",
            field="--languages",
            fix="name some, as in --languages en,vi, or leave it out",
        )
    return list(dict.fromkeys(map(parse_language, names)))


def names(text: str, option: str) -> list[str]:
    """The names in a text with commas between; `option` is what an error calls it."""
    found = [name.strip() for name in text.split(",") if name.strip()]
    if not found:
        raise CrossinError(
            "names nothing", field=option, fix=f"name some, as in {option} a,b, or leave it out"
        )
    return found


def prices_of(price_in: float | None, price_out: float | None) -> tuple[float, float] | None:
    """Both prices, or None where none is given."""
    if (price_in is None) != (price_out is None):
        raise CrossinError("one price alone gives no cost", fix="give both --price-in and --price-out")
    return None if price_in is None or price_out is None else (price_in, price_out)
