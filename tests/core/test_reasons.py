from __future__ import annotations

import importlib
import json
import pkgutil

import crossin
from crossin.core.reasons import Reason, counted_sentences, sentence_of


class Sample(Reason):
    TOO_LONG = "sample_too_long", "longer than the limit"
    OTHER_LANGUAGE = "sample_other_language", "in another language"


def test_a_reason_is_its_code_to_programs() -> None:
    assert {"sample_too_long": 2}[Sample.TOO_LONG] == 2
    assert json.dumps({Sample.TOO_LONG: 2}) == '{"sample_too_long": 2}'


def test_people_read_a_sentence_with_its_details() -> None:
    assert sentence_of(Sample.OTHER_LANGUAGE.about("vi", "output")) == "in another language (vi, output)"
    assert sentence_of("unknown_code:vi") == "unknown code (vi)"


def test_the_most_frequent_reason_comes_first() -> None:
    counts = {Sample.TOO_LONG.value: 2, Sample.OTHER_LANGUAGE.about("vi"): 4315}
    assert counted_sentences(counts) == [
        "left out: 4,315 rows, in another language (vi)",
        "left out: 2 rows, longer than the limit",
    ]


def test_a_code_has_one_sentence_in_all_packages() -> None:
    """What a command prints must not depend on which packages are loaded."""
    for module in pkgutil.walk_packages(crossin.__path__, "crossin."):
        if not module.name.endswith(("__main__", "crossin_items")):
            importlib.import_module(module.name)
    sentences: dict[str, set[str]] = {}
    for kind in Reason.__subclasses__():
        for reason in kind:
            sentences.setdefault(reason.value, set()).add(reason.sentence)
    assert {code: found for code, found in sentences.items() if len(found) > 1} == {}
