"""RankC on BMLAMA-17 with the option in the sentence's gap, as published (arXiv 2310.10378), and with the
option after the sentence, as a mapping without `gap` asks it: the mark still in the question, then "Answer:".

    python benchmarks/rankc.py --data DATA

DATA holds `bmlama17/<language>.tsv`. Both forms ask the same facts. Options are ranked by their
log-probability in all (`sum`) and for each token (`token`; in the gap, that is the published score). Prints a
Markdown table, and the paired difference of the published score and the default after the sentence.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from crossin.bench import build_named
from crossin.core.formats import ITEMS
from crossin.evaluation import evaluate
from crossin.items.item import read_items, write_items
from crossin.metrics.bootstrap import Figure
from crossin.metrics.rankings import rankc_chance
from crossin.scoring.comparison import compare
from crossin.scoring.scores import Score

MAPPING = """\
licence: Apache-2.0
files: ["{{language}}.tsv"]
languages: [{languages}]
join: position
group: "{{Subject}}"
task: facts
question: "{{Prompt}}"
{gap}
options: {{column: Candidate Ans, separator: ", "}}
shuffle: true
answer: {{column: Ans, form: text, separator: ", "}}
"""
FORMS = {"gap": 'gap: "<mask>"', "after": ""}
CHOICES = ("token", "sum")


def build(data: Path, languages: str, home: Path) -> dict[str, Path]:
    """Both benchmarks' folders, by form, with the items that both have."""
    found = {}
    for form, gap in FORMS.items():
        mapping = home / f"{form}.yaml"
        mapping.write_text(MAPPING.format(languages=languages, gap=gap), encoding="utf-8")
        found[form] = build_named(mapping, home / form, source=data / "bmlama17").folder
    items = {form: read_items(folder) for form, folder in found.items()}
    common = set.intersection(*({item.item for item in some} for some in items.values()))
    for form, some in items.items():
        found[form] = home / f"common-{form}"
        found[form].mkdir()
        write_items(found[form] / ITEMS, [item for item in some if item.item in common])
    return found


def shown(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.low:.3f} {figure.high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder with bmlama17")
    parser.add_argument("--model", default="smollm2-135m", help="a model, by name or folder")
    parser.add_argument("--languages", default="en,es,vi,tr", help="languages, with commas")
    parser.add_argument("--limit", type=int, default=150, help="facts to ask")
    options = parser.parse_args()
    scores: dict[tuple[str, str], Score] = {}
    folders: dict[tuple[str, str], Path] = {}
    begin = time.perf_counter()
    with TemporaryDirectory() as folder:
        home = Path(folder)
        for form, bench in build(options.data, options.languages, home).items():
            for choice in CHOICES:
                [found] = evaluate(
                    {"models": (options.model,), "bench": (str(bench),), "limit": options.limit},
                    home / f"{form}-{choice}",
                    choice=choice,
                    cache=home / "cache.sqlite",
                )
                [scores[form, choice]] = found.scores
                folders[form, choice] = found.stage.folder
        sizes = {item.item: len(item.options) for item in read_items(folders["gap", "token"])}
        paired = compare(folders["gap", "token"], folders["after", "sum"]).choices
    assert paired is not None
    pairs = [name for name in scores["gap", "token"].choices if name.startswith("rankc/")]
    rows = ["rankc", *pairs, "accuracy", *(f"accuracy/{x}" for x in options.languages.split(","))]
    print(f"{len(sizes)} facts, {time.perf_counter() - begin:.0f} s")
    print("| figure | " + " | ".join(f"{form}, {choice}" for form, choice in scores) + " |")
    print("|---|" + "---|" * len(scores))
    for row in rows:
        print(f"| `{row}` | " + " | ".join(shown(one.choices[row]) for one in scores.values()) + " |")
    print(f"RankC of random rankings: {sum(map(rankc_chance, sizes.values())) / len(sizes):.3f}")
    print(f"accuracy by chance: {sum(1 / size for size in sizes.values()) / len(sizes):.3f}")
    print(f"rankc, gap by token less after by sum: {shown(paired.difference['rankc'])}")


if __name__ == "__main__":
    main()
