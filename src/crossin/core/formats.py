"""The names of files and columns that several packages read or write (docs/formats.md)."""

from __future__ import annotations

# A stage's folder: described by its manifest once it is finished, by its claim until then.
MANIFEST = "manifest.json"
CLAIM = "stage.json"
# The texts of a row of instruction data.
FIELDS = ("instruction", "input", "output")
# A mixture's shards, and a corpus's languages, are in this folder.
DATA_FOLDER = "data"
REJECTS = "rejects.parquet"
# A benchmark's items, and a model's answers to them.
ITEMS = "items.parquet"
ANSWERS = "answers.parquet"
# The first prompt in each language and wording, as the model was asked.
PROMPTS = "prompts.json"
# The entities of a benchmark's inventories, with their names in each language.
ENTITIES = "entities.parquet"
# Pairs of answers, a better and a worse one.
PREFERENCES = "preferences.parquet"
# What a run's requests to a server share: rate limit, budget and usage.
USAGE = "usage.sqlite"
