"""Where a text holds code without a fence, as instruction data does between lines of prose, and JSON."""

from __future__ import annotations

import json
import re

# A line that is code whatever its neighbours are.
_CODE = re.compile(
    r"""
    ^\s*(?:
      (?:def|class)\s+\w+.*:\s*$ | (?:from\s+[\w.]+\s+)?import\s+[\w.*]+ | @\w+[\w.()]*\s*$
    | (?:if|elif|while|for|with|try|except|else|finally)\b[^.?!]*:\s*$
    | (?:return|yield|raise|assert|del|print|echo|puts)\b\s*[\w("'\[].*[\w)"'\];]\s*$
    | (?:var|let|const|int|float|double|char|bool|boolean|string|String|auto|long)\s+\w+(?:\[\])*\s*[=;\[].*
    | (?:public|private|protected|static|void|function|func|fn|struct|interface|package|namespace|using)\b
      .*[{;(]\s*$
    | \#include\s*[<"] | <\?php | \#!/ | using\s+\w+;
    | (?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|CREATE\s+(?:TABLE|VIEW|DATABASE)|ALTER\s+TABLE|DROP\s+TABLE
       |FROM|WHERE|GROUP\s+BY|ORDER\s+BY|(?:INNER|LEFT|RIGHT|OUTER)\s+JOIN|JOIN|HAVING|VALUES)\b(?=.*[\w*`"'(;]\s*[;,]?\s*$)(?![a-z\s]*[.?!]\s*$).*
    | </?[a-zA-Z][^<>]*>.* | [.\#]?[\w-]+(?:\s+[.\#]?[\w-]+)*\s*\{\s*$ | [\w-]+\s*:\s*[^;{}]+;\s*$
    | (?:\$|>>>|sudo|pip|npm|git|cd)\s+\S.*
    | [})\];]+[,;]?\s*$
    | [\w.\[\]"'*&]+\s*(?:[-+*/%]?=|:=)\s*[^=\s].*
    | [\w.]+\([^()]*(?:\([^()]*\)[^()]*)*\)\s*;?\s*$
    | .*(?:;|\{|=>|->|&&|\|\|)\s*$
    | .*\b\w+\.\w+\([^)]*\).*(?:[=;:]|\)\s*$)
    | .*(?:==|!=|\+=|<=|>=|\+\+;|::).*
    ).*
    """,
    re.VERBOSE,
)
# Prose is not written in capitals, SQL is.
_SENTENCE = re.compile(r"^\s*(?:[-*]\s+|\d+[.)]\s+)?[A-Z][a-z']*(?:,? [A-Za-z0-9'’,-]+){3,}.*[.?!:]\s*$")
# Seven words in a row are prose, whatever the line ends with; but not in SQL.
_WORDY = re.compile(r"(?:\b[A-Za-z']{2,}[ ,;:.]+){7}")
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|FROM|WHERE)\b")
# A line that is code next to code: a comment, or an indented line.
_BESIDE = re.compile(r"^\s*(?:\#|//|/\*|\*|--\s|<!--)|^(?:\s{2,}|\t)\S|^\s*$|^\s*(?:\"\"\"|''')")
_LONGEST = 2000
# A list of strings alone may be a list of words, which are translated. After a word it is an index.
_JSON_BEGIN = re.compile(r"\{\s*\"|(?<!\w)\[\s*[\[{\d-]")
# Beginnings of JSON that are tried, at most.
_MOST = 100
_DECODER = json.JSONDecoder()


def code_blocks(text: str) -> list[tuple[int, int]]:
    """Where blocks of code begin and end, in order, without the blanks around them.

    A block is two lines of code or more, with comments, indented and empty lines between; or one such line
    that is a paragraph of its own.
    """
    lines = text.split("\n")
    starts, place = [], 0
    for line in lines:
        starts.append(place)
        place += len(line) + 1
    kinds = [_kind(line) for line in lines]
    blocks: list[tuple[int, int]] = []
    number = 0
    while number < len(lines):
        if kinds[number] != "code" and not _leads_in(kinds, lines, number):
            number += 1
            continue
        last, end = number, number
        while end < len(lines) and kinds[end] != "prose":
            if kinds[end] == "code" or (lines[end].strip() and _trails(kinds, end)):
                last = end
            end += 1
        sure = sum(kind == "code" for kind in kinds[number : last + 1])
        alone = (number == 0 or not lines[number - 1].strip()) and (
            last + 1 == len(lines) or not lines[last + 1].strip()
        )
        # A tag alone in a line may stand in prose.
        tag = lines[number].lstrip().startswith("<")
        if sure >= 2 or (sure and alone and not tag):
            begin = starts[number] + len(lines[number]) - len(lines[number].lstrip())
            blocks.append((begin, starts[last] + len(lines[last].rstrip())))
        number = last + 1
    return blocks


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    short = line[:_LONGEST]
    if _SENTENCE.match(short) and not re.search(r"[={};]|\w\(", short):
        return "prose"
    beside = _BESIDE.match(short) is not None
    if _WORDY.search(short) and not (beside or _SQL.match(short)):
        return "prose"
    if _CODE.match(short):
        return "code"
    return "beside" if beside else "prose"


def _leads_in(kinds: list[str], lines: list[str], number: int) -> bool:
    """Whether a comment comes right before code."""
    if kinds[number] != "beside" or lines[number][:1].isspace():
        return False
    after = number
    while after < len(kinds) and kinds[after] in ("beside", "blank"):
        after += 1
    return after < len(kinds) and kinds[after] == "code"


def _trails(kinds: list[str], number: int) -> bool:
    """Whether an indented line or comment belongs to the code before it."""
    return number > 0 and kinds[number] == "beside" and kinds[number - 1] in ("code", "beside")


def json_values(text: str) -> list[tuple[int, int]]:
    """Where JSON objects, and arrays of objects, arrays or numbers, begin and end, in order."""
    found: list[tuple[int, int]] = []
    place = 0
    for _ in range(_MOST):
        begin = _JSON_BEGIN.search(text, place)
        if begin is None:
            break
        try:
            _, end = _DECODER.raw_decode(text, begin.start())
            found.append((begin.start(), end))
            place = end
        except (ValueError, RecursionError):
            place = begin.end()
    return found
