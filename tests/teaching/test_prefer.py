"""Pairs of a model's own answers: what is asked, what is preferred, and that no right answer decides."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import read_parquet, sha256
from crossin.core.formats import ENTITIES, PREFERENCES
from crossin.core.stages import Stage
from crossin.evaluation.engine import Reply, Request
from crossin.items import Item
from crossin.items.inventories import write_inventories
from crossin.items.wordings import wordings_in
from crossin.models.loading import load_tokenizer
from crossin.teaching.asked import opened
from crossin.teaching.preferring import prefer
from tests.helpers import entity_bench, small_bench
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin
from tests.helpers.knowing import Knowing

COLUMNS = ["id", "group", "language", "prompt", "chosen", "rejected", "pivot_share", "meaning"]
# What the model of these tests says: by question and language, one reply after the other, and again.
SAID: dict[tuple[str, str], list[str]] = {
    ("austria", "en"): [" Vienna", " Vienna.", " Paris", " Vienna"],
    ("austria", "de"): [" Paris", " Wien, glaube ich", " Tokio", " Tokio"],
    ("austria", "ru"): [" Вена"],
    ("japan", "en"): [" Tokyo", " Paris"],
    ("budapest", "en"): [" the Seine", " Seine", " Danube", " the Seine"],
    ("budapest", "de"): [" Donau", " Donau", " wer weiß", " Elbe"],
    ("budapest", "ru"): [" Дунай", " Сена", " Сена", " Дунай"],
}


def saying(request: Request) -> str:
    assert request.sampling is not None
    assert isinstance(request.prompt, str)
    [(_, replies)] = [
        (place, replies)
        for place, replies in {**SAID, ("japan", "de"): ["?"], ("japan", "ru"): ["?"]}.items()
        if f"{place[0]}? ({place[1]})" in request.prompt
    ]
    return replies[request.sampling.number % len(replies)]


def settings(bench: Path, **more: Any) -> dict[str, Any]:
    return {"model": "m", "questions": bench, "samples": 4, **more}


def rows(stage: Stage) -> list[dict[str, Any]]:
    return list(read_parquet(stage.folder / PREFERENCES, COLUMNS).to_pylist())


def colours(folder: Path) -> Path:
    return small_bench.write_bench(folder, [item for item in small_bench.items() if item.options])


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    return entity_bench.write_entity_bench(tmp_path / "bench")


@pytest.fixture
def preferred(bench: Path, tmp_path: Path) -> Stage:
    return prefer(settings(bench), tmp_path / "out", engine=Knowing(reply=saying))


def test_an_answer_that_means_the_pivots_is_preferred_to_the_most_frequent_other(preferred: Stage) -> None:
    austria, budapest = rows(preferred)
    words = wordings_in(["de"], ["question"])["question", "de"]
    assert austria == {
        "id": "austria",
        "group": "austria",
        "language": "de",
        "prompt": f"{words.before}austria? (de){words.after}",
        "chosen": " Wien, glaube ich",
        "rejected": " Tokio",
        "pivot_share": 0.75,
        "meaning": "Q1741",
    }
    # The pivot is wrong here, and decides all the same.
    assert (budapest["language"], budapest["chosen"], budapest["rejected"]) == ("ru", " Сена", " Дунай")
    assert (budapest["pivot_share"], budapest["meaning"]) == (0.75, "Q1471")


def test_questions_without_a_pair_are_counted_by_reason_and_language(preferred: Stage) -> None:
    assert preferred.manifest["skipped"] == {
        "pivot_tied": 1,
        "all_agree:ru": 1,
        "none_agrees:de": 1,
    }
    counts = preferred.manifest["counts"]
    assert {name: counts[name] for name in ("questions", "consistent", "pairs", "answers")} == {
        "questions": 3,
        "consistent": 2,
        "pairs": 2,
        "answers": 3 * 3 * 4,
    }
    assert counts["by_language"] == {"de": 1, "ru": 1}
    assert counts["unread"] == {"no_entity": 10}
    assert (counts["right"]["pairs"]["value"], counts["right"]["pairs"]["of"]) == (0.5, 2)


def test_a_finished_stage_is_found_and_its_table_is_the_pairs(preferred: Stage, bench: Path) -> None:
    again = prefer(settings(bench), preferred.folder, engine=Knowing())
    assert again.done
    assert again.to_arrow().num_rows == 2


@pytest.mark.parametrize("share", [0.75, 0.76])
def test_the_pivots_share_has_to_be_reached(share: float, bench: Path, tmp_path: Path) -> None:
    given = settings(bench, share=share)
    if share > 0.75:
        with refused("no pair", "the same", hint="--share"):
            prefer(given, tmp_path / "out", engine=Knowing(reply=saying))
    else:
        assert len(rows(prefer(given, tmp_path / "out", engine=Knowing(reply=saying)))) == 2


def test_only_the_pivot_and_the_languages_that_are_named_are_asked(bench: Path, tmp_path: Path) -> None:
    engine = Knowing(reply=saying)
    stage = prefer(settings(bench, languages="de"), tmp_path / "out", engine=engine)
    assert {row["language"] for row in rows(stage)} == {"de"}
    asked = Counter(str(one.prompt).partition("(")[2][:2] for one in engine.asked)
    assert asked == {"en": 12, "de": 12}
    with refused("the pivot only"):
        prefer(settings(bench, languages="en"), tmp_path / "pivot", engine=engine)


def test_scrambled_right_answers_give_the_same_bytes(preferred: Stage, tmp_path: Path) -> None:
    known = {one.name: one for one in (entity_bench.CAPITALS, entity_bench.RIVERS)}

    def scrambled(item: Item) -> Item:
        ids = known[item.inventory].ids
        entity = ids[(ids.index(item.entity) + 1) % len(ids)]
        return replace(item, entity=entity, answer=known[item.inventory].names[entity][item.language][0])

    other = small_bench.write_bench(tmp_path / "other", [scrambled(one) for one in entity_bench.items()])
    write_inventories(other / ENTITIES, known.values())
    stage = prefer(settings(other), tmp_path / "scrambled", engine=Knowing(reply=saying))
    assert sha256(stage.folder / PREFERENCES) == sha256(preferred.folder / PREFERENCES)
    for one in (stage, preferred):
        del one.manifest["counts"]["right"]
    assert stage.manifest["counts"] == preferred.manifest["counts"]


@pytest.mark.parametrize("form", ["open", "generate", "text", "letters"])
def test_scrambled_options_give_the_same_bytes_in_every_form(form: str, tmp_path: Path) -> None:
    def reply(request: Request) -> str:
        assert request.sampling is not None
        sky = "sky" in str(request.prompt)
        options = small_bench.OPTIONS["de" if "(de)" in str(request.prompt) else "en"]
        return f" {options[2 if sky else request.sampling.number % 2 * 3]}\n"

    def score(request: Request, option: str) -> float:
        best = ("rot", "A") if "(de)" in str(request.prompt) else ("blue", "C")
        return 0.0 if option in best else -3.0

    found = []
    for name, shift in (("own", 0), ("other", 1)):
        items = [
            replace(item, answer=item.option_ids[(item.option_ids.index(item.answer) + shift) % 4])
            for item in small_bench.items()
            if item.options and item.language != "th"
        ]
        place = small_bench.write_bench(tmp_path / f"bench-{name}", items)
        given = settings(place, form=form, samples=5, share=0.1)
        found.append(prefer(given, tmp_path / name, engine=Knowing(score, reply)))
    one, other = found
    assert len(rows(one)) > 0
    assert sha256(one.folder / PREFERENCES) == sha256(other.folder / PREFERENCES)


def test_an_open_question_does_not_show_its_options_and_is_read_by_them(tmp_path: Path) -> None:
    said = {
        "en": ["blue", "Blue.", "blue, I think", "dunno"],
        "de": ["blau", "rot", "blau", "sky blue"],
        "th": ["แดง", "น้ำเงิน", "แดง", "แดง"],
    }

    def reply(request: Request) -> str:
        assert request.sampling is not None
        language = next(code for code in said if f"({code})" in str(request.prompt))
        return f" {said[language][request.sampling.number]}"

    engine = Knowing(reply=reply)
    stage = prefer(settings(colours(tmp_path / "bench"), limit=1), tmp_path / "out", engine=engine)
    for request in engine.asked:
        assert not any(option in str(request.prompt) for option in ("red", "grün", "ดำ"))
        assert request.stop[0] == "\n"
    assert [(row["language"], row["chosen"], row["rejected"], row["meaning"]) for row in rows(stage)] == [
        ("de", " blau", " rot", "blue"),
        ("th", " น้ำเงิน", " แดง", "blue"),
    ]


def test_an_open_question_is_read_by_all_options_of_its_task_where_ids_mean_the_same(
    tmp_path: Path,
) -> None:
    items = [
        replace(item, options=item.options[:3], option_ids=item.option_ids[:3])
        if item.item == "sky"
        else item
        for item in small_bench.items()
        if item.options
    ]
    found, inventories = opened(items)
    assert {name: one.ids for name, one in inventories.items()} == {"options of colour": small_bench.IDS}
    # Ids that are places: "black" would mean another option of each item.
    turned = [replace(item, options=item.options[::-1]) if item.item == "sky" else item for item in items]
    found, inventories = opened(turned)
    assert set(inventories) == {"options of sky", "options of grass", "options of coal"}
    sky = next(item for item in found if (item.item, item.language) == ("sky", "de"))
    assert inventories[sky.inventory].names["red"] == {"en": ("blue",), "de": ("blau",), "th": ("น้ำเงิน",)}


def test_of_scored_options_the_models_own_is_rejected_where_it_is_another(tmp_path: Path) -> None:
    best = {"(en)": "blue", "(de)": "rot", "(th)": "น้ำเงิน"}

    def score(request: Request, option: str) -> float:
        language = next(code for code in best if code in str(request.prompt))
        return 0.0 if option == best[language] else -3.0

    engine = Knowing(score)
    stage = prefer(settings(colours(tmp_path / "bench"), form="text"), tmp_path / "out", engine=engine)
    assert len(engine.asked) == 9
    found = [(row["id"], row["language"], row["chosen"], row["rejected"]) for row in rows(stage)]
    assert found == [(name, "de", " blau", " rot") for name in ("sky", "grass", "coal")]
    assert rows(stage)[0]["pivot_share"] == pytest.approx(1 / (1 + 3 * 2.718281828**-3))
    assert stage.manifest["skipped"] == {"all_agree:th": 3}


def test_free_text_that_cannot_be_compared_is_left_out_and_counted(tmp_path: Path) -> None:
    place = small_bench.write_bench(tmp_path / "bench")
    engine = Knowing(lambda request, option: -float(len(option)))
    stage = prefer(settings(place, form="text", share=0.1), tmp_path / "out", engine=engine)
    assert stage.manifest["skipped"]["not_comparable"] == 1
    assert not any("name?" in str(one.prompt) for one in engine.asked)
    only = [item for item in small_bench.items() if not item.options]
    with refused("compared between languages", hint="inventory"):
        prefer(settings(small_bench.write_bench(tmp_path / "free", only)), tmp_path / "x", engine=engine)


def test_a_question_that_a_language_lacks_is_counted(bench: Path, tmp_path: Path) -> None:
    items = [item for item in entity_bench.items() if (item.item, item.language) != ("austria", "ru")]
    place = small_bench.write_bench(tmp_path / "fewer", items)
    write_inventories(place / ENTITIES, [entity_bench.CAPITALS, entity_bench.RIVERS])
    stage = prefer(settings(place), tmp_path / "out", engine=Knowing(reply=saying))
    assert stage.manifest["skipped"]["no_question:ru"] == 1
    assert len(rows(stage)) == 2


def test_answers_are_kept_when_it_is_stopped_and_the_bytes_are_the_same(
    preferred: Stage, bench: Path, tmp_path: Path
) -> None:
    left = iter(range(17))

    def stopping(request: Request) -> str:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return saying(request)

    with pytest.raises(KeyboardInterrupt):
        prefer(settings(bench), tmp_path / "again", engine=Knowing(reply=stopping))
    engine = Knowing(reply=saying)
    again = prefer(settings(bench), tmp_path / "again", engine=engine)
    assert len(engine.asked) == 36 - 17
    assert sha256(again.folder / PREFERENCES) == sha256(preferred.folder / PREFERENCES)
    assert sorted(path.name for path in again.folder.iterdir()) == ["manifest.json", PREFERENCES]


def test_more_samples_ask_only_for_the_new_ones(bench: Path, tmp_path: Path) -> None:
    cache = tmp_path / "answers.sqlite"
    prefer(settings(bench, cache=cache), tmp_path / "four", engine=Knowing(reply=saying))
    engine = Knowing(reply=saying)
    prefer(settings(bench, cache=cache, samples=6), tmp_path / "six", engine=engine)
    assert len(engine.asked) == 9 * 2
    again = Knowing(reply=saying)
    prefer(settings(bench, cache=cache, seed=1), tmp_path / "seed", engine=again)
    assert len(again.asked) == 36


def test_a_reply_that_was_cut_is_read_and_not_learned(bench: Path, tmp_path: Path) -> None:
    def cut(request: Request) -> Reply:
        return Reply(saying(request), cut="(ru)" in str(request.prompt))

    stage = prefer(settings(bench), tmp_path / "out", engine=Knowing(reply=cut))
    assert [row["language"] for row in rows(stage)] == ["de"]
    assert stage.manifest["skipped"]["unusable_answers:ru"] == 1


def test_a_conversation_is_written_as_the_model_sees_it(tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "chat"
    tokenizer, _ = load_tokenizer(tiny_model)
    tokenizer.chat_template = (
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    tokenizer.save_pretrained(model)
    for file in tiny_model.iterdir():
        if not (model / file.name).exists():
            (model / file.name).write_bytes(file.read_bytes())

    def reply(request: Request) -> str:
        assert not isinstance(request.prompt, str)
        return saying(replace(request, prompt=request.prompt[-1][1]))

    engine = Knowing(reply=reply)
    given = settings(entity_bench.write_entity_bench(tmp_path / "bench"), chat=True) | {"model": str(model)}
    austria, _ = rows(prefer(given, tmp_path / "out", engine=engine))
    assert austria["prompt"].startswith("<user>")
    assert austria["prompt"].endswith("austria? (de)\n<assistant>")
    with refused("template"):
        prefer(given | {"engine": "openai"}, tmp_path / "served", engine=engine)


def test_a_tiny_model_makes_pairs_from_the_command_line(tiny_model: Path, tmp_path: Path) -> None:
    place = colours(tmp_path / "bench")
    words = ["prefer", tiny_model, "--questions", place, "--form", "text", "--device", "cpu"]
    words += ["--share", "0.2", "--choice", "byte", "--out"]
    shown = json.loads(crossin(*words, tmp_path / "out", "--json").stdout)
    found = read_parquet(tmp_path / "out" / PREFERENCES, COLUMNS).to_pylist()
    assert shown["counts"]["pairs"] == len(found) > 0
    for row in found:
        options = small_bench.OPTIONS[row["language"]]
        assert {row["chosen"].strip(), row["rejected"].strip()} <= set(options)
        assert row["chosen"] != row["rejected"]
    assert f"prefer: {len(found)} pairs" in crossin(*words, tmp_path / "out").stderr


def test_a_dry_run_asks_nothing_and_writes_nothing(tiny_model: Path, tmp_path: Path) -> None:
    place = colours(tmp_path / "bench")
    words = ["prefer", tiny_model, "--questions", place, "--samples", "3", "--dry-run", "--out"]
    shown = json.loads(crossin(*words, tmp_path / "out", "--json").stdout)
    assert (shown["questions"], shown["generated"], shown["scored"]) == (3, 27, 0)
    assert "sky? (en)" in shown["example"]["prompt"]
    assert not (tmp_path / "out").exists()
    assert "27 replies" in crossin(*words, tmp_path / "out").stdout
