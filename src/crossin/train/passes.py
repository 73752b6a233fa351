"""Forward passes over documents that lie behind one another and see only themselves, without padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from crossin.errors import CrossinError
from crossin.train.document import Document

if TYPE_CHECKING:
    import torch

# The name of our attention among those of transformers.
_ATTENTION = "crossin"
_KINDS = {"full_attention", "sliding_attention"}
Layout = Literal["documents", "padded"]


def prepare(model: Any) -> None:
    """Let the model's attention keep documents apart, and find out whether its layers all do so: the layout
    of its passes is `documents` then, and `padded` where not.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(_ATTENTION, _attention)
    # Each document's attention is causal or has a mask of its own: there is none for the whole.
    AttentionMaskInterface.register(_ATTENTION, lambda *_, **__: None)
    usual = model.config._attn_implementation
    model.crossin_layout = "documents"
    try:
        model.set_attn_implementation(_ATTENTION)
        apart = _keeps_apart(model)
    # Models of all kinds fail here in all ways.
    except Exception:
        apart = False
    if not apart:
        model.set_attn_implementation(usual)
        model.crossin_layout = "padded"


def layout(model: Any) -> Layout:
    """How the passes of a prepared model are laid out."""
    found: Layout = unwrapped(model).crossin_layout
    return found


def states(model: Any, documents: Sequence[Document], *, layer: int | None = None) -> torch.Tensor:
    """The states [sum of T, hidden] of the documents' tokens in their order: what the model's head takes, or
    with `layer` the output of that block (1 is the first), behind which the pass stops.

    `model` may be wrapped by PEFT, or for the last layer in several processes. Raises CrossinError for a
    document with a visibility of its own where the model's layout is `padded`.
    """

    bare = unwrapped(model)
    device = bare.device
    caught: list[torch.Tensor] = []
    if layout(model) == "padded":
        inputs, real = _padded(documents, device)
    else:
        inputs, real = _packed(documents, device), None
    if layer is None:
        with _catching_head(bare, caught):
            model(**inputs, use_cache=False)
    else:
        with _stopping_behind(bare, layer, caught):
            bare(**inputs, use_cache=False)
    found = caught[0]
    return found[0] if real is None else found[real]


def _packed(documents: Sequence[Document], device: Any) -> dict[str, Any]:
    import torch

    def row(numbers: list[int]) -> torch.Tensor:
        return torch.tensor([numbers], device=device)

    positions = [document.positions or range(len(document.tokens)) for document in documents]
    seen = [
        None if document.visible is None else torch.from_numpy(document.visible).to(device)
        for document in documents
    ]
    return {
        "input_ids": row([token for document in documents for token in document.tokens]),
        "position_ids": row([position for run in positions for position in run]),
        "documents": (
            [len(document.tokens) for document in documents],
            seen,
            [torch.tensor(list(run), device=device) for run in positions],
        ),
    }


def _padded(documents: Sequence[Document], device: Any) -> tuple[dict[str, Any], torch.Tensor]:
    import torch

    if any(document.visible is not None for document in documents):
        raise CrossinError(
            "this model's layers cannot take documents with branches", fix="give one document a branch"
        )
    width = max(len(document.tokens) for document in documents)
    tokens = torch.zeros(len(documents), width, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, document in enumerate(documents):
        tokens[row, : len(document.tokens)] = torch.tensor(document.tokens)
        mask[row, : len(document.tokens)] = 1
    mask = mask.to(device)
    return {"input_ids": tokens.to(device), "attention_mask": mask}, mask.bool()


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    documents: Any = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of each document to itself; query, key and value are [1, heads, T, size of a head].

    Without `documents` (the model is asked by somebody else) the row is one causal document a batch row.
    """
    import torch

    if softcap is not None:
        raise NotImplementedError("capped attention")
    lengths, seen, positions = documents or ([query.shape[2]], [None], [None])
    found = []
    for q, k, v, visible, places in zip(
        query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), seen, positions, strict=True
    ):
        if sliding_window is not None and q.shape[2] > sliding_window:
            order = torch.arange(q.shape[2], device=q.device) if places is None else places
            distance = order[:, None] - order[None, :]
            inside = torch.ones_like(distance, dtype=torch.bool).tril() if visible is None else visible
            visible = inside & (distance < sliding_window)
        found.append(
            torch.nn.functional.scaled_dot_product_attention(
                q,
                k,
                v,
                attn_mask=None if visible is None else visible,
                is_causal=visible is None,
                scale=scaling,
                dropout_p=dropout,
                enable_gqa=q.shape[1] != k.shape[1],
            )
        )
    whole = torch.cat(found, 2) if len(found) > 1 else found[0]
    return whole.transpose(1, 2).contiguous(), None


@contextmanager
def _catching_head(model: Any, caught: list[torch.Tensor]) -> Iterator[None]:
    """While it lasts, the head's input is caught, and the head itself runs at one place only."""

    def catch(_: Any, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor]:
        caught.append(inputs[0])
        return (inputs[0][:1, :1],)

    hook = model.get_output_embeddings().register_forward_pre_hook(catch)
    try:
        yield
    finally:
        hook.remove()


class _Stop(Exception):
    """Thrown behind the last block that is wanted."""


@contextmanager
def _stopping_behind(model: Any, layer: int, caught: list[torch.Tensor]) -> Iterator[None]:
    """While it lasts, a pass ends behind block number `layer`, whose output is caught."""

    def stop(_: Any, __: Any, output: Any) -> None:
        caught.append(output[0] if isinstance(output, tuple) else output)
        raise _Stop

    hook = blocks(model)[layer - 1].register_forward_hook(stop)
    try:
        yield
    except _Stop:
        pass
    finally:
        hook.remove()


def blocks(model: Any) -> Any:
    """The model's blocks, first to last."""
    import torch

    bare = unwrapped(model)
    number = bare.config.get_text_config().num_hidden_layers
    for module in bare.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == number:
            return module
    raise CrossinError("the model's blocks cannot be told from its parts", fix="take another model")


def unwrapped(model: Any) -> Any:
    """The model of transformers itself, without what wraps it for several processes or for its adapter."""
    model = getattr(model, "module", model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _keeps_apart(model: Any) -> bool:
    """Whether documents together have the states that each has alone, in the model's own attention."""
    import torch

    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    if not kinds <= _KINDS:
        return False
    vocabulary = model.config.get_text_config().vocab_size - 1
    documents = [
        Document([(start + 7919 * place) % vocabulary for place in range(length)])
        for start, length in ((11, 5), (13, 40), (17, 9))
    ]
    with torch.inference_mode():
        together = states(model, documents)
        alone = []
        for document in documents:
            caught: list[torch.Tensor] = []
            with _catching_head(model, caught):
                model(input_ids=torch.tensor([document.tokens], device=model.device), use_cache=False)
            alone.append(caught[0][0])
    apart = (together - torch.cat(alone)).abs().max().item()
    # Half precision rounds coarsely; a token that sees another document moves by more.
    size = together.abs().max().item()
    return apart <= (1e-4 if model.dtype == torch.float32 else 5e-2) * max(size, 1.0)
