"""A talk with a model: replies to a conversation, or continuations of a text, written as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.models.adapters import adapter_folder, read_trained_template, with_adapter
from crossin.models.chat import ChatTemplate, Turns
from crossin.models.loading import load
from crossin.models.merging import end_tokens

# From a conversation and a function that takes the reply's text piece by piece: the whole reply.
Reply = Callable[[Turns, Callable[[str], None]], str]


def open_talk(
    model: Path,
    adapter: Path | None = None,
    *,
    plain: bool = False,
    device: str = "auto",
    max_tokens: int = 512,
    temperature: float = 0.0,
    seed: int = 0,
) -> Reply:
    """A function that replies as the model in the folder `model` does, with `adapter` in its layers.

    plain: continue the last turn's text as it is, without the chat template. temperature: 0 takes the
    likeliest token. Raises CrossinError as `load` and `with_adapter`, and for a model without a chat template
    unless `plain`.
    """
    import torch

    network, tokenizer = load(model, device=device)
    ends = end_tokens(model)
    if adapter is not None and (form := read_trained_template(adapter)) is not None:
        tokenizer.chat_template = form
    if not plain and not tokenizer.chat_template:
        raise CrossinError(
            "this model has no chat template", file=model, hint="--plain continues the text that you write"
        )
    if adapter is not None:
        network = with_adapter(network, adapter, base=model)
        ends = [*ends, *end_tokens(adapter_folder(adapter))]
    template = None if plain else ChatTemplate(tokenizer, {})
    torch.manual_seed(seed)

    def reply(turns: Turns, write: Callable[[str], None]) -> str:
        text = template.prompt(template.folded(turns)) if template else str(turns[-1]["content"])
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=template is None)["input_ids"]
        chosen: dict[str, Any] = {"do_sample": temperature > 0}
        if temperature > 0:
            chosen["temperature"] = temperature
        pieces: list[str] = []
        with torch.inference_mode():
            network.generate(
                input_ids=ids.to(network.device),
                attention_mask=torch.ones_like(ids).to(network.device),
                max_new_tokens=max_tokens,
                eos_token_id=sorted({*ends, tokenizer.eos_token_id} - {None}),
                pad_token_id=tokenizer.eos_token_id,
                streamer=_streamer(tokenizer, [pieces.append, write]),
                **chosen,
            )
        return "".join(pieces)

    return reply


def _streamer(tokenizer: Any, writers: Sequence[Callable[[str], None]]) -> Any:
    from transformers import TextStreamer

    class Writing(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
            for write in writers:
                write(text)

    return Writing(tokenizer, skip_prompt=True, skip_special_tokens=True)
