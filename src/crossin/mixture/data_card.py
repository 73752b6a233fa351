"""The data card of a mixture: `README.md` in the form that the hub and `datasets` read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from crossin import __version__
from crossin.core.formats import DATA_FOLDER
from crossin.core.reasons import sentence_of
from crossin.mixture.earlier_stages import provenance
from crossin.mixture.job import MixtureJob
from crossin.mixture.recipe import Recipe, as_yaml
from crossin.mixture.shards import shard_name

# The hub's size categories below powers of ten, from 10^3.
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M")


def card(job: MixtureJob, counts: dict[str, Any]) -> str:
    """The card of a finished mixture: its contents, its recipe, and what was left out."""
    recipe, rows, languages = job.recipe, len(job.plan), job.plan.languages
    suffix = shard_name(recipe, 0).rpartition(".")[2]
    files = [{"split": "train", "path": f"{DATA_FOLDER}/mixture-*.{suffix}"}]
    size = next((name for power, name in enumerate(_SIZES, 3) if rows < 10**power), "n>100M")
    front = {
        "pretty_name": recipe.name,
        "language": languages,
        "license": _licence(recipe),
        "task_categories": ["text-generation"],
        "tags": ["crossin", "cross-lingual", "instruction-tuning"],
        "size_categories": [size],
        "configs": [{"config_name": "default", "data_files": files}],
    }
    table = [
        f"| {cell} | {direction} | {amount:,} |"
        for name, directions in counts["components"].items()
        for cell in [name.replace("|", "\\|").replace("\n", " ")]
        for direction, amount in directions.items()
        if direction != "rows"
    ]
    left_out = [
        f"- {name}: {amount:,} rows, {sentence_of(code)}"
        for name, corpus in counts["corpora"].items()
        for code, amount in (Counter(corpus["rejected"]) + Counter(corpus["unjoined"])).items()
    ]
    new_line = "\n"
    sources = _sources(job)
    return f"""---
{yaml.safe_dump(front, sort_keys=False, allow_unicode=True).rstrip()}
---

# {recipe.name}

A mixture of {rows:,} instruction rows in {", ".join(languages)}, composed by crossin {__version__} after \
CrossIn (arXiv 2404.11932). Rows are in the order of training.

| component | language in > out | rows |
|---|---|---|
{new_line.join(table)}

Columns: `prompt` and `completion` (or `messages`), `kind` (base, mono, x2en, en2x, x2x, trans), `lang_in`, \
`lang_out`, `id` (shared by a row's translations), `slot` (which draw of its component), `source` (the \
corpus), `component`.

{sources}## Left out

{new_line.join(left_out) or "- nothing"}

## Recipe

With the same data, `crossin compose recipe.yaml` gives the same bytes; `manifest.json` has the hashes of \
the inputs.

```yaml
{as_yaml(recipe).rstrip()}
```
"""


def _sources(job: MixtureJob) -> str:
    """The section on where the rows come from, where an earlier stage made some of them."""
    lines = provenance(job.corpora)
    if not lines:
        return ""
    lines += [f"{name}: licence {spec.licence}" for name, spec in job.recipe.corpora.items()]
    return "## Where the rows come from\n\n" + "".join(f"- {line}\n" for line in lines) + "\n"


def _licence(recipe: Recipe) -> str:
    """The one licence of all corpora, or `unknown`, or `other` where they differ."""
    licences = {
        recipe.corpora[component.corpus].licence if component.corpus in recipe.corpora else "unknown"
        for component in recipe.components
    }
    return licences.pop() if len(licences) == 1 else "other"
