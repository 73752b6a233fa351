"""Rows with true translations into Spanish and Chinese, and a mock server that knows them."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2

from crossin.core.files import read_parquet
from crossin.core.formats import FIELDS
from crossin.translation.config import TranslateConfig
from crossin.translation.protection import protect
from crossin.translation.splitting import split_row

NAMES = ("Ana", "Boris", "Chen", "Dora", "Emil", "Farah", "Goran", "Hana", "Ivan", "Jana", "Karl", "Lena")
# Instruction, input and output in English, Spanish and Chinese; {n} is a name, {k} a number.
_TEMPLATES: tuple[dict[str, tuple[str, str, str]], ...] = (
    {
        "en": (
            "Write a short greeting for {n}, who turns {k} today.",
            "",
            "Dear {n}, all the best on your birthday! May the year ahead bring you health and joy.",
        ),
        "es": (
            "Escribe un saludo breve para {n}, que hoy cumple {k} años.",
            "",
            "Para {n}: ¡muchas felicidades por tu cumpleaños! Que el nuevo año te traiga salud y alegría.",
        ),
        "zh": (
            "为今天满{k}岁的{n}写一句简短的问候。",
            "",
            "亲爱的{n}，祝你生日快乐！愿新的一年带给你健康和欢乐。",
        ),
    },
    {
        "en": (
            "Explain to {n} where the report number {k} can be found.",
            "The reports are at https://example.org/reports/{k}?lang=en and nowhere else.",
            "The report number {k} is at https://example.org/reports/{k}?lang=en. Open the page, {n}, and "
            "look at the first table. Below it there is a link to the older ones.",
        ),
        "es": (
            "Explica a {n} dónde se encuentra el informe número {k}.",
            "Los informes están en https://example.org/reports/{k}?lang=en y en ningún otro sitio.",
            "El informe número {k} está en https://example.org/reports/{k}?lang=en. Abre la página, {n}, y "
            "mira la primera tabla. Debajo hay un enlace a los más antiguos.",
        ),
        "zh": (
            "向{n}说明在哪里可以找到第{k}号报告。",
            "报告只在 https://example.org/reports/{k}?lang=en 上，别处没有。",
            "第{k}号报告在 https://example.org/reports/{k}?lang=en 上。{n}，请打开该页面，看第一张表。"
            "表的下方有旧报告的链接。",
        ),
    },
    {
        "en": (
            "Give {n} three tips for sleeping better.",
            "",
            "1. Go to bed at the same time every day.\n2. Drink no coffee after {k} o'clock.\n"
            "3. Keep the room dark and cool.",
        ),
        "es": (
            "Da a {n} tres consejos para dormir mejor.",
            "",
            "1. Acuéstate todos los días a la misma hora.\n2. No tomes café después de las {k}.\n"
            "3. Mantén la habitación oscura y fresca.",
        ),
        "zh": (
            "给{n}三条改善睡眠的建议。",
            "",
            "1. 每天在同一时间上床睡觉。\n2. {k}点以后不要喝咖啡。\n3. 让房间保持黑暗和凉爽。",
        ),
    },
    {
        "en": (
            "What does the method `total()` do in the program that {n} wrote?",
            "",
            "The method `total()` adds up the prices of all {k} goods in the basket. It then takes off the "
            "discount, and returns the sum. {n} tested it with an empty basket too.",
        ),
        "es": (
            "¿Qué hace el método `total()` en el programa que escribió {n}?",
            "",
            "El método `total()` suma los precios de los {k} artículos de la cesta. Luego resta el descuento "
            "y devuelve la suma. {n} también lo probó con una cesta vacía.",
        ),
        "zh": (
            "{n}写的程序里，方法 `total()` 是做什么的?",
            "",
            "方法 `total()` 把购物篮里全部{k}件商品的价格加起来。然后它减去折扣，并返回总和。"
            "{n}也用空的购物篮测试过它。",
        ),
    },
)


def rows_of(count: int) -> list[dict[str, Any]]:
    """Rows with an id and the texts of each language by field."""
    rows = []
    for number in range(count):
        template = _TEMPLATES[number % len(_TEMPLATES)]
        name, value = NAMES[number // len(_TEMPLATES) % len(NAMES)], 20 + number
        texts = {
            language: [text.replace("{n}", name).replace("{k}", str(value)) for text in fields]
            for language, fields in template.items()
        }
        rows.append({"id": f"row-{number}", **texts})
    return rows


def write_rows(path: Path, count: int) -> list[dict[str, Any]]:
    """The English rows as JSON lines in Alpaca's form."""
    rows = rows_of(count)
    lines = [json.dumps({"id": row["id"], **dict(zip(FIELDS, row["en"], strict=True))}) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return rows


def write_home(folder: Path, count: int) -> Path:
    """A folder with `rows.jsonl`, and `table.json` with their translations."""
    table_of(write_rows(folder / "rows.jsonl", count), folder / "table.json")
    return folder


def table_of(rows: Sequence[dict[str, Any]], path: Path) -> Path:
    """Every text that a row is asked in, as it is sent, with its translation as it should come back."""
    names = {"es": "Spanish", "zh": "Chinese"}
    table: dict[str, str] = {}
    for row in rows:
        for language, name in names.items():
            source = dict(zip(FIELDS, row["en"], strict=True))
            true = dict(zip(FIELDS, row[language], strict=True))
            first = 1
            for field in FIELDS:
                asked = protect(source[field], {}, first)
                answer = true[field]
                for number, kept in enumerate(asked.kept, first):
                    answer = answer.replace(kept, f"⟦{number}⟧")
                table[f"{name}|{asked.text}"] = answer
                first += len(asked.kept)
                # The last attempt asks line by line.
                lines = zip(asked.text.split("\n"), answer.split("\n"), strict=True)
                for one, other in lines:
                    for request in split_row({"text": one}, "en", language, "paragraph", 2).requests:
                        bare = (
                            other.split(". ", 1)[1]
                            if request.texts[0] != one and one[:1].isdigit()
                            else other
                        )
                        table[f"{name}|{request.texts[0]}"] = bare
    path.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    return path


@contextmanager
def mock_server(table: Path, *options: str) -> Iterator[str]:
    """The base URL of the mock server, which all tests of a worker share, with these options."""
    url = f"http://127.0.0.1:{_port()}"
    httpx2.post(f"{url}/reset", json=[str(table), *options], trust_env=False).raise_for_status()
    yield f"{url}/v1"


@cache
def _port() -> int:
    """The port of the mock server, which runs in a process of its own until this one ends."""
    command = [sys.executable, str(Path(__file__).with_name("mock_translation_server.py")), os.devnull]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    assert process.stdout is not None
    return int(process.stdout.readline())


def counts(base_url: str) -> dict[str, int]:
    """What the mock server has seen since its last reset."""
    found: dict[str, int] = httpx2.get(base_url.removesuffix("/v1") + "/counts", trust_env=False).json()
    return found


def config_of(corpus: Path, url: str, to: Sequence[str], **settings: Any) -> TranslateConfig:
    """Settings for the mock server. server: more of the server's settings."""
    server = {"base_url": url, "timeout": 60.0, **settings.pop("server", {})}
    entries = {"engine": "openai", "model": "mock", **settings}
    return TranslateConfig(corpus=corpus, to=to, server=server, **entries)  # type: ignore[arg-type]


def kept(out: Path, language: str) -> dict[str, dict[str, Any]]:
    """The rows of a corpus in a language, by id."""
    columns = ["id", *FIELDS, "status", "language_specific", "answer", "attempts"]
    files = sorted((out / "data" / language).glob("*.parquet"))
    return {row["id"]: row for file in files for row in read_parquet(file, columns).to_pylist()}


def rejected(out: Path) -> list[dict[str, Any]]:
    """The rows of a corpus's `rejects.parquet`."""
    columns = ["id", "language", "status", "reason", "field", "detail", "attempts", "output"]
    found: list[dict[str, Any]] = read_parquet(out / "rejects.parquet", columns).to_pylist()
    return found


def corpus_files(out: Path) -> dict[str, bytes]:
    """What may not differ between runs: all but the times at which responses arrived."""
    files = [*sorted((out / "data").rglob("*.parquet")), out / "rejects.parquet"]
    return {str(file.relative_to(out)): file.read_bytes() for file in files}
