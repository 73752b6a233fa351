"""One side of `evaluate.py`, in a process of its own: crossin, or the baseline, lm-evaluation-harness.

`python benchmarks/evaluate_baseline.py crossin|lm-eval|float64 --model DIR --requests FILE [--batch-size 16]`
prints, as JSON: seconds to start (imports, weights, a first small question), seconds to ask, the process's
peak memory at the end, the log-probability of every option, and the tokens that went through the model.

lm-eval is called by its Python interface, as `simple_evaluate` calls it: all questions of all languages in
one `HFLM.loglikelihood`, which sorts them by length and, for options of one token, computes a context once;
for replies, in one `HFLM.generate_until`, which sorts prompts by length, and where a batch goes on until its
longest reply has ended.
The rest of its command line (indexing tasks, building contexts, bootstrapping) is not counted. `float64` is
the reference for both: each option's whole text alone through the model in double precision, or each reply
alone.
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
from typing import TYPE_CHECKING, Any  # noqa: E402

if TYPE_CHECKING:
    from crossin.evaluation.engine import Request

Result = dict[str, Any]

# Asked before the clock starts, so that one-time costs are not counted.
FIRST: Result = {
    "prompt": "Question: Yes or no?\nAnswer:",
    "options": [" yes", " no"],
    "key": "",
    "name": "first",
}


def request_of(question: Result) -> Request:
    """The request of a question as `evaluate_works.py` writes it."""
    from crossin.evaluation.engine import Request

    named = {
        **question,
        "options": tuple(question.get("options", ())),
        "stop": tuple(question.get("stop", ())),
    }
    return Request(**named)


def ask_crossin(model: Path, asked: list[Result], device: str) -> Result:
    from crossin.evaluation.engine import Reply, Scores
    from crossin.evaluation.hf.engine import HfEngine

    engine = HfEngine(model, device=device, dtype="float32")
    requests = [request_of(one) for one in asked]
    list(engine.logprobs([request_of(FIRST)], range(1)))
    started = time.perf_counter()
    ask: Any = engine.logprobs if requests[0].options else engine.generate
    found: dict[int, Scores | Reply] = dict(ask(requests, range(len(requests))))
    done = time.perf_counter()
    answers = [found[number] for number in range(len(requests))]
    return {
        "start": started - _BEGIN,
        "seconds": done - started,
        "logprobs": [one.logprobs for one in answers if isinstance(one, Scores)],
        "replies": [one.text for one in answers if isinstance(one, Reply)],
        "tokens": sum(one.computed for one in answers),
        "whole": sum(one.computed + one.saved for one in answers),
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


def reply_lm_eval(model: Path, asked: list[Result], device: str, batch_size: int) -> Result:
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    baseline = HFLM(pretrained=str(model), batch_size=batch_size, dtype="float32", device=device)
    computed = 0

    def count(_: Any, given: Any, named: Any) -> None:
        nonlocal computed
        computed += (named.get("input_ids") if named.get("input_ids") is not None else given[0]).numel()

    baseline.model.register_forward_pre_hook(count, with_kwargs=True)
    [first, *instances] = [
        Instance(
            request_type="generate_until",
            doc={},
            arguments=(
                one["prompt"],
                {"until": list(one["stop"]), "max_gen_toks": one["max_tokens"], "do_sample": False},
            ),
            idx=0,
            metadata=("", 0, 1),
        )
        for one in [FIRST | {"stop": ["\n"], "max_tokens": 2}, *asked]
    ]
    baseline.generate_until([first], disable_tqdm=True)
    computed = 0
    started = time.perf_counter()
    replies = baseline.generate_until(instances, disable_tqdm=True)
    done = time.perf_counter()
    return {
        "start": started - _BEGIN,
        "seconds": done - started,
        "replies": replies,
        "tokens": computed,
        "notes": [],
    }


def reply_exactly(model: Path, asked: list[Result]) -> Result:
    """For each question, the reply in double precision, and the smallest lead of one of its tokens before
    the second likeliest, in logits.
    """
    import torch
    from transformers import GenerationConfig

    from crossin.evaluation.hf.stops import Ends, GrowingReply
    from crossin.evaluation.hf.tokens import tokenise_prompts
    from crossin.models.loading import load

    network, tokenizer = load(model, device="cpu", dtype="float32")
    network = network.double()
    replies, leads = [], []
    requests = [request_of(one) for one in asked]
    for request, prompt in zip(requests, tokenise_prompts(tokenizer, requests, longest=None), strict=True):
        growing = GrowingReply(Ends(network, tokenizer, request.stop))
        found = network.generate(
            torch.tensor([prompt.tokens]),
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=request.max_tokens,
                output_logits=True,
                return_dict_in_generate=True,
            ),
        )
        lead = float("inf")
        for token, logits in zip(
            found.sequences[0, len(prompt.tokens) :].tolist(), found.logits, strict=True
        ):
            first, second = logits[0].topk(2).values.tolist()
            lead = min(lead, first - second)
            if growing.ended_by(token):
                break
        replies.append(growing.reply(0).text)
        leads.append(lead)
    return {"replies": replies, "leads": leads}


def ask_exactly(model: Path, asked: list[Result]) -> Result:
    import torch

    from crossin.evaluation.hf.tokens import tokenise
    from crossin.models.loading import load

    network, tokenizer = load(model, device="cpu", dtype="float32")
    network = network.double()
    requests = [request_of(one) for one in asked]
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
    parser.add_argument("--places", type=Path, help="a JSON file with the places of the questions to ask")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    torch.set_num_threads(options.threads)
    asked = json.loads(options.requests.read_text(encoding="utf-8"))
    if options.part:
        from evaluate_works import part_of

        asked = [asked[place] for place in part_of(asked, options.part)]
    if options.places:
        asked = [asked[place] for place in json.loads(options.places.read_text(encoding="utf-8"))]
    replies = "options" not in asked[0]
    if options.side == "crossin":
        answer = ask_crossin(options.model, asked, options.device)
    elif options.side == "float64":
        answer = (reply_exactly if replies else ask_exactly)(options.model, asked)
    else:
        ask = reply_lm_eval if replies else ask_lm_eval
        answer = ask(options.model, asked, options.device, options.batch_size)
    answer["peak MiB"] = peak_mib()
    if options.device.startswith("cuda"):
        answer["GPU peak MiB"] = torch.cuda.max_memory_allocated() / 2**20
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
