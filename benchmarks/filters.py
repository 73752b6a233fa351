"""How many planted faults the quality filters of `crossin translate` catch, and how many true translations
they reject.

    python benchmarks/filters.py --data DATA [--seed 1] [--rows 2000]

DATA holds alpaca_en.json, alpaca_zh.json, alpaca_vi.json and alpaca_de.json. True translations are Chinese
rows that their makers scored 5 and Vietnamese rows whose fields were not merged, without those that are
specific to English, which the stage leaves out before, and (unless `--all`) without Vietnamese rows that the
alignment check of `crossin compose`, which reads the whole file, rejects: that file was aligned by machine.
Faults are planted in a fifth of the rows, as many of each kind as can be, each in a row where it can be.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from alignment import wilson

from crossin.alignment.check import check_alignment
from crossin.core.formats import FIELDS
from crossin.translation.checks.features import TranslationPair, features_of, sentences_of
from crossin.translation.checks.verdicts import fit_thresholds, verdicts_on
from crossin.translation.language_specific import language_specific_reason
from crossin.translation.protection import protect

Texts = dict[str, str]
# A plant gets the source, the true translation, the same row in a third language, and a random generator; it
# returns the faulty translation, or None where the row cannot have the fault.
Plant = Callable[[Texts, Texts, Texts, random.Random], Texts | None]
REFUSALS = (
    "I'm sorry, but I cannot translate this text.",
    "As an AI language model, I am unable to help with this request.",
    "I cannot assist with that.",
)
INTRODUCTIONS = (
    "Here is the translation: ",
    "Sure! Here is the translated text:\n",
    "Translation: ",
    "The translation into {} is:\n",
)


def longest(texts: Texts) -> str:
    return max(FIELDS, key=lambda field: len(texts[field]))


def wrong_language(_source: Texts, target: Texts, third: Texts, _random: random.Random) -> Texts | None:
    """The same row in a third language."""
    return dict(third) if any(third.values()) and third != target else None


def wrong_language_of_output(
    _source: Texts, target: Texts, third: Texts, _random: random.Random
) -> Texts | None:
    """The output alone in a third language."""
    if len(third["output"]) < 30 or third["output"] == target["output"]:
        return None
    return {**target, "output": third["output"]}


def copy(source: Texts, target: Texts, _third: Texts, _random: random.Random) -> Texts | None:
    """The whole row left in English."""
    return dict(source) if source != target else None


def copied_field(source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """One field left in English, of those with five words and more."""
    able = [field for field in FIELDS if len(source[field].split()) >= 5 and source[field] != target[field]]
    return {**target, (field := random.choice(able)): source[field]} if able else None


def half_left(source: Texts, target: Texts, _third: Texts, _random: random.Random) -> Texts | None:
    """The second half of the sentences of the longest field left in English."""
    field = longest(source)
    ours, theirs = sentences_of(source[field]), sentences_of(target[field])
    if len(ours) < 2 or len(ours) != len(theirs) or ours == theirs:
        return None
    half = len(ours) // 2
    return {**target, field: " ".join([*theirs[:half], *ours[half:]])}


def dropped_sentence(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """One sentence gone, of a field that has at least two."""
    able = [field for field in FIELDS if len(sentences_of(target[field])) >= 2]
    if not able:
        return None
    field = random.choice(able)
    gone = random.choice(sentences_of(target[field]))
    return {**target, field: target[field].replace(gone, "", 1).strip()}


def doubled(_source: Texts, target: Texts, _third: Texts, _random: random.Random) -> Texts | None:
    """The longest field twice."""
    field = longest(target)
    return {**target, field: f"{target[field]}\n{target[field]}"}


def loop(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """The last words of the longest field again and again."""
    field = longest(target)
    last = target[field][-random.randint(6, 20) :]
    return {**target, field: target[field] + last * random.randint(8, 30)}


def refusal(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """A refusal in the place of the longest field."""
    return {**target, longest(target): random.choice(REFUSALS)}


def introduction(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """Words about the translation before it."""
    field = random.choice([field for field in FIELDS if target[field]])
    return {**target, field: random.choice(INTRODUCTIONS).format("Chinese") + target[field]}


def changed_number(source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """One number that both sides have becomes another."""
    able = [
        (field, number)
        for field in FIELDS
        for number in re.findall(r"(?<![\d.,])\d{2,}(?![\d.,]*\d)", target[field])
        if number in source[field] and target[field].count(number) == 1
    ]
    if not able:
        return None
    field, number = random.choice(able)
    other = "".join(str((int(digit) + random.randint(1, 8)) % 10) for digit in number)
    return (
        {**target, field: target[field].replace(number, other)} if sorted(other) != sorted(number) else None
    )


def emptied(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """A field empty."""
    return {**target, random.choice([field for field in FIELDS if target[field]]): ""}


def cut_off(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """The longest field ends in the midst of it."""
    field = longest(target)
    if len(target[field]) < 20:
        return None
    return {**target, field: target[field][: int(len(target[field]) * random.uniform(0.3, 0.8))]}


def dropped_placeholder(source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """A protected span of the source is gone from the translation."""
    able = [
        (field, span)
        for field in FIELDS
        for span in protect(source[field]).kept
        if len(span) > 1 and target[field].count(span) == 1
    ]
    if not able:
        return None
    field, span = random.choice(able)
    return {**target, field: target[field].replace(span, "")}


def flattened(_source: Texts, target: Texts, _third: Texts, _random: random.Random) -> Texts | None:
    """A list or paragraphs without their line breaks."""
    field = longest(target)
    if target[field].strip().count("\n") < 3:
        return None
    return {**target, field: " ".join(target[field].split())}


def dropped_variable(source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """A variable, an entity, a formula or a model's token, which is first put behind both sides, is gone."""
    field, span = longest(target), random.choice(VARIABLES)
    faulty = dict(target)
    source[field] += f" {span}"
    target[field] += f" {span}"
    return faulty


def control_character(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """What unescaped LaTeX in JSON leaves: a control character in the place of a letter."""
    field = longest(target)
    place = random.randrange(len(target[field]))
    return {**target, field: target[field][:place] + random.choice("\t\b\f") + target[field][place + 1 :]}


def unknown_token(_source: Texts, target: Texts, _third: Texts, random: random.Random) -> Texts | None:
    """A character that the model's vocabulary lacks."""
    field = longest(target)
    place = random.randrange(len(target[field]))
    return {**target, field: target[field][:place] + "<unk>" + target[field][place + 1 :]}


def other_script(_source: Texts, target: Texts, _third: Texts, _random: random.Random) -> Texts | None:
    """Traditional characters in the place of simplified ones, of rows where we know them all."""
    found = {field: target[field].translate(TRADITIONAL) for field in FIELDS}
    changed = sum(
        one != other for field in FIELDS for one, other in zip(found[field], target[field], strict=True)
    )
    left = any(_is_simplified(character) for text in found.values() for character in text)
    return found if changed >= 2 and not left else None


def _is_simplified(character: str) -> bool:
    """Whether GB 2312 has a character that Big5 lacks."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return ord(character) >= 0x4E00
    return False


def swapped_roles(_source: Texts, target: Texts, _third: Texts, _random: random.Random) -> Texts | None:
    """What the user says and what the assistant says, exchanged."""
    if not target["instruction"] or not target["output"]:
        return None
    return {**target, "instruction": target["output"], "output": target["instruction"]}


VARIABLES = ("{0}", "%1$s", ":user_name", "&amp;", r"$2\times 3$", r"\boxed{6}", "<|im_end|>")
TRADITIONAL = str.maketrans(
    "这个们来时说会对为国还过学样点开应关现样话请问题边让给经种见体实电车书长东门马鸟鱼龙风飞写业丽举么义乐习买乱争云产亲",
    "這個們來時說會對為國還過學樣點開應關現樣話請問題邊讓給經種見體實電車書長東門馬鳥魚龍風飛寫業麗舉麼義樂習買亂爭雲產親",
)
PLANTS: dict[str, Plant] = {
    "wrong language": wrong_language,
    "wrong language of the output": wrong_language_of_output,
    "row left untranslated": copy,
    "field left untranslated": copied_field,
    "half of the sentences left": half_left,
    "sentence dropped": dropped_sentence,
    "text doubled": doubled,
    "loop": loop,
    "refusal": refusal,
    "words about the translation": introduction,
    "number changed": changed_number,
    "field emptied": emptied,
    "cut off": cut_off,
    "placeholder dropped": dropped_placeholder,
    "line breaks lost": flattened,
    "variable or formula dropped": dropped_variable,
    "control character": control_character,
    "unknown token": unknown_token,
    "other Chinese script": other_script,
    "roles swapped": swapped_roles,
}


# Planted only where the language can have it.
ONLY = {"other Chinese script": "zh"}


def load(data: Path, language: str, everything: bool) -> list[tuple[Texts, Texts, Texts]]:
    """True pairs: source, translation, and the row in a third language ('' where there is none)."""
    third_name = "de" if language == "vi" else "vi"
    files = {
        name: json.loads((data / f"alpaca_{name}.json").read_text("utf-8"))
        for name in ("en", language, third_name)
    }
    english, third = ({row["id"]: row for row in files[name]} for name in ("en", third_name))
    found = []
    for row in files[language]:
        if row.get("score", 5) == 5 and not row.get("merged_input"):
            source, target, other = (
                {field: one.get(field, "") for field in FIELDS}
                for one in (english[row["id"]], row, third.get(row["id"], {}))
            )
            if language_specific_reason(source, "en") is None:
                found.append((source, target, other))
    if language == "vi" and not everything:
        ours, theirs = (
            {field: pa.array([pair[side][field] for pair in found], pa.large_string()) for field in FIELDS}
            for side in (0, 1)
        )
        wrong = check_alignment(ours, theirs, "en", language, np.arange(len(found))).reason
        print(f"of {len(found):,} rows of the {language} file, {(wrong > 0).sum():,} are no translations")
        found = [pair for pair, reason in zip(found, wrong, strict=True) if not reason]
    return found


def verified(source: Texts, target: Texts) -> bool:
    """Whether the stage would have taken the placeholders as they are: what is protected must be there once.

    The true translations have spans of code and links as their makers wrote them; what differs from the start
    says nothing about the check, so that such a span counts as there where the true translation lacks it.
    """
    return all(
        target[field].count(span) >= 1
        for field in FIELDS
        for span in protect(source[field]).kept
        if len(span) > 1
    )


def measure(data: Path, language: str, rows: int, seed: int, show: int, everything: bool) -> None:
    draws = random.Random(seed)
    pairs = load(data, language, everything)
    draws.shuffle(pairs)
    pairs = pairs[:rows]
    kinds: list[str] = [""] * len(pairs)
    targets = [dict(target) for _, target, _ in pairs]
    order = list(range(len(pairs)))
    draws.shuffle(order)
    each = rows // 5 // len(PLANTS)
    for kind, plant in sorted(PLANTS.items(), key=lambda item: item[0] != "placeholder dropped"):
        planted = 0
        for number in order if ONLY.get(kind, language) == language else ():
            if planted == each:
                break
            if not kinds[number]:
                source, target, third = pairs[number]
                faulty = plant(source, target, third, draws)
                if faulty is not None and faulty != target:
                    kinds[number], targets[number] = kind, faulty
                    planted += 1
    began = time.perf_counter()
    features = [
        features_of(TranslationPair(source, target), "en", language)
        for (source, _, _), target in zip(pairs, targets, strict=True)
    ]
    counted = time.perf_counter() - began
    verdicts = verdicts_on(features, fit_thresholds(features, "en", language))
    checked = time.perf_counter() - began - counted
    reasons = [
        (verdict.rejection.reason if verdict.rejection else "")
        or ("placeholder" if verified(source, true) and not verified(source, target) else "")
        for verdict, (source, true, _), target in zip(verdicts, pairs, targets, strict=True)
    ]
    print(f"\n### en-{language}: {len(pairs):,} rows, seed {seed}")
    print("| fault | planted | caught | reasons |\n|---|---|---|---|")
    for kind in [*PLANTS, ""]:
        numbers = [number for number, one in enumerate(kinds) if one == kind]
        found = Counter(reasons[number] for number in numbers if reasons[number])
        caught = found.total()
        low, high = wilson(caught, len(numbers))
        name = kind or "**true translations rejected**"
        words = ", ".join(f"{reason} {count}" for reason, count in found.most_common(4))
        share = caught / max(len(numbers), 1)
        print(f"| {name} | {len(numbers)} | {share:.1%} [{low:.1%} {high:.1%}] | {words} |")
    bad = [number for number, kind in enumerate(kinds) if kind]
    caught = sum(bool(reasons[number]) for number in bad)
    low, high = wilson(caught, len(bad))
    print(f"| **all faults** | {len(bad)} | {caught / len(bad):.1%} [{low:.1%} {high:.1%}] | |")
    print(f"\nfeatures {1000 * counted / len(pairs):.2f} ms a row, thresholds and verdicts {checked:.2f} s")
    if show:
        missed = [number for number in bad if not reasons[number]]
        alarms = [number for number, kind in enumerate(kinds) if not kind and reasons[number]]
        for title, numbers in (("missed", missed), ("false alarm", alarms)):
            for number in numbers[:show]:
                print(f"\n{title}: {kinds[number]} {reasons[number]} {verdicts[number].rejection}")
                print("  ", json.dumps(pairs[number][0], ensure_ascii=False)[:600])
                print("  ", json.dumps(targets[number], ensure_ascii=False)[:600])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--languages", nargs="+", default=["zh", "vi"])
    parser.add_argument("--all", action="store_true", help="all Vietnamese rows")
    parser.add_argument("--show", type=int, default=0, help="print so many misses and false alarms")
    options: Any = parser.parse_args()
    for language in options.languages:
        measure(options.data, language, options.rows, options.seed, options.show, options.all)


if __name__ == "__main__":
    main()
