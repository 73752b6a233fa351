"""The verb `translate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from crossin.cli.options import (
    SERVER,
    BaseUrl,
    Concurrency,
    KeyVariable,
    PriceIn,
    PriceOut,
    RequestsPerMinute,
    TokensPerMinute,
    prices_of,
)
from crossin.core.errors import CrossinError

_GATES, _LOCAL, _SCALE = "Gates", "Models in this process", "Many processes"


def translate(
    corpus: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS",
            help="Rows in one language: JSON, JSON lines or Parquet, plain or packed, or a folder of such.",
        ),
    ],
    to: Annotated[
        list[str],
        typer.Option(
            metavar="LANGUAGE…", help="Languages to translate into, in any spelling: --to zh vi Thai."
        ),
    ],
    engine: Annotated[
        Literal["openai", "ctranslate2", "hf"],
        typer.Option(
            help="`openai`: a chat model behind a server (vLLM, llama.cpp, OpenAI). `ctranslate2`: NLLB, "
            "MADLAD, OPUS and M2M models in that form. `hf`: a translation model of transformers."
        ),
    ],
    model: Annotated[
        str, typer.Option(help="The server's name of the model; else a folder, or with hf a hub id.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the corpus.")] = None,
    source: Annotated[str, typer.Option("--from", help="Language of the rows.")] = "en",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=COLUMN", help="Where a column has another name: output=response."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take only the first rows.")] = None,
    any_language: Annotated[
        bool, typer.Option("--any-language", help="Do not check that the rows are in that language.")
    ] = False,
    task_bound: Annotated[
        Literal["skip", "keep", "instruction"],
        typer.Option(
            help="Rows that make sense in their own language only (spelling, grammar, rhyme, translation): "
            "leave out, keep as they are, or translate the instruction alone."
        ),
    ] = "skip",
    glossary: Annotated[
        Path | None,
        typer.Option(help="YAML file: below each language, `term: translation`. Each term is enforced."),
    ] = None,
    native: Annotated[
        bool,
        typer.Option(
            "--native", help="Translate the instruction, and let the model answer it in the language."
        ),
    ] = False,
    store: Annotated[
        Path | None,
        typer.Option(help="File that keeps every answer, for several runs; in OUT if not given."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show rows, tokens, cost and time by language; ask nothing.")
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(min=1, help="Translate so many rows and show them; with --out they are kept."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    round_trip: Annotated[
        float | None,
        typer.Option(
            min=0, max=100, help="Translate back, and reject below this chrF.", rich_help_panel=_GATES
        ),
    ] = None,
    quality_model: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="A quality-estimation model: a sequence classifier of transformers with one output, which "
            "reads source and translation.",
            rich_help_panel=_GATES,
        ),
    ] = None,
    quality: Annotated[
        float, typer.Option(help="Reject below this score of that model.", rich_help_panel=_GATES)
    ] = 0.0,
    base_url: BaseUrl = None,
    key_variable: KeyVariable = "OPENAI_API_KEY",
    concurrency: Concurrency = 16,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    budget: Annotated[
        float | None, typer.Option(help="Stop when this much is spent.", rich_help_panel=SERVER)
    ] = None,
    timeout: Annotated[
        float, typer.Option(help="Seconds for one attempt at a call.", rich_help_panel=SERVER)
    ] = 120.0,
    prompt: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Text file with a system prompt of your own; {source} and {target} become languages.",
            rich_help_panel=SERVER,
        ),
    ] = None,
    body: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help="More fields of each request; null leaves one out: '{\"max_tokens\": null}'.",
            rich_help_panel=SERVER,
        ),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Folder of the tokenizer, if not the model's.", rich_help_panel=_LOCAL),
    ] = None,
    device: Annotated[
        str, typer.Option(help="`auto`, `cpu`, `cuda`, `cuda:1`.", rich_help_panel=_LOCAL)
    ] = "auto",
    batch_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens of a batch, at most.", rich_help_panel=_LOCAL)
    ] = None,
    beam: Annotated[int, typer.Option(min=1, help="Beam size.", rich_help_panel=_LOCAL)] = 1,
    shard_rows: Annotated[
        int,
        typer.Option(
            min=1, help="Rows of a shard at most; they are judged together.", rich_help_panel=_SCALE
        ),
    ] = 2_000,
    rank: Annotated[
        int, typer.Option(help="Make only the shards of this process, from 0.", rich_help_panel=_SCALE)
    ] = 0,
    world_size: Annotated[
        int, typer.Option(help="How many processes share the work.", rich_help_panel=_SCALE)
    ] = 1,
    runner: Annotated[
        Literal["local", "ray"],
        typer.Option(help="`ray`: the shards as tasks of a Ray cluster.", rich_help_panel=_SCALE),
    ] = "local",
) -> None:
    """Translate instruction data into parallel data that `crossin compose` reads.

    Code, links, math, tags and {variables} are protected and checked; every translation passes gates of
    language, length, numbers and more, or is asked again, or goes to `rejects.parquet` with the reason. What
    was answered is kept: stopped at any moment, the same command goes on, and nothing is paid twice.

    What would it cost? `crossin translate alpaca.json --to zh vi --engine openai --model NAME --base-url
    http://localhost:8000/v1 --price-in 0.1 --price-out 0.4 --dry-run`

    Look at twenty rows: the same with `--sample 20` in place of `--dry-run`

    Then all: the same with `--out corpora/alpaca`
    """
    from crossin.cli.translating import Call, make_engine, run, show_outline, show_sample

    path, more = _corpus(corpus)
    call = Call(
        corpus=path,
        targets=_languages([*to, *more]),
        source=_languages([source])[0],
        out=out,
        columns=_pairs(column or []),
        limit=limit,
        check=not any_language,
        task_bound=task_bound,
        glossary=glossary,
        native=native,
        store=store,
        round_trip=round_trip,
        quality=None if quality_model is None else (quality_model, quality),
        shard_rows=shard_rows,
        rank=rank,
        world_size=world_size,
        runner=runner,
        as_json=as_json,
        requests_per_minute=requests_per_minute,
        tokens_per_minute=tokens_per_minute,
        prices=prices_of(price_in, price_out),
        device=device,
    )
    made = make_engine(
        call,
        engine,
        model,
        base_url=base_url,
        key_variable=key_variable,
        concurrency=concurrency,
        budget=budget,
        timeout=timeout,
        prompt=prompt,
        body=body,
        tokenizer=tokenizer,
        batch_tokens=batch_tokens,
        beam=beam,
    )
    try:
        if dry_run:
            show_outline(call, made)
        elif sample is not None:
            show_sample(call, made, sample)
        else:
            run(call, made)
    finally:
        made.close()


def _corpus(words: list[str]) -> tuple[Path, list[str]]:
    """The corpus among the words that belong to no option, and the languages that stand behind `--to`."""
    files = [word for word in words if Path(word).exists()]
    if len(files) > 1 and len(words) > 1:
        # A file may be called like a language; the corpus is then the first.
        files = files[:1]
    path = Path(files[0] if files else words[0])
    return path, [word for word in words if word != str(path)]


def _languages(names: list[str]) -> list[str]:
    from crossin.languages.codes import parse_language

    return list(
        dict.fromkeys(parse_language(name) for text in names for name in text.split(",") if name.strip())
    )


def _pairs(entries: list[str]) -> dict[str, str]:
    for entry in entries:
        if "=" not in entry:
            raise CrossinError(f"'{entry}' names no field and column", hint="--column output=response")
    return dict(entry.split("=", 1) for entry in entries)
