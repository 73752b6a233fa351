"""The page of free text: figures of replies, and replies beside what is right."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from crossin.core.formats import ENTITIES
from crossin.items.inventories import Inventory, write_inventories
from crossin.logs.find import find_logs, read_logs
from crossin.logs.options import LogOptions
from crossin.logs.tables import Predictions, tables_of_log
from crossin.reports.make import Report, report
from crossin.reports.plots import report_plots
from crossin.reports.results import results_of
from crossin.reports.sentences import headline
from crossin.reports.summary import summarize
from crossin.reports.table import as_rich, markdown
from tests.helpers import entity_bench, small_bench
from tests.helpers.errors import refused
from tests.helpers.free_runs import two_models
from tests.helpers.in_process import crossin
from tests.helpers.pages import explorer_of
from tests.helpers.report_data import HOSTILE, three_arms
from tests.helpers.small_bench import write_bench, write_replies

pytest.importorskip("sacrebleu")
pytest.importorskip("lingua")
DRAWS = 200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("free")
    runs, bench = two_models(folder)
    return report(runs, folder / "page.html", bench=bench, draws=DRAWS)


def explorer(made: Report) -> Any:
    return explorer_of(made.page)


def item(made: Report, name: str) -> Any:
    return next(one for one in explorer(made)["items"] if one["id"] == name)


def figures(made: Report, arm: int) -> Any:
    return json.loads(made.figures.read_text(encoding="utf-8"))["arms"][arm]["figures"]


def test_items_with_known_answers_count_among_choices_and_among_texts(made: Report) -> None:
    assert len(made.summary.results.items) == 8
    # Of seven items with options: one wrong entity and two without an answer in German, two in English.
    old = figures(made, 0)
    assert old["accuracy/de"]["value"] == pytest.approx(4 / 7, abs=1e-6)
    assert old["accuracy/en"]["value"] == pytest.approx(5 / 7, abs=1e-6)
    assert old["missing/de"]["value"] == pytest.approx(2 / 7, abs=1e-6)
    assert old["answered/de"]["value"] == pytest.approx(5 / 7, abs=1e-6)
    # Of five in free text: two right in German, and two in English.
    assert old["exact_match/de"]["value"] == pytest.approx(2 / 5)
    assert old["exact_match/en"]["value"] == pytest.approx(2 / 5)
    assert old["no_reply/de"]["value"] == old["no_reply/en"]["value"] == pytest.approx(1 / 5)
    assert figures(made, 1)["exact_match"]["value"] == figures(made, 1)["accuracy"]["value"] == 1
    assert figures(made, 1)["chrf"]["value"] == pytest.approx(100)


def test_every_figure_is_compared_and_has_an_interval(made: Report) -> None:
    [pair] = json.loads(made.figures.read_text(encoding="utf-8"))["differences"]
    assert (pair["arm"], pair["to"]) == ("new", "old")
    for name in ("accuracy", "exact_match", "f1", "chrf", "no_reply"):
        for key in (name, f"{name}/en", f"{name}/de"):
            found = pair["figures"][key]
            assert found["low"] <= found["value"] <= found["high"]
    assert pair["figures"]["no_reply/de"]["value"] == pytest.approx(-1 / 5)


def test_the_page_has_all_rows_and_the_terminal_the_main_ones(made: Report) -> None:
    rows = made.summary.rows
    assert [row for row in rows if row.startswith("f1")] == ["f1/en", "f1/de", "f1"]
    # The two say the same.
    assert "answered/de" in rows and "missing" not in rows
    shown = made.page.read_text(encoding="utf-8").split("<table")[1].split("</table>")[0]
    for name in ("F1", "chrF", "no reply"):
        assert "German · de" in shown.split(f">{name}</th>")[1].split("</tbody>")[0]
    text = io.StringIO()
    Console(width=100, file=text).print(as_rich(made.summary, width=100))
    for name in ("exact match de German", "chrF de German", "F1 "):
        assert name in text.getvalue()
    assert "F1 de" not in text.getvalue() and "F1 de" not in markdown(made.summary)


def test_a_mark_of_fewer_empty_replies_is_a_good_one_and_of_undecided_ones_neither() -> None:
    from crossin.metrics.bootstrap import Figure
    from crossin.reports.cells import difference_cell

    fewer = Figure(-0.2, -0.3, -0.1)
    assert difference_cell("no_reply/de", fewer).tone == "better"
    assert (difference_cell("undecided", fewer).mark, difference_cell("undecided", fewer).tone) == ("▼", "")


def test_an_item_with_an_inventory_shows_the_entity_read_and_the_right_one(made: Report) -> None:
    austria = item(made, "austria")
    assert austria["ids"] == ["Q1741", "Q90"], "an entity that nobody named is listed"
    assert austria["ids"][austria["gold"]] == "Q1741"
    assert [texts[2] for texts in austria["texts"]] == [["Vienna", "Paris"], ["Wien", "Paris"]]
    assert austria["answers"] == [[0, 1], [0, 0]]
    assert austria["replies"][0] == ["Vienna", "Paris"]
    assert austria["logprobs"] == [None, None]
    assert austria["listed"] is False


def test_why_no_entity_was_read_is_said_in_words(made: Report) -> None:
    reasons = explorer(made)["reasons"]
    japan, budapest = item(made, "japan"), item(made, "budapest")
    assert reasons[japan["unread"][0][1]] == "the reply names no entity of the inventory"
    assert reasons[budapest["unread"][0][0]] == "the reply is empty"
    assert japan["unread"][1] == [-1, -1]
    unread = json.loads(made.figures.read_text(encoding="utf-8"))["arms"][0]["unread"]
    assert unread["en"]["empty_reply"] == 1
    assert "the reply is empty, en" in made.page.read_text(encoding="utf-8")


def test_an_open_item_shows_reply_and_references_and_how_near_they_are(made: Report) -> None:
    name = item(made, "name")
    assert (name["ids"], name["gold"], name["answers"][0]) == ([], -1, [-1, -1])
    assert [texts[3] for texts in name["texts"]] == [["Vienna"], ["Wien"]]
    assert name["scores"][0][1] is None and 0 < name["scores"][0][0] < 1
    assert name["scores"][1] == [1, 1]
    assert name["replies"][1] == ["Vienna", "Wien"]


def test_hostile_replies_names_and_aliases_stay_in_the_data(made: Report) -> None:
    page = made.page.read_text(encoding="utf-8")
    assert "<img" not in page and "hacked'</script>" not in page
    evil = item(made, "evil")
    assert evil["texts"][0][2][0] == f"Good {HOSTILE}"
    assert evil["texts"][0][3] == ["Good", HOSTILE]
    assert evil["replies"][0][0].endswith(HOSTILE)


def test_sentences_say_what_replies_are_like(made: Report, tmp_path: Path) -> None:
    said = headline(made.summary)
    assert said[0].startswith("new answers 100% right on average")
    assert any(
        line.startswith("In free text, new against old: exact match 100% against 40%") for line in said
    )
    assert not any("guessing" in line for line in headline(open_only(tmp_path).summary))


def open_only(folder: Path) -> Report:
    """A page of one model and one open question."""
    asked = [item for item in small_bench.items() if item.item == "name"]
    bench = write_bench(folder / "bench", asked)
    lines = [{"item": "name", "language": one.language, "reply": one.answer} for one in asked]
    return report(
        {"one": write_replies(folder / "one.jsonl", lines)},
        folder / "page.html",
        bench=bench,
        draws=DRAWS,
    )


def test_without_choices_the_page_has_the_figures_and_plots_of_texts_only(tmp_path: Path) -> None:
    one = open_only(tmp_path)
    named = list(dict.fromkeys(key.partition("/")[0] for key in one.summary.rows))
    assert named == ["exact_match", "containment", "f1", "chrf", "in_language", "fidelity"]
    assert [plot.name for plot in report_plots(one.summary)] == ["exact-match", "chrf", "fidelity"]
    assert headline(one.summary)[0].startswith("one in free text: exact match 100%")
    figures = json.loads(one.figures.read_text(encoding="utf-8"))
    assert figures["chance"] is None and figures["arms"][0]["accuracy_by_task"] == {}
    page = one.page.read_text(encoding="utf-8")
    assert "guessing" not in page.split("<tbody>")[0].split("<body>")[1]


def test_where_answers_are_entities_nothing_is_said_about_guessing(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    replies = write_replies(tmp_path / "one.jsonl", entity_bench.entity_replies())
    made = report({"one": replies}, tmp_path / "page.html", bench=bench, draws=DRAWS)
    assert "guessing" not in " ".join(headline(made.summary)) + markdown(made.summary)
    assert not any(plot.rules for plot in report_plots(made.summary) if plot.name != "differences")


def test_of_answers_to_other_questions_one_error_says_which(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    lines = entity_bench.entity_replies()
    runs = {
        "all": write_replies(tmp_path / "all.jsonl", lines),
        "fewer": write_replies(tmp_path / "fewer.jsonl", lines[:6]),
    }
    with refused("different questions", "budapest", file="fewer.jsonl", hint="one benchmark"):
        report(runs, tmp_path / "page.html", bench=bench, draws=DRAWS)
    assert not (tmp_path / "page.html").exists()


def test_replies_without_their_benchmark_are_an_error_that_names_the_option(tmp_path: Path) -> None:
    replies = write_replies(tmp_path / "one.jsonl", entity_bench.entity_replies())
    with refused("replies", file="one.jsonl", hint="--bench"):
        report({"one": replies}, tmp_path / "page.html", draws=DRAWS)


def test_replies_in_free_text_are_reported_on_the_command_line(tmp_path: Path) -> None:
    runs, bench = two_models(tmp_path)
    done = crossin("report", *runs.values(), "--bench", bench, "--out", tmp_path / "page.html")
    assert "exact match" in done.stdout and "chrF" in done.stdout
    page = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert [arm["name"] for arm in page["arms"]] == ["old", "new"]
    assert page["benchmark"] == "bench"
    assert page["arms"][0]["figures"]["f1/en"]["value"] < page["arms"][1]["figures"]["f1/en"]["value"] == 1


def test_a_difference_is_split_by_who_answers(made: Report) -> None:
    [pair] = json.loads(made.figures.read_text(encoding="utf-8"))["differences"]
    parts = {key: figure["value"] for key, figure in pair["split"].items()}
    # Of 14 answers, `old` has 10 and `new` 14: one wrong one, and four questions that it left.
    assert parts["both"] == pytest.approx(10 / 14, abs=1e-6)
    assert parts["new"] == pytest.approx(4 / 14, abs=1e-6)
    assert (parts["lost"], parts["neither"], parts["new_accuracy"]) == (0, 0, 1)
    assert parts["both_theirs"] == pytest.approx(9 / 10, abs=1e-6)
    gains = parts["gain_both"] + parts["gain_new"] + parts["gain_lost"]
    assert gains == pytest.approx(pair["figures"]["accuracy"]["value"], abs=2e-6)
    [said] = [line for line in headline(made.summary) if "is made of" in line]
    assert said.startswith("The gain of 35.7 points is made of +28.6 [")
    assert "from the 28.6% newly answered (100.0% of them right)" in said
    assert "from the 71.4% of questions that both answer (100.0% right against 90.0%)" in said
    assert "no longer answered" not in said
    page = made.page.read_text(encoding="utf-8")
    assert "What the difference in accuracy is made of: new − old" in page


def test_the_terminal_shows_the_parts_of_a_difference_and_a_loss_is_called_one(
    made: Report, tmp_path: Path
) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    runs, bench = two_models(folder)
    files = [f"{name}={runs[name]}" for name in ("new", "old")]
    done = crossin("report", *files, "--bench", bench, "--out", tmp_path / "page.html")
    assert "no longer answered: adds" in done.stdout and "new_accuracy" not in done.stdout
    result = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))["result"]
    [said] = [line for line in result if "is made of" in line]
    assert said.startswith("The loss of 35.7 points is made of −28.6 [")
    assert "no longer answered (100.0% of them right before)" in said


def test_where_every_question_is_answered_nothing_is_split(tmp_path: Path) -> None:
    three_arms(tmp_path / "runs", ["en", "vi"])
    crossin("score", tmp_path / "runs", "--draws", "50", "--page", tmp_path / "page.html")
    assert "is made of" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_an_entity_in_another_language_is_read_on_request(tmp_path: Path) -> None:
    bench = entity_bench.write_entity_bench(tmp_path / "bench")
    lines = entity_bench.entity_replies({("austria", "ru"): "Vienna"})
    runs = {"one": write_replies(tmp_path / "one.jsonl", lines)}
    for any_language, right in ((False, 2 / 3), (True, 1)):
        made = report(runs, tmp_path / "page.html", bench=bench, any_language=any_language, draws=DRAWS)
        assert made.summary.by_arm["one"]["accuracy/ru"].value == pytest.approx(right)


def test_runs_with_other_entities_or_other_accepted_answers_are_refused(tmp_path: Path) -> None:
    runs = {}
    for name in ("one", "two"):
        bench = entity_bench.write_entity_bench(tmp_path / name)
        replies = write_replies(tmp_path / f"{name}.jsonl", entity_bench.entity_replies())
        runs[name] = answers_in(replies, bench)
    fewer = Inventory("river", {"Q1653": entity_bench.RIVERS.names["Q1653"]})
    write_inventories(tmp_path / "two" / ENTITIES, [entity_bench.CAPITALS, fewer])
    runs["two"] = answers_in(tmp_path / "two.jsonl", tmp_path / "two")
    with refused("river", "other entities", file="two.jsonl"):
        results_of(runs)

    asked = [item for item in small_bench.items() if item.item == "name"]
    lines = [{"item": "name", "language": one.language, "reply": one.answer} for one in asked]
    replies = write_replies(tmp_path / "name.jsonl", lines)
    more = [replace(item, aliases=["Beč"]) for item in asked]
    both = {
        "plain": answers_in(replies, write_bench(tmp_path / "plain", asked)),
        "more": answers_in(replies, write_bench(tmp_path / "more", more)),
    }
    with refused("reference answers", file="name.jsonl", field="gold"):
        summarize(results_of(both))


def answers_in(file: Path, bench: Path) -> Predictions:
    [run] = find_logs(file)
    [log] = read_logs(run, LogOptions(bench=bench))
    [found] = tables_of_log(log)
    return found
