"""One side of `evaluate.py`, in a process of its own: crossin, or the baseline, lm-evaluation-harness.

`python benchmarks/evaluate_baseline.py crossin|lm-eval|float64 --model DIR --requests FILE [--batch-size 16]`
prints, as JSON: seconds to start (imports, weights, a first small question), seconds to ask, the process's
peak memory at the end, the log-probability of every option, and the tokens that went through the model.

lm-eval is called by its Python interface, as `simple_evaluate` calls it: all questions of all languages in
one `HFLM.loglikelihood`, which sorts them by length and, for options of one token, computes a context once.
The rest of its command line (indexing tasks, building contexts, bootstrapping) is not counted. `float64` is
the reference for both: each option's whole text alone through the model in double precision.
"""

from __future__ import annotations

import time

_BEGIN = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

Result = dict[str, Any]

# Asked before the clock starts, so that one-time costs are not counted.
FIRST: Result = {
    "prompt": "Question: Yes or no?\nAnswer:",
    "options": [" yes", " no"],
    "key": "",
    "name": "first",
}


def ask_crossin(model: Path, asked: list[Result], device: str) -> Result:
    from crossin.evaluation.engine import Request
    from crossin.evaluation.hf.engine import HfEngine

    engine = HfEngine(model, device=device, dtype="float32")
    [first, *requests] = [Request(**{**one, "options": tuple(one["options"])}) for one in [FIRST, *asked]]
    list(engine.logprobs([first], range(1)))
    started = time.perf_counter()
    scores = dict(engine.logprobs(requests, range(len(requests))))
    done = time.perf_counter()
    return {
        "start": started - _BEGIN,
        "seconds": done - started,
        "logprobs": [scores[number].logprobs for number in range(len(requests))],
        "tokens": sum(found.computed for found in scores.values()),
        "notes": engine.notes,
    }


def ask_lm_eval(model: Path, asked: list[Result], device: str, batch_size: int) -> Result:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    computed = 0

    class Counting(HFLM):  # type: ignore[misc]
        def _model_call(self, inps: Any, *args: Any, **more: Any) -> Any:
            nonlocal computed
            computed += inps.numel()
            return super()._model_call(inps, *args, **more)

    baseline = Counting(pretrained=str(model), batch_size=batch_size, dtype="float32", device=device)
    [first, *instances] = [
        [
            Instance(
                request_type="loglikelihood",
                doc={},
                arguments=(one["prompt"], option),
                idx=place,
                metadata=("", 0, 1),
            )
            for place, option in enumerate(one["options"])
        ]
        for one in [FIRST, *asked]
    ]
    baseline.loglikelihood(first, disable_tqdm=True)
    computed = 0
    started = time.perf_counter()
    found = iter(
        baseline.loglikelihood([one for question in instances for one in question], disable_tqdm=True)
    )
    done = time.perf_counter()
    return {
        "start": started - _BEGIN,
        "seconds": done - started,
        "logprobs": [[next(found)[0] for _ in question] for question in instances],
        "tokens": computed,
        "notes": [],
    }


def ask_exactly(model: Path, asked: list[Result]) -> Result:
    import torch

    from crossin.evaluation.engine import Request
    from crossin.evaluation.hf.tokens import tokenise
    from crossin.models.loading import load

    network, tokenizer = load(model, device="cpu", dtype="float32")
    network = network.double()
    requests = [Request(one["prompt"], tuple(one["options"])) for one in asked]
    found: list[list[float]] = []
    with torch.inference_mode():
        for options in tokenise(tokenizer, requests, longest=None):
            found.append([])
            for option in options:
                scored = range(option.start, len(option.tokens))
                places = torch.tensor([place - 1 for place in scored])
                tokens = torch.tensor([option.tokens[:-1]])
                logits = network(input_ids=tokens, logits_to_keep=places, use_cache=False).logits[0]
                logprobs = torch.log_softmax(logits, dim=-1)
                targets = torch.tensor([option.tokens[place] for place in scored])
                found[-1].append(logprobs[range(len(scored)), targets].sum().item())
    return {"logprobs": found}


def peak_mib() -> float:
    """The peak memory of this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=["crossin", "lm-eval", "float64"])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--part", type=int, help="only so many questions of each language, spread evenly")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    torch.set_num_threads(options.threads)
    asked = json.loads(options.requests.read_text(encoding="utf-8"))
    if options.part:
        from evaluate_works import part_of

        asked = [asked[place] for place in part_of(asked, options.part)]
    if options.side == "crossin":
        answer = ask_crossin(options.model, asked, options.device)
    elif options.side == "float64":
        answer = ask_exactly(options.model, asked)
    else:
        answer = ask_lm_eval(options.model, asked, options.device, options.batch_size)
    answer["peak MiB"] = peak_mib()
    if options.device.startswith("cuda"):
        answer["GPU peak MiB"] = torch.cuda.max_memory_allocated() / 2**20
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
