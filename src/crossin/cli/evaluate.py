"""The verb `evaluate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from crossin.cli.options import (
    BaseUrl,
    Concurrency,
    KeyVariable,
    PriceIn,
    PriceOut,
    RequestsPerMinute,
    TokensPerMinute,
    codes,
    names,
    prices_of,
)
from crossin.core.errors import CrossinError

_ASKING, _LOCAL = "How it is asked", "Models of transformers (hf)"


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL…",
            help="Names from `crossin models list`, hub ids, or folders; with a server, its names of models. "
            "LABEL=MODEL gives one a name of its own.",
        ),
    ],
    bench: Annotated[
        list[str],
        typer.Option(
            metavar="NAME|FOLDER",
            help="A folder that `crossin bench build` made, or `facts`, which is built on the way; "
            "LABEL=FOLDER names it. Several: --bench facts --bench bench/mmlu.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the answers: OUT/MODEL/BENCH.")],
    languages: Annotated[
        str | None, typer.Option(help="Languages with commas, in any spelling: en,vi,Thai; all if not given.")
    ] = None,
    tasks: Annotated[str | None, typer.Option(help="Tasks with commas; all if not given.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Ask so many items, the same in every language. They are drawn in whole groups (paragraphs, "
            "countries), so there may be a few more; a larger limit holds those of a smaller one.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides that draw, the shots, and --order rotated.")] = 0,
    engine: Annotated[
        Literal["hf", "openai"],
        typer.Option(
            help="`hf`: the model runs here. `openai`: a server that speaks OpenAI's protocol (vLLM, SGLang, "
            "llama.cpp, OpenAI) answers."
        ),
    ] = "hf",
    cache: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps the answers for other runs too; without it, a file in OUT keeps them until "
            "the run is finished."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be asked, and ask nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every figure as JSON.")] = False,
    form: Annotated[
        Literal["text", "letters", "generate"] | None,
        typer.Option(
            help="`text`: how likely is each option's full text? `letters`: options are listed, and how "
            "likely is each letter? `generate`: a reply is written, and read. Default: text, or with a "
            "server the first of these that it can.",
            rich_help_panel=_ASKING,
        ),
    ] = None,
    choice: Annotated[
        Literal["sum", "token", "byte", "bare"],
        typer.Option(
            help="What decides between options: log-probability in all, a token, a byte, or less that of the "
            "option without the question.",
            rich_help_panel=_ASKING,
        ),
    ] = "sum",
    chat: Annotated[
        bool | None,
        typer.Option(
            "--chat/--plain", help="By the model's chat template, or plain.", rich_help_panel=_ASKING
        ),
    ] = None,
    wordings: Annotated[
        str,
        typer.Option(
            help='How the question is put, with commas: `question` ("Question: … Answer:" in the language), '
            "`plain` (the question alone), `asked` (told to answer in the language).",
            rich_help_panel=_ASKING,
        ),
    ] = "question",
    shots: Annotated[
        int, typer.Option(min=0, help="Worked examples before each question.", rich_help_panel=_ASKING)
    ] = 0,
    shots_from: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Benchmark that they come from: another split.", rich_help_panel=_ASKING
        ),
    ] = None,
    order: Annotated[
        Literal["fixed", "rotated"],
        typer.Option(
            help="Listed options begin at the first, or at another in each language.", rich_help_panel=_ASKING
        ),
    ] = "fixed",
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Longest reply, in tokens.", rich_help_panel=_ASKING)
    ] = 256,
    adapter: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Adapter on the model: PEFT's, or a training's.", rich_help_panel=_LOCAL
        ),
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge/--no-merge", help="Add it into the weights.", rich_help_panel=_LOCAL)
    ] = True,
    device: Annotated[
        str, typer.Option(help="`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.", rich_help_panel=_LOCAL)
    ] = "auto",
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16", "4bit"],
        typer.Option(
            help="Precision; `auto`: float32 on a CPU, else bfloat16 if the card can.", rich_help_panel=_LOCAL
        ),
    ] = "auto",
    processes: Annotated[
        int, typer.Option(min=1, help="Copies of the model, a card each.", rich_help_panel=_LOCAL)
    ] = 1,
    batch_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens a card takes at once, at most.", rich_help_panel=_LOCAL),
    ] = None,
    truncate: Annotated[
        Literal["left"] | None,
        typer.Option(help="Cut prompts that are too long, instead of stopping.", rich_help_panel=_LOCAL),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the model's terms.", rich_help_panel=_LOCAL)
    ] = False,
    base_url: BaseUrl = None,
    key_variable: KeyVariable = "OPENAI_API_KEY",
    concurrency: Concurrency = 16,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
) -> None:
    """Ask models a parallel benchmark in every language, and score the answers.

    Each model's answers to each benchmark go to OUT/MODEL/BENCH: `answers.parquet`, `scores.json`,
    `manifest.json`. What questions share is computed once. Stopped at any moment, the same command goes on,
    and asks nothing twice.

    Look first: `crossin evaluate smollm2-135m --bench facts --languages en,vi --out runs/eval --dry-run`

    Then two models, fifty items: `crossin evaluate smollm2-135m gemma3-270m --bench bench/xquad --limit 50
    --out runs/eval`

    A tuned one: `crossin evaluate tuned=smollm2-135m --adapter runs/training --bench facts --out runs/eval`

    A model on a server: `crossin evaluate NAME --engine openai --base-url http://localhost:8000/v1 --bench
    bench/mmlu --out runs/eval`

    Afterwards: `crossin compare runs/eval/smollm2-135m/facts runs/eval/tuned/facts`
    """
    from functools import partial

    from crossin.cli.evaluating import Job, evaluate_all, labelled, preview
    from crossin.evaluation import Form, HfEngine

    if adapter and len(models) > 1:
        raise CrossinError(
            "an adapter belongs to one model", hint="evaluate the others by a call of their own"
        )
    make: Callable[[Any], Any]
    if engine == "openai":
        from crossin.evaluation.openai import OpenAIEngine

        if base_url is None:
            raise CrossinError(
                "a server needs an address", field="--base-url", hint="--base-url http://HOST/v1"
            )
        make = partial(
            OpenAIEngine,
            base_url=base_url,
            chat=chat,
            key_variable=key_variable,
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            prices=prices_of(price_in, price_out),
        )
    else:
        make = partial(
            HfEngine,
            adapter=adapter,
            merge=merge,
            device=device,
            dtype=dtype,
            processes=processes,
            batch_tokens=batch_tokens,
            truncate=truncate is not None,
        )
    job = Job(
        models=labelled(models, "model", f"+{adapter.name}" if adapter else ""),
        benches=labelled(bench, "benchmark"),
        out=out,
        form=Form(
            kind=form or "text",
            wordings=tuple(names(wordings, "--wordings")),
            chat=bool(chat),
            shots=shots,
            order=order,
            max_tokens=max_tokens,
        ),
        asked={
            "choice": choice,
            "languages": codes(languages),
            "tasks": None if tasks is None else names(tasks, "--tasks"),
            "limit": limit,
            "shots": shots_from,
            "seed": seed,
        },
        make=make,
        served=engine == "openai",
        settled=engine != "openai" or form is not None,
        accept_licence=accept_licence,
        cache=cache,
    )
    if dry_run:
        preview(job, as_json=as_json)
    else:
        evaluate_all(job, as_json=as_json)
