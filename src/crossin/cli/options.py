"""What several verbs take: names and languages on the command line."""

from __future__ import annotations

from crossin.errors import CrossinError


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
