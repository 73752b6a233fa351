"""What an evaluation on a server would take."""

from __future__ import annotations

import pytest

from crossin.evaluation.engine import Request
from crossin.evaluation.openai import estimate
from tests.helpers.loopback import settings


def test_an_estimate_asks_nothing() -> None:
    server = settings("http://localhost:1/v1", price_in=2, price_out=10)
    requests = [Request("abcd", ("efgh", "ij")), Request((("user", "abcd"),), max_tokens=100)]
    text = estimate(requests, "text", server)
    assert (text.requests, text.characters, text.prompt_tokens, text.completion_tokens) == (3, 18, 5, 102)
    assert text.cost == pytest.approx((5 * 2 + 102 * 10) / 1e6)
    letters = estimate(requests, "letters", server)
    assert (letters.requests, letters.characters, letters.completion_tokens) == (2, 8, 101)
    assert estimate(requests, "text", settings("http://localhost:1/v1")).cost is None
