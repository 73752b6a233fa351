"""From items to questions: wordings, shots, the order of options."""

from crossin.bench.asking.form import Chat, Form, Question
from crossin.bench.asking.questions import questions
from crossin.bench.asking.wordings import WORDINGS

__all__ = ["WORDINGS", "Chat", "Form", "Question", "questions"]
