"""A corpus from a model's own answers: what it says consistently in the pivot, in every language."""
