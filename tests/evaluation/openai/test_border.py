"""Which tokens are the option's, however a server spells them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.evaluation.openai.border import first_scored


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
        # A blank and the beginning of a character in one token.
        ([":", "", " √", "2"], ": √2", 1, 1),
        ([":", "bytes: \\xe2\\x88", "bytes:\\x9a", "2"], ": √2", 1, 1),
        ([":", " \ufffd", "\ufffd", "2"], ": √2", 1, 1),
        ([":", " â\x88", "\x9a", "2"], ": √2", 1, 1),
        # SentencePiece: a blank that is a token, the option's or the prompt's.
        ([":", "", "7"], ": 7", 1, 1),
        ([":", "", "7"], ": 7", 2, 2),
        ([":", "", "北"], ": 北", 1, 1),
        ([":", "", "北"], ": 北", 2, 2),
        # Which of them begins the second character, nobody can tell.
        ([":", "", "é巴"], ":é巴", 2, None),
        # A character that was lost is not the option's.
        (["x", "", "", "", " is"], "x答 is", 2, 4),
        (["x", "", "", "", "案"], "x答案", 2, None),
        # A replacement character that the text itself holds.
        ([":", " \ufffd", "x"], ": \ufffdx", 1, 1),
        # A conversation: what the template puts before is not known.
        (["<assistant>", "\n", "Li", "ma"], "Lima", 0, 2),
        (["<assistant>\nLi", "ma"], "Lima", 0, 0),
        (["\n", "", "北"], "北", 0, 1),
        (["x", "\n北", "京"], "北京", 0, 1),
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
    # Whether a blank alone belongs to the text, or comes before it, may not be told.
    allowed = (expected, None) if text[:border].isspace() else (expected,)
    if all({begin, end} <= ends or not ends & {*range(begin + 1, end)} for begin, end in spans):
        assert first_scored(together, text, border) in allowed
    assert first_scored(_vllm(pieces), text, border) in (expected, None)
    latin = [piece.decode() if _whole(piece) else piece.decode("latin-1") for piece in pieces]
    assert first_scored(latin, text, border) in (expected, None)
    openai = [
        piece.decode() if _whole(piece) else "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
        for piece in pieces
    ]
    assert first_scored(openai, text, border) in allowed


def _vllm(pieces: list[bytes]) -> list[str]:
    """As vLLM 0.30 spells tokens: one that ends within a character is nothing, or, where it completes one,
    that and all since the last whole token.
    """
    spelt = []
    for number in range(len(pieces)):
        first = number
        while (text := b"".join(pieces[first : number + 1]).decode("utf-8", "replace"))[-1] == "\ufffd":
            if first == 0 or number - first == 4:
                text = ""
                break
            first -= 1
        # What stands before the unfinished tokens is theirs who spelt it.
        while first < number and pieces[first].decode("utf-8", "replace")[-1] != "\ufffd":
            text = text.removeprefix(pieces[first].decode("utf-8", "replace"))
            first += 1
        spelt.append(text)
    return spelt


def _whole(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True
