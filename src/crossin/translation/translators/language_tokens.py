"""How translation models name languages: each family has its own tokens, which its vocabulary shows."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from crossin.core.errors import CrossinError
from crossin.languages.codes import script_of


@dataclass(frozen=True)
class LanguageTokens:
    """What names the languages: tokens and text before the source's, and the tokens that the translation
    begins with.
    """

    source_tokens: tuple[str, ...] = ()
    source_text: str = ""
    target_tokens: tuple[str, ...] = ()


def tokens_for(vocabulary: Container[str], source: str, target: str) -> LanguageTokens:
    """The tokens for a pair of languages (codes), by what the model's vocabulary has.

    NLLB: `eng_Latn` before the source, `vie_Latn` before the target. M2M100: `__en__`, `__vi__`. MADLAD: the
    text begins with `<2vi>`. Marian for several targets: with `>>vie<<`. Marian for one pair needs none.
    Raises CrossinError where the model has such tokens, but not for one of the two.
    """
    pairs = {language: list(_spellings(language)) for language in (source, target)}
    for form in ("{}", "__{}__"):
        found = {
            language: next((form.format(name) for name in names if form.format(name) in vocabulary), None)
            for language, names in pairs.items()
        }
        if form == "{}":
            # A bare `en` is a word; NLLB's codes name a script.
            found = {language: name if name and "_" in name else None for language, name in found.items()}
        one, other = found[source], found[target]
        if one and other:
            return LanguageTokens((one,), "", (other,))
        if one or other:
            raise _lacks(target if one else source)
    for form in ("<2{}>", ">>{}<<"):
        for name in pairs[target]:
            if form.format(name) in vocabulary:
                return LanguageTokens((), form.format(name) + " ", ())
        if any(form.format(name) in vocabulary for name in ("en", "eng", "de", "fr", "es", "ru")):
            raise _lacks(target)
    return LanguageTokens()


def _spellings(language: str) -> Iterator[str]:
    """A language's names in the models' vocabularies, the most exact first."""
    import langcodes

    tag = langcodes.get(language)
    three = tag.to_alpha3(variant="T")
    script = script_of(language)
    for name in (three, *_MACRO.get(three, ())):
        yield f"{name}_{script}"
    yield from (language.replace("-", "_"), tag.language or language, three, *_MACRO.get(three, ()))
    if script in ("Hans", "Hant"):
        yield from (f"{tag.language}_{script}", f"cmn_{script}")


# Macrolanguages that models call by the name of a member.
_MACRO = {
    "ara": ("arb",),
    "fas": ("pes",),
    "msa": ("zsm",),
    "lav": ("lvs",),
    "swa": ("swh",),
    "fil": ("tgl", "tl"),
    "nor": ("nob", "nb"),
    "est": ("ekk",),
    "uzb": ("uzn",),
    "mon": ("khk",),
    "sqi": ("als",),
    "aze": ("azj",),
    "nep": ("npi",),
    "ori": ("ory",),
    "yid": ("ydd",),
}


def _lacks(language: str) -> CrossinError:
    return CrossinError(
        f"the model does not have the language {language}",
        field="to",
        hint="leave it out, or use a model that has it",
    )
