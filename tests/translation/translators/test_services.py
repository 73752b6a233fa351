"""Translation services: DeepL, Google and LibreTranslate, each by its own protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.core.formats import FIELDS
from crossin.servers import BudgetSpent
from crossin.translation.config import TranslateConfig
from crossin.translation.dry_run import estimate_run
from crossin.translation.requests import TranslationRequest
from crossin.translation.run import translate
from crossin.translation.translators.services import SERVICES, ServiceTranslator
from tests.helpers.errors import refused
from tests.helpers.mock_services import KEY, KEYS, mock_service
from tests.helpers.translated_rows import config_of, kept, rejected, rows_of, write_home

ROWS = 12
ENGINES = sorted(KEYS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_home(tmp_path_factory.mktemp("home"), ROWS)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in KEYS.values():
        monkeypatch.setenv(variable, KEY)


def service(home: Path, url: str, to: list[str], engine: str, **settings: Any) -> TranslateConfig:
    return config_of(home / "rows.jsonl", url, to, engine=engine, model=None, **settings)


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_come_back_translated_and_the_key_is_written_nowhere(
    home: Path, tmp_path: Path, engine: str
) -> None:
    out = tmp_path / "out"
    with mock_service(engine, home / "table.json") as log:
        stage = translate(service(home, log.base_url, ["es", "zh"], engine), out)
    for language in ("es", "zh"):
        found = kept(out, language)
        for row in rows_of(ROWS):
            assert [found[row["id"]][field] for field in FIELDS] == row[language]
    assert rejected(out) == []
    usage = stage.manifest["counts"]["usage"]
    texts = [text for asked in log.asked for text in (asked.body.get("text") or [asked.body["q"]])]
    assert usage["requests"] == len(log.asked)
    # What the service charges for: the characters that were sent.
    assert usage["prompt_tokens"] == sum(len("".join(text)) for text in texts)
    assert usage["uncounted"] == 0
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert KEY.encode() not in written


@pytest.mark.parametrize("engine", ENGINES)
def test_a_language_that_a_service_lacks_stops_the_run_at_once(
    home: Path, tmp_path: Path, engine: str
) -> None:
    with mock_service(engine, home / "table.json") as log, refused(hint="leave haw out of --to"):
        translate(service(home, log.base_url, ["haw"], engine), tmp_path / "out")
    assert len(log.asked) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_wrong_key_is_named_by_its_variable_and_never_quoted(
    home: Path, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEYS[engine], "another-secret")
    with mock_service(engine, home / "table.json") as log, refused() as caught:
        translate(service(home, log.base_url, ["es"], engine), tmp_path / "out")
    told = f"{caught.value} {caught.value.hint}"
    assert KEYS[engine] in told
    assert "another-secret" not in told
    assert len(log.asked) == 1


@pytest.mark.parametrize("engine", ["deepl", "google"])
def test_a_missing_key_is_an_error_before_anything_is_sent(
    home: Path, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEYS[engine])
    with refused("needs a key", hint=KEYS[engine]):
        translate(service(home, "http://127.0.0.1:9", ["es"], engine), tmp_path / "out")


def test_a_libretranslate_server_of_your_own_needs_no_key(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEYS["libretranslate"])
    with mock_service("libretranslate", home / "table.json", keyed=False) as log:
        translate(service(home, log.base_url, ["es"], "libretranslate"), tmp_path / "out")
    assert all("api_key" not in asked.body for asked in log.asked)


def test_a_used_up_quota_stops_the_run_and_says_so(home: Path, tmp_path: Path) -> None:
    with mock_service("deepl", home / "table.json", quota=3) as log, refused("456", hint="quota"):
        translate(service(home, log.base_url, ["es"], "deepl", server={"concurrency": 1}), tmp_path / "out")
    assert len(log.asked) < ROWS


def test_a_budget_counts_characters(home: Path, tmp_path: Path) -> None:
    # A million characters for 1,000: 500 characters for half a unit.
    prices = {"price_in": 1000, "price_out": 0, "concurrency": 1}
    with mock_service("deepl", home / "table.json") as log:
        poor = service(home, log.base_url, ["es"], "deepl", server={**prices, "budget": 0.5})
        with refused("budget of 0.5") as caught:
            translate(poor, tmp_path / "out")
    assert isinstance(caught.value, BudgetSpent)
    sent = sum(len(text) for asked in log.asked for text in asked.body["text"])
    assert 0 < sent <= 500
    estimate = estimate_run(service(home, "http://127.0.0.1:9", ["es"], "deepl", server=prices))
    [spanish] = estimate.languages
    assert spanish.cost == pytest.approx(spanish.characters / 1000)
    assert spanish.completion_tokens == 0


def test_a_text_is_not_paid_twice_where_it_cannot_come_back_otherwise(home: Path, tmp_path: Path) -> None:
    # A service that knows nothing returns the source, which is the wrong language.
    (tmp_path / "nothing.json").write_text("{}")
    with mock_service("deepl", tmp_path / "nothing.json") as log:
        translate(service(home, log.base_url, ["es"], "deepl"), tmp_path / "out")
    texts = [text for asked in log.asked for text in asked.body["text"]]
    assert len(texts) == len(set(texts))
    assert len(rejected(tmp_path / "out")) == ROWS


def test_fields_of_the_service_are_added_to_each_request(home: Path, tmp_path: Path) -> None:
    with mock_service("deepl", home / "table.json") as log:
        config = service(home, log.base_url, ["es"], "deepl", server={"body": {"formality": "more"}}, limit=1)
        translate(config, tmp_path / "out")
    assert {asked.body["formality"] for asked in log.asked} == {"more"}


@pytest.mark.parametrize(
    ("engine", "target", "expected"),
    [
        ("deepl", "zh-Hant", "ZH-HANT"),
        ("deepl", "en", "EN-US"),
        ("deepl", "pt-BR", "PT-BR"),
        ("google", "zh-Hant", "zh-TW"),
        ("google", "nb", "no"),
        ("libretranslate", "zh-Hant", "zh-Hant"),
    ],
)
def test_languages_are_spelled_as_the_service_does(engine: str, target: str, expected: str) -> None:
    config = config_of(Path("rows.jsonl"), "http://127.0.0.1:9", ["es"], engine=engine, model=None)
    translator = ServiceTranslator(engine, config.server)
    body = translator.server_request(TranslationRequest("zh-Hant", target, ("text",), ("a",))).body
    assert body.get("target_lang", body.get("target")) == expected
    assert body.get("source_lang", body.get("source")) in ("ZH", "zh-TW", "zh-Hant")


def test_earlier_turns_are_given_to_deepl_as_context() -> None:
    config = config_of(Path("rows.jsonl"), "http://127.0.0.1:9", ["es"], engine="deepl", model=None)
    request = TranslationRequest("en", "es", ("user 2",), ("And it?",), context=(("user 1", "A bank."),))
    body = ServiceTranslator("deepl", config.server).server_request(request).body
    assert body["context"] == "A bank."


def test_a_service_has_its_own_address() -> None:
    assert SERVICES["deepl"].address is not None
    assert SERVICES["deepl"].address("1234:fx") == "https://api-free.deepl.com/v2"
    assert SERVICES["deepl"].address("1234") == "https://api.deepl.com/v2"
    config = TranslateConfig(corpus="rows.jsonl", to=["es"], engine="google")  # type: ignore[arg-type]
    assert ServiceTranslator("google", config.server).settings.url.endswith("/language/translate")
    with refused(field="base_url", hint="--base-url"):
        ServiceTranslator("libretranslate", config.server)


@pytest.mark.parametrize(
    ("more", "field"),
    [({"model": "m"}, "model"), ({"prompt": "tower"}, "prompt"), ({"native": True}, "native")],
)
def test_what_a_service_does_not_take_is_an_error(more: dict[str, Any], field: str) -> None:
    config = config_of(
        Path("rows.jsonl"), "http://127.0.0.1:9", ["es"], engine="deepl", **{"model": None, **more}
    )
    with refused("DeepL", field=field, hint="leave out"):
        config.translator()
