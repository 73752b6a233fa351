from __future__ import annotations

import pytest

from crossin.training.config import Optimiser
from crossin.training.schedule import learning_rate_at, weight_at


@pytest.mark.parametrize(
    ("schedule", "half_way", "last"), [("cosine", 0.5, 0), ("linear", 0.5, 0), ("constant", 1, 1)]
)
def test_the_learning_rate_warms_up_and_then_follows_its_schedule(
    schedule: str, half_way: float, last: float
) -> None:
    optimiser = Optimiser.model_validate({"learning_rate": 0.1, "warmup": 0.1, "schedule": schedule})
    rates = [learning_rate_at(optimiser, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[9] == rates[10] == pytest.approx(0.1)
    assert rates[55] == pytest.approx(0.1 * half_way)
    assert rates[99] == pytest.approx(0.1 * last, abs=0.002)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_without_warm_up_the_first_step_has_the_whole_rate() -> None:
    assert learning_rate_at(Optimiser(learning_rate=0.1, warmup=0), 0, 10) == 0.1


def test_the_weight_of_a_term_rises_over_its_warm_up() -> None:
    assert [weight_at(2.0, 0.5, step, 8) for step in range(6)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert weight_at(2.0, 0.0, 0, 8) == 2.0
