"""Which option a reply chooses: by script, by bracket, by sentence, by text; and when it chooses none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.items.replies import read_reply

COLOURS = ["red", "green", "blue", "none of these"]
RUSSIAN = ["красный", "зелёный", "синий", "жёлтый"]
NUMBERS = ["642", "638", "42", "-42"]
WORDS = ["A large dog", "Vitamin C", "Plan B", "C. elegans"]
YES_NO = ["yes", "no"]
ALPHABETS = [
    "ABCD",
    "ＡＢＣＤ",
    "ⒶⒷⒸⒹ",
    "ΑΒΓΔ",
    "أبجد",
    "ابجد",
    "אבגד",
    "กขคง",
    "कखगघ",
    "अबसद",
    "কখগঘ",
    "가나다라",
    "ㄱㄴㄷㄹ",
    "アイウエ",
    "甲乙丙丁",
    "①②③④",
    "1234",
    "١٢٣٤",
    "१२३४",
    "๑๒๓๔",
]
BRACKETS = [
    "{}",
    "({})",
    "[{}]",
    "（{}）",
    "【{}】",
    "「{}」",
    "{}.",
    "{})",
    "{}:",
    "{}、",
    "**{}**",
    "\\boxed{{{}}}",
]


@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("bracket", BRACKETS)
def test_a_label_alone_in_any_script_and_bracket(alphabet: str, bracket: str) -> None:
    read = [read_reply(bracket.format(letter), COLOURS) for letter in alphabet]
    assert read == [0, 1, 2, 3]


@pytest.mark.parametrize("bracket", BRACKETS)
def test_cyrillic_letters_go_by_the_script_of_the_options(bracket: str) -> None:
    assert [read_reply(bracket.format(letter), RUSSIAN) for letter in "АБВГ"] == [0, 1, 2, 3]
    # Among options in Latin letters they are Latin letters that look so.
    assert [read_reply(bracket.format(letter), COLOURS) for letter in "АВС"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("reply", "position"),
    [
        ("The answer is (D) none of these.", 3),
        ("The correct option is B.", 1),
        ("The best answer is:\n\nD", 3),
        ("## Answer\n\nB", 1),
        ("**Answer:** B) green", 1),
        ("Answer: c", 2),
        ("La respuesta correcta es B", 1),
        ("C'est la réponse B", 1),
        ("Die richtige Antwort ist B.", 1),
        ("Răspunsul corect este B.", 1),
        ("Cevap: C", 2),
        ("Jawapan: C", 2),
        ("Jawabannya adalah (B)", 1),
        ("Ang tamang sagot ay (B)", 1),
        ("Câu trả lời: A", 0),
        ("Đáp án đúng là B", 1),
        ("答案：B\n\n因为它是绿的。", 1),
        ("答案是乙", 1),
        ("故选C。", 2),
        ("选项C是正确的", 2),
        ("答えはウです", 2),
        ("정답은 B입니다", 1),
        ("정답: 다", 2),
        ("คำตอบคือ ข", 1),
        ("ข้อ ค", 2),
        ("الإجابة: ب", 1),
        ("सही उत्तर B है", 1),
        ("उत्तर: (ख)", 1),
        ("Η απάντηση είναι το Γ", 2),
        ("The answer is green", 1),
        ("I think that the answer to question 2 is C", 2),
        ("Answer: 3", 2),
        ('{"answer": "B"}', 1),
    ],
)
def test_a_statement_in_many_languages(reply: str, position: int) -> None:
    assert read_reply(reply, COLOURS) == position


@pytest.mark.parametrize(
    ("reply", "options", "position"),
    [
        ("It is GREEN!", COLOURS, 1),
        ("None of these.", COLOURS, 3),
        ("red", COLOURS, 0),
        ("Red, since it is", COLOURS, 0),
        ("642", NUMBERS, 0),
        ("The answer is −42.", NUMBERS, 3),
        ("-42", NUMBERS, 3),
        ("A large dog", WORDS, 0),
        ("Answer: A large dog", WORDS, 0),
        ("The answer is Vitamin C.", WORDS, 1),
        ("The answer is Plan B", WORDS, 2),
        ("C. elegans", WORDS, 3),
        ("No, because it is late", YES_NO, 1),
        ("他说是深绿色的", ["绿色", "深绿色", "蓝色"], 1),
        ("It was dark green", ["green", "dark green"], 1),
        ("１，５００ kg", ["1,500 kg", "2,500 kg"], 0),
    ],
)
def test_an_options_text_and_the_longest_counts(reply: str, options: list[str], position: int) -> None:
    assert read_reply(reply, options) == position


@pytest.mark.parametrize(
    ("reply", "position"),
    [
        ("Not A, because it is too dark, so the answer is C", 2),
        ("The answer is A, because B and C are wrong", 0),
        ("The answer is A. No: the correct answer is (B).", 1),
        ("The answer is B. Other answers such as A are wrong.", 1),
        ("The answer is B. This answer is better than A.", 1),
        ("Answer B is correct. Answer A is incorrect.", 1),
        ("Option A is out. So the correct option is C.", 2),
        ("It follows from (A) and (D) that (B) green", 1),
        ("(A) red\n(B) green\n(C) blue\n(D) none of these\nAnswer: (C)", 2),
        ("(B) green\n(A) red is too dark.", 1),
        ("A\n\n(B) green", 1),
    ],
)
def test_of_several_options_the_last_clear_statement_counts(reply: str, position: int) -> None:
    assert read_reply(reply, COLOURS) == position


@pytest.mark.parametrize(
    ("reply", "options"),
    [
        ("", COLOURS),
        (" \n ", COLOURS),
        ("I don't know", COLOURS),
        ("yellow", COLOURS),
        ("E", COLOURS),
        ("AB", COLOURS),
        # All options, or two of them.
        ("(A) red\n(B) green\n(C) blue\n(D) none of these", COLOURS),
        ("A. red B. green C. blue D. none of these", COLOURS),
        ("red, green, blue, none of these", COLOURS),
        ("A or B", COLOURS),
        ("The answer is A or B", COLOURS),
        ("(B) green\n(C) blue\nBoth are the same.", COLOURS),
        ("Option B is right. Option A is out.", COLOURS),
        # Contradictions.
        ("A\n\n(B) red", COLOURS),
        ("A\n\n(B) green\n\nC", COLOURS),
        ("(A) green", COLOURS),
        ("The answer is (C) green.", COLOURS),
        ("Which option fits is unclear: (A), (C).", COLOURS),
        # What it is not.
        ("The correct answer is not A.", COLOURS),
        ("答案不是A，而是B", COLOURS),
        ("The answer isn't B", COLOURS),
        # Words that look like labels.
        ("A dog is large", COLOURS),
        ("The answer is a dog", COLOURS),
        ("Answer: A dog", COLOURS),
        ("C'est bleu", COLOURS),
        ("E poi?", ["1", "2", "3", "4", "5"]),
        # Words and numbers that are options by chance.
        ("No estoy seguro", YES_NO),
        ("Answer: I have no idea", YES_NO),
        ("The answer is 1642", NUMBERS),
        ("First multiply by 42 and see", NUMBERS),
        ("3", ["10", "20", "30", "40"]),
    ],
)
def test_no_choice(reply: str, options: list[str]) -> None:
    assert read_reply(reply, options) is None


@pytest.mark.parametrize(
    "reply",
    [
        "<pad> B",
        "<pad> B</s>",
        "<|im_start|>assistant\nB<|im_end|>",
        "<think>It may be A. The answer is A?</think>\n\nB",
        "$\\boxed{\\text{B}}$",
        "`B`",
        "B\n\nQuestion:\nWhich?\n\nChoices:\n(A) x\n(B) y\n\nAnswer:\n(A)",
        "(B) green\n\n问题：\n哪个？\n\n答案：\n(A)",
        "Question: Which?\nChoices:\n(A) red\n(B) green\n(C) blue\n(D) none of these\nAnswer: (B) green",
    ],
)
def test_wrappers_and_what_a_base_model_goes_on_with(reply: str) -> None:
    assert read_reply(reply, COLOURS) == 1


def test_options_may_carry_their_labels() -> None:
    labelled = ["(A) red", "(B) green", "(C) blue"]
    assert read_reply("green", labelled) == 1
    assert read_reply("(C)", labelled) == 2
    assert read_reply("(A) red", labelled) == 0
    # A label on some options only is their text.
    assert read_reply("vitamin A.", ["A. vitamin A", "water", "salt"]) is None


@pytest.mark.parametrize(
    ("reply", "options", "position"),
    [
        ("A is the correct answer.", COLOURS, 0),
        ("A) red: dark.\nB) green: light.\n\nTherefore, B is correct.", COLOURS, 1),
        ("A选项不正确，B选项正确。", COLOURS, 1),
        ("I would choose C.", COLOURS, 2),
        ("Chọn C", COLOURS, 2),
        ("Chaguo sahihi ni A", COLOURS, 0),
        ("Doğru seçenek C'dir.", COLOURS, 2),
        ("정답은 2번입니다.", COLOURS, 1),
        ("2번", COLOURS, 1),
        ("답은 ③번입니다.", COLOURS, 2),
        ("答えは2番です。", COLOURS, 1),
        ("正解は 3 です", COLOURS, 2),
        ("B. It does not say so.", COLOURS, 1),
        ("$\\boxed{42}$.", NUMBERS, 2),
        ("The final answer is $42$.", NUMBERS, 2),
        ("The answer is $6.", ["$5", "$6"], 1),
        ("서울입니다.", ["서울", "부산"], 0),
        ("राजधानी पेरिस है।", ["पेरिस", "नीस"], 0),
        ("istanbul", ["Ankara", "İstanbul"], 1),
        ("The answer is no.", YES_NO, 1),
        ("The answer is: Not enough information.", ["yes", "Not enough information"], 1),
        ("A Alemanha.", ["Portugal", "Alemanha"], 1),
    ],
)
def test_how_chat_models_put_it(reply: str, options: list[str], position: int) -> None:
    assert read_reply(reply, options) == position


@pytest.mark.parametrize(
    ("reply", "options"),
    [
        ("A is wrong.", COLOURS),
        ("(A) is incorrect.", COLOURS),
        ("The answer cannot be A.", COLOURS),
        ("A isn’t the answer", COLOURS),
        ("A不对。", COLOURS),
        ("正解はAではなくBです。", COLOURS),
        ("A, B and C are correct.", COLOURS),
        ("Answer: A or B", COLOURS),
        ("Jawaban: A atau B", COLOURS),
        ("В Москве.", RUSSIAN),
        ("The answer is not no.", YES_NO),
        # "No" in these languages is also the "not" of "I do not know".
        ("Tôi không biết.", ["có", "không"]),
        ("Saya tidak tahu.", ["ya", "tidak"]),
        ("मुझे नहीं पता।", ["हाँ", "नहीं"]),
    ],
)
def test_what_is_turned_down_or_only_looks_like_an_option(reply: str, options: list[str]) -> None:
    assert read_reply(reply, options) is None


def test_labels_that_the_prompt_showed_come_first() -> None:
    assert read_reply("(3)", ["10", "20", "30"], labels=["1", "2", "3"]) == 2
    assert read_reply("1. 10\nbut rather (2)", ["10", "20", "30"], labels=["1", "2", "3"]) == 0
    assert read_reply("I take (2), as it fits", ["10", "20"], labels=["1", "2"]) == 1
    assert read_reply("I take (2), as it fits", ["10", "20"]) is None
    assert read_reply("(В)", COLOURS, labels=["А", "Б", "В", "Г"]) == 2
    assert read_reply("X", ["left", "right"], labels=["X", "Y"]) == 0


# What replies are made of, so that random ones come near to real ones.
PIECES = st.sampled_from(
    [
        *"ABCDabcd甲乙กขабв1234",
        *"().:\n ,",
        "red",
        "green",
        "42",
        "answer",
        "答案",
        "not",
        "option",
        "Question:",
    ]
)


@given(
    st.lists(PIECES, max_size=20).map(" ".join), st.sampled_from([COLOURS, RUSSIAN, NUMBERS, WORDS, YES_NO])
)
def test_never_an_index_outside_the_options(reply: str, options: list[str]) -> None:
    position = read_reply(reply, options)
    assert position is None or 0 <= position < len(options)


@given(st.text(max_size=60), st.lists(st.text(max_size=8), min_size=1, max_size=5))
def test_any_text_is_read_without_an_error(reply: str, options: list[str]) -> None:
    position = read_reply(reply, options)
    assert position is None or 0 <= position < len(options)


@given(
    st.lists(PIECES, max_size=12),
    st.text(" \n\t\u3000", max_size=4),
    st.text(" \n\t\u3000", max_size=4),
)
def test_white_space_around_changes_nothing(pieces: list[str], before: str, after: str) -> None:
    reply = " ".join(pieces)
    assert read_reply(before + reply + after, COLOURS) == read_reply(reply, COLOURS)


@given(st.permutations(COLOURS), st.sampled_from(COLOURS))
def test_a_text_is_followed_wherever_its_option_stands(options: list[str], colour: str) -> None:
    assert read_reply(f"The answer is {colour}.", options) == options.index(colour)
