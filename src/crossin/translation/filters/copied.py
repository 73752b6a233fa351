"""What was left as it is: sentences of the source that stand in the translation word for word."""

from __future__ import annotations

from collections.abc import Sequence

# A shorter sentence, or one with fewer words in small letters, may be a name or a title.
_LETTERS, _SMALL, _WORDS = 16, 3, 4


def copied(source: Sequence[str], target: Sequence[str], same_script: bool) -> float:
    """The share of the source's letters that stand in sentences which the target has too, 0..1.

    1 where all is the same, unless it may be names, which stay as they are in languages of the same script.
    """
    if source == target and _is_text(source, same_script):
        return 1.0
    theirs = {sentence.casefold() for sentence in target}
    letters = [sum(map(str.isalpha, sentence)) for sentence in source]
    same = [
        count
        for sentence, count in zip(source, letters, strict=True)
        if sentence.casefold() in theirs and count >= _LETTERS and _is_prose(sentence)
    ]
    return sum(same) / max(sum(letters), 1)


def _is_text(sentences: Sequence[str], same_script: bool) -> bool:
    words = [word for sentence in sentences for word in sentence.split() if sum(map(str.isalpha, word)) > 1]
    return (not same_script and len(words) >= _WORDS) or any(map(_is_prose, sentences))


def _is_prose(sentence: str) -> bool:
    cased = any(letter.isupper() or letter.islower() for letter in sentence)
    return not cased or sum(word[0].islower() and word.isalpha() for word in sentence.split()) >= _SMALL
