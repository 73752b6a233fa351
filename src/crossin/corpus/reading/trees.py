"""Trees of replies from a file with one message a row, as Open-Assistant's flat files have them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from crossin.corpus.reading.batch import Batch

# The tree of a message, the message, and the one that it answers.
TREE_ID, MESSAGE_ID, PARENT_ID = "message_tree_id", "message_id", "parent_id"
# The column of the tree, as the files have it that hold whole trees.
TREE = "prompt"
_COLUMNS = {TREE_ID, MESSAGE_ID, PARENT_ID, "role", "text"}
# What a message has beside these, and a best path is chosen by.
MESSAGE_COLUMNS = _COLUMNS | {"rank", "deleted"}
_TREES_AT_ONCE = 1000


def with_trees(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches, where a file's rows are the messages of trees with a row for each tree: the columns of its
    first message, and in `prompt` the tree.

    Raises CrossinError, with the row, where the messages of a tree are not together.
    """
    # By row, from 0; None is a record that could not be read.
    trees: list[tuple[int, dict[str, Any] | None]] = []
    messages: list[dict[str, Any]] = []
    seen: set[Any] = set()
    first, last = 0, None
    for batch in batches:
        if not set(batch.names) >= _COLUMNS or TREE in batch.names:
            yield batch
            continue
        broken = set(batch.broken)
        for index, message in enumerate(batch.to_list()):
            if index in broken:
                trees.append((int(batch.rows[index]), None))
                continue
            if messages and message.get(TREE_ID) != messages[0].get(TREE_ID):
                trees.append((first, _tree(messages)))
                messages = []
            if not messages:
                first = int(batch.rows[index])
                if message.get(TREE_ID) in seen:
                    raise batch.error(
                        index,
                        f"the messages of the tree '{message.get(TREE_ID)}' are not together",
                        field=TREE_ID,
                        hint=f"sort the file by {TREE_ID}",
                    )
                seen.add(message.get(TREE_ID))
            messages.append(message)
        last = batch
        if len(trees) >= _TREES_AT_ONCE:
            yield _batch(batch, trees)
            trees = []
    if messages:
        trees.append((first, _tree(messages)))
    if last is not None and trees:
        yield _batch(last, trees)


def _batch(like: Batch, trees: list[tuple[int, dict[str, Any] | None]]) -> Batch:
    trees = sorted(trees, key=lambda tree: tree[0])
    names = [*like.names, TREE]
    records = [dict.fromkeys(names) if tree is None else tree for _, tree in trees]
    broken = [place for place, (_, tree) in enumerate(trees) if tree is None]
    return Batch(like.file, np.array([row for row, _ in trees]), records, names, broken=broken)


def _tree(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The first message's columns, and below it the replies; without a first message there is nothing."""
    nodes = {message[MESSAGE_ID]: {**message, "replies": []} for message in messages}
    root = None
    for node in nodes.values():
        parent = node.get(PARENT_ID)
        if parent in nodes:
            nodes[parent]["replies"].append(node)
        elif not parent:
            root = root or node
    return {**(root or messages[0]), TREE: root}
