"""Does the server cut long prompts? Seen from outside, by how its counts of tokens follow the prompts' sizes.

Some servers cut a prompt that is longer than their context, answer what is left of it, and count that alone:
the count stands still for ever longer prompts, at the context (TGI with a limit of input tokens), at half of
it (Ollama, once it is full), or anywhere between (llama.cpp, before 2025).

There is no tokenizer to ask, and tokens per byte differ by script, so the prompts of one key (a language and
wording) are compared. That honest counts of prompts of different sizes agree by chance is possible; so the
chance is estimated, and a cut is believed where it is below 1e-7.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import gcd, log, log10

from crossin.evaluation.engine import CutPrompts
from crossin.items import Chat

# Questions of a key that are compared: the longest.
_LONGEST = 8
# Below this count it may be the rest of a prompt that the server has in its cache, where it counts only that.
_FEWEST = 32
# A server that rounds its counts rounds them to at most this many tokens.
_LARGEST_BLOCK = 128
# Fewer different counts tell little of how a server rounds them.
_FEW = 6
# The longest prompts of a language have at least this share of the tokens a byte that shorter ones have.
_LEAST_DENSITY = 0.25
# Of tokens per byte, within a language: the standard deviation of the logarithm, and how many different
# counts prompts of one size have, at least, as a share of their tokens.
_DENSITY, _SPREAD = 0.25, 1 / 8
_CERTAIN = 7.0
LONGER_CONTEXT = (
    "give the server a longer context (Ollama: OLLAMA_CONTEXT_LENGTH or num_ctx; llama.cpp: -c; LM Studio: "
    "the model's context length)"
)
# An irregular cut leaves at least half of the context (llama.cpp); shorter contexts do not occur.
_SMALLEST_CONTEXT = 256


@dataclass(frozen=True)
class _Prompt:
    size: int  # bytes of UTF-8
    count: int  # tokens, as the server says
    name: str


@dataclass
class PromptCounts:
    """The prompts of a run, as far as they decide whether the server cuts them."""

    # By key, the longest questions, by the hash of their prompt. The options of one are no evidence of their
    # own.
    _longest: dict[str, dict[int, _Prompt]] = field(default_factory=lambda: defaultdict(dict))
    # By key and power of two of the size: how many, bytes, tokens.
    _sums: dict[str, dict[int, tuple[int, int, int]]] = field(default_factory=lambda: defaultdict(dict))
    # What all counts are multiples of, and the count of a prompt of a few characters.
    _block: int = 0
    _kinds: set[int] = field(default_factory=set)
    _tiny: int = 0

    def saw_tiny(self, count: int) -> None:
        """The count of a probe, which shows whether counts are rounded, or always the same."""
        self._tiny = max(self._tiny, count)
        self._saw(count)

    def _saw(self, count: int) -> None:
        self._block = gcd(self._block, count)
        if len(self._kinds) < _FEW:
            self._kinds.add(count)

    def add(self, key: str, prompt: str | Chat, size: int, count: int, name: str) -> CutPrompts | None:
        """Add a prompt of `size` bytes, of which the server counted `count` tokens, above 0. Once it is
        certain that the server cuts prompts: the error that says so.
        """
        self._saw(count)
        number, bytes_, tokens = self._sums[key].get(size.bit_length(), (0, 0, 0))
        self._sums[key][size.bit_length()] = number + 1, bytes_ + size, tokens + count
        place, longest = hash(prompt), self._longest[key]
        known = longest.get(place, _Prompt(0, 0, name))
        if place not in longest and len(longest) == _LONGEST:
            least = min(longest, key=lambda one: longest[one].size)
            if size <= longest[least].size:
                return None
            del longest[least]
        longest[place] = _Prompt(max(size, known.size), max(count, known.count), name)
        return None if longest[place] == known else self._stands_still(key) or self._hardly_grows(key)

    def shortened(self, name: str, whole: Chat, count: int, less: Chat, fewer: int) -> CutPrompts | None:
        """What there is to say of the counts of a conversation and of a shorter one; 0 is no count."""
        removed = prompt_size(whole) - prompt_size(less)
        # A server that rounds its counts may give both the same.
        if not fewer or count > fewer or count <= self._tiny or removed <= 8 * max(1, self._block):
            return None
        return CutPrompts(
            f"{name}: the server leaves out the beginning of the conversation: it counts {count:,} tokens "
            f"with the first worked example, and {fewer:,} without it",
            self._tiny + 1,
            _hint(),
        )

    def _stands_still(self, key: str) -> CutPrompts | None:
        """Whether too many of the longest prompts, in all languages, have exactly the same count."""
        counts = Counter(one.count for one in self._longest[key].values())
        count, _ = counts.most_common(1)[0]
        # A server that rounds up does not count 0.
        block = 1 if 0 in self._kinds and len(self._kinds) < _FEW else self._block
        if block > _LARGEST_BLOCK:
            block = max(one for one in range(1, _LARGEST_BLOCK + 1) if block % one == 0)
        if count < _FEWEST or count <= max(block, self._tiny):
            return None
        evidence = 0.0
        alike: list[_Prompt] = []
        for prompts in self._longest.values():
            same = [one for one in prompts.values() if one.count == count]
            if len(same) < 2:
                continue
            sizes = [one.size for one in same]
            # How many counts are as likely as this one.
            others = min(count * _SPREAD, (max(sizes) - min(sizes)) / 16) / block
            # How unlikely it is that the longest has as few tokens a byte as that.
            ratio = log(max(1.0, max(sizes) / min(sizes) * (count - block) / count))
            evidence += max(0.0, (len(same) - (not alike)) * log10(max(1.0, others)))
            evidence += ratio**2 / (4 * _DENSITY**2 * log(10))
            # Any of them may be alike by chance; but where these are the longest, only how many they are.
            apart = len(prompts) - len(same)
            longest = sum(one.size < min(sizes) for one in prompts.values()) == apart
            evidence -= min(apart, log10(len(prompts))) if longest else apart
            alike += same
        if evidence < _CERTAIN:
            return None
        return _cut(alike, count, f"{count:,}")

    def _hardly_grows(self, key: str) -> CutPrompts | None:
        """Whether the longest prompts are counted as hardly more than those of at most half their size."""
        longest = self._longest[key].values()
        if len(longest) < _LONGEST:
            return None
        shortest = min(one.size for one in longest)
        below = [one for bits, one in self._sums[key].items() if 1 << bits <= shortest / 2]
        number, bytes_, tokens = (sum(column) for column in zip(*below, strict=True)) if below else (0, 0, 0)
        most = max(one.count for one in longest)
        if number < _LONGEST or most < max(_SMALLEST_CONTEXT, self._tiny + 1):
            return None
        density = (tokens / number - self._tiny) / (bytes_ / number)
        grown = sum(one.size for one in longest) / len(longest) - bytes_ / number
        if most - tokens / number >= _LEAST_DENSITY * density * grown:
            return None
        return _cut(list(longest), min(one.count for one in longest) // 2, f"at most {most:,}")


def _cut(prompts: list[_Prompt], least: int, counted: str) -> CutPrompts:
    sizes = [one.size for one in prompts]
    last = max(prompts, key=lambda one: one.size)
    return CutPrompts(
        f"{last.name}: the server cuts long prompts: it counts {counted} tokens for each of {len(prompts)} "
        f"prompts of {min(sizes):,} to {max(sizes):,} bytes",
        least,
        _hint(),
    )


def _hint() -> str:
    return f"{LONGER_CONTEXT}, or use fewer shots; --truncate left accepts it, in another --out"


def shortened(prompt: str | Chat, mark: str) -> tuple[Chat, Chat] | None:
    """A conversation with worked examples, and without the first of them; None where there is none.

    Both begin with `mark`, so that the server has neither in its cache: some count only what they have not.
    """
    if isinstance(prompt, str):
        return None
    begin = next((place for place, (role, _) in enumerate(prompt) if role == "user"), len(prompt))
    if len(prompt) - begin < 3:
        return None
    system, turns = prompt[:begin], prompt[begin:]
    whole, less = ((*system, ("user", mark + some[0][1]), *some[1:]) for some in (turns, turns[2:]))
    return whole, less


def prompt_size(prompt: str | Chat, option: str = "") -> int:
    """The bytes of a prompt's texts, with an option's."""
    texts = [prompt] if isinstance(prompt, str) else [text for _, text in prompt]
    return sum(len(text.encode("utf-8", "replace")) for text in texts) + len(
        option.encode("utf-8", "replace")
    )
