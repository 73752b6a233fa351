"""Which tokens are the option's, however a server spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.evaluate.openai.border import first_scored


@pytest.mark.parametrize(
    ("tokens", "text", "border", "first"),
    [
        (["<s>", "The", " answer", ":", " Li", "ma"], "The answer: Lima", 11, 4),
        # SentencePiece decoded token by token has lost its blanks.
        (["<s>", "The", "answer", ":", "Li", "ma"], "The answer: Lima", 11, 4),
        (["The", "answer", ":", "", "Li", "ma"], "The answer:  Lima", 11, 3),
        # A token of both is the option's.
        (["The answer", ": Li", "ma"], "The answer: Lima", 11, 1),
        # Characters of several tokens: each spelt alone, as OpenAI does, as vLLM does.
        (["：", "\ufffd", "\ufffd", "黎"], "：巴黎", 1, 1),
        (["：", "bytes:\\xe5\\xb7", "bytes:\\xb4", "黎"], "：巴黎", 1, 1),
        (["：", "", "", "巴", "黎"], "：巴黎", 1, 1),
        (["", "", "：", "", "", "巴", "黎"], "：巴黎", 1, 3),
        (["\ufffd", "\ufffd", "\ufffd", "\ufffd", "\ufffd", "\ufffd"], "：巴", 1, 3),
        # A replacement character that the text itself holds.
        ([":", " \ufffd", "x"], ": \ufffdx", 1, 1),
        # A conversation: what the template puts before is not known.
        (["<assistant>", "\n", "Li", "ma"], "Lima", 0, 2),
        (["<assistant>\nLi", "ma"], "Lima", 0, 0),
        # Not these tokens; not to be told.
        (["the", " answer", ":", " lima"], "The answer: Lima", 11, None),
        ([], "The answer: Lima", 11, None),
        (["\ufffd", "\ufffd", "\ufffd", "\ufffd", "\ufffd"], "：巴", 1, None),
    ],
)
def test_the_first_scored_token(tokens: list[str], text: str, border: int, first: int | None) -> None:
    assert first_scored(tokens, text, border) == first


@given(st.data())
def test_no_way_of_spelling_moves_the_border(data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet="ab :é巴👩ก", min_size=2, max_size=12))
    border = data.draw(st.integers(1, len(text) - 1))
    raw = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=10)))
    spans = list(zip([0, *cuts], [*cuts, len(raw)], strict=True))
    pieces = [raw[begin:end] for begin, end in spans]
    edge = len(text[:border].encode())
    expected = next(number for number in range(len(pieces)) if len(b"".join(pieces[: number + 1])) > edge)
    alone = [piece.decode("utf-8", "replace") for piece in pieces]
    # What cannot be told is not told wrongly.
    assert first_scored(alone, text, border) in (expected, None)
    together, said = [], 0
    for number in range(len(pieces)):
        whole = b"".join(pieces[: number + 1]).decode("utf-8", "ignore")
        together.append(whole[said:])
        said = len(whole)
    ends = {len(text[:number].encode()) for number in range(len(text) + 1)}
    if all({begin, end} <= ends or not ends & {*range(begin + 1, end)} for begin, end in spans):
        assert first_scored(together, text, border) == expected
    openai = [
        piece.decode() if _whole(piece) else "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
        for piece in pieces
    ]
    assert first_scored(openai, text, border) == expected


def _whole(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
