"""What must stay is kept out of the translation's way, and found again after."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from crossin.translation.protection import protect, restore
from crossin.translation.reasons import Rejection, TranslationReason
from tests.helpers.paths import REAL_DATA

ALPACA = REAL_DATA / "alpaca" / "alpaca_en.json"


@pytest.mark.parametrize(
    ("text", "kept", "kinds"),
    [
        ("See https://a.org/b?c=1#d, or www.a.org.", ["https://a.org/b?c=1#d", "www.a.org"], ["link"] * 2),
        ("Write to ann.b@mail.example.org now.", ["ann.b@mail.example.org"], ["e-mail"]),
        ("Call `f(x)` twice.", ["`f(x)`"], ["inline code"]),
        ("Run this:\n```python\nprint(1)\n```\nDone.", ["```python\nprint(1)\n```"], ["code"]),
        (
            "Here $x^2 + 1$ is \\(y\\) and \\frac{1}{2}.",
            ["$x^2 + 1$", "\\(y\\)", "\\frac{1}{2}"],
            ["math"] * 3,
        ),
        ("It costs $5 and then $10 more.", [], []),
        (
            "Dear {name}, {{user}} has ${sum} and %s.",
            ["{name}", "{{user}}", "${sum}", "%s"],
            ["variable"] * 4,
        ),
        ("A <b>bold</b> word.", ["<b>", "</b>"], ["tag"] * 2),
        ("<noinput>", ["<noinput>"], ["no input"]),
        ('Given {"a": [1, 2]} find a.', ['{"a": [1, 2]}'], ["JSON"]),
        ("Sort [3, 1, 2] please.", ["[3, 1, 2]"], ["JSON"]),
        ("The mark ⟦1⟧ is there before.", ["⟦1⟧"], ["placeholder"]),
        ("Is 5 < 6 and 7 > 6? A & B, 100% sure.", [], []),
        ("So $2\\times 3$, $5$ and $5\\theta$.", ["$2\\times 3$", "$5$", "$5\\theta$"], ["math"] * 3),
        ("It is \\boxed{6}, as \\theta_1 > 0.", ["\\boxed{6}", "\\theta"], ["math"] * 2),
        ("\\sqrt[3]{x^{2}} and \\hat{a}", ["\\sqrt[3]{x^{2}}", "\\hat{a}"], ["math"] * 2),
        (
            "M is \\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}.",
            ["\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}"],
            ["math"],
        ),
        ("\\textbf{Very} \\section{Words}", ["\\textbf", "\\section"], ["math"] * 2),
        ("\\begin{itemize}\n\\item One", ["\\begin{itemize}", "\\item"], ["math"] * 2),
        ("Hi {0} {1:>10} {x!r} {}", ["{0}", "{1:>10}", "{x!r}", "{}"], ["variable"] * 4),
        ("%1$s %2$05d %.2f %i %@", ["%1$s", "%2$05d", "%.2f", "%i", "%@"], ["variable"] * 5),
        ("%(n)d of %name%, :name", ["%(n)d", "%name%", ":name"], ["variable"] * 3),
        ("[INST] Hi [/INST]", ["[INST]", "[/INST]"], ["variable"] * 2),
        ("A &amp; B, &#169; &#x2014; C&nbsp;D", ["&amp;", "&#169;", "&#x2014;", "&nbsp;"], ["entity"] * 4),
    ],
)
def test_spans_of_each_kind_are_kept(text: str, kept: list[str], kinds: list[str]) -> None:
    found = protect(text)
    assert list(found.kept) == kept
    assert list(found.kinds) == kinds
    assert restore(found.text, found) == text


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    # twice\n    return 2 * x\n\nprint(f(3))",
        "for (int i = 0; i < 3; i++) {\n  System.out.println(i);\n}",
        "SELECT name\nFROM users\nWHERE age > 30;",
        "#include <stdio.h>\n\nint main() {\n  return 0;\n}",
        "body {\n  color: red;\n  margin: 0;\n}",
        "const add = (a, b) => a + b;\nconsole.log(add(1, 2));",
        "<ul>\n  <li>One</li>\n  <li>Two</li>\n</ul>",
        "$ pip install crossin\n$ crossin demo",
    ],
)
def test_code_without_a_fence_is_kept_and_the_prose_around_it_is_not(code: str) -> None:
    found = protect(f"This is what you asked for:\n\n{code}\n\nIt does what it should.")
    assert found.text == "This is what you asked for:\n\n⟦1⟧\n\nIt does what it should."
    assert found.kept == (code,)


@pytest.mark.parametrize(
    "prose",
    [
        "Dear Sue,\nThank you for the gift.\nLove,\nAnn",
        "1. Wash the rice: twice.\n2. Cook it (for 20 minutes).\n3. Serve.",
        "Select a city from the list, where it rains often.",
        "If you want to sleep well: drink no coffee.",
        "Ingredients:\n- 2 eggs\n- 1 cup of flour (or more)\n- salt",
        "Import duties rose. Return to sender. Class begins at nine.",
        "For example, let us say that the price is 5 and the sum is 10.",
    ],
)
def test_prose_is_no_code(prose: str) -> None:
    assert protect(prose).kept == ()


@pytest.mark.parametrize(
    "prose",
    [
        # Comparisons, arrows, hearts.
        "a<b and c>d",
        "if a<b, then c>d",
        "If x<y then stop; y>z is fine.",
        "We know that n<N and that k>m.",
        "A<B<C and D>E",
        "for i<n; i>m",
        "x < y > z, 3<5 and 7>2, a<b>c",
        "p<0.05 and q>3",
        "Temperature <t and pressure >p",
        "x <y and z> w",
        "I <3 you >.<",
        "a -> b, b <- a, c => d, 1 << 2 >> 3, a <> b",
        # Money, percentages, braces, brackets.
        "It costs $5 and then $10 more, or US$5 to A$6.",
        "Pay $five or $six; set $a, $b and $HOME to $PATH.",
        "The price in $ and in € are the same, $100 - $200 (USD).",
        "100% sure, a 5% discount, 20%d of it",
        "The set {1, 2, 3} and {it is so}.",
        "[Your Name] and [sic], [mask] and [NOTE], __init and a __b__",
        "I paid $5 and the other one costs $6; $20 in cash, $30 by card.",
        # Colons and entities within words.
        "At 12:30: go. Note:this and (a):b, and 3:2.",
        "They don&#39;t, and the caf&eacute;s won&rsquo;t.",
        # Quotation marks and apostrophes typed as backticks.
        "I don`t and you can`t.",
        "He said `hello' and `bye'.",
        # Not quite addresses.
        "user@host, e.g. a@b, www. something",
    ],
)
def test_prose_with_marks_is_not_protected(prose: str) -> None:
    assert protect(prose).kept == ()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<b>bold</b> H<b>2</b>O 10<sup>2</sup>", ["<b>", "</b>", "<b>", "</b>", "<sup>", "</sup>"]),
        ("one<br>two<br/>three<br />four", ["<br>", "<br/>", "<br />"]),
        ("A </p> and a <p> </s >", ["</p>", "<p>", "</s >"]),
        ('<a href="x">y</a>', ['<a href="x">', "</a>"]),
        ("An <img src='a>b' alt=none/>", ["<img src='a>b' alt=none/>"]),
        ("<input type=text disabled> <video controls>", ["<input type=text disabled>", "<video controls>"]),
        ("A <!-- c > d --> comment", ["<!-- c > d -->"]),
        ("It begins with <!DOCTYPE html>.", ["<!DOCTYPE html>"]),
        ("<xs:element name='a'/> <my-tag> <a.b>", ["<xs:element name='a'/>", "<my-tag>", "<a.b>"]),
        ("<think>so</think> <tool_call>", ["<think>", "</think>", "<tool_call>"]),
        ("<|im_end|> <s> <unk> <N/A>", ["<|im_end|>", "<s>", "<unk>", "<N/A>"]),
        ("Mail <a.b@c.org> now", ["<a.b@c.org>"]),
        ("See <https://a.org/x?y=1>.", ["<https://a.org/x?y=1>"]),
        ("Dear <name>, <Your Name>, <insert date here>", ["<name>", "<Your Name>", "<insert date here>"]),
        ("A List<int> and a Map<String, Integer>", ["<int>", "<String, Integer>"]),
        ("Use `a` or `b`s, not ``c``, 在函数`d`里.", ["`a`", "`b`", "``c``", "`d`"]),
        ("So $x$ and $a + b$.", ["$x$", "$a + b$"]),
        ("{% if x %}Hi{% endif %} <%= name %>", ["{% if x %}", "{% endif %}", "<%= name %>"]),
        ("Hi #{user} and %{count}, __NAME__", ["#{user}", "%{count}", "__NAME__"]),
        ("[FIRST_NAME] said [MASK]. <<SYS>>", ["[FIRST_NAME]", "[MASK]", "<<SYS>>"]),
    ],
)
def test_real_tags_and_other_spans_are_protected_whole(text: str, kept: list[str]) -> None:
    found = protect(text)
    assert list(found.kept) == kept
    assert restore(found.text, found) == text


def test_numbers_go_on_from_the_first() -> None:
    found = protect("`a` and `b`", first=7)
    assert found.text == "⟦7⟧ and ⟦8⟧"
    assert restore("⟦8⟧, ⟦ 7 ⟧", found) == "`b`, `a`"


def test_terms_come_back_translated() -> None:
    glossary = {"language model": "modelo de lenguaje", "large language model": "gran modelo de lenguaje"}
    found = protect("A Large Language Model is a language model; language models are many.", glossary)
    assert found.text == "A ⟦1⟧ is a ⟦2⟧; language models are many."
    assert restore("Un ⟦1⟧ es un ⟦2⟧.", found) == "Un gran modelo de lenguaje es un modelo de lenguaje."


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("nothing", Rejection(TranslationReason.PLACEHOLDER_MISSING, detail="⟦1⟧ (inline code)")),
        ("⟦1⟧ ⟦1⟧", Rejection(TranslationReason.PLACEHOLDER_REPEATED, detail="⟦1⟧ (inline code)")),
        ("⟦1⟧ ⟦2⟧", Rejection(TranslationReason.PLACEHOLDER_UNKNOWN)),
    ],
)
def test_a_placeholder_that_is_not_there_once_is_rejected(reply: str, expected: Rejection) -> None:
    assert restore(reply, protect("`a`")) == expected


@given(some.text(alphabet=some.sampled_from('ab 1\n`$\\{}<>/@.:%⟦⟧[]"=;()#中')))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    found = protect(text)
    assert restore(found.text, found) == text


def test_a_long_line_of_anything_is_read_in_time() -> None:
    for part in (
        *"`$\\{<⟦@/.[ =(",
        "<a ",
        "<a b=",
        '<a b="',
        "<a b",
        "a<b, c",
        "<|a",
        "</a",
        "$1",
        "\\a{",
        "&a",
        ":a",
        "%1",
        "{a:",
        "{%",
        "<%",
        "__A",
        "[A_",
    ):
        text = part * (200_000 // len(part))
        found = protect(text)
        assert restore(found.text, found) == text


def test_real_rows_come_back_as_they_were() -> None:
    if not ALPACA.exists():
        pytest.skip("needs shared/data/alpaca")
    for row in json.loads(ALPACA.read_text("utf-8"))[::40]:
        for field in ("instruction", "input", "output"):
            found = protect(row[field])
            assert restore(found.text, found) == row[field]
