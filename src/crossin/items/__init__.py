"""Benchmark items, how they are asked (wordings, shots, the order of options), and how replies are read."""

from crossin.items.asking import Chat, Form, Question, questions
from crossin.items.item import Item, read_items
from crossin.items.wordings import WORDINGS

__all__ = ["WORDINGS", "Chat", "Form", "Item", "Question", "questions", "read_items"]
