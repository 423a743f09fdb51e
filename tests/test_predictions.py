"""A question before a snippet: the doctest holds its answer, and what is wrong with it is named."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path

import pytest
from converting import convert
from selectolax.lexbor import LexborHTMLParser

from docs.examples import sections
from theme.extensions import asked, predictions
from theme.extensions.asked import shuffled
from theme.extensions.page import Page

FENCE = '```pycon\n--8<-- "masks.pycon:{}"\n```\n'
ASKED = """!!! predict "What is added to a score that may not be seen?"
    - 0: then it keeps its weight. See [below](#zeros).
    - [-inf](=minus-infinity:2): `softmax` makes 0 of it, as $e^{-\\infty} = 0$.
    - `nan`: this comes of a row
      in which all is hidden.

"""
RIGHT = ASKED + FENCE.format("minus-infinity")
VALUE = """!!! predict value "How much weight has the last word?"
    - [0.187](=three-masks:1.3): a fifth.
    - [0.25](=given): that would be one of four.

""" + FENCE.format("three-masks")


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page("masks", "en", tmp_path / "masks.md", "../")


def said(page: Page, text: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the build says of a page with this text."""
    page.path.write_text(text, "utf-8")
    convert(page)
    return [
        record.getMessage().rpartition("/")[2]
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]


def check_named(found: list[str], line: int, message: str) -> None:
    assert any(one.startswith(f"masks.md:{line}: ") and message in one for one in found), found


@pytest.mark.parametrize("text", [RIGHT, VALUE, "- one\n\n    " + RIGHT.replace("\n", "\n    ")])
def test_what_is_right_is_not_complained_of(
    page: Page, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not said(page, re.sub(r"(?m) +$", "", text), caplog)


def test_what_is_read_of_it() -> None:
    (one,) = asked.predictions(f"# A title\n\n{RIGHT}", "masks")
    assert (one.line, one.typed, one.snippet) == (3, False, ("masks", "minus-infinity"))
    assert one.question == "What is added to a score that may not be seen?"
    assert [each.text for each in one.choices] == ["0", "-inf", "`nan`"]
    assert [each.right for each in one.choices] == [False, True, False]
    assert [each.line for each in one.choices] == [4, 5, 6]
    assert one.choices[0].says == "then it keeps its weight. See [below](#zeros)."
    assert one.choices[2].says == "this comes of a row in which all is hidden."


def test_the_order_of_choices() -> None:
    """Numbers ascend, whatever their minus; all else has an order of its own, always the same."""
    items = [choice(text) for text in ("0.5", "−2", "[0.45](=law:1)", "-0.1")]
    one = asked.Prediction(1, "", "?", False, items, ("masks", "law"), [], 0, 0)
    assert [items[at].text for at in one.order()] == ["−2", "-0.1", "0.45", "0.5"]
    orders = [shuffled(f"masks/{name}", 3) for name in "abcdefghijklmnopqrst"]
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    for at in range(3):
        assert 2 <= [order[0] for order in orders].count(at) <= 12


def choice(text: str, snippet: str = "law") -> asked.Choice:
    return asked.choice(1, text, "masks", ("masks", snippet))


@pytest.mark.parametrize(
    ("text", "chosen", "says"),
    [
        ("they double: each is linear", "they double", "each is linear"),
        ("变成两倍：分数是线性的", "变成两倍", "分数是线性的"),
        ("`x[1:]` and $a:b$: a slice", "`x[1:]` and $a:b$", "a slice"),
        ("[(3, 4)](=law:1) of them: rows", "(3, 4) of them", "rows"),
        ("10:30", "10:30", ""),
    ],
)
def test_a_choice_ends_at_its_colon(text: str, chosen: str, says: str) -> None:
    one = choice(text)
    assert (one.text, one.says) == (chosen, says)


@pytest.mark.parametrize(
    ("text", "snippet", "well"),
    [
        ("[(True, False)](=law:1)", "law", True),
        ("[True](=law:1)", "law", True),
        ("[rue](=law:1)", "law", False),
        ("[(True, True)](=law:1)", "law", False),
        ("[−0.71](=input:1.3)", "input", False),
        ("[0.71](=input:1.3)", "input", True),
        ("[0.7](=input:1.3)", "input", True),  # to half a unit of its last digit
        ("[0.72](=input:1.3)", "input", False),
        ("[7](=input:1)", "input", False),
        ("[0.71](=input:9)", "input", False),
        ("[all are positive](=input:(scaled >= 0).all())", "input", True),
        ("[all are large](=input:(scaled > 2).all())", "input", False),
        ("[nine numbers](=input:scaled.size)", "input", False),
        ("[all are large](=input:score)", "input", False),
    ],
)
def test_the_right_choice_stands_in_the_output(text: str, snippet: str, well: bool) -> None:
    one = choice(text, snippet)
    assert one.right
    if well:
        asked.stands(one, "masks", "en")
    else:
        with pytest.raises(asked.Unknown):
            asked.stands(one, "masks", "en")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("[-inf](=minus-infinity:2)", "-inf", 2, "0 right choices: exactly one has an address"),
        ("    - 0:", "    - [0](=minus-infinity:1.1):", 2, "2 right choices"),
        ("[-inf](=minus-infinity:2)", "[inf](=minus-infinity:4)", 4, "'inf' does not stand in"),
        ("minus-infinity:2", "minus-infinity:9", 4, "[minus-infinity] shows 6 lines"),
        ("minus-infinity:2", "minus-infinity:masked", 4, "masked is array("),
        ("- `nan`", "- -inf", 5, "'-inf' and '-inf' are the same answer"),
        (ASKED[ASKED.index("    - [") : -1], "", 2, "a prediction of 1 choices"),
        (": then it keeps its weight. See [below](#zeros).", "", 3, "say what this choice would"),
        ("- 0:", "- [0](#zeros):", 3, "links stand after the colon"),
        ('predict "', 'predict number "', 2, "there are 'predict' and 'predict value'"),
        (' "What is added to a score that may not be seen?"', "", 2, "a prediction asks"),
        ("```pycon", "Look:\n\n```pycon", 2, "no snippet follows"),
        ("masks.pycon:minus-infinity", "multi-head.pycon:input", 2, "[input] shows nothing"),
        ("    - 0:", "    Think.\n\n    - 0:", 3, "a list of choices, not 'Think.'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    page: Page, caplog: pytest.LogCaptureFixture, old: str, new: str, line: int, message: str
) -> None:
    text = f"\n{ASKED}{FENCE.format('minus-infinity')}"
    assert old in text
    check_named(said(page, text.replace(old, new), caplog), line, message)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("[0.25](=given)", "a quarter", 4, "'a quarter' is not a number"),
        ("[0.25](=given)", "[0.1871](=given)", 4, "'0.1871' and '0.187' are the same answer"),
        ("0.187", "0.188", 3, "'0.188' does not stand in"),
        ("0.187](=three-masks:1.3)", "0.187](=given)", 2, "0 right choices"),
    ],
)
def test_what_is_wrong_with_a_value(
    page: Page, caplog: pytest.LogCaptureFixture, old: str, new: str, line: int, message: str
) -> None:
    assert old in VALUE
    check_named(said(page, f"\n{VALUE.replace(old, new)}", caplog), line, message)


def test_the_right_choice_is_not_the_only_one_that_looks_like_output(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    wordy = RIGHT.replace("- 0:", "- Nothing:")
    assert not said(page, wordy, caplog)  # `nan` looks like output too
    found = said(page, wordy.replace("- `nan`:", "- No number:"), caplog)
    assert len(found) == 1, found
    assert found[0].startswith("masks.md:3: only the right choice looks like output")


def test_the_right_choice_is_not_always_the_first(
    page: Page, caplog: pytest.LogCaptureFixture
) -> None:
    def question(name: str, *texts: str) -> str:
        items = "".join(f"    - {text}: so it is.\n" for text in texts)
        return f'!!! predict "?"\n{items}\n{FENCE.format(name)}\n'

    first = [
        question(name, *([right, "no"] if shuffled(f"masks/{name}", 2)[0] == 0 else ["no", right]))
        for name in ("law", "in-one-call")
        for right in [f"[True](={name}:1)"]
    ]
    number = question("three-masks", "[0.045](=three-masks:1.1)", "7")
    found = said(page, "".join([*first, number]), caplog)
    assert len(found) == 1, found
    assert "the right choice is always the first" in found[0]
    caplog.clear()
    assert not said(page, "".join([*first, number.replace("7", "-7")]), caplog)


def test_where_nothing_can_be_pressed_the_question_stands_with_its_choices(page: Page) -> None:
    text = predictions.plain(f"One.\n\n{RIGHT}\nTwo.\n\n{VALUE}", page)
    assert "> **Predict: What is added to a score that may not be seen?**\n>\n> - " in text
    assert set(re.findall(r"> - (.*)\n", text)) == {"0", "-inf", "`nan`"}
    assert "> **Predict: How much weight has the last word?**\n\n```pycon" in text
    assert "(=" not in text
    assert "hidden" not in text


def made(page: Page, text: str) -> LexborHTMLParser:
    page.path.write_text(text, "utf-8")
    return LexborHTMLParser(convert(page))


def test_a_choice_is_a_button_and_what_it_means_stands_beside_it(page: Page) -> None:
    tree = made(page, RIGHT)
    (box,) = tree.css("fieldset.predict")
    assert box.attributes["data-guess"] == "masks#minus-infinity"
    (question,) = box.css("legend")
    assert question.text().endswith("What is added to a score that may not be seen?")
    shown = [button.text() for button in box.css("li > button")]
    assert sorted(shown) == ["-inf", "0", "nan"]
    assert box.css("li > button code")  # of `nan`
    (right,) = box.css("li[data-right]")
    (button,) = right.css("button")
    assert button.text() == "-inf"
    (says,) = right.css("li > span")
    assert says.text().startswith("softmax makes 0")
    assert says.css(".katex")
    (zero,) = [one for one in box.css("li") if one.css("button")[0].text() == "0"]
    assert zero.css("span")[0].text() == "Then it keeps its weight. See below."
    assert zero.css("span a[href='#zeros']")
    assert not box.css(".number")  # nothing to ask before the guess


def test_a_number_in_a_choice_is_pressed_and_cannot_be_asked(page: Page) -> None:
    text = RIGHT.replace("- 0:", "- ([0.5](=given), [0.25](=given)):")
    tree = made(page, text)
    assert "(0.5, 0.25)" in [one.text() for one in tree.css(".predict button")]
    assert not tree.css(".predict button .number")


def test_the_outputs_and_nothing_else_can_be_hidden(page: Page) -> None:
    shown = sections("masks", "en")["minus-infinity"]
    tree = made(page, f"{FENCE.format('mask')}\n{RIGHT}")
    plain, hides = tree.css(".snippet")
    assert not plain.css(".out")
    assert "".join(one.text() for one in hides.css(".out")).splitlines() == shown.output
    assert hides.css("code")[0].text().strip() == shown.text


def test_a_value_has_a_field_and_how_far_it_may_be_off(page: Page) -> None:
    tree = made(page, VALUE)
    assert not tree.css(".predict li button")
    (field,) = tree.css(".predict label > input")
    assert field.attributes["inputmode"] == "decimal"
    items = [one.attributes for one in tree.css(".predict li")]
    assert [(one["data-value"], one["data-half"]) for one in items] == [
        ("0.187", "0.0005"), ("0.25", "0.005"),
    ]  # fmt: skip
    assert ["data-right" in one for one in items] == [True, False]


def test_in_a_folder_nothing_is_pressed_and_nothing_is_hidden(page: Page) -> None:
    tree = made(replace(page, without_python="folder"), RIGHT)
    assert not tree.css(".predict :is(button, input), [data-guess]")
    assert sorted(one.text() for one in tree.css(".predict li > b")) == ["-inf", "0", "nan"]
