"""The options' labels of every script: where they stand as labels, and where the same letters are words."""

from __future__ import annotations

import pytest

from crossin.items.replies import read_reply
from crossin.items.replies.series import labels_for
from crossin.items.replies.texts import data

FRUIT = ["apple", "pear", "plum", "none of them"]
NINE = [*FRUIT, "cherry", "lemon", "melon", "grape", "peach"]

# Language, labels of the first four options, shapes of a reply.
SHAPES = [
    ("fa", "الف ب ج د", ["پاسخ: {}", "گزینه {}", "گزینه\u200cی {}", "گزینه {} درست است.", "{}-", "«{}»"]),
    ("ar", "أ ب ج د", ["الإجابة: {}", "الإجابة الصحيحة هي {}.", "الخيار {}", "{}-", "{} هو الصحيح"]),
    ("ar", "ا ب ج د", ["الجواب هو ({})", "{}."]),
    ("ar", "أ ب ت ث", ["الإجابة: {}", "الإجابة هي: {}، لأنها صحيحة"]),
    ("ur", "الف ب ج د", ["درست جواب {} ہے۔", "{}۔", "آپشن {} درست ہے"]),
    ("ps", "الف ب ج د", ["ځواب: {}", "سم ځواب {} دی."]),
    ("he", "א ב ג ד", ["תשובה: {}", "התשובה הנכונה היא {}.", "תשובה {}'", "התשובה היא {}׳", "אפשרות {}"]),
    ("syr", "ܐ ܒ ܓ ܕ", ["({})", "{}"]),
    ("km", "ក ខ គ ឃ", ["ចម្លើយ៖ {}", "ចម្លើយត្រឹមត្រូវគឺ {}។", "ចម្លើយគឺ\u200b{}\u200bព្រោះវាត្រូវ", "{}។ ព្រោះ"]),
    ("my", "က ခ ဂ ဃ", ["အဖြေ - {}", "အဖြေမှာ {} ဖြစ်သည်။", "အဖြေမှန်မှာ ({}) ဖြစ်ပါသည်။", "{}။"]),
    ("lo", "ກ ຂ ຄ ງ", ["ຄຳຕອບ: {}", "ຄໍາຕອບທີ່ຖືກຕ້ອງແມ່ນ {}.", "ຂໍ້ {}"]),
    ("th", "ก ข ค ง", ["คำตอบที่ถูกต้องคือ {}.", "ข้อ {}", "ตอบข้อ{}", "คำตอบคือ\u200b{}\u200bเพราะ"]),
    ("hi", "क ख ग घ", ["उत्तर: {}", "सही उत्तर {} है।", "विकल्प {} सही है", "{}) "]),
    ("hi", "अ ब स द", ["उत्तर: {}", "सही उत्तर {} है।", "विकल्प ({}) सही है"]),
    ("hi", "ए बी सी डी", ["उत्तर: {}", "सही उत्तर {} है।"]),
    ("ne", "क ख ग घ", ["सही उत्तर {} हो।"]),
    ("bn", "ক খ গ ঘ", ["সঠিক উত্তর হলো {}।", "{}।"]),
    ("pa", "ੳ ਅ ੲ ਸ", ["ਸਹੀ ਜਵਾਬ {} ਹੈ।", "({})"]),
    ("or", "କ ଖ ଗ ଘ", ["ଉତ୍ତର: {}", "{}।"]),
    ("ta", "அ ஆ இ ஈ", ["விடை: {}", "சரியான பதில் ({}).", "பதில்: {} ஆகும்"]),
    ("te", "అ ఆ ఇ ఈ", ["సమాధానం: {}", "సరైన సమాధానం {}."]),
    ("te", "ఎ బి సి డి", ["సరైన సమాధానం {}.", "ఎంపిక {}"]),
    ("kn", "ಎ ಬಿ ಸಿ ಡಿ", ["ಸರಿಯಾದ ಉತ್ತರ {}."]),
    ("ml", "എ ബി സി ഡി", ["ശരിയായ ഉത്തരം {}."]),
    ("si", "අ ආ ඇ ඈ", ["නිවැරදි පිළිතුර {} වේ."]),
    ("bo", "ཀ ཁ ག ང", ["ལན། {}", "༼{}༽", "{}།"]),
    ("el", "Α Β Γ Δ", ["Η σωστή απάντηση είναι η {}.", "Η επιλογή {} είναι σωστή"]),
    ("el", "α β γ δ", ["Απάντηση: {}", "{})"]),
    ("ru", "А Б В Г", ["Ответ: {}", "Правильный ответ — {}.", "вариант {}"]),
    ("uk", "а б в г", ["Відповідь: {}", "{})"]),
    ("sr", "А Б В Г", ["Тачан одговор је {}."]),
    ("mn", "А Б В Г", ["Зөв хариулт: {}."]),
    ("ka", "ა ბ გ დ", ["სწორი პასუხია {}.", "პასუხი: {}, რადგან"]),
    ("hy", "Ա Բ Գ Դ", ["Պատասխան՝ {}", "Պատասխանը {} է։", "{}։"]),
    ("am", "ሀ ለ ሐ መ", ["መልስ፡ {}", "መልሱ {} ነው።", "መልሱ፡- {}"]),
    ("ko", "가 나 다 라", ["정답: {}", "정답은 {}입니다.", "{}번"]),
    ("ko", "ㄱ ㄴ ㄷ ㄹ", ["정답은 {}입니다."]),
    ("ja", "ア イ ウ エ", ["答えは{}です。", "正解は「{}」です", "選択肢{}", "{}、なぜなら"]),
    ("ja", "あ い う え", ["答え：{}", "正解は「{}」です"]),
    ("zh", "甲 乙 丙 丁", ["答案：{}", "选项{}", "{}是正确的", "答案为{}，因为"]),
    ("zh", "一 二 三 四", ["答案：{}", "答案是{}。"]),
    ("en", "I II III IV", ["Answer: {}", "The answer is {}.", "Option {}", "{})"]),
    ("en", "i ii iii iv", ["Answer: ({})", "{}.", "{})"]),
]  # fmt: skip
# Circled, bracketed and native digits and letters.
FORMS = [
    "Ⅰ Ⅱ Ⅲ Ⅳ", "🅐 🅑 🅒 🅓", "🅰️ 🅱️ 🅲 🅳", "⒜ ⒝ ⒞ ⒟", "🄐 🄑 🄒 🄓", "1️⃣ 2️⃣ 3️⃣ 4️⃣", "❶ ❷ ❸ ❹", "➀ ➁ ➂ ➃",
    "⑴ ⑵ ⑶ ⑷", "㉠ ㉡ ㉢ ㉣", "㉮ ㉯ ㉰ ㉱", "㋐ ㋑ ㋒ ㋓", "㈠ ㈡ ㈢ ㈣", "۱ ۲ ۳ ۴", "១ ២ ៣ ៤", "၁ ၂ ၃ ၄",
    "໑ ໒ ໓ ໔", "১ ২ ৩ ৪", "௧ ௨ ௩ ௪",
    "፩ ፪ ፫ ፬", "༡ ༢ ༣ ༤",
]  # fmt: skip


@pytest.mark.parametrize(("language", "labels", "shapes"), SHAPES)
def test_the_labels_of_a_script_are_read(language: str, labels: str, shapes: list[str]) -> None:
    expected = [0, 1, 2, 3]
    for shape in ["{}", "({})", *shapes]:
        read = [read_reply(shape.format(label), FRUIT, language=language) for label in labels.split()]
        assert (shape, read) == (shape, expected)


@pytest.mark.parametrize("labels", FORMS)
def test_digits_and_circled_letters_of_any_script_are_read(labels: str) -> None:
    for shape in ("{}", "Answer: {}"):
        assert [read_reply(shape.format(label), FRUIT) for label in labels.split()] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("language", "reply"),
    [
        # Within a word, or written together with one.
        ("fa", "پاسخ: الفبا"),
        ("he", "ב-1967 קם הבניין"),
        ("he", "ב־1967 קם הבניין"),
        ("th", "เล็ก"),
        ("th", "คำตอบก็แล้วแต่"),
        ("km", "ចម្លើយគឺខ្ញុំមិនទាន់ដឹង"),
        ("lo", "ກໍບໍ່ຮູ້"),
        ("hi", "कलम"),
        ("bn", "খবর"),
        ("ja", "アート"),
        ("ja", "Dデイ"),
        ("ja", "答えは青い。"),
        ("zh", "甲州"),
        ("zh", "答案是第二个"),
        ("zh", "答案是合二为一"),
        ("bo", "ཀ་ཁ"),
        ("el", "Aθήνα"),
        # As words: "and", "of", "that", "this", "I", "oh".
        ("ar", "الإجابة و لكن"),
        ("ps", "ځواب: د کابل ښار"),
        ("ps", "د کابل ښار"),
        ("my", "အဖြေ က မသေချာဘူး"),
        ("te", "సమాధానం ఈ పండు"),
        ("kn", "ಆ ಹಣ್ಣು"),
        ("ml", "ഉത്തരം: ആ പഴം"),
        ("gu", "જવાબ: એ ફળ"),
        ("hi", "सही उत्तर छोटी सी बात है"),
        ("bn", "এ ফল"),
        ("ko", "나는 모르겠다"),
        ("ko", "다 좋아요"),
        ("ko", "사과나무이(가) 맞을까요?"),
        ("ja", "あ、それは"),
        ("ru", "В 1950 году"),
        ("el", "Η μηλιά"),
        ("en", "I do not know"),
        ("en", "I, for one, cannot say"),
        ("en", "i.e. a tree"),
        ("en", "The answer is Rocky II."),
        ("en", "H. G. Wells"),
        ("es", "A un vecino"),
        # An abbreviation of "answer".
        ("ar", "ج: لا أدري"),
        # Two of them, or none.
        ("ar", "أ وب"),
        ("he", "א וב"),
        ("fa", "الف یا ب"),
        ("th", "กและข"),
        ("ko", "정답은 가와 나입니다"),
        ("zh", "甲和乙都对"),
        ("en", "Answer: I or II"),
        ("en", "Answer: 1 or 2"),
        ("fa", "ب درست نیست"),
        ("hi", "क सही नहीं है"),
        ("th", "คำตอบไม่ใช่ ก"),
    ],
)
def test_the_same_letters_as_words_or_together_are_not_read(language: str, reply: str) -> None:
    assert [
        read_reply(reply, options, language=code) for options in (FRUIT, NINE) for code in (language, None)
    ] == [None] * 4


def test_a_letter_at_two_places_is_read_only_where_one_is_among_the_options() -> None:
    # Third in أ ب ج د, fifth in أ ب ت ث ج.
    assert [read_reply("(ج)", NINE[:count], language="ar") for count in (4, 5)] == [2, None]
    # The option's text still decides.
    assert read_reply("(ج) plum", NINE[:5], language="ar") == 2
    assert [read_reply(f"({letter})", FRUIT, language="mr") for letter in "अबकड"] == [0, 1, None, 3]


def test_the_language_decides_between_series() -> None:
    assert [read_reply("ت", FRUIT, language=code) for code in ("ar", "fa", "fa-AF")] == [2, 3, 3]
    assert [read_reply("پ", FRUIT, language=code) for code in ("azb", "pnb", "ug")] == [2, 2, None]
    assert [read_reply("Б", FRUIT, language=code) for code in ("uk", "kk")] == [1, None]
    assert [read_reply("Е", NINE, language=code) for code in ("bg", "sr")] == [5, 6]
    # It looks like a Latin B unless the language is written in Cyrillic.
    assert [read_reply("В", FRUIT, language=code) for code in ("ru", "en", None)] == [2, 1, 1]


def test_a_letter_that_is_a_word_is_read_in_quotes_and_before_its_own_option() -> None:
    options = ["ஆறு", "காடு", "நகர்", "ஏரி"]
    assert [read_reply(reply, options, language="ta") for reply in ("'ஈ'", "ஈ ஏரி", "ஈ ஆறு")] == [3, 3, None]
    assert [read_reply(reply, FRUIT, language="fa") for reply in ("پاسخ: 'الف'", "'ج'")] == [0, 2]
    assert [read_reply(reply, ["лес", "дом"], language="ru") for reply in ("А лес", "А дом")] == [0, None]


def test_of_two_kana_series_the_older_one_adds_only_its_own_letters() -> None:
    assert [read_reply(letter, FRUIT) for letter in "アイロハニ"] == [0, 1, 1, 2, 3]


def test_labels_that_the_options_begin_with_come_first() -> None:
    iroha = ["イ. りんご", "ロ. なし", "ハ. すもも"]
    assert [read_reply(reply, iroha, language="ja") for reply in ("イ", "なし", "(ハ)")] == [0, 1, 2]
    assert [read_reply(reply, ["1. oak", "2. elm"]) for reply in ("2", "elm", "(1)")] == [1, 1, 0]


def test_numerals_are_no_labels_where_an_option_holds_one() -> None:
    assert read_reply("Answer: II", ["I only", "II only", "both"]) is None
    assert read_reply("答案：二", ["一天", "两天", "三天"]) is None


def test_the_data_file_repeats_no_label_within_a_series() -> None:
    sections = data("labels.yaml")
    for name in ("scripts", "languages", "older", "numerals"):
        for listed in sections[name].values():
            for series in listed:
                forms = series.replace("/", " ").split()
                assert len(forms) == len(set(forms)), series


@pytest.mark.parametrize("language", data("labels.yaml")["languages"])
def test_each_languages_first_label_is_read(language: str) -> None:
    first = data("labels.yaml")["languages"][language][0].split()[0].split("/")[-1]
    assert labels_for(FRUIT, None, language).positions[first] == 0


@pytest.mark.parametrize(
    ("language", "options", "replies"),
    [
        ("km", ["ផ្លែប៉ោម", "ផ្លែគ"], ["ចម្លើយ\u200bគឺ\u200bផ្លែ\u200bប៉ោម។", "ផ្លែ\u200bគ"]),
        ("th", ["มะม่วงสุก", "มะละกอดิบ"], ["มะม่วง\u200bสุก", "คำ\u200bตอบ\u200bคือ\u200bมะละกอ\u200bดิบ"]),
        ("lo", ["ໝາກ\u200bມ່ວງ\u200bສຸກ", "ໝາກກ້ວຍ"], ["ໝາກມ່ວງສຸກ", "ຄຳຕອບແມ່ນ ໝາກ\u2060ກ້ວຍ"]),
        ("fa", ["کتاب\u200cخانه", "می\u200cخوانم"], ["کتابخانه", "\u200fمی\u200cخوانم\u200f"]),
        ("si", ["ක්‍රීඩාව", "ගීතය රස"], ["ක්රීඩාව", "ගීතය\ufeff රස"]),
        ("ar", ["الشجرة الكبيرة", "البيت الصغير"], ["\u2067الشجرة الكبيرة\u2069", "البيت الصغـير"]),
        ("de", ["Dampf\u00adschiff", "Eisenbahn"], ["Dampfschiff", "Eisen\u00adbahn"]),
    ],
)  # fmt: skip
def test_characters_that_cannot_be_seen_change_nothing(
    language: str, options: list[str], replies: list[str]
) -> None:
    assert [read_reply(reply, options, language=language) for reply in replies] == [*range(len(options))]


@pytest.mark.parametrize(
    "reply",
    ["\u200f(ب)\u200f", "\u2067ب\u2069", "\ufeffB", "(\u200eB\u200e)", "Answer:\u200bB", "B\u200b because"],
)
def test_nor_around_a_label(reply: str) -> None:
    assert read_reply(reply, FRUIT) == 1


def test_an_option_that_ends_in_a_vowel_sign_is_found_within_a_sentence() -> None:
    assert read_reply("यह नदी गोदावरी है।", ["गोदावरी", "नर्मदा"]) == 0
    assert read_reply("ចម្លើយគឺទន្លេមេគង្គ", ["ទន្លេមេគង្គ", "ទន្លេសាប"]) == 0


def test_a_number_is_the_same_in_the_digits_of_any_script() -> None:
    assert read_reply("٤٢٫٥", ["42.5", "425"]) == 0
    assert read_reply("উত্তর: ৩১২", ["213", "312"]) == 1
