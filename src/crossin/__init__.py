"""crossin: mix, tune and measure, so that what a model knows in English it knows in Thai.

Each stage is one function: `crossin.corpus.build_facts`, `crossin.compose.compose`, `crossin.train.train`,
`crossin.evaluate.evaluate`, `crossin.report.report`. Importing this package loads none of them.
"""

__version__ = "0.1.0"
