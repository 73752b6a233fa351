"""Forward passes over packed sequences without padding: documents attend to themselves only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch

from crossin.core.errors import CrossinError
from crossin.models.memory import is_out_of_memory

if TYPE_CHECKING:
    import numpy as np

# The name of our attention among those of transformers.
ATTENTION = "crossin"
# The trial goes beyond a sliding window up to this size; a wider one is longer than rows are.
_NARROW = 1024
Layout = Literal["packed", "padded"]


@dataclass(frozen=True)
class Document:
    """A text of T tokens that attends to itself only: each token to all before it, or, where its branches
    restart their positions, to those that `visible` (T x T, true where the row sees the column) allows.

    `positions` are 0 to T - 1 by default.
    """

    tokens: Sequence[int]
    positions: Sequence[int] | None = None
    visible: np.ndarray | None = field(default=None, compare=False)


class Borders(NamedTuple):
    """Where packed documents end and what their tokens see.

    `lengths` are in tokens; `visible` and `positions` by document, as in `Document`. `starts` [documents + 1]
    is None where a document has a visibility of its own.
    """

    lengths: list[int]
    visible: list[torch.Tensor | None]
    positions: list[torch.Tensor]
    starts: torch.Tensor | None


def prepare(model: Any) -> None:
    """Let the model's attention keep packed documents apart, and test whether all of its layers do so: its
    layout is `packed` then, else `padded`. For all other callers the model is unchanged.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])
    original = model.config._attn_implementation
    documents = _trial(model.config.get_text_config())
    # One by one, with the model's own attention.
    model.crossin_layout = "padded"
    alone = _without_gradient(model, [[document] for document in documents])
    model.crossin_layout = "packed"
    try:
        model.set_attn_implementation(ATTENTION)
        apart = _is_same(_without_gradient(model, [documents]), alone)
    # Models fail here in many ways.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        apart = False
    if not apart:
        model.set_attn_implementation(original)
        model.crossin_layout = "padded"


def layout(model: Any) -> Layout:
    """How a prepared model's documents are laid out."""
    found: Layout = unwrapped(model).crossin_layout
    return found


def states(model: Any, documents: Sequence[Document], *, layer: int | None = None) -> torch.Tensor:
    """The states [sum of T, hidden] of the documents' tokens in their order: what the model's head takes, or
    with `layer` the output of that block (1 is the first), after which the forward pass stops.

    `model` may be wrapped by PEFT, or for the last layer in several processes. Raises CrossinError for a
    document with a visibility of its own where the model's layout is `padded`, and for a layer that it does
    not have.
    """
    bare = unwrapped(model)
    caught: list[torch.Tensor] = []
    if layout(model) == "padded":
        inputs, real = _padded(documents, bare.device)
    else:
        inputs, real = _packed(documents, bare.device), None
    if layer is None:
        with _catching_head(bare, caught):
            model(**inputs, use_cache=False)
    else:
        with _stopping_after(bare, layer, caught):
            bare(**inputs, use_cache=False)
    found = caught[0]
    return found[0] if real is None else found[real]


def blocks(model: Any) -> Any:
    """The model's blocks, first to last."""
    bare = unwrapped(model)
    number = bare.config.get_text_config().num_hidden_layers
    for module in bare.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == number:
            return module
    raise CrossinError("cannot find the blocks of this model", hint="use another model")


def unwrapped(model: Any) -> Any:
    """The model of transformers itself, without its wrappers for several processes and for an adapter."""
    model = getattr(model, "module", model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def borders_of(documents: Sequence[Document], runs: Sequence[Sequence[int]], device: Any) -> Borders:
    """The borders of `documents`, whose tokens are at the positions `runs`."""
    lengths = [len(document.tokens) for document in documents]
    ends = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    return Borders(
        lengths,
        [
            None if document.visible is None else torch.from_numpy(document.visible).to(device)
            for document in documents
        ],
        [torch.tensor(list(run), device=device) for run in runs],
        ends.to(device) if all(document.visible is None for document in documents) else None,
    )


def _packed(documents: Sequence[Document], device: Any) -> dict[str, Any]:
    positions = [
        range(len(document.tokens)) if document.positions is None else document.positions
        for document in documents
    ]
    tokens = [token for document in documents for token in document.tokens]
    return {
        "input_ids": torch.tensor([tokens], device=device),
        "position_ids": torch.tensor([[place for run in positions for place in run]], device=device),
        # A mask of four dimensions is passed on as it is; our attention does not use it.
        "attention_mask": torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device),
        "documents": borders_of(documents, positions, device),
    }


def _padded(documents: Sequence[Document], device: Any) -> tuple[dict[str, Any], torch.Tensor]:
    if any(document.visible is not None for document in documents):
        raise CrossinError(
            "this architecture does not support packed sequences, nor branches",
            hint="give each branch a document of its own",
        )
    width = max(len(document.tokens) for document in documents)
    tokens = torch.zeros(len(documents), width, dtype=torch.long, device=device)
    real = torch.zeros_like(tokens, dtype=torch.bool)
    for row, document in enumerate(documents):
        tokens[row, : len(document.tokens)] = torch.tensor(document.tokens, device=device)
        real[row, : len(document.tokens)] = True
    # The padding comes after all real tokens, which do not see it: there is nothing to mask.
    return {"input_ids": tokens}, real


@contextmanager
def _catching_head(model: Any, caught: list[torch.Tensor]) -> Iterator[None]:
    """Catch the head's input; the head itself runs at one place only."""

    def catch(_: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        caught.append(inputs[0])
        return (inputs[0][:1, :1],)

    hook = model.get_output_embeddings().register_forward_pre_hook(catch)
    try:
        yield
    finally:
        hook.remove()


class _Stop(Exception):
    """Raised after the last block that is needed."""


@contextmanager
def _stopping_after(model: Any, layer: int, caught: list[torch.Tensor]) -> Iterator[None]:
    """Catch the output of block number `layer`, and stop the forward pass there."""

    def stop(_: Any, __: Any, output: Any) -> None:
        caught.append(output[0] if isinstance(output, tuple) else output)
        raise _Stop

    all_blocks = blocks(model)
    if not 1 <= layer <= len(all_blocks):
        raise CrossinError(
            f"the model has no block {layer}", field="layers", hint=f"choose among 1 to {len(all_blocks)}"
        )
    hook = all_blocks[layer - 1].register_forward_hook(stop)
    try:
        yield
    except _Stop:
        pass
    finally:
        hook.remove()


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    sliding_window: int | None = None,
    documents: Borders | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of each document to itself; query, key and value are [1, heads, T, size of a head].

    Without `documents`, the call comes from elsewhere and has a mask of its own.
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if documents is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)  # type: ignore[no-any-return]
    if documents.starts is not None and (kernel := _kernel(query.device, query.dtype)):
        longest = max(documents.lengths)
        # A window of the kernel counts the tokens before a token.
        window = (-1 if sliding_window is None else sliding_window - 1, 0)
        packed = kernel(
            *(part[0].transpose(0, 1) for part in (query, key, value)),
            documents.starts,
            documents.starts,
            longest,
            longest,
            scale=options.get("scaling"),
            window_size=window,
        )
        return packed[None], None
    found = []
    for q, k, v, visible, places in zip(
        query.split(documents.lengths, 2),
        key.split(documents.lengths, 2),
        value.split(documents.lengths, 2),
        documents.visible,
        documents.positions,
        strict=True,
    ):
        if sliding_window is not None and q.shape[2] > sliding_window:
            distance = places[:, None] - places[None, :]
            inside = torch.ones_like(distance, dtype=torch.bool).tril() if visible is None else visible
            visible = inside & (distance < sliding_window)
        mask = None if visible is None else visible[None, None]
        found.append(sdpa_attention_forward(module, q, k, v, mask, **options)[0])
    return torch.cat(found, 1) if len(found) > 1 else found[0], None


@cache
def _kernel(device: Any, dtype: Any) -> Callable[..., torch.Tensor] | None:
    """PyTorch's flash attention for sequences of variable length (2.11 or newer, half precision, Ampere or
    newer), or None.
    """
    half = dtype in (torch.bfloat16, torch.float16)
    if device.type != "cuda" or not half or torch.cuda.get_device_capability(device) < (8, 0):
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    known = inspect.signature(varlen_attn).parameters
    if "window_size" not in known:
        return None
    # Before it had the option, it accepted fewer key heads than query heads without it.
    kernel: Any = partial(varlen_attn, enable_gqa=True) if "enable_gqa" in known else varlen_attn
    return kernel  # type: ignore[no-any-return]


def _trial(config: Any) -> list[Document]:
    """A few documents from all over the vocabulary, one of them longer than a narrow sliding window."""
    window = getattr(config, "sliding_window", None) or 0
    longest = window + 8 if window <= _NARROW else 40
    longest = min(max(longest, 40), getattr(config, "max_position_embeddings", None) or longest)
    return [
        Document([(start + 7919 * place) % (config.vocab_size - 1) for place in range(length)])
        for start, length in ((11, 5), (13, longest), (17, 9))
    ]


def _without_gradient(model: Any, batches: Sequence[Sequence[Document]]) -> torch.Tensor:
    training = model.training
    model.eval()
    with torch.inference_mode():
        found = torch.cat([states(model, documents) for documents in batches])
    model.train(training)
    return found


def _is_same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    # Half precision rounds coarsely; a token that sees another document differs by more.
    allowed = 5e-2 if found.dtype in (torch.float16, torch.bfloat16) else 1e-4
    size = max(expected.abs().max().item(), 1.0)
    return (found - expected).abs().max().item() <= allowed * size
