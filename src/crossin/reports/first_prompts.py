"""What the models were asked, word for word: the first prompt in each language and wording."""

from __future__ import annotations

from html import escape
from typing import Any

from crossin.core.files import read_json
from crossin.core.formats import ANSWERS, PROMPTS
from crossin.languages.codes import language_label
from crossin.reports.figures_html import folded
from crossin.reports.results import Results, Run


def prompts_html(results: Results) -> str:
    """The prompts of all runs, folded away, those of several runs once; empty where none are known."""
    runs: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for run in results.runs:
        for one in _prompts(run):
            wording = one["wording"] if run.wordings else ""
            key = one["language"], wording, one["prompt"], tuple(one["options"])
            runs.setdefault(key, []).append(run.name)
    parts = [_prompt(*asked, names, of=len(results.runs)) for asked, names in runs.items()]
    return f"<h3>First prompt in each language</h3>{''.join(parts)}" if parts else ""


def _prompts(run: Run) -> list[dict[str, Any]]:
    """The prompts of a run in the languages reported, under its wording and the others that the page shows;
    other harnesses store none.
    """
    log = run.answers.log
    file = log.file.parent / PROMPTS
    if log.file.name != ANSWERS or not file.is_file():
        return []
    wordings = {run.answers.prompt, *(one.prompt for one in run.wordings)}
    return [
        one
        for one in read_json(file)
        if one["language"] in run.answers.languages and (one["wording"] in wordings or "" in wordings)
    ]


def _prompt(
    language: str, wording: str, text: str, options: tuple[str, ...], names: list[str], of: int
) -> str:
    who = f", {wording}" if wording else ""
    who += "" if len(names) == of else f": {', '.join(names)}"
    scored = "".join(f"<li><span dir='auto'>{escape(option)}</span></li>" for option in options)
    body = f'<pre lang="{escape(language)}" dir="auto">{escape(text)}</pre>'
    body += f"<p>Continuations scored after it:</p><ul>{scored}</ul>" if scored else ""
    return folded(escape(language_label(language) + who), body)
