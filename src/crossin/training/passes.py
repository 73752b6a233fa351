"""Forward passes over documents that lie behind one another and see only themselves, without padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from crossin.core.errors import CrossinError
from crossin.models.memory import is_out_of_memory
from crossin.training.attention import ATTENTION, borders, register
from crossin.training.document import Document

if TYPE_CHECKING:
    import torch

# A window up to this is tried beyond; a wider one is longer than rows are.
_NARROW = 1024
Layout = Literal["documents", "padded"]


def prepare(model: Any) -> None:
    """Let the model's attention keep documents apart, and find out whether its layers all do so: the layout
    of its passes is `documents` then, and `padded` where not. Asked by others, the model is as before.
    """
    register()
    usual = model.config._attn_implementation
    documents = _trial(model.config.get_text_config())
    # Alone each goes the model's own way.
    model.crossin_layout = "padded"
    alone = _without_gradient(model, [[document] for document in documents])
    model.crossin_layout = "documents"
    try:
        model.set_attn_implementation(ATTENTION)
        apart = _is_same(_without_gradient(model, [documents]), alone)
    # Models of all kinds fail here in all ways.
    except Exception as error:
        if is_out_of_memory(error):
            raise
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
    document with a visibility of its own where the model's layout is `padded`, and for a
    layer that it does not have.
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

    positions = [
        range(len(document.tokens)) if document.positions is None else document.positions
        for document in documents
    ]
    return {
        "input_ids": row([token for document in documents for token in document.tokens]),
        "position_ids": row([position for run in positions for position in run]),
        # A mask of four dimensions is handed on as it is; ours knows better.
        "attention_mask": torch.ones(1, 1, 1, 1, dtype=torch.bool, device=device),
        "documents": borders(documents, positions, device),
    }


def _padded(documents: Sequence[Document], device: Any) -> tuple[dict[str, Any], torch.Tensor]:
    import torch

    if any(document.visible is not None for document in documents):
        raise CrossinError(
            "this model's layers cannot take documents with branches", hint="give one document a branch"
        )
    width = max(len(document.tokens) for document in documents)
    tokens = torch.zeros(len(documents), width, dtype=torch.long, device=device)
    real = torch.zeros_like(tokens, dtype=torch.bool)
    for row, document in enumerate(documents):
        tokens[row, : len(document.tokens)] = torch.tensor(document.tokens, device=device)
        real[row, : len(document.tokens)] = True
    # No token sees what is behind it: there is nothing to mask.
    return {"input_ids": tokens}, real


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


def blocks(model: Any) -> Any:
    """The model's blocks, first to last."""
    import torch

    bare = unwrapped(model)
    number = bare.config.get_text_config().num_hidden_layers
    for module in bare.modules():
        if isinstance(module, torch.nn.ModuleList) and len(module) == number:
            return module
    raise CrossinError("the model's blocks cannot be told from its parts", hint="take another model")


def unwrapped(model: Any) -> Any:
    """The model of transformers itself, without what wraps it for several processes or for its adapter."""
    model = getattr(model, "module", model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _trial(config: Any) -> list[Document]:
    """A few documents from all over the vocabulary, one of them longer than a window that is not too wide."""
    window = getattr(config, "sliding_window", None) or 0
    longest = window + 8 if window <= _NARROW else 40
    longest = min(max(longest, 40), getattr(config, "max_position_embeddings", None) or longest)
    return [
        Document([(start + 7919 * place) % (config.vocab_size - 1) for place in range(length)])
        for start, length in ((11, 5), (13, longest), (17, 9))
    ]


def _without_gradient(model: Any, passes: Sequence[Sequence[Document]]) -> torch.Tensor:
    import torch

    training = model.training
    model.eval()
    with torch.inference_mode():
        found = torch.cat([states(model, documents) for documents in passes])
    model.train(training)
    return found


def _is_same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    import torch

    # Half precision rounds coarsely; a token that sees another document moves by more.
    allowed = 5e-2 if found.dtype in (torch.float16, torch.bfloat16) else 1e-4
    size = max(expected.abs().max().item(), 1.0)
    return (found - expected).abs().max().item() <= allowed * size
