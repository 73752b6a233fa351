"""The evaluation stage: a model and a benchmark in, a table of answers out."""

from __future__ import annotations

from pathlib import Path

from crossin.bench import ITEMS, Item, read_items
from crossin.errors import CrossinError
from crossin.evaluate.scoring import Request, Scores, score
from crossin.files import write_parquet
from crossin.languages import load_words
from crossin.languages.words import DATA
from crossin.models.load import load
from crossin.progress import Progress, silent
from crossin.stage import Stage, begin

ANSWERS = "answers.parquet"
# A pass this long keeps two cores busy; much longer ones spend their time on attention between questions that
# do not see each other.
_TOKENS_PER_PASS = 512


def evaluate(
    model: Path,
    bench: Path,
    out: Path,
    *,
    name: str,
    adapter: Path | None = None,
    languages: list[str] | None = None,
    progress: Progress = silent,
) -> Stage:
    """Ask the model in the folder `model`, with the adapter that a training stage left in `adapter` if given,
    a benchmark's items.

    The answer is the option whose full text is the likeliest after the question (the sum of its tokens'
    log-probabilities); questions that are answered in free text are left out, and counted. `name` is what the
    report calls the model. Writes `answers.parquet` and a copy of the items (docs/formats.md).
    """
    asked = read_items(bench / ITEMS)
    if languages is not None:
        asked = [item for item in asked if item.language in languages]
    items = [item for item in asked if not item.free_text]
    if not items:
        raise CrossinError(
            "holds no multiple-choice items in these languages",
            file=bench / ITEMS,
            fix="name languages that it has",
        )
    inputs = {"model": model, "bench": bench} | ({"adapter": adapter} if adapter else {})
    inputs |= {f"words/{code}": DATA / f"{code}.yaml" for code in sorted({item.language for item in items})}
    stage = begin(
        out, "evaluate", {"name": name, "languages": languages, "scoring": "sum of log-probabilities"}, inputs
    )
    if stage.done:
        return stage
    network, tokenizer = load(model)
    if adapter is not None:
        from peft import PeftModel

        network = PeftModel.from_pretrained(network, adapter / "adapter").merge_and_unload().eval()
    scores: list[Scores] = []
    for batch in score(network, tokenizer, [_request(item) for item in items], _TOKENS_PER_PASS):
        scores += batch
        progress(f"asking {name}", len(scores), len(items), "questions")
    _write_answers(out, items, scores)
    stage.finish(
        [ANSWERS, ITEMS],
        {"questions": len(items), "items": len({item.item for item in items})},
        {"question: answered in free text": len(asked) - len(items)} if len(asked) > len(items) else {},
    )
    return stage


def _request(item: Item) -> Request:
    words = load_words(item.language)
    question = f"{item.context}\n{item.question}" if item.context else item.question
    return Request(words.ask(question), [words.separator + option for option in item.options])


def _write_answers(out: Path, items: list[Item], scores: list[Scores]) -> None:
    import pyarrow

    from crossin.bench.items import write_items

    answers = [
        {
            "item": item.item,
            "group": item.group,
            "task": item.task,
            "language": item.language,
            "option_ids": item.option_ids,
            "logprobs": found.logprobs,
            "tokens": found.tokens,
            "answer": item.option_ids[max(range(len(found.logprobs)), key=found.logprobs.__getitem__)],
            "gold": item.answer,
        }
        for item, found in zip(items, scores, strict=True)
    ]
    write_parquet(out / ANSWERS, pyarrow.Table.from_pylist(answers))
    write_items(out / ITEMS, items)
