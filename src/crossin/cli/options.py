"""What several verbs take: languages on the command line."""

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
