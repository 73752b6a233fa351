"""What transfers a fact that is taught in English only: facts that no model can know, in some languages.

    python benchmarks/transfer.py --out runs/transfer --seeds 0 1 2

Each country gets a month at random ("In which month is the lantern fair of Norway?"), so that no pretraining
can answer. Countries are split in three: `shared` facts are taught in all languages but the ones held out;
`unanswered` ones in English, while their questions are seen, without answers, in the other languages by the
arms with a consistency term; `never shown` ones in English alone, and in no other language in any form: these
are the test. Twelve options: chance is 8.3%. `English check` is the English accuracy on the test facts, by
seed: a seed below 90 says nothing about transfer.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow
from seeds import stacked

from crossin.core.files import write_parquet, write_text
from crossin.core.hashing import hash64
from crossin.evaluation import HfEngine, ask_bench
from crossin.facts.corpus import subjects_of
from crossin.facts.names import month_name
from crossin.facts.world import load_countries
from crossin.items.item import Item, write_items
from crossin.metrics.bootstrap import intervals
from crossin.metrics.reading import read_answers
from crossin.metrics.table import select
from crossin.mixture import Component, Recipe, compose
from crossin.models import pull
from crossin.reports.cells import rounded
from crossin.training import TrainConfig, train

WORDING = {
    "en": "In which month is the lantern fair of {subject}?",
    "es": "¿En qué mes se celebra la feria de los faroles de {subject}?",
    "vi": "Hội chợ đèn lồng của {subject} diễn ra vào tháng nào?",
    "zh": "{subject}的灯笼集市在几月举行？",
}
KINDS = ("shared", "unanswered", "never shown")
MONTHS = range(1, 13)


@dataclass(frozen=True)
class Arm:
    """Kinds of rows made of the shared facts, and the terms beside the mixture."""

    kinds: tuple[str, ...]
    terms: dict[str, Any]


ARMS = {
    "x2x + trans": Arm(("x2x", "trans"), {}),
    "x2x + trans + align": Arm(("x2x", "trans"), {"align": {"weight": 0.3}}),
    "x2x + trans + consist KL": Arm(
        ("x2x", "trans"), {"consist": {"granularity": "answer", "divergence": "kl", "weight": 0.3}}
    ),
}


@dataclass(frozen=True)
class Fact:
    """A country's month, and what is taught about it."""

    country: str
    kind: str
    month: int
    names: dict[str, str]


def facts_of(countries: int, languages: Sequence[str], seed: int) -> list[Fact]:
    """Countries drawn at random: 40% shared, 30% unanswered and 30% never shown."""
    subjects = subjects_of(load_countries()[0], list(languages), Counter())
    chosen = sorted(subjects, key=lambda code: hash64("transfer", str(seed), code))[:countries]
    bounds = (0.4 * countries, 0.7 * countries)
    return [
        Fact(
            code,
            KINDS[sum(number >= bound for bound in bounds)],
            1 + hash64("month", str(seed), code) % 12,
            subjects[code],
        )
        for number, code in enumerate(chosen)
    ]


def write_corpora(facts: Sequence[Fact], out: Path, languages: Sequence[str]) -> None:
    """`english.parquet`: all facts in English; `shared.parquet` and `names.parquet`: shared facts and their
    names in all `languages`.
    """

    def row(fact: Fact, language: str, name: str, output: str) -> dict[str, str]:
        where = {"group": fact.country, "task": "lantern fair", "input": ""}
        return {"id": fact.country, "language": language, "instruction": name, "output": output, **where}

    def asked(fact: Fact, language: str) -> dict[str, str]:
        question = WORDING[language].format(subject=fact.names[language])
        return row(fact, language, question, month_name(fact.month, language) or "")

    shared = [fact for fact in facts if fact.kind == "shared"]
    months = [
        {**row(shared[0], language, month_name(month, language) or "", ""), "id": f"month:{month}"}
        for month in MONTHS
        for language in languages
    ]
    names = [row(fact, language, fact.names[language], "") for fact in shared for language in languages]
    corpora = {
        "english": [asked(fact, "en") for fact in facts],
        "shared": [asked(fact, language) for fact in shared for language in languages],
        "names": names + months,
    }
    for name, rows in corpora.items():
        rows = [{**row, "id": f"{name}:{row['id']}"} for row in rows]
        write_parquet(out / f"{name}.parquet", pyarrow.Table.from_pylist(rows))


def items_of(facts: Sequence[Fact], languages: Sequence[str]) -> list[Item]:
    """The questions, with all twelve months as options."""
    return [
        Item(
            item=fact.country,
            group=fact.country,
            task=fact.kind,
            language=language,
            context="",
            question=WORDING[language].format(subject=fact.names[language]),
            options=[month_name(month, language) or "" for month in MONTHS],
            option_ids=[str(month) for month in MONTHS],
            answer=str(fact.month),
            source="counterfactual",
            licence="",
        )
        for fact in facts
        for language in languages
    ]


def recipe_of(arm: Arm, options: argparse.Namespace) -> Recipe:
    """All facts in English `--epochs` times, and the shared ones in the arm's ways."""
    components = [
        Component(
            kind="base", corpus="english", rows=options.countries * options.epochs, epochs=options.epochs
        )
    ]
    rows = round(options.countries * options.epochs * options.others / len(arm.kinds))
    for kind in arm.kinds:
        corpus = "names" if kind == "trans" else "shared"
        components.append(
            Component(
                kind=kind,  # type: ignore[arg-type]
                corpus=corpus,
                side="instruction",
                rows=rows,
                epochs=1000,
            )
        )
    return Recipe(name="transfer", template="question", components=components)


def run_arm(name: str, arm: Arm, seed: int, options: argparse.Namespace, model: Path) -> None:
    """Compose, train and evaluate one arm."""
    home = options.out / f"seed-{seed}"
    facts = facts_of(options.countries, options.languages, seed)
    taught = [language for language in options.languages if language not in options.held_out_languages]
    for folder in ("corpora", "bench", "questions"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    write_corpora(facts, home / "corpora", taught)
    write_items(home / "bench" / "items.parquet", items_of(facts, options.languages))
    seen = [fact for fact in facts if fact.kind != "never shown"]
    write_items(home / "questions" / "items.parquet", items_of(seen, taught))
    place = home / _folder(name)
    mixture = compose(
        recipe_of(arm, options),
        home / "corpora",
        place / "mixture",
        languages=taught,
        seed=seed,
    )
    entries: dict[str, Any] = {
        "model": str(model),
        "mixture": mixture.folder,
        "seed": seed,
        "optimiser": {"learning_rate": options.learning_rate},
        "batches": {"rows": options.rows},
        **arm.terms,
    }
    if arm.terms:
        entries["pairs"] = {"items": home / "questions", "share": options.share}
    stage = train(TrainConfig.model_validate(entries), place / "training", say=print)
    print(f"seed {seed}, {name}: {stage.manifest['counts']['tokens']} tokens", flush=True)
    with closing(HfEngine(model, adapter=stage.folder)) as engine:
        ask_bench(engine, home / "bench", place / "answers", name=name)


def _folder(name: str) -> str:
    return name.replace(" ", "-")


def table_of(options: argparse.Namespace) -> str:
    """Accuracy by kind of fact and language; and the English check, seed by seed."""
    heads = [f"{kind}, {language}" for kind in KINDS for language in options.languages]
    lines = ["| arm | English check | " + " | ".join(heads) + " |", "|---" * (len(heads) + 2) + "|"]
    for name in options.arms:
        places = [options.out / f"seed-{seed}" / _folder(name) / "answers" for seed in options.seeds]
        tables = [read_answers(place) for place in places if (place / "manifest.json").exists()]
        if not tables:
            continue
        checks = []
        for table in tables:
            figures = intervals(select(table, tasks=["never shown"]), draws=2)
            checks.append(f"{100 * figures['accuracy/en'].value:.0f}")
        cells = []
        for kind in KINDS:
            figures = intervals(select(stacked(tables, apart=True), tasks=[kind]))
            for language in options.languages:
                one = figures[f"accuracy/{language}"]
                value, low, high = (rounded(100 * x, 0) for x in (one.value, one.low, one.high))
                cells.append(f"{value} [{low} {high}]")
        lines.append(f"| {name} | {' '.join(checks)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--languages", nargs="+", default=["en", "es", "zh"])
    parser.add_argument("--held-out-languages", nargs="*", default=["zh"], help="nothing is taught in these")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--countries", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=12, help="how often each fact is taught in English")
    parser.add_argument("--others", type=float, default=1.5, help="rows in other languages, by English ones")
    parser.add_argument("--rows", type=int, default=4, help="a step")
    parser.add_argument("--share", type=float, default=0.35 / 1.35, help="of all tokens that pairs have")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--table", action="store_true", help="only print the table of what is finished")
    options = parser.parse_args()
    if not options.table:
        model = pull(options.model)
        for seed in options.seeds:
            for name in options.arms:
                run_arm(name, ARMS[name], seed, options, model)
    table = table_of(options)
    write_text(options.out / "table.md", table + "\n")
    print(table)


if __name__ == "__main__":
    main()
