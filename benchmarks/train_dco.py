"""One side of `train.py --work dco`, in a process of its own: some steps of DCO (arXiv 2603.04678).

`python benchmarks/train_dco.py pairs --model DIR --questions DIR --out FILE` draws the pairs of `--steps`
steps and counts their tokens. `... SIDE --model DIR --questions DIR --work FILE` prints, as JSON: the loss of
every step before its update, the seconds of every step but the first `--warmup`, a digest of the adapter's
first weights, and the peak memory: of the whole process, and above what it had when the model was loaded (on
a GPU, of what torch has allotted there).

All sides are one plain loop with AdamW over the same LoRA adapter. They differ in how the loss of a step's
pairs is computed:

- crossin: `answer_loss`, in parts of at most `--tokens` tokens, the reference computed before the first step;
- published: each pair as a batch of four padded sequences (two options in two languages), one pair after the
  other, gradients accumulated over the pairs of a step;
- published-step: the four sequences of every pair of a step as one padded batch.

The published sides are written from the paper's description: the logits of all places in float32 through a
log-softmax, and a second forward pass without the adapter for the reference. crossin's is also timed on a
sample of all questions, from which `reference` is estimated: the seconds for all of them.
"""

from __future__ import annotations

import time

_BEGIN = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from contextlib import nullcontext  # noqa: E402
from itertools import pairwise  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from evaluate_baseline import peak_mib  # noqa: E402
from train_peer import ALPHA, RANK, SEED, WEIGHT_DECAY, digest, now  # noqa: E402

LANGUAGES = ("en", "es", "vi", "zh")
LEARNING_RATE = 1e-5
SIDES = ("crossin", "published", "published-step")
Result = dict[str, Any]
# An option after its prompt, and where its own tokens begin; a pair is four: two options in two languages.
Text = tuple[Sequence[int], int]
Steps = list[list[list[Text]]]


def config_of(options: argparse.Namespace) -> Any:
    """The settings of crossin's run: pairs alone."""
    from crossin.training import TrainConfig

    return TrainConfig.model_validate(
        {
            "pairs": {"items": options.questions, "among": "any", "languages": LANGUAGES, "share": 1},
            "consist": {"divergence": "dco"},
            "batches": {"pairs": options.pairs, "tokens": options.tokens},
            "max_steps": options.steps,
            "seed": SEED,
        }
    )


def draw_pairs(options: argparse.Namespace) -> Result:
    """The pairs of each step, as crossin draws them: the options that are compared, in both languages; and
    the tokens of a pair that each side computes.
    """
    from crossin.models.loading import load_tokenizer
    from crossin.training.config import Batches
    from crossin.training.objectives.answers import compared
    from crossin.training.objectives.branches import branched
    from crossin.training.pairs import PairStream, read_pool
    from crossin.training.sampling import parts_of

    config = config_of(options)
    pool = read_pool(config.pairs, load_tokenizer(options.model)[0], Batches()).questions
    stream = PairStream(pool, config.pairs, SEED, options.pairs)
    steps: Steps = []
    counts = {"crossin": 0, "published": 0, "published-step": 0, "real": 0, "scored": 0}
    for step in range(options.steps):
        texts: list[list[Text]] = []
        sizes = []
        for number, (name, *languages) in enumerate(stream.at(step)):
            both = [pool[name][language] for language in languages]
            two = compared(len(both[0].wholes), f"{SEED}/{step}/0/{number}")
            texts.append([(one.wholes[option], one.starts[option]) for one in both for option in two])
            sizes.append(sum(one.size for one in both))
        steps.append(texts)
        lengths = [[len(whole) for whole, _ in pair] for pair in texts]
        counts["real"] += sum(map(sum, lengths))
        counts["scored"] += sum(len(whole) - start for pair in texts for whole, start in pair)
        counts["published"] += sum(4 * max(of_pair) for of_pair in lengths)
        counts["published-step"] += 4 * len(texts) * max(map(max, lengths))
        for part in parts_of(sizes, options.tokens):
            wholes = [whole[:-1] for pair in texts[part.start : part.stop] for whole, _ in pair]
            counts["crossin"] += sum(len(one.tokens) for one in branched(wholes)[0])
    drawn = options.steps * options.pairs
    tokens = {name: count / drawn for name, count in counts.items()}
    return {"steps": steps, "questions": len(pool), "pairs": drawn, "tokens": tokens}


def our_loss(network: Any, term: Any, room: int) -> Callable[[int], float]:
    """Backward of crossin's loss of a step, in parts of at most `room` tokens."""

    def backward(step: int) -> float:
        total = 0.0
        for part in term.parts(step, room):
            loss = term.loss(network, step, part).value
            loss.backward()
            total += loss.item()
        return total

    return backward


def reference_seconds(network: Any, pool: Any, options: argparse.Namespace) -> float:
    """About how long it takes to compute the reference of all questions with all their options: from every
    `--every`th of the parts that this is computed in.
    """
    import torch

    from crossin.training.objectives.answers import option_logprobs
    from crossin.training.sampling import parts_of

    every = [question for versions in pool.questions.values() for question in versions.values()]
    every.sort(key=lambda question: question.wholes[0])
    parts = parts_of((question.size for question in every), options.tokens)
    measured = parts[:: options.every]
    begin = now()
    with torch.no_grad():
        for part in measured:
            option_logprobs(network, every[part.start : part.stop], "sum")
    return (now() - begin) * len(parts) / len(measured)


def logprobs(network: Any, wholes: Sequence[Sequence[int]], starts: Sequence[int]) -> Any:
    """The log-likelihoods [N] of the options as a plain loop over transformers computes them: texts padded to
    the longest, and a log-softmax in float32 at every place.
    """
    import torch

    device, longest = network.device, max(map(len, wholes))
    tokens = torch.zeros(len(wholes), longest, dtype=torch.long)
    attended = torch.zeros_like(tokens)
    scored = torch.zeros(len(wholes), longest - 1)
    for row, (whole, start) in enumerate(zip(wholes, starts, strict=True)):
        tokens[row, : len(whole)] = torch.tensor(whole)
        attended[row, : len(whole)] = 1
        scored[row, start - 1 : len(whole) - 1] = 1
    tokens, attended, scored = tokens.to(device), attended.to(device), scored.to(device)
    found = network(input_ids=tokens, attention_mask=attended, use_cache=False).logits
    each = found[:, :-1].float().log_softmax(-1).gather(2, tokens[:, 1:, None])[..., 0]
    return (each * scored).sum(1)


def published_loss(network: Any, steps: Steps, whole_step: bool) -> Callable[[int], float]:
    """Backward of the published loss of a step."""
    import torch

    def loss_of(pairs: list[list[Text]]) -> Any:
        wholes, starts = zip(*(text for pair in pairs for text in pair), strict=True)
        policy = logprobs(network, wholes, starts)
        with torch.no_grad(), network.disable_adapter():
            reference = logprobs(network, wholes, starts)
        # [pairs, languages]: by how much the first option is likelier than the second.
        lead, held = ((one[0::2] - one[1::2]).view(-1, 2) for one in (policy, reference))
        ratio = lead - held
        return ((ratio[:, 0] - held[:, 1]).abs() + (ratio[:, 1] - held[:, 0]).abs()).sum()

    def backward(step: int) -> float:
        pairs, total = steps[step], 0.0
        for part in [pairs] if whole_step else [[pair] for pair in pairs]:
            loss = loss_of(part) / len(pairs)
            loss.backward()
            total += loss.item()
        return total

    return backward


def run_side(options: argparse.Namespace) -> Result:
    import torch

    from crossin.models.loading import load
    from crossin.training import fused_lora, packing
    from crossin.training.config import Method
    from crossin.training.method import apply
    from crossin.training.terms import terms_of

    steps = json.loads(options.work.read_text(encoding="utf-8"))["steps"]
    options.steps, options.pairs = len(steps), len(steps[0])
    network, tokenizer = load(options.model, device=options.device, dtype=options.dtype)
    ours = options.side == "crossin"
    if ours:
        packing.prepare(network)
    network = apply(network, Method(rank=RANK, alpha=ALPHA), SEED)
    if ours:
        fused_lora.fuse(network)
    with torch.no_grad():
        # Weights that were not used yet may not be in the memory yet.
        network(input_ids=torch.zeros(1, 2, dtype=torch.long, device=network.device))
    first, loaded = digest(network), reset_peak(options.device)
    ends = [now()]
    if ours:
        terms = terms_of(config_of(options), network, tokenizer)
        backward = our_loss(network, terms.terms[0], options.tokens)
    else:
        backward = published_loss(network, steps, options.side == "published-step")
    network.train()
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    losses = []
    ends.append(now())
    with profiled(options.profile):
        for step in range(len(steps)):
            losses.append(backward(step))
            optimizer.step()
            optimizer.zero_grad()
            ends.append(now())
    before, *seconds = (later - earlier for earlier, later in pairwise(ends))
    found = {
        "losses": losses,
        "first": first,
        "start": ends[0] - _BEGIN,
        "before": before,
        "seconds": seconds[options.warmup :],
        "pairs": options.pairs * (len(steps) - options.warmup),
        **peaks(options.device, loaded),
        "reference": 0.0,
    }
    if ours:
        found["reference"] = reference_seconds(network, terms.pool, options)
    return found


def reset_peak(device: str) -> float:
    """Forget the peak so far; the memory in use, in MiB."""
    import torch

    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated() / 2**20
    Path("/proc/self/clear_refs").write_text("5")
    return status_mib("VmRSS")


def peaks(device: str, loaded: float) -> dict[str, float]:
    """The peak memory of the process, and since `reset_peak` that above what was loaded."""
    import torch

    if device != "cpu":
        peak = torch.cuda.max_memory_allocated() / 2**20
        return {"peak MiB": peak, "above MiB": peak - loaded}
    return {"peak MiB": peak_mib(), "above MiB": status_mib("VmHWM") - loaded}


def status_mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith(name))


def profiled(wanted: bool) -> Any:
    if not wanted:
        return nullcontext()
    import torch

    def show(profile: Any) -> None:
        print(profile.key_averages().table(sort_by="self_cpu_time_total", row_limit=25), file=sys.stderr)

    return torch.profiler.profile(on_trace_ready=show)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", choices=["pairs", *SIDES])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True, help="a benchmark's folder")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=4, help="of a step")
    parser.add_argument("--tokens", type=int, default=512, help="of a part of crossin")
    parser.add_argument("--out", type=Path, help="where the pairs are written")
    parser.add_argument("--work", type=Path, help="the pairs")
    parser.add_argument("--warmup", type=int, default=1, help="steps that are not counted")
    parser.add_argument("--every", type=int, default=8, help="of the parts of the whole reference")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    torch.set_num_threads(options.threads)
    # What libraries print goes elsewhere: the last line is the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    if options.side == "pairs":
        found = draw_pairs(options)
        options.out.write_text(json.dumps({"steps": found.pop("steps")}), encoding="utf-8")
    else:
        found = run_side(options)
    print(json.dumps(found), file=answer)


if __name__ == "__main__":
    main()
