from __future__ import annotations

from pathlib import Path

import pytest

from crossin.logs.lm_eval_tasks import tasks_of

KNOWN = {
    "belebele_kor_Hang": ("belebele", "ko", ""),
    "belebele_zho_Hant": ("belebele", "zh-Hant", ""),
    "global_mmlu_full_de_high_school_physics": ("global_mmlu_full", "de", "high_school_physics"),
    "global_mmlu_sw_social_sciences": ("global_mmlu", "sw", "social_sciences"),
    "include_base_44_bengali_few_shot_og_stem": ("include_base_44_few_shot_og", "bn", "stem"),
    "include_base_44_north_macedonian_stem": ("include_base_44", "mk", "stem"),
    "xwinograd_jp": ("xwinograd", "ja", ""),
    "mgsm_native_cot_te": ("mgsm_native_cot", "te", ""),
    "truthfulqa_hi_mc1": ("truthfulqa_mc1", "hi", ""),
    "truthfulqa-multi_gen_eu": ("truthfulqa-multi_gen", "eu", ""),
    "mmlu_prox_lite_fr_law": ("mmlu_prox_lite", "fr", "law"),
    "afrimgsm_swa_prompt_2": ("afrimgsm_prompt_2", "sw", ""),
    "afrimgsm_cot_yor_prompt_1": ("afrimgsm_cot_prompt_1", "yo", ""),
    "global_piqa_parallel_cloze_por_latn_braz": ("global_piqa_parallel_cloze", "pt-BR", ""),
    "mmlu_pt_llama_virology": ("mmlu_llama", "pt", "virology"),
    "arc_vi": ("arc", "vi", ""),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_names_of_known_families_have_benchmark_language_and_subtask(name: str) -> None:
    task = tasks_of([name])[name]
    assert (task.benchmark, task.language, task.subtask) == KNOWN[name]


def test_only_families_with_documents_of_their_own_are_not_parallel() -> None:
    tasks = tasks_of([*KNOWN, "mela_de", "quiz_de"])
    own = {name for name, task in tasks.items() if not task.family.parallel}
    assert own == {name for name in tasks if name.startswith(("include", "xwinograd", "mela"))}


def test_other_names_are_read_by_comparison() -> None:
    tasks = tasks_of(
        ["pisa_de_llm_judged", "pisa_fr_llm_judged", "arc_challenge_mt_da", "arc_challenge_mt_is"]
    )
    assert {task.benchmark for task in tasks.values()} == {"pisa_llm_judged", "arc_challenge_mt"}
    assert [task.language for task in tasks.values()] == ["de", "fr", "da", "is"]


@pytest.mark.parametrize(
    "name", ["gsm8k", "mlqa_ar_de", "flores_en-de", "flores_eng_Latn-deu_Latn", "mmlu_pro_llama_law"]
)
def test_translations_and_names_without_a_language_have_none(name: str) -> None:
    assert tasks_of([name]) == {}


@pytest.mark.parametrize(
    ("folder", "languages"),
    [("belebele", 122), ("xcopa", 11), ("mgsm", 11), ("paws-x", 7), ("xstorycloze", 11)],
)
def test_every_task_of_the_installed_harness_is_read(folder: str, languages: int) -> None:
    lm_eval = pytest.importorskip("lm_eval")
    names = set()
    for file in (Path(lm_eval.__file__).parent / "tasks" / folder).rglob("*.yaml"):
        lines = file.read_text(encoding="utf-8").splitlines()
        names |= {line.removeprefix("task:").strip() for line in lines if line.startswith("task: ")}
    tasks = tasks_of(names)
    assert set(tasks) == names
    assert len({task.language for task in tasks.values()}) == languages
