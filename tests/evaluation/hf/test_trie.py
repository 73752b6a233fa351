from __future__ import annotations

from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.trie import grow

# Two questions with a beginning in common, two options each: what is scored stands behind `start`.
FIRST = [Continuation((1, 2, 3, 4), 2), Continuation((1, 2, 3, 5), 2)]
SECOND = [Continuation((1, 7, 8), 2), Continuation((1, 7, 9, 4), 2)]


def test_what_is_shared_stands_once() -> None:
    tree = grow([FIRST, SECOND], 0)
    assert tree.tokens == [1, 2, 3, 7, 9]
    assert tree.positions == [0, 1, 2, 1, 2]
    assert tree.own == [3, 2]


def test_a_token_sees_what_it_continues_and_nothing_else() -> None:
    tree = grow([FIRST, SECOND], 0)
    assert tree.visible.astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [1, 0, 0, 1, 1],
    ]


def test_each_scored_token_is_predicted_by_the_one_before_it() -> None:
    tree = grow([FIRST, SECOND], 0)
    assert tree.targets == [[3, 4], [3, 5], [8], [9, 4]]
    assert tree.places == [[1, 2], [1, 2], [3], [3, 4]]


def test_behind_a_prefix_only_the_rest_is_laid_out() -> None:
    tree = grow([FIRST], 1)
    assert (tree.tokens, tree.positions, tree.places[0]) == ([2, 3], [1, 2], [0, 1])
