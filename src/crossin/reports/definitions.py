"""What each figure of a report means."""

from __future__ import annotations

import re

# Those of the paper; the others are ours, or the field's.
PAPERS = ("accuracy", "consistency", "ac3")
# By figure, without its language and its number of languages.
DEFINITIONS = {
    "accuracy": "the share of answers that are right; a missing answer is wrong. In the mean, "
    "all languages count the same",
    "consistency": "how often s languages give the same answer, over all choices of s languages; a missing "
    "answer agrees with nothing",
    "kappa": "consistency_s corrected for chance: (observed − chance) / (1 − chance), where chance is the "
    "consistency of answers drawn independently in each language. 1 is full agreement, 0 is chance. A bias "
    "for one option raises consistency, and not kappa",
    "right": "the part of consistency_s where the common answer is right",
    "wrong": "the part of consistency_s where the common answer is wrong",
    "ac3": "the harmonic mean of accuracy and consistency_s",
    "missing": "the share of questions to which no answer could be read",
    "answered": "the share of replies that name an entity of the inventory; such a reply counts as an option "
    "in the other figures, and any other as a missing answer",
    "exact_match": "the share of replies that are a reference word for word",
    "containment": "the share of replies that contain a reference",
    "f1": "how many words reply and reference share, from 0 to 1",
    "chrf": "how many short strings of characters reply and reference share, from 0 to 100",
    "in_language": "the share of replies that are in the language of the question",
    "fidelity": "the share of replies in the language of the question, among those whose language is clear",
    "undecided": "the share of replies whose language is not clear",
    "no_reply": "the share of empty replies",
}
_SIZE = re.compile(r"_\d+$")


def figure_of(key: str) -> str:
    """The figure of a key, without its language and its number of languages: `kappa_2` → `kappa`."""
    return _SIZE.sub("", key.partition("/")[0])
