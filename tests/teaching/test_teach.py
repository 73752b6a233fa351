"""What a model answers consistently in the pivot becomes rows in every language; no right answer is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_json, read_parquet, sha256
from crossin.core.formats import ENTITIES
from crossin.core.hashing import hash64
from crossin.core.stages import Stage
from crossin.evaluation.engine import Reply, Request
from crossin.facts import build_bench
from crossin.items import Item, read_items
from crossin.items.inventories import write_inventories
from crossin.mixture import compose
from crossin.teaching.run import teach
from tests.helpers import entity_bench, small_bench
from tests.helpers.errors import refused
from tests.helpers.knowing import Knowing
from tests.helpers.loopback import serving
from tests.helpers.vllm_dialect import vllm_app

OUTPUTS = ("questions.parquet", "names.parquet", "asked.parquet")
# What the model of these tests holds to be true, rightly or not, of the small benchmark's questions.
BELIEFS = {"sky": "blue", "grass": "green", "coal": "red"}


def believing(request: Request, option: str) -> float:
    """Sure of the sky, nearly unsure of the grass; of coal it says something else in each wording."""
    if "sky" in request.prompt:
        return 0.0 if option == "blue" else -4.0
    if "grass" in request.prompt:
        return {"green": 0.0, "red": -0.2}.get(option, -5.0)
    told = "red" if "Question" in request.prompt else "black"
    return 0.0 if option == told else -4.0


def coloured(folder: Path, wrong: bool = False) -> Path:
    """The small benchmark's questions with options; `wrong`: every gold is another option."""
    items = [item for item in small_bench.items() if item.options]
    if wrong:
        items = [
            replace(item, answer=item.option_ids[(item.option_ids.index(item.answer) + 1) % 4])
            for item in items
        ]
    return small_bench.write_bench(folder, items)


def table(stage: Stage, name: str) -> list[dict[str, Any]]:
    columns = ["id", "language", "instruction", "input", "output", "group", "task"]
    if name == "asked":
        columns = ["id", "reason", "answer", "agreement", "margin", "answers", "unread", "replies"]
    return list(read_parquet(stage.folder / f"{name}.parquet", columns).to_pylist())


@pytest.fixture
def taught(tmp_path: Path) -> Stage:
    bench = coloured(tmp_path / "bench")
    return teach({"model": "m", "questions": bench}, tmp_path / "out", engine=Knowing(believing))


def test_a_certain_answer_is_a_row_in_every_language_by_the_options_name(taught: Stage) -> None:
    rows = table(taught, "questions")
    assert [(row["id"], row["language"], row["instruction"], row["output"]) for row in rows] == [
        ("sky", "en", "sky? (en)", "blue"),
        ("sky", "de", "sky? (de)", "blau"),
        ("sky", "th", "sky? (th)", "น้ำเงิน"),
    ]
    assert {(row["group"], row["task"], row["input"]) for row in rows} == {("sky", "colour", "")}


def test_uncertain_questions_are_left_out_and_counted_by_reason(taught: Stage) -> None:
    assert taught.manifest["skipped"] == {"small_margin": 1, "answers_disagree": 1}
    counts = taught.manifest["counts"]
    assert (counts["questions"], counts["certain"], counts["rows"]) == (3, 1, 3)
    sky, grass, coal = table(taught, "asked")
    assert (sky["reason"], sky["answer"], sky["agreement"], sky["margin"]) == (None, "blue", 1.0, 4.0)
    assert (grass["reason"], grass["agreement"]) == ("small_margin", 1.0)
    assert grass["margin"] == pytest.approx(0.2)
    assert (coal["reason"], coal["agreement"]) == ("answers_disagree", pytest.approx(2 / 3))
    assert coal["answers"] == ["red", "black", "red"]


def test_only_the_pivot_is_asked_in_every_wording(tmp_path: Path) -> None:
    engine = Knowing(believing)
    teach({"model": "m", "questions": coloured(tmp_path / "bench")}, tmp_path / "out", engine=engine)
    assert len(engine.asked) == 9
    assert all("(en)" in one.prompt for one in engine.asked)
    assert len({one.prompt for one in engine.asked}) == 9


def test_no_right_answer_decides_anything_but_the_report(tmp_path: Path) -> None:
    stages = []
    for name, wrong in (("right", False), ("wrong", True)):
        bench = coloured(tmp_path / f"bench-{name}", wrong)
        settings = {"model": "m", "questions": bench, "margin": 0.1}
        stages.append(teach(settings, tmp_path / name, engine=Knowing(believing)))
    one, other = stages
    assert [sha256(one.folder / name) for name in OUTPUTS] == [
        sha256(other.folder / name) for name in OUTPUTS
    ]
    assert one.manifest["skipped"] == other.manifest["skipped"]
    right, wrong_report = (stage.manifest["counts"].pop("right") for stage in stages)
    assert one.manifest["counts"] == other.manifest["counts"]
    assert (right["kept"]["value"], right["kept"]["of"]) == (1.0, 2)
    assert wrong_report["kept"]["value"] == 0.0


def test_scrambled_entities_give_the_same_bytes(tmp_path: Path) -> None:
    ids = {"capital": list(entity_bench.CAPITALS.names), "river": list(entity_bench.RIVERS.names)}
    inventories = {one.name: one for one in (entity_bench.CAPITALS, entity_bench.RIVERS)}

    def scrambled(item: Item) -> Item:
        known = ids[item.inventory]
        entity = known[(known.index(item.entity) + 1) % len(known)]
        return replace(
            item, entity=entity, answer=inventories[item.inventory].names[entity][item.language][0]
        )

    def reply(request: Request) -> str:
        return (
            "Danube"
            if "budapest" in request.prompt
            else "Vienna, of course"
            if "austria" in request.prompt
            else "who knows"
        )

    folders = []
    for name, items in (
        ("own", entity_bench.items()),
        ("scrambled", [scrambled(item) for item in entity_bench.items()]),
    ):
        bench = small_bench.write_bench(tmp_path / f"bench-{name}", items)
        write_inventories(bench / ENTITIES, inventories.values())
        teach({"model": "m", "questions": bench}, tmp_path / name, engine=Knowing(reply=reply))
        folders.append(tmp_path / name)
    assert [sha256(folders[0] / name) for name in OUTPUTS] == [sha256(folders[1] / name) for name in OUTPUTS]
    rows = read_parquet(folders[0] / "questions.parquet", ["language", "output"]).to_pylist()
    assert [row["output"] for row in rows] == ["Vienna", "Wien", "Вена", "Danube", "Donau", "Дунай"]
    assert read_json(folders[0] / "manifest.json")["skipped"] == {"unread_answers:no_entity": 1}


def test_a_language_in_which_the_entity_has_no_name_is_left_out_and_counted(tmp_path: Path) -> None:
    nameless = replace(
        entity_bench.RIVERS,
        names={**entity_bench.RIVERS.names, "Q1653": {"en": ("Danube",), "de": ("Donau",)}},
    )
    bench = small_bench.write_bench(
        tmp_path / "bench", [x for x in entity_bench.items() if x.item == "budapest"]
    )
    write_inventories(bench / ENTITIES, [nameless])
    engine = Knowing(reply=lambda _: "The Danube.")
    stage = teach({"model": "m", "questions": bench}, tmp_path / "out", engine=engine)
    assert [row["language"] for row in table(stage, "questions")] == ["en", "de"]
    assert stage.manifest["skipped"] == {"no_answer_name:ru": 1}


def test_names_of_all_options_are_there_in_every_language_whatever_was_answered(taught: Stage) -> None:
    names = table(taught, "names")
    assert {row["id"] for row in names} == {f"name:colour:{option}" for option in small_bench.IDS}
    assert [row["instruction"] for row in names if row["id"] == "name:colour:black"] == [
        "black",
        "schwarz",
        "ดำ",
    ]


def test_option_ids_that_are_places_name_an_option_of_one_item_only(tmp_path: Path) -> None:
    items = [
        replace(
            item,
            option_ids=["A", "B"],
            options=[f"{item.item} {item.language} {x}" for x in "ab"],
            answer="A",
        )
        for item in small_bench.items()
        if item.options
    ]
    bench = small_bench.write_bench(tmp_path / "bench", items)
    engine = Knowing(lambda _, option: float(-ord(option[-1])))
    stage = teach({"model": "m", "questions": bench}, tmp_path / "out", engine=engine)
    assert {row["id"] for row in table(stage, "names")} == {
        f"name:{item}:{option}" for item in ("sky", "grass", "coal") for option in "AB"
    }


def test_facts_are_taught_in_the_wordings_that_were_not_asked(facts_folder: Path, tmp_path: Path) -> None:
    bench = build_bench(facts_folder, tmp_path / "bench").folder
    asked = {(item.language, item.question) for item in read_items(bench)}
    settings = {"model": "m", "questions": bench, "tasks": ["capital"], "margin": 0}
    sure = Knowing(lambda _, option: float(hash64("sure", option) % 100))
    other = teach(settings, tmp_path / "other", engine=sure)
    rows = table(other, "questions")
    assert rows
    assert not {(row["language"], row["instruction"]) for row in rows} & asked
    # The questions of the facts corpus, under the same ids.
    facts = read_parquet(facts_folder / "facts.parquet", ["fact", "language", "questions"]).to_pylist()
    known = {
        (f"{fact['fact']}/{number}", fact["language"], question)
        for fact in facts
        for number, question in enumerate(fact["questions"])
    }
    assert {(row["id"], row["language"], row["instruction"]) for row in rows} <= known
    same = teach({**settings, "wordings": "same"}, tmp_path / "same", engine=sure)
    assert {(row["language"], row["instruction"]) for row in table(same, "questions")} <= asked
    assert len(rows) == 2 * len(table(same, "questions"))
    names = {(row["id"], row["language"]): row["instruction"] for row in table(other, "names")}
    assert all(names[f"name:subject:{row['group']}", row["language"]] in row["instruction"] for row in rows)


def test_compose_reads_the_result_like_any_corpus(taught: Stage, tmp_path: Path) -> None:
    recipe = {
        "name": "taught",
        "pivot": "en",
        "template": "question",
        "corpora": {
            "questions": {"source": "questions.parquet"},
            "names": {"source": "names.parquet"},
        },
        "components": [
            {"kind": "mono", "corpus": "questions", "rows": "all"},
            {"kind": "x2x", "corpus": "questions", "rows": "all"},
            {"kind": "trans", "corpus": "names", "rows": 8},
        ],
    }
    mixture = compose(recipe, taught.folder, tmp_path / "mixture", languages=["en", "de", "th"])
    found = mixture.to_arrow().to_pylist()
    assert {row["kind"] for row in found} == {"mono", "x2x", "trans"}
    assert any(row["completion"].strip() in ("blau", "น้ำเงิน") for row in found)


def test_where_nothing_is_certain_there_is_no_corpus(tmp_path: Path) -> None:
    settings = {"model": "m", "questions": coloured(tmp_path / "bench"), "margin": 100}
    with refused("certain", hint="--margin"):
        teach(settings, tmp_path / "out", engine=Knowing(believing))


def test_answers_are_kept_when_it_is_stopped_and_the_result_is_the_same(
    taught: Stage, tmp_path: Path
) -> None:
    settings = {"model": "m", "questions": tmp_path / "bench"}
    engine = Knowing(believing)
    left = iter(range(4))

    def stopping(request: Request, option: str) -> float:
        if option == "red" and next(left, None) is None:
            raise KeyboardInterrupt
        return believing(request, option)

    with pytest.raises(KeyboardInterrupt):
        teach(settings, tmp_path / "again", engine=Knowing(stopping))
    again = teach(settings, tmp_path / "again", engine=engine)
    assert len(engine.asked) == 9 - 4
    assert again.manifest["counts"]["answers_from_cache"] == 4
    assert [sha256(again.folder / name) for name in OUTPUTS] == [
        sha256(taught.folder / name) for name in OUTPUTS
    ]
    assert sorted(path.name for path in again.folder.iterdir()) == sorted([*OUTPUTS, "manifest.json"])


def test_the_answers_of_an_evaluation_are_not_asked_again(tiny_model: Path, tmp_path: Path) -> None:
    from crossin.evaluation import evaluate

    bench, cache = coloured(tmp_path / "bench"), tmp_path / "answers.sqlite"
    common: dict[str, Any] = {"cache": cache, "device": "cpu"}
    evaluate(
        {"models": [str(tiny_model)], "bench": [str(bench)], "languages": "en", **common}, tmp_path / "eval"
    )
    settings = {"model": str(tiny_model), "questions": bench, "margin": 0, "ask": ["question"], **common}
    assert teach(settings, tmp_path / "out").manifest["counts"]["answers_from_cache"] == 3


@pytest.mark.slow
def test_a_server_with_the_same_model_teaches_the_same(tiny_model: Path, tmp_path: Path) -> None:
    bench = coloured(tmp_path / "bench")
    settings: dict[str, Any] = {"questions": bench, "margin": 0, "ask": ["question"]}
    local = teach({"model": str(tiny_model), "device": "cpu", **settings}, tmp_path / "local")
    lines: list[str] = []
    with serving(vllm_app(tiny_model)) as url:
        server = {"engine": "openai", "server": {"base_url": url}}
        served = teach({"model": "tiny", **server, **settings}, tmp_path / "served", say=lines.append)
    assert [sha256(stage.folder / "questions.parquet") for stage in (local, served)] == [
        sha256(local.folder / "questions.parquet")
    ] * 2
    assert "--form text" in lines[0]
    assert (served.manifest["settings"]["form"]["kind"], served.manifest["counts"]["form"]) == (
        "open",
        "text",
    )


def test_replies_are_drawn_and_compared(tmp_path: Path) -> None:
    def reply(request: Request) -> str:
        assert request.sampling is not None
        if "sky" in request.prompt:
            return "It is blue." if request.sampling.number else "C"
        return ["green", "red"][request.sampling.number % 2]

    settings = {"model": "m", "questions": coloured(tmp_path / "bench"), "samples": 4, "ask": ["question"]}
    engine = Knowing(reply=reply)
    stage = teach(settings, tmp_path / "out", engine=engine)
    assert len(engine.asked) == 12
    assert {row["id"] for row in table(stage, "questions")} == {"sky"}
    assert stage.manifest["skipped"] == {"answers_disagree": 2}
    sky = table(stage, "asked")[0]
    assert (sky["answers"], sky["margin"]) == (["blue"] * 4, None)


def test_an_option_of_unknown_probability_makes_a_question_uncertain(tmp_path: Path) -> None:
    def score(request: Request, option: str) -> float | None:
        return None if option == "black" and "sky" not in request.prompt else believing(request, option)

    settings = {"model": "m", "questions": coloured(tmp_path / "bench")}
    stage = teach(settings, tmp_path / "out", engine=Knowing(score))
    assert stage.manifest["skipped"] == {"unread_answers:unscored_options": 2}
    # Among a server's most probable tokens, one that is not there is less probable than those that are.
    listed = teach(settings, tmp_path / "listed", engine=Knowing(score, listed=True))
    assert listed.manifest["skipped"] == {"small_margin": 1}


def write_lines(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_outputs_of_a_corpus_are_not_read(tmp_path: Path) -> None:
    def rows(output: str) -> list[dict[str, str]]:
        return [
            {"id": str(k), "instruction": f"What is {k} and {k}, in words?", "input": "", "output": output}
            for k in range(3)
        ]

    def reply(request: Request) -> Reply:
        if "0 and 0" in request.prompt:
            return Reply("nothing at all", cut=True)
        return Reply("Two." if "1 and 1" in request.prompt else f"Four, or {len(request.prompt)}")

    stages = []
    for name in ("own", "other"):
        corpus = write_lines(tmp_path / f"{name}.jsonl", rows(name))
        stages.append(
            teach({"model": "m", "questions": corpus}, tmp_path / name, engine=Knowing(reply=reply))
        )
    one, other = stages
    assert [sha256(one.folder / name) for name in OUTPUTS] == [
        sha256(other.folder / name) for name in OUTPUTS
    ]
    assert [(row["id"], row["output"]) for row in table(one, "questions")] == [("1", "Two.")]
    assert one.manifest["skipped"] == {"unread_answers:reply_cut": 1, "answers_disagree": 1}
    assert one.manifest["counts"]["right"] == {"kept": None, "left_out": None}


def test_answers_in_free_text_need_a_translator_before_anything_is_asked(tmp_path: Path) -> None:
    free = [item for item in small_bench.items() if item.free_text]
    bench = small_bench.write_bench(tmp_path / "bench", free)
    with refused("free text", field="translate", hint="--translate"):
        teach({"model": "m", "questions": bench}, tmp_path / "out", engine=Knowing())
    corpus = write_lines(tmp_path / "rows.jsonl", [{"id": "1", "instruction": "Who is it?", "output": ""}])
    with refused("translated", field="translate"):
        teach({"model": "m", "questions": corpus, "languages": "vi"}, tmp_path / "out", engine=Knowing())
    assert not (tmp_path / "out").exists()


def test_a_pivot_that_no_question_is_in_is_refused(tmp_path: Path) -> None:
    bench = coloured(tmp_path / "bench")
    with refused("Spanish", field="pivot", hint="de, en, th"):
        teach({"model": "m", "questions": bench, "pivot": "es"}, tmp_path / "out", engine=Knowing())


def test_a_single_reply_is_not_taken_for_agreement(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    settings: dict[str, Any] = {"model": "m", "questions": bench, "ask": ["question"]}
    with refused("agrees with itself", field="ask", hint="--samples"):
        teach(settings, tmp_path / "out", engine=Knowing())
    engine = Knowing(reply=lambda _: "Vienna")
    stage = teach({**settings, "samples": 2}, tmp_path / "out", engine=engine)
    assert len(engine.asked) == 2 * stage.manifest["counts"]["questions"]


def test_a_corpus_of_facts_is_taught_in_its_own_wordings(facts_folder: Path, tmp_path: Path) -> None:
    settings = {"model": "m", "questions": facts_folder, "languages": "en", "tasks": ["capital"], "limit": 4}
    stage = teach(settings, tmp_path / "out", engine=Knowing(reply=lambda _: "Atlantis"))
    known = read_parquet(facts_folder / "questions.parquet", ["id", "language", "instruction"]).to_pylist()
    texts = {row["id"]: row["instruction"] for row in known if row["language"] == "en"}
    rows = table(stage, "questions")
    assert len(rows) >= 4
    assert all(row["instruction"] == texts[row["id"]] for row in rows)
    assert {row["output"] for row in rows} == {"Atlantis"}
