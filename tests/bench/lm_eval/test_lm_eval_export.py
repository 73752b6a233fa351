from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossin.bench import build_named
from crossin.bench.lm_eval import export_lm_eval
from crossin.evaluation import prepare
from crossin.items import Form, Item, Question, questions
from crossin.logs.lm_eval_exported import read_samples
from crossin.metrics.texts import exact_match
from crossin.scoring.predictions import find_predictions, read_predictions
from crossin.scoring.scores import score
from tests.helpers.errors import refused
from tests.helpers.gap_items import write_gap_bench
from tests.helpers.nature_items import in_free_text, small_items, write_bench
from tests.helpers.relation_facts import write_relations

# What Jinja, YAML, shells and the readers of data sets would each read as something else.
NASTY = [
    ("What is {{ gold }} here? {% if target %}", ["{{ choices }}", "{# no #}", "{{ 1 + 1 }}"]),
    ("No or yes?  ", ["no", "null", "~"]),
    ('On which day? C:\\new \u2028 "it\'s" €', ["2001-01-01", "2001-01-01 10:00:00", "2001-01-02"]),
    ("7", ["7", "10", "1e3"]),
]


def items() -> list[Item]:
    """Three plain items, those with nasty texts, and one in free text, each in three languages."""
    plain = small_items()
    nasty = [
        replace(item, item=f"n{number}", group=f"n{number}", question=question, options=options)
        for item in plain[::3]
        for number, (question, options) in enumerate(NASTY)
    ]
    free = [replace(in_free_text(item), item="free", group="free") for item in plain[::3]]
    return [*plain, *nasty, *free]


def lm_eval(tasks: str, model: Path, place: Path) -> None:
    """lm-eval in a process of its own, over tasks in the folder `tasks`; it logs to `out`."""
    command = f"-m lm_eval --model hf --model_args pretrained={model},dtype=float32 --device cpu"
    command += f" --tasks {tasks} --include_path tasks --log_samples --output_path out --batch_size 4"
    places = {"HF_HOME": str(place / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command.split()],
        cwd=place,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@dataclass(frozen=True)
class Run:
    """A run of lm-eval over a group of exported tasks: its results and its logged samples."""

    asked: list[Question]
    results: dict[str, Any]
    samples: list[dict[str, Any]]
    folder: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> dict[str, Run]:
    """lm-eval in a process of its own: the items by full text and by letters, in folders that were moved."""
    pytest.importorskip("lm_eval")
    place = tmp_path_factory.mktemp("lm_eval")
    bench = write_bench(place / "nature", items())
    forms = {
        "text": Form(wordings=("question", "asked"), max_tokens=4),
        "letters": Form(kind="letters", order="rotated", max_tokens=4),
    }
    for name, form in forms.items():
        export_lm_eval(bench, place / name, form=form, name=name, seed=3)
        (place / "tasks").mkdir(exist_ok=True)
        (place / name).rename(place / "tasks" / name)
    lm_eval(",".join(forms), tiny_model, place)
    [file] = place.glob("out/*/results_*.json")
    figures = json.loads(file.read_text(encoding="utf-8"))["results"]
    found = {}
    for name, form in forms.items():
        logged = [
            json.loads(line)
            for path in sorted(file.parent.glob(f"samples_{name}_*.jsonl"))
            for line in path.read_text(encoding="utf-8").split("\n")
            if line
        ]
        results = {task: values for task, values in figures.items() if task.startswith(name)}
        found[name] = Run(questions(items(), form, seed=3), results, logged, file.parent)
    return found


def cell(sample: dict[str, Any]) -> tuple[str, str, str]:
    doc = sample["doc"]
    return doc["item"], doc["language"], doc["wording"]


@pytest.mark.parametrize("name", ["text", "letters"])
@pytest.mark.slow
def test_lm_eval_asks_every_option_as_crossin_does(runs: dict[str, Run], name: str) -> None:
    due = {
        (one.item.item, one.item.language, one.wording): [[one.prompt, option] for option in one.options]
        for one in runs[name].asked
        if one.options
    }
    asked = {
        cell(sample): [[pair["arg_0"], pair["arg_1"]] for pair in sample["arguments"].values()]
        for sample in runs[name].samples
        if "choices" in sample["doc"]
    }
    assert asked == due


@pytest.mark.slow
def test_free_text_is_generated_from_the_same_prompt(runs: dict[str, Run]) -> None:
    due = {one.item.language: one.prompt for one in runs["letters"].asked if not one.options}
    asked = {
        sample["doc"]["language"]: sample["arguments"]["gen_args_0"]
        for sample in runs["letters"].samples
        if "choices" not in sample["doc"]
    }
    assert {language: request["arg_0"] for language, request in asked.items()} == due
    assert {request["arg_1"]["max_gen_toks"] for request in asked.values()} == {4}


@pytest.mark.parametrize("name", ["text", "letters"])
@pytest.mark.slow
def test_its_log_probabilities_are_those_of_a_plain_forward(
    runs: dict[str, Run], tiny_model: Path, name: str
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    logged = {cell(sample): sample["filtered_resps"] for sample in runs[name].samples}
    for one in runs[name].asked:
        for number, option in enumerate(one.options):
            start = len(tokenizer(one.prompt)["input_ids"])
            tokens = torch.tensor([tokenizer(f"{one.prompt}{option}")["input_ids"]])
            with torch.inference_mode():
                logprobs = model(tokens).logits[0, start - 1 : -1].log_softmax(-1)
            due = float(logprobs.gather(1, tokens[0, start:, None]).sum())
            found = float(logged[one.item.item, one.item.language, one.wording][number][0])
            assert found == pytest.approx(due, abs=1e-4)


@pytest.mark.parametrize(("name", "wordings"), [("text", ["question", "asked"]), ("letters", ["question"])])
@pytest.mark.slow
def test_accuracy_is_lm_evals_own(runs: dict[str, Run], name: str, wordings: list[str]) -> None:
    [file] = [path for path in find_predictions([runs[name].folder]) if f"samples_{name}" in path.name]
    scores = {one.predictions.prompt: one for one in score([file], draws=10)}
    assert sorted(scores) == sorted(wordings)
    for wording, found in scores.items():
        for language in ("en", "vi", "th"):
            task = f"{name}_{language}" + (f"_{wording}" if len(wordings) > 1 else "")
            assert found.choices[f"accuracy/{language}"].value == runs[name].results[task]["acc,none"]
    # A tiny model with random weights is right now and then: neither never nor always.
    assert 0 < runs[name].results[name]["acc,none"] < 1


@pytest.mark.slow
def test_crossin_reads_all_that_lm_eval_answered(runs: dict[str, Run], tmp_path: Path) -> None:
    [file] = [path for path in find_predictions([runs["letters"].folder]) if "samples_letters" in path.name]
    [found] = read_predictions(file, write_bench(tmp_path / "nature", items()))
    assert (found.model, found.prompt, found.unanswered, found.incomplete) == ("tiny", "question", 0, {})
    assert found.choices is not None
    assert len(found.choices.items) == 7
    assert found.logprobs is not None
    assert found.texts is not None
    assert found.texts.items == ("free",)


@pytest.mark.slow
def test_the_harness_scores_the_whole_sentence_of_an_item_with_a_gap(
    tiny_model: Path, tmp_path: Path
) -> None:
    from crossin.evaluation import HfEngine, ask_bench

    pytest.importorskip("lm_eval")
    bench = write_gap_bench(tmp_path / "gap")
    export_lm_eval(bench, tmp_path / "tasks", form=Form(wordings=("question", "plain")), name="gap")
    lm_eval("gap", tiny_model, tmp_path)
    [file, *_] = find_predictions([tmp_path / "out"])
    [theirs] = read_predictions(file, bench)
    [ours] = read_predictions(ask_bench(HfEngine(tiny_model), bench, tmp_path / "ours", name="tiny").folder)
    assert theirs.choices is not None and theirs.logprobs is not None
    assert ours.choices is not None and ours.logprobs is not None
    rows = [theirs.choices.items.index(item) for item in ours.choices.items]
    columns = [theirs.choices.languages.index(language) for language in ours.choices.languages]
    # The sum over the whole sentence, after the token that begins the sequence.
    assert theirs.logprobs[rows][:, columns] == pytest.approx(ours.logprobs, abs=1e-3)


def test_what_decides_how_replies_are_compared_is_in_every_line_of_a_task(tmp_path: Path) -> None:
    free = [replace(in_free_text(item), item=f"f{item.item}") for item in small_items()[:3]]
    free[1] = replace(free[1], aliases=["16.0"], answer_type="number")
    stage = export_lm_eval(write_bench(tmp_path / "nature", free), tmp_path / "out", form=Form())
    [task] = stage.folder.glob("*.jsonl")
    docs = [json.loads(line) for line in task.read_text("utf-8").splitlines()]
    assert [(doc["aliases"], doc["answer_type"]) for doc in docs] == [
        ([], "text"),
        (["16.0"], "number"),
        ([], "text"),
    ]
    file = tmp_path / f"samples_{task.stem}_2026-03-01T10-00-00.1.jsonl"
    samples = [{"doc": doc, "filtered_resps": ["So it is 16."]} for doc in docs]
    file.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    for bench in (None, tmp_path / "nature"):
        [found] = read_predictions(file, bench)
        assert found.texts is not None
        assert exact_match(found.texts).tolist() == [1 / 3]


def test_items_with_an_inventory_are_asked_as_by_evaluate_and_read_with_their_benchmark(
    tmp_path: Path,
) -> None:
    source = write_relations(tmp_path / "source")
    bench = build_named("klar", tmp_path / "klar", source=source, languages=["en", "ru", "zh"]).folder
    form = Form(kind="generate", shots=3)
    stage = export_lm_eval(bench, tmp_path / "out", form=form, per_task=2, shots=bench)
    prompts = {one.request.prompt for one in prepare(bench, form=form, per_task=2, shots=bench).questions}
    folder = tmp_path / "logs"
    folder.mkdir()
    exported = set()
    for task in stage.folder.glob("*.jsonl"):
        docs = [json.loads(line) for line in task.read_text("utf-8").splitlines()]
        exported |= {doc["prompt"] for doc in docs}
        samples = [{"doc": doc, "filtered_resps": [f" {doc['target']}."]} for doc in docs]
        file = folder / f"samples_{task.stem}_2026-03-01T10-00-00.1.jsonl"
        file.write_text("".join(json.dumps(one) + "\n" for one in samples), encoding="utf-8")
    assert exported == prompts
    [found] = read_predictions(folder, bench)
    assert found.choices is not None
    assert (found.choices.answers == found.choices.gold[:, None]).all()


def test_one_task_a_language_and_wording(tmp_path: Path) -> None:
    stage = export_lm_eval(
        write_bench(tmp_path / "my bench", items()),
        tmp_path / "out",
        form=Form(wordings=("question", "plain")),
        languages=["vi", "th"],
        limit=2,
    )
    names = {
        f"crossin_my_bench_{language}_{wording}"
        for language in ("th", "vi")
        for wording in ("question", "plain")
    }
    assert {path.stem for path in stage.folder.glob("*.jsonl")} == names
    assert {path.stem for path in stage.folder.glob("*.yaml")} == {"crossin_my_bench", *names}
    assert stage.manifest["counts"] == {"tasks": 4, "questions": 8}


def test_the_same_items_come_first_in_every_language(tmp_path: Path) -> None:
    mixed = sorted(small_items(), key=lambda item: (item.language, item.item), reverse=True)
    mixed = [item for item in mixed if (item.item, item.language) != ("q1", "en")]
    stage = export_lm_eval(
        write_bench(tmp_path / "nature", [*mixed[::2], *mixed[1::2]]), tmp_path / "out", form=Form()
    )
    orders = {
        language: [
            json.loads(line)["item"]
            for line in (stage.folder / f"crossin_nature_{language}.jsonl").read_text("utf-8").splitlines()
        ]
        for language in ("en", "vi", "th")
    }
    assert orders["vi"] == orders["th"]
    assert orders["en"] == [item for item in orders["vi"] if item != "q1"]


def test_multiple_choice_may_be_answered_in_words(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "nature", small_items())
    stage = export_lm_eval(bench, tmp_path / "out", form=Form(kind="generate"), languages=["en"])
    [line, *_] = (stage.folder / "crossin_nature_en_generate.jsonl").read_text("utf-8").splitlines()
    fields = json.loads(line)
    assert (fields["target"], fields["options"]) == ("a dog", ["a dog", "a fish", "a snail"])
    assert "A. a dog" in fields["prompt"]


def test_replies_end_where_those_of_evaluate_end(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "nature", items())
    form = Form(kind="generate", wordings=("question", "plain"))
    stage = export_lm_eval(bench, tmp_path / "out", form=form)
    due: dict[str, set[tuple[str, ...]]] = {}
    for one in prepare(bench, form=form).questions:
        name = f"crossin_nature_{one.question.item.language}_{one.question.wording}_generate"
        due.setdefault(name, set()).add(one.request.stop)
    found = {}
    for path in stage.folder.glob("*_*_*_*.yaml"):
        config = yaml.safe_load(path.read_text("utf-8").partition("\n")[2])
        found[path.stem] = {tuple(config["generation_kwargs"]["until"])}
    assert found == due
    assert due["crossin_nature_en_question_generate"] == {("\n\n", "\nQuestion:")}
    assert due["crossin_nature_en_plain_generate"] == {("\n\n",)}


def test_a_reply_is_read_by_the_list_that_its_prompt_showed(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "nature", small_items())
    form = Form(kind="generate", order="rotated")
    stage = export_lm_eval(bench, tmp_path / "out", form=form, languages=["en"])
    [task] = stage.folder.glob("*.jsonl")
    docs = [json.loads(line) for line in task.read_text("utf-8").splitlines()]
    assert any(doc["shown"] != doc["option_ids"] for doc in docs)
    samples = [{"doc": doc, "filtered_resps": [" A"]} for doc in docs]
    file = tmp_path / f"samples_{task.stem}_2026-03-01T10-00-00.1.jsonl"
    file.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    for line, doc in zip(read_samples(file), docs, strict=True):
        first = doc["prompt"].partition("\nA. ")[2].partition("\n")[0]
        assert line["answer"] == doc["option_ids"][doc["options"].index(first)]


def test_the_same_export_is_found_done_and_another_is_refused(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "nature", small_items())
    export_lm_eval(bench, tmp_path / "out", form=Form())
    assert export_lm_eval(bench, tmp_path / "out", form=Form()).done
    with refused("another run"):
        export_lm_eval(bench, tmp_path / "out", form=Form(kind="letters"))


def test_what_cannot_be_exported_leaves_no_folder(tmp_path: Path) -> None:
    bench = write_bench(tmp_path / "nature", small_items())
    with refused("'de'", field="language"):
        export_lm_eval(bench, tmp_path / "out", form=Form(), languages=["de"])
    with refused("chat", hint="--apply_chat_template"):
        export_lm_eval(bench, tmp_path / "out", form=Form(chat=True))
    with refused("99 multiple-choice shots", field="shots"):
        export_lm_eval(bench, tmp_path / "out", form=Form(shots=99), shots=bench)
    with refused("limit", "per_task", field="per_task"):
        export_lm_eval(bench, tmp_path / "out", form=Form(), limit=1, per_task=1)
    with refused("both", field="shots"):
        export_lm_eval(bench, tmp_path / "out", form=Form(), shots=bench)
    assert not (tmp_path / "out").exists()
