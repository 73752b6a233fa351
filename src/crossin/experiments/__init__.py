"""Experiments: one model tuned in several ways, and compared on the same items."""
