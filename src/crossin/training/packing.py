"""Forward passes over packed sequences without padding: documents attend to themselves only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor

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
    visible: list[Tensor | None]
    positions: list[Tensor]
    starts: Tensor | None


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
        packed = _without_gradient(model, [documents])
        # Half precision rounds coarsely; a token that sees another document differs by more.
        allowed = 5e-2 if packed.dtype in (torch.float16, torch.bfloat16) else 1e-4
        apart = bool((packed - alone).abs().max() <= allowed * max(alone.abs().max().item(), 1.0))
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
    return unwrapped(model).crossin_layout  # type: ignore[no-any-return]


def states(model: Any, documents: Sequence[Document], *, layer: int | None = None) -> Tensor:
    """The states [sum of T, hidden] of the documents' tokens in their order: what the model's head takes, or
    with `layer` the output of that block (1 is the first), after which the forward pass stops.

    `model` may be wrapped by PEFT, or for the last layer in several processes. Raises CrossinError for a
    document with a visibility of its own where the model's layout is `padded`, and for a layer that it does
    not have.
    """
    bare = unwrapped(model)
    caught: list[Tensor] = []
    inputs, places = (_padded if layout(model) == "padded" else _packed)(documents, bare.device)
    hook = _catch(bare, layer, caught)
    try:
        with suppress(_Stop):
            (model if layer is None else bare)(**inputs, use_cache=False)
    finally:
        hook.remove()
    return caught[0][places]


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


def borders_of(documents: Sequence[Document], device: Any) -> Borders:
    """The borders of `documents`."""
    lengths = [len(document.tokens) for document in documents]
    ends = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    masks = [document.visible for document in documents]
    positions = [document.positions or range(len(document.tokens)) for document in documents]
    return Borders(
        lengths,
        [None if visible is None else torch.from_numpy(visible).to(device) for visible in masks],
        [torch.tensor(list(places), device=device) for places in positions],
        ends.to(device) if all(visible is None for visible in masks) else None,
    )


def _packed(documents: Sequence[Document], device: Any) -> tuple[dict[str, Any], Any]:
    """The model's inputs, and which places of its output are the documents' tokens."""
    borders = borders_of(documents, device)
    inputs = {
        "input_ids": torch.tensor([[token for one in documents for token in one.tokens]], device=device),
        "position_ids": torch.cat(borders.positions)[None],
        # A mask of four dimensions is passed on as it is; our attention does not use it.
        "attention_mask": torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device),
        "documents": borders,
    }
    return inputs, 0


def _padded(documents: Sequence[Document], device: Any) -> tuple[dict[str, Any], Any]:
    if any(document.visible is not None for document in documents):
        raise CrossinError(
            "this architecture does not support packed sequences, nor branches",
            hint="give each branch a document of its own",
        )
    rows = [torch.tensor(document.tokens, device=device) for document in documents]
    # The padding comes after all real tokens, which do not see it: there is nothing to mask.
    tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return {"input_ids": tokens}, torch.arange(tokens.shape[1], device=device) < lengths[:, None]


class _Stop(Exception):
    """Raised after the last block that is needed."""


def _catch(model: Any, layer: int | None, caught: list[Tensor]) -> torch.utils.hooks.RemovableHandle:
    """Catch the head's input, which then runs at one place only; or the output of block number `layer`, and
    stop the forward pass there.
    """

    def catch(_: Any, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        caught.append(inputs[0])
        return (inputs[0][:1, :1],)

    def stop(_: Any, __: Any, output: Any) -> None:
        caught.append(output[0] if isinstance(output, tuple) else output)
        raise _Stop

    if layer is None:
        return model.get_output_embeddings().register_forward_pre_hook(catch)  # type: ignore[no-any-return]
    known = blocks(model)
    if not 1 <= layer <= len(known):
        raise CrossinError(
            f"the model has no block {layer}", field="layers", hint=f"choose among 1 to {len(known)}"
        )
    return known[layer - 1].register_forward_hook(stop)  # type: ignore[no-any-return]


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    sliding_window: int | None = None,
    documents: Borders | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
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
def _kernel(device: Any, dtype: Any) -> Callable[..., Any] | None:
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
    return partial(varlen_attn, enable_gqa=True) if "enable_gqa" in known else varlen_attn


def _trial(config: Any) -> list[Document]:
    """A few documents from all over the vocabulary, one of them longer than a narrow sliding window."""
    window = getattr(config, "sliding_window", None) or 0
    longest = max(window + 8, 40) if window <= _NARROW else 40
    longest = min(longest, getattr(config, "max_position_embeddings", None) or longest)
    return [
        Document([(start + 7919 * place) % (config.vocab_size - 1) for place in range(length)])
        for start, length in ((11, 5), (13, longest), (17, 9))
    ]


def _without_gradient(model: Any, batches: Sequence[Sequence[Document]]) -> Tensor:
    training = model.training
    model.eval()
    with torch.inference_mode():
        found = torch.cat([states(model, documents) for documents in batches])
    model.train(training)
    return found
