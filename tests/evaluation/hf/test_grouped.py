from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from crossin.evaluation.hf.grouped import TokenGroup, groups_of, in_groups
from crossin.models.loading import load
from crossin.models.masks import attention_masks
from tests.helpers.architectures import save


def texts(*lengths: int) -> NDArray[np.bool_]:
    """What tokens see of texts that stand one after the other, each token of its own text and so far."""
    visible = np.zeros((sum(lengths), sum(lengths)), dtype=np.bool_)
    begin = 0
    for length in lengths:
        visible[begin : begin + length, begin : begin + length] = np.tri(length, dtype=np.bool_)
        begin += length
    return visible


def test_long_texts_are_groups_of_their_own_and_short_ones_share_one() -> None:
    assert [(one.begin, one.end, len(one.columns)) for one in groups_of(texts(200, 300))] == [
        (0, 200, 200),
        (200, 500, 300),
    ]
    assert [(one.begin, one.end) for one in groups_of(texts(3, 4, 5))] == [(0, 12)]


def test_groups_hold_every_token_once_and_all_that_it_sees() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        visible = texts(*draw.integers(1, 150, 6).tolist())
        visible |= draw.random(visible.shape) < 0.02
        found = groups_of(visible)
        assert [place for one in found for place in range(one.begin, one.end)] == list(range(len(visible)))
        for one in found:
            assert set(np.flatnonzero(visible[one.begin : one.end].any(axis=0))) <= set(one.columns.tolist())


@pytest.mark.parametrize("name", ["rotary", "learned positions", "some layers have a window"])
def test_attention_in_groups_gives_the_models_own_logits(name: str, tiny_model: Path, tmp_path: Path) -> None:
    model, _ = load(save(name, tiny_model, tmp_path / "model"), device="cpu")
    visible = texts(30, 5, 40)
    positions = torch.cat([torch.arange(length) for length in (30, 5, 40)])
    tokens = torch.arange(5, 80)[None]
    seen = torch.from_numpy(visible)[None]
    mask = attention_masks(model, seen, positions[None, :, None] - positions[None, None, :])
    groups = [TokenGroup(0, 30, np.arange(30)), TokenGroup(30, 75, np.arange(30, 75))]

    def logits() -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = model(tokens, attention_mask=mask, position_ids=positions[None]).logits
        return found

    expected = logits()
    with in_groups(model, groups):
        assert torch.allclose(logits(), expected, atol=1e-4)
    # Afterwards the model is as before.
    assert torch.equal(logits(), expected)
