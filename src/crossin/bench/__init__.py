"""Parallel benchmarks: every item in every language."""

from crossin.bench.catalogue import build_named
from crossin.bench.facts import build_bench
from crossin.bench.items import ITEMS, Item, read_items

__all__ = ["ITEMS", "Item", "build_bench", "build_named", "read_items"]
