"""A user's own words: which term of the source becomes which in each language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.languages.codes import parse_language


def read_glossary(path: Path, targets: Sequence[str]) -> dict[str, dict[str, str]]:
    """The terms by target language, of a YAML file that maps each language to its terms:

        zh: {large language model: 大语言模型, CrossIn: CrossIn}
        vi: {large language model: mô hình ngôn ngữ lớn}

    Languages that are not among `targets` are left out. Raises CrossinError, with the file and the field, for
    what has another form.
    """
    found = read_yaml(path)
    hint = "write a language and below it `term: translation`, in quotes where YAML wants them"
    if not isinstance(found, dict):
        raise CrossinError("is no glossary", file=path, hint=hint)
    glossary: dict[str, dict[str, str]] = {}
    for name, terms in found.items():
        if not isinstance(terms, dict) or not all(
            isinstance(one, str) and one.strip() for pair in terms.items() for one in pair
        ):
            raise CrossinError("its terms are no texts", file=path, field=str(name), hint=hint)
        try:
            language = parse_language(name)
        except CrossinError as error:
            raise CrossinError(error.message, file=path, field=str(name), hint=error.hint) from error
        if language in targets:
            glossary[language] = {term.strip(): translation for term, translation in terms.items()}
    return glossary
