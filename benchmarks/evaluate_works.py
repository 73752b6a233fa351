"""The workloads of `evaluate.py`: their questions, their tokens, and a model of a shape.

`python benchmarks/evaluate_works.py questions WORK --data DIR --out FILE` writes the requests of a sample;
`... tokens --model DIR --requests FILE` counts the tokens of every option's whole text, and the fewest that
any method must compute: the distinct beginnings of all sequences of a language. `... shape NAME --out
DIR` makes a model of a known shape with random weights and SmolLM2's tokenizer, or another's.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossin.items import Item

Result = dict[str, Any]
Tokens = tuple[int, ...]

# By work: the benchmark, where its data lies below --data (the facts suite needs none), and the form's kind.
WORKS: dict[str, tuple[str, str | None, str]] = {
    "xquad-text": ("cross-xquad", "xquad", "text"),
    "xquad-letters": ("cross-xquad", "xquad", "letters"),
    "mmlu-text": ("cross-mmlu", "seaeval", "text"),
    "facts-text": ("facts", None, "text"),
    "klar-generation": ("klar", "klar", "generate"),
}
# Of KLAR, the items of each relation that are asked, as in a sample of 200 of all 20 relations; the shots
# before each; and the longest reply.
OF_RELATION, SHOTS, MAX_TOKENS = 10, 3, 32
# transformers' configurations, by the shape's name.
SHAPES: dict[str, Result] = {
    "gemma3-270m": {
        "model_type": "gemma3_text",
        "vocab_size": 262_144,
        "hidden_size": 640,
        "intermediate_size": 2048,
        "num_hidden_layers": 18,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 256,
        "sliding_window": 512,
        "layer_types": ["full_attention" if layer % 6 == 5 else "sliding_attention" for layer in range(18)],
        "query_pre_attn_scalar": 256,
        "tie_word_embeddings": True,
    },
    "smollm2-135m": {
        "model_type": "llama",
        "vocab_size": 49_152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "tie_word_embeddings": True,
    },
    # But for the vocabulary, which is the tokenizer's.
    "mistral-7b": {
        "model_type": "mistral",
        "vocab_size": 49_152,
        "hidden_size": 4096,
        "intermediate_size": 14_336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "sliding_window": None,
    },
}


def part_of(asked: Sequence[Result], number: int) -> list[int]:
    """Which questions are a part of `asked`: so many of each language, evenly over all of them."""
    chosen = []
    for key in dict.fromkeys(one["key"] for one in asked):
        places = [place for place, one in enumerate(asked) if one["key"] == key]
        size = min(number, len(places))
        chosen += [places[place * len(places) // size] for place in range(size)]
    return chosen


def requests(
    work: str, data: Path, items: int, languages: str | None, console: Callable[[str], None]
) -> list[Result]:
    """The questions of a work: those of `crossin evaluate --limit ITEMS`, whole paragraphs."""
    from crossin.bench import build_named
    from crossin.items import Form, questions, read_items
    from crossin.items.selection import select
    from crossin.languages import parse_language

    name, folder, kind = WORKS[work]
    known = [parse_language(one) for one in languages.split(",")] if languages else None
    with tempfile.TemporaryDirectory() as place:
        stage = build_named(name, Path(place) / "bench", source=data / folder if folder else None)
        items_of_work = read_items(stage.folder)
    if kind == "generate":
        asked = with_shots(items_of_work, items, known)
        names, keys = ({one[field] for one in asked} for field in ("name", "key"))
        console(f"{work}: {len(names)} items in {len(keys)} languages")
        return asked
    found = [item for item in items_of_work if item.options]
    found, _ = select(found, Path(name), languages=known, limit=items)
    console(
        f"{work}: {len({item.item for item in found})} items in {len({i.language for i in found})} languages"
    )
    return [
        {"prompt": one.prompt, "options": one.options, "key": one.item.language, "name": one.item.item}
        for one in questions(found, Form.model_validate({"kind": kind}))
    ]


def with_shots(benchmark: Sequence[Item], number: int, languages: Sequence[str] | None) -> list[Result]:
    """Items of the free-text `benchmark` as `crossin evaluate --per-task 10 --shots 3 --shots-from ITSELF`
    asks them, of as many relations, drawn, as hold `number` of them.
    """
    from crossin.core.hashing import hash64
    from crossin.items import Form, questions
    from crossin.items.selection import select

    relations = sorted({item.task for item in benchmark}, key=lambda name: hash64("relation", name))
    found, _ = select(
        benchmark,
        Path(benchmark[0].source),
        languages=languages,
        tasks=relations[: math.ceil(number / OF_RELATION)],
        per_task=min(OF_RELATION, number),
    )
    return [
        {"prompt": one.prompt, "max_tokens": MAX_TOKENS, "stop": one.stop}
        | {"key": one.item.language, "name": one.item.item}
        for one in questions(found, Form(kind="generate", shots=SHOTS), shots=benchmark)
    ]


def count_tokens(model: Path, asked: list[Result]) -> Result:
    """Tokens that must go through the model, if each option's text is computed alone, and the fewest.

    The last token of an option predicts nothing that is scored, so it need not be computed. Of a prompt that
    is replied to, the reply's tokens are not counted.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    naive = fewest = 0
    for key in dict.fromkeys(one["key"] for one in asked):
        chosen = [one for one in asked if one["key"] == key]
        texts = [one["prompt"] + option for one in chosen for option in one.get("options", ())]
        sequences = [tuple(tokens[:-1]) for tokens in tokenizer(texts)["input_ids"]] if texts else []
        prompts = [one["prompt"] for one in chosen if "options" not in one]
        sequences += [tuple(tokens) for tokens in tokenizer(prompts)["input_ids"]] if prompts else []
        naive += sum(map(len, sequences))
        fewest += beginnings(sequences)
    return {"naive": naive, "fewest": fewest}


def beginnings(sequences: Iterable[Tokens]) -> int:
    """How many distinct beginnings, of length 1 or more, the sequences have: the nodes of their trie.

    In sorted order each sequence adds what it does not share with the one before it.
    """
    ordered = sorted(sequences)
    shared = sum(
        next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
        for one, other in pairwise(ordered)
    )
    return sum(map(len, ordered)) - shared


def make_shape(name: str, out: Path, tokenizer_of: Path | None, device: str, dtype: str) -> None:
    """A model of this shape, saved in `out`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    from crossin.models import pull

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of or pull("smollm2-135m"))
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    torch.manual_seed(0)
    with torch.device(device):
        config = AutoConfig.for_model(**SHAPES[name], **ends)
        AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype)).save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = parser.add_subparsers(dest="task", required=True)
    asking = tasks.add_parser("questions")
    asking.add_argument("work", choices=WORKS)
    asking.add_argument("--data", type=Path, required=True)
    asking.add_argument("--items", type=int, required=True)
    asking.add_argument("--languages")
    asking.add_argument("--out", type=Path, required=True)
    counting = tasks.add_parser("tokens")
    counting.add_argument("--model", type=Path, required=True)
    counting.add_argument("--requests", type=Path, required=True)
    shaping = tasks.add_parser("shape")
    shaping.add_argument("name", choices=SHAPES)
    shaping.add_argument("--out", type=Path, required=True)
    shaping.add_argument("--tokenizer", type=Path)
    shaping.add_argument("--device", default="cpu")
    shaping.add_argument("--dtype", default="float32")
    pulling = tasks.add_parser("pull")
    pulling.add_argument("name")
    options = parser.parse_args()
    answer: Result = {}
    if options.task == "questions":
        found = requests(
            options.work,
            options.data,
            options.items,
            options.languages,
            lambda line: print(line, file=sys.stderr),
        )
        options.out.write_text(json.dumps(found), encoding="utf-8")
        answer = {
            "questions": len(found),
            "items": len({one["name"] for one in found}),
            "languages": list(dict.fromkeys(one["key"] for one in found)),
        }
    elif options.task == "tokens":
        answer = count_tokens(options.model, json.loads(options.requests.read_text(encoding="utf-8")))
    elif options.task == "shape":
        make_shape(options.name, options.out, options.tokenizer, options.device, options.dtype)
    else:
        from crossin.models import pull

        answer = {"folder": str(pull(options.name).resolve())}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
