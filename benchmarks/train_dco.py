"""One side of `train.py --work dco`, in a process of its own: some steps of DCO (arXiv 2603.04678).

`python benchmarks/train_dco.py pairs --model DIR --questions DIR --out FILE` draws the pairs of `--steps`
steps and counts their tokens. `... SIDE --model DIR --work FILE` prints, as JSON: the loss of every step before its
update, the seconds of every step but the first `--warmup`, a digest of the adapter's first weights, and the
peak memory: of the whole process, and above what it had when the model was loaded (on a GPU, of what torch
has allotted there).

All sides are one plain loop with AdamW over the same LoRA adapter. They differ in how the loss of a step's
pairs is computed:

- crossin: `answer_loss`, in parts of at most `--tokens` tokens, the reference computed before the first step;
- published: each pair as a batch of four padded sequences (two options in two languages), one pair after the
  other, gradients accumulated over the pairs of a step;
- published-step: the four sequences of every pair of a step as one padded batch.

The published sides are written from the paper's description: the logits of all places in float32 through a
log-softmax, and a second forward pass without the adapter for the reference. `references` measures how long
crossin takes to compute the reference of some questions, with all of their options.
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
Steps = list[list[Result]]


def draw_pairs(model: Path, questions: Path, steps: int, pairs: int) -> Result:
    """The pairs of each step: the questions of both sides, and which two options are compared; and tokens."""
    from crossin.models.loading import load_tokenizer
    from crossin.training.config import Batches, Pairs
    from crossin.training.objectives.answers import compared
    from crossin.training.objectives.branches import branched
    from crossin.training.pairs import PairStream, read_pool

    settings = Pairs(items=questions, among="any", languages=LANGUAGES)
    pool = read_pool(settings, load_tokenizer(model)[0], Batches()).questions
    stream = PairStream(pool, settings, SEED, pairs)
    found: Steps = []
    counts = {"crossin": 0, "published": 0, "published-step": 0, "real": 0, "scored": 0}
    for step in range(steps):
        found.append([])
        texts: list[tuple[int, ...]] = []
        for number, (id, *languages) in enumerate(stream.at(step)):
            both = [pool[id][language] for language in languages]
            two = compared(len(both[0].wholes), f"{step}/{number}")
            sides = [{"wholes": one.wholes, "starts": one.starts} for one in both]
            found[-1].append({"sides": sides, "two": two})
            wholes = [one.wholes[option] for one in both for option in two]
            counts["scored"] += sum(
                len(one.wholes[option]) - one.starts[option] for one in both for option in two
            )
            counts["real"] += sum(map(len, wholes))
            counts["published"] += 4 * max(map(len, wholes))
            texts += wholes
        counts["published-step"] += len(texts) * max(map(len, texts))
        counts["crossin"] += sum(len(one.tokens) for one in branched([text[:-1] for text in texts])[0])
    drawn = steps * pairs
    return {
        "steps": found,
        "pairs": pairs,
        "tokens of a pair": {name: count / drawn for name, count in counts.items()},
        "questions": len(pool),
        "pool": [{"wholes": one.wholes, "starts": one.starts} for by in pool.values() for one in by.values()],
    }


def question(one: Result) -> Any:
    from crossin.training.pairs import TokenizedQuestion

    return TokenizedQuestion([tuple(whole) for whole in one["wholes"]], one["starts"], ())


def our_loss(network: Any, steps: Steps, room: int) -> Callable[[int], float]:
    """Backward of crossin's loss of a step, in parts of `room` tokens or one larger pair. The reference of
    the pairs is computed here.
    """
    import torch

    from crossin.training.config import Consist
    from crossin.training.objectives.answers import answer_loss, option_logprobs

    settings = Consist(divergence="dco")
    asked = [[tuple(map(question, pair["sides"])) for pair in step] for step in steps]
    held: list[list[list[list[float]]]] = []
    with torch.no_grad():
        for step in asked:
            held.append([])
            for pair in step:
                values = option_logprobs(network, pair, settings.length)
                held[-1].append([one.tolist() for one in values])

    def backward(step: int) -> float:
        pairs, total = asked[step], 0.0
        for part in parts_of([sum(one.size for one in pair) for pair in pairs], room):
            some = slice(part.start, part.stop)
            loss = answer_loss(network, pairs[some], settings, held[step][some], str(step), part.start)
            loss = loss * len(part) / len(pairs)
            loss.backward()
            total += loss.item()
        return total

    return backward


def parts_of(sizes: Sequence[int], room: int) -> list[range]:
    """Places in a row whose sizes are at most `room` together, or one that is larger."""
    parts: list[range] = []
    left = 0
    for place, size in enumerate(sizes):
        if not parts or size > left:
            parts.append(range(place, place))
            left = room
        parts[-1] = range(parts[-1].start, place + 1)
        left -= size
    return parts


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

    def loss_of(pairs: list[Result]) -> Any:
        options = [(side, number) for pair in pairs for side in pair["sides"] for number in pair["two"]]
        wholes = [side["wholes"][number] for side, number in options]
        starts = [side["starts"][number] for side, number in options]
        policy = logprobs(network, wholes, starts)
        with torch.no_grad(), network.disable_adapter():
            reference = logprobs(network, wholes, starts)
        # [pairs, language], the first option's lead over the second.
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

    work = json.loads(options.work.read_text(encoding="utf-8"))
    network, _ = load(options.model, device=options.device, dtype=options.dtype)
    ours = options.side in ("crossin", "references")
    if ours:
        packing.prepare(network)
    network = apply(network, Method(rank=RANK, alpha=ALPHA), SEED)
    if ours:
        fused_lora.fuse(network)
    network.train()
    with torch.no_grad():
        # Weights that are not used yet may not be in the memory yet.
        network(input_ids=torch.zeros(1, 2, dtype=torch.long, device=network.device))
    first, loaded = digest(network), reset_peak(options.device)
    begin = now()
    if options.side == "references":
        some = work["pool"][: options.most]
        return {"seconds": references(network, some, options.tokens), "questions": len(some)}
    steps = work["steps"]
    backward = (
        our_loss(network, steps, options.tokens)
        if ours
        else published_loss(network, steps, options.side == "published-step")
    )
    before = now() - begin
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    losses, ends = [], [now()]
    with profiled(options.profile):
        for step in range(len(steps)):
            losses.append(backward(step))
            optimizer.step()
            optimizer.zero_grad()
            ends.append(now())
    seconds = [later - earlier for earlier, later in pairwise(ends)]
    return {
        "losses": losses,
        "first": first,
        "start": begin - _BEGIN,
        "before": before,
        "seconds": seconds[options.warmup :],
        **peaks(options.device, loaded),
    }


def references(network: Any, pool: list[Result], room: int) -> float:
    """The seconds to compute the reference of all options of these questions."""
    import torch

    from crossin.training.objectives.answers import option_logprobs

    asked = [question(one) for one in pool]
    begin = now()
    with torch.no_grad():
        for part in parts_of([one.size for one in asked], room):
            option_logprobs(network, asked[part.start : part.stop], "sum")
    return now() - begin


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
    parser.add_argument("side", choices=["pairs", "references", *SIDES])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=8, help="pairs of a step")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--warmup", type=int, default=1, help="steps that are not counted")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--tokens", type=int, default=512, help="of a part of crossin")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--most", type=int, help="questions of `references`, all by default")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch

    torch.set_num_threads(options.threads)
    # What libraries print goes elsewhere: the last line is the answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    if options.side == "pairs":
        found = draw_pairs(options.model, options.questions, options.steps, options.pairs)
        options.out.write_text(json.dumps(found), encoding="utf-8")
        found = {name: one for name, one in found.items() if name not in ("steps", "pool")}
    else:
        found = run_side(options)
    print(json.dumps(found), file=answer)


if __name__ == "__main__":
    main()
