"""Chat templates in the manners of models that think, and a tokenizer for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_TURNS = "{% for m in messages %}<|{{ m.role }}|>"
_END = "{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>"
_EMPTY, _OFF = "<think>\n\n</think>\n\n", "{% if enable_thinking is defined and not enable_thinking %}"
_LAST = "{% if m.role == 'assistant' and loop.last and '</think>' not in m.content %}"
# An empty thought before the last answer, and in a prompt where thinking is off: as Qwen3.
SWITCHED = f"{_TURNS}{_LAST}{_EMPTY}{{% endif %}}{_END}{_OFF}{_EMPTY}{{% endif %}}{{% endif %}}"
# In the prompt only.
ASKED_ONLY = f"{_TURNS}{_END}{_OFF}<think></think>{{% endif %}}{{% endif %}}"
# Before each answer, without a switch.
ALWAYS_EMPTY = f"{_TURNS}{{% if m.role == 'assistant' %}}{_EMPTY}{{% endif %}}{_END}{{% endif %}}"
# The end of a thought where thinking is off, as it is by default; else its beginning: as DeepSeek-V3.1.
END_OF_THOUGHT = (
    "{% if thinking is not defined %}{% set thinking = false %}{% endif %}"
    + _TURNS
    + "{% if m.role == 'assistant' %}</think>{% endif %}"
    + _END
    + "{{ '<think>' if thinking else '</think>' }}{% endif %}"
)
# The prompt begins a thought, always, and thoughts of answers are left out: as DeepSeek-R1.
ALWAYS_THINKS = (
    _TURNS + "{{ m.content.split('</think>')[-1] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
)
# Channels: as gpt-oss.
CHANNELS = (
    _TURNS + "{% if m.role == 'assistant' %}<|channel|>final<|message|>{% endif %}" + _END + "{% endif %}"
)
# A field of its own.
FIELD = (
    _TURNS
    + "{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}"
    + _END
    + "{% endif %}"
)
PLAIN = _TURNS + _END + "{% endif %}"
DATED = "{{ '<|system|>' + strftime_now('%d %B %Y') + '<|end|>' }}" + PLAIN


def chat_tokenizer(folder: Path, template: str) -> Any:
    """A tokenizer of bytes with this chat template; tags of turns are special, those of thoughts are not."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    made.add_tokens([AddedToken(name, normalized=False) for name in ("<think>", "</think>")])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", additional_special_tokens=special[1:]
    )
    fast.chat_template = template
    fast.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder)


# A word in the system's turn is the switch, and the last answer begins as its prompt ends: as Nemotron.
BY_WORD = (
    "{% set off = namespace(is=false) %}"
    "{% for m in messages %}{% if '/no_think' in m.content %}{% set off.is = true %}{% endif %}{% endfor %}"
    "{% set thought = '<think></think>' if off.is else '<think>\n' %}"
    "{% for m in messages %}{% if m.role != 'system' %}<|{{ m.role }}|>"
    "{% if m.role == 'assistant' and loop.last %}{{ thought }}{% endif %}"
    "{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{{ thought }}{% endif %}"
)
# A thought that the prompt begins with words of its own.
BEGUN = PLAIN.replace("{% endif %}", "<think>\nOkay, so {% endif %}")
