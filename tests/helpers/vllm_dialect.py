"""A server that speaks vLLM's dialect over a real model, one plain forward pass a request.

It follows vLLM's `entrypoints/openai/completion` and `chat_completion`: `echo` with `logprobs` gives
`tokens`, `token_logprobs` (None for the first) and `text_offset` as the sum of the tokens' lengths; one token
is generated even by `max_tokens` 0; chat takes `continue_final_message` and gives `prompt_logprobs`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

# How a token that is part of a character is spelt: on its own, or with what the tokens before it began.
Spelling = Literal["alone", "together"]


def vllm_app(folder: Path, *, spelling: Spelling = "alone", least: int = 0, echo: bool = True) -> Any:
    """The application; it refuses `max_tokens` below `least`, and echoes nothing where `echo` is False."""
    import torch
    from fastapi import Body, FastAPI, HTTPException
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    app = FastAPI()

    def spell(tokens: list[int]) -> list[str]:
        if spelling == "alone":
            return [tokenizer.decode([token]) for token in tokens]
        spelt, said = [], 0
        for number in range(len(tokens)):
            text = tokenizer.decode(tokens[: number + 1])
            spelt.append("" if text.endswith("\N{REPLACEMENT CHARACTER}") else text[said:])
            said += len(spelt[-1])
        return spelt

    def forward(tokens: list[int]) -> Any:
        with torch.inference_mode():
            return torch.log_softmax(model(torch.tensor([tokens])).logits[0].float(), dim=-1)

    def chosen(tokens: list[int], logprobs: Any) -> list[float | None]:
        return [None, *(logprobs[place, token].item() for place, token in enumerate(tokens[1:]))]

    def generated(tokens: list[int], most: int) -> tuple[list[int], Any]:
        """The greedy continuation of at least one token, and what the model says behind each."""
        count = len(tokens)
        while True:
            logprobs = forward(tokens)
            tokens = [*tokens, int(logprobs[-1].argmax())]
            if len(tokens) - count >= max(1, most) or tokens[-1] == tokenizer.eos_token_id:
                return tokens[count:], logprobs

    def tops(logprobs: Any, count: int) -> list[tuple[str, float]]:
        found = logprobs.topk(count)
        return [
            (tokenizer.decode([token]), logprob)
            for token, logprob in zip(found.indices.tolist(), found.values.tolist(), strict=True)
        ]

    def usage(asked: list[int], new: list[int]) -> dict[str, int]:
        return {
            "prompt_tokens": len(asked),
            "completion_tokens": len(new),
            "total_tokens": len(asked) + len(new),
        }

    def checked(body: dict[str, Any]) -> int:
        most = int(body.get("max_tokens", 16))
        if body["model"] != "tiny":
            raise HTTPException(404, f"The model `{body['model']}` does not exist.")
        if most < least:
            raise HTTPException(400, f"max_tokens must be at least {least}")
        return most

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "tiny"}]}

    @app.post("/v1/completions")
    def completions(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        most = checked(body)
        if body.get("echo") and not echo:
            raise HTTPException(500, "Only no echo is supported")
        special = body.get("add_special_tokens", True)
        asked = tokenizer(body["prompt"], add_special_tokens=special)["input_ids"]
        new, behind = generated(asked, most)
        shown = [*(asked if body.get("echo") else []), *(new if most else [])]
        said = (body["prompt"] if body.get("echo") else "") + tokenizer.decode(new if most else [])
        found = None
        if body.get("logprobs") is not None:
            texts, offsets = spell(shown), [0]
            for text in texts:
                offsets.append(offsets[-1] + len(text))
            every = chosen([*asked, *new], behind)
            first = 0 if body.get("echo") else len(asked)
            found = {
                "tokens": texts,
                "token_logprobs": every[first : first + len(shown)],
                "text_offset": offsets[:-1],
                "top_logprobs": [
                    dict(tops(behind[place - 1], body["logprobs"])) if place else None
                    for place in range(first, first + len(shown))
                ],
            }
        return {
            "object": "text_completion",
            "choices": [
                {
                    "index": 0,
                    "text": said,
                    "logprobs": found,
                    "finish_reason": "length" if len(new) >= most else "stop",
                    "prompt_logprobs": None,
                }
            ],
            "usage": usage(asked, new),
        }

    @app.post("/v1/chat/completions")
    def chat(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        most = checked(body)
        if not tokenizer.chat_template:
            raise HTTPException(400, "this model has no chat template")
        text = tokenizer.apply_chat_template(
            body["messages"],
            tokenize=False,
            add_generation_prompt=body.get("add_generation_prompt", True),
            continue_final_message=body.get("continue_final_message", False),
        )
        asked = tokenizer(text, add_special_tokens=False)["input_ids"]
        new, behind = generated(asked, most)
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": tokenizer.decode(new)},
            "logprobs": None,
            "finish_reason": "length" if len(new) >= most else "stop",
        }
        if body.get("logprobs"):
            first = tops(behind[len(asked) - 1], body["top_logprobs"])
            listed = [{"token": token, "logprob": logprob} for token, logprob in first]
            choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed}]}
        every = None
        if echo and body.get("prompt_logprobs") is not None:
            every = [
                logprob
                if logprob is None
                else {str(token): {"logprob": logprob, "rank": 1, "decoded_token": word}}
                for token, logprob, word in zip(asked, chosen(asked, behind), spell(asked), strict=True)
            ]
        return {"choices": [choice], "usage": usage(asked, new), "prompt_logprobs": every}

    return app
