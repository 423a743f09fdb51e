"""pretrained: a sentence of the reader's own. A stand-in for the model; the real one has its tests.

What is read off a sentence (encoded.mjs) is compared with docs/data/pretrained.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from browsing import Visit, come, needs_browser, opened, until
from playwright.sync_api import Browser, Locator, Page, expect
from scripts import engine

from docs.data import packing, read
from docs.data import pretrained as script
from qkv_docs import softmax

PRETEND = Path(__file__).with_name("pretend_model.mjs").read_text(encoding="utf-8")
OURS = {
    language: read(f"pretrained-e5-{language}")["sentences"][3]["text"] for language in ("zh", "en")
}


@pytest.fixture(scope="module")
def encoded() -> Iterator[Any]:
    with engine("figures/encoded.mjs") as call:
        yield call


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-6, atol=1e-9)


# what is read off a sentence


def attention(rng: Any, *shape: int) -> Any:
    powers = np.exp(2 * rng.normal(size=shape))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_words_ask_with_the_mean_and_are_asked_by_the_sum(encoded: Any) -> None:
    rng = np.random.default_rng(0)
    weights, words = attention(rng, 6, 6), [[0], [1, 2], [3], [4, 5]]
    found = np.array(encoded("byWord(map, words)", map=weights.tolist(), words=words))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    pick = np.array([[i in own for i in range(6)] for own in words], dtype=float)
    close(found, pick / pick.sum(axis=1, keepdims=True) @ weights @ pick.T)
    one_each = encoded("byWord(map, words)", map=weights.tolist(), words=[[i] for i in range(6)])
    close(one_each, weights)


def test_what_the_values_add_sums_to_the_output(encoded: Any) -> None:
    rng = np.random.default_rng(1)
    row, v, words = attention(rng, 5), rng.normal(size=(5, 3)), [[0], [1, 2], [3, 4]]
    found = np.array(encoded("added(row, v, words)", row=row.tolist(), v=v.tolist(), words=words))
    close(found.sum(axis=0), row @ v)
    close(found[1], row[1:3] @ v[1:3])


def test_roles_are_those_of_the_page(encoded: Any) -> None:
    weights = attention(np.random.default_rng(2), 3, 4, 5, 5)
    found = encoded("roles((l, h) => weights[l][h], 3, 4)", weights=weights.tolist())
    names = {"next": "next token", "previous": "previous token", "first": "first token",
             "itself": "itself", "last": "last token"}  # fmt: skip
    assert [one["role"] for one in found] == list(names)
    for one in found:
        mean = script.ROLES[names[one["role"]]](weights)
        assert (one["layer"], one["head"]) == np.unravel_index(mean.argmax(), mean.shape)
        close(one["mean"], mean.max())


def test_the_line_is_that_of_the_page(encoded: Any) -> None:
    rng = np.random.default_rng(3)
    first, second, x = (rng.normal(size=(n, 4, 8)) for n in (5, 3, 1))
    line = script.Axis.between(first.mean(axis=0), second.mean(axis=0))
    given = {"first": first.tolist(), "second": second.tolist(), "x": x[0].tolist()}
    close(encoded("way(x, lineBetween(first, second))", **given), line.place(x[0]))
    found = encoded("lineBetween(first, second)", **given)
    close([layer["direction"] for layer in found], line.direction)
    close([layer["middle"] for layer in found], line.middle)


def test_cosines_are_centred_for_each_side(encoded: Any) -> None:
    rng = np.random.default_rng(4)
    a, b, mine, theirs = (rng.normal(size=s) for s in ((3, 8), (2, 8), 8, 8))
    given = {name: x.tolist() for name, x in (("a", a), ("b", b), ("c", mine), ("d", theirs))}
    x, y = a - mine, b - theirs
    wanted = x @ y.T / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(y, axis=1)
    close(encoded("centredCosines(a, c, b, d)", **given), wanted)


def test_the_centres_are_stored_for_every_layer() -> None:
    for language, stored in read("pretrained-centre").items():
        flat = packing.unpack(stored["vectors"], "int16", deflate=True)
        assert language in script.COMMON
        assert flat.size == 13 * 384
        assert 30000 < abs(flat.astype(int)).max() <= 32767  # all of the steps are used


# in a browser


def arrive(visit: Visit, language: str, state: str = "", **pretend: Any) -> tuple[Locator, Page]:
    """To the figure, with the stand-in in place of the model."""
    page = visit.page
    page.add_init_script(f"globalThis.pretend = {json.dumps(pretend)}")
    headers = {"Content-Type": "text/javascript"}
    page.route("**/model.mjs*", lambda route: route.fulfill(body=PRETEND, headers=headers))
    path = f"{'/en' if language == 'en' else ''}/pretrained/"
    place, reading = come(visit, path, "sentence")
    if state:  # as a link from somewhere else
        page.goto("about:blank")
        page.goto(f"{visit.root}{path}#figure=sentence&{state}")
        expect(reading).not_to_be_empty()
        expect(place.locator("[aria-busy]")).to_have_count(0)
    return place, page


def compute(place: Locator, text: str) -> None:
    """Type it, and wait until it is drawn."""
    box = place.locator("input[type=text]").first
    box.fill(text)
    box.press("Enter")
    first = re.findall(r"[A-Za-z]+|[\u4e00-\u9fff]", text)[0]
    expect(place.get_by_role("group", name=re.compile("^(词|word)$"))).to_contain_text(first)


def view(place: Locator, step: str) -> None:
    place.locator(f"input[value={step}]").evaluate("one => one.click()")
    expect(place.locator("[data-waiting]")).to_have_count(0)


def status(place: Locator) -> Locator:
    return place.locator(".play__source [role=status]")


@pytest.mark.browser
@needs_browser[1]
def test_nothing_is_asked_before_the_press(revisit: Visit) -> None:
    """The button says what it will fetch; the sentence stands after the # and goes nowhere."""
    place, page = arrive(revisit, "en")
    expect(status(place)).to_contain_text("fetches 22 MB (9 MB of it Python), once")
    button = place.locator("[data-compute=text]")
    expect(button).to_have_text("Fetch the model (22 MB) and compute")
    place.get_by_role("checkbox").first.press(" ")
    expect(button).to_have_text("Fetch the model (44 MB) and compute")
    place.get_by_role("checkbox").first.press(" ")
    place.locator("input[type=text]").first.fill("a secret of mine")
    expect(page).to_have_url(re.compile(r"/pretrained/#figure=sentence&text=a\+secret\+of\+mine$"))
    expect(status(place)).to_contain_text(f"still “{OURS['en']}”")
    assert page.evaluate("pretended.loads") == 0
    assert not [one for one in revisit.loaded if "/sentence/cut.mjs" in one.url]
    button.press("Enter")
    expect(place.locator(".play__read")).to_contain_text("“secret” gives 0.")
    expect(button).to_have_text("Compute")
    assert page.evaluate("[pretended.loads, pretended.everything]") == [1, False]
    assert not [one for one in revisit.loaded if "secret" in one.url.split("#")[0]]
    assert not [one for one in revisit.loaded if "/python-" in one.url]
    page.context.set_offline(True)  # all that is needed is there
    try:
        compute(place, "another bank")
        view(place, "cut")
        expect(place.locator(".play__read")).to_contain_text("all other words hidden from")
    finally:
        page.context.set_offline(False)
    assert page.evaluate("pretended.loads") == 1


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize(
    ("language", "text", "word", "other", "said"),
    [
        (
            "en",
            "The bank lends money",
            "bank",
            "苹果发布了新手机",
            r"nearest to “bank”",
        ),
        ("zh", "苹果今天降价", "苹果", "Apple is cheap today", r"与“苹果”最近的是“"),
    ],
)
def test_a_sentence_is_cut_and_compared(
    revisit: Visit, language: str, text: str, word: str, other: str, said: str
) -> None:
    place, page = arrive(revisit, language)
    reading = place.locator(".play__read")
    compute(place, text)
    place.get_by_role("radio", name=word, exact=True).evaluate("one => one.click()")
    expect(reading).to_contain_text(f"“{word}”")

    # In words and in the table the same, and a row sums to 1.
    texts = place.locator(".play__grid [data-chosen]").all_inner_texts()
    row = [float(one) for one in texts]
    assert sum(row) == pytest.approx(1, abs=0.05)
    expect(reading).to_contain_text(f"{max(row):.2f}")

    view(place, "qkv")
    assert place.locator(".play__grid:visible").count() == 5
    view(place, "values")
    expect(place.locator(".play__grid:visible")).to_have_count(
        3
    )  # with pushes, once there is a line

    view(place, "path")
    number = r"(−?\d\.\d\d)"
    at = {"en": f"goes from {number} to {number}", "zh": f"从 {number} 走到 {number}"}
    until(lambda: re.search(at[language], reading.inner_text()), reading.inner_text,
          lambda: page.wait_for_timeout(50))  # fmt: skip
    found = re.search(at[language], reading.inner_text())
    assert found
    view(place, "cut")
    asked = until(lambda: page.evaluate("pretended.cuts.at(-1)"), reading.inner_text,
                  lambda: page.wait_for_timeout(50))  # fmt: skip
    expect(reading).to_contain_text(found[2])  # where it ends without the cut
    assert (asked["layer"], asked["head"]) == (None, None)
    own = {i for i, _ in asked["tokens"]}
    assert len(own) == (1 if language == "en" else 2)  # the tokens of the word
    assert 0 in {j for _, j in asked["tokens"]}  # the marks are hidden, too
    assert not own & {j for _, j in asked["tokens"]}  # it goes on seeing itself
    place.locator("select:visible").last.select_option(index=0)  # this head only
    expect(reading).to_contain_text("L11H0")
    expect(place.locator("[data-waiting]")).to_have_count(0)
    asked = page.evaluate("pretended.cuts.at(-1)")
    assert (asked["layer"], asked["head"]) == (11, 0)

    view(place, "roles")
    button = place.locator(".play__roles button").first
    button.press("Enter")
    pressed = place.locator(".play__roles [aria-pressed=true]")
    assert "L{layer}H{head}".format(**state(page)) in pressed.inner_text()

    view(place, "compare")
    box = place.locator("form:visible input[type=text]").last
    box.fill(other)
    box.press("Enter")
    until(lambda: re.search(said, reading.inner_text()), reading.inner_text,
          lambda: page.wait_for_timeout(50))  # fmt: skip
    # Over the layers: at the one that is shown the curve is where the table is.
    layer = int(state(page)["layer"])
    curve = place.locator("svg:visible polyline").last.get_attribute("points").split()
    assert len(curve) == 13
    row = place.locator(".play__grid:visible [data-chosen]").all_inner_texts()
    highest = max(float(one.replace("−", "-")) for one in row)
    at = float(curve[layer + 1].split(",")[1])
    assert (1 - (at - 18) / (190 - 18) * 2) == pytest.approx(highest, abs=0.02)
    # The same word of the other sentence beside this one's, where it has it.
    box.fill(f"{text}, {text}" if language == "en" else f"{text}，{text}")
    before = reading.inner_text()
    box.press("Enter")
    until(lambda: reading.inner_text() != before, reading.inner_text,
          lambda: page.wait_for_timeout(50))  # fmt: skip
    view(place, "path")
    beside = {"en": "In the other sentence the same word goes from", "zh": "在另一句里，同一个词从"}
    until(lambda: beside[language] in reading.inner_text(), reading.inner_text,
          lambda: page.wait_for_timeout(50))  # fmt: skip


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("document.querySelector('qkv-sentence').state")
    return found


@pytest.mark.browser
@needs_browser[1]
def test_what_is_typed_is_text(revisit: Visit) -> None:
    """An address fills the box; it neither computes nor runs anything."""
    markup = "<img src=x onerror=alert(1)> bank"
    groups = quote("<b>x</b> y")
    place, page = arrive(
        revisit, "en", f"text={quote(markup)}&other={quote(markup)}&first={groups}&second={groups}"
    )
    boxes = place.locator("input[type=text]")
    expect(boxes.first).to_have_value(markup)
    expect(status(place)).to_contain_text("Press the button")
    assert page.evaluate("pretended.loads") == 0
    boxes.first.press("Enter")
    expect(place.get_by_role("radio", name="<img", exact=True)).to_be_attached()
    for step in ("qkv", "values", "path", "cut", "roles", "compare"):
        view(place, step)
        if step == "path":
            expect(place.locator(".play__read")).to_contain_text("Both groups are the same")
    assert place.locator(":is(img, b:not(caption b))").count() == 0


@pytest.mark.browser
@needs_browser[1]
def test_a_sentence_is_kept_on_the_device(revisit: Visit) -> None:
    place, page = arrive(revisit, "en")
    place.locator("input[type=text]").first.fill("kept for later")
    page.goto(f"{revisit.root}/pretrained/")
    revisit.loaded.clear()
    place, page = arrive(revisit, "zh")
    box = place.locator("input[type=text]").first
    expect(box).to_have_value("kept for later")
    # A link of a lesson names a view of it; one with a sentence has all of its own.
    page.evaluate("location.hash = 'figure=sentence&step=cut'")
    expect(place.locator("input[value=cut]")).to_be_checked()
    expect(box).to_have_value("kept for later")
    page.evaluate("location.hash = 'figure=sentence&step=qkv&text=of+a+friend'")
    expect(box).to_have_value("of a friend")
    expect(place.locator("input[value=cut]")).not_to_be_checked()
    place.get_by_role("button", name="还原").click()
    expect(box).to_have_value(OURS["zh"])


@pytest.mark.browser
@needs_browser[1]
def test_a_row_of_two_sentences_is_its_word(revisit: Visit) -> None:
    """The table has no marks, the sentence has: its rows are words, and a mark is none of them."""
    place, page = arrive(revisit, "en")
    reading = place.locator(".play__read")
    compute(place, "We keep money here")
    view(place, "compare")
    expect(reading).to_contain_text("the model computes both")
    expect(place.get_by_text("the model computes both")).to_have_count(1)
    box = place.locator("form:visible input[type=text]").last
    box.fill("The river bank")
    box.press("Enter")
    table = place.locator(".play__grid:visible")
    rows = ["We", "keep", "money", "here"]
    expect(table.locator("tbody th")).to_have_text(rows)
    for i, word in enumerate(rows):
        table.locator("tbody tr").nth(i).locator("td").first.click()
        expect(place.locator("[name$=word]:checked + span")).to_have_text(word)
        expect(table.locator("tr:has([data-chosen]) th")).to_have_text(word)
        page.evaluate("document.activeElement.blur()")
        expect(reading).to_contain_text(f"“{word}”")
    page.mouse.move(1, 1)  # or the caption tells of the cell below the pointer
    place.get_by_role("radio", name="<s>", exact=True).evaluate("one => one.click()")
    expect(reading).to_contain_text("<s> is no word")
    expect(table.locator("[data-chosen]")).to_have_count(0)


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_word_of_a_group_that_cannot_be_computed(revisit: Visit, language: str) -> None:
    """It is said where the groups are needed, and nowhere else; other groups are computed."""
    place, _ = arrive(revisit, language)
    reading = place.locator(".play__read")
    compute(place, "We keep money here")
    view(place, "path")
    expect(reading).to_contain_text({"en": "none for “money”", "zh": "没有给“money”的"}[language])
    fields = place.locator(".play__groups input")
    fields.first.fill("tea café")
    fields.last.fill("gold coins")
    fields.last.press("Enter")
    expect(reading).to_contain_text("why: unknown")
    expect(place.locator("[data-waiting]")).to_have_count(0)
    view(place, "roles")
    expect(place.get_by_text("why: unknown")).to_have_count(0)
    view(place, "cut")
    expect(reading).to_contain_text("why: unknown")
    fields.first.fill("tea milk")
    fields.first.press("Enter")
    expect(reading).to_contain_text(re.compile({"en": "moves from", "zh": "的终点从"}[language]))
    expect(place.get_by_text("why: unknown")).to_have_count(0)


@pytest.mark.browser
@needs_browser[1]
def test_groups_fit_the_word_or_say_for_which_they_are(revisit: Visit) -> None:
    place, _ = arrive(revisit, "en")
    reading = place.locator(".play__read")
    compute(place, "A spring of water")
    view(place, "path")
    expect(reading).to_contain_text("(1 is season, −1 is coil)")
    fields = place.locator(".play__groups input")
    fields.first.fill("summer winter")
    fields.last.fill("well river")
    expect(place.locator(".play__groups")).to_contain_text("still has the words from before")
    fields.last.press("Enter")
    expect(reading).to_contain_text("(1 is summer, −1 is well)")
    compute(place, "The bank lends money")
    expect(reading).to_contain_text("(1 is money, −1 is river)")
    place.get_by_role("radio", name="lends", exact=True).evaluate("one => one.click()")
    expect(place.get_by_text("These groups were chosen for “spring”")).to_be_visible()


@pytest.mark.browser
@needs_browser[1]
def test_a_view_leaves_layer_and_head_to_the_reader(revisit: Visit) -> None:
    """And what is told of heads is told of the one that is shown."""
    place, page = arrive(revisit, "en", "layer=3&head=5")
    reading = place.locator(".play__read")
    compute(place, "The bank lends money")
    for step in ("roles", "compare", "values", "look"):
        view(place, step)
        found = state(page)
        assert (found["step"], found["layer"], found["head"]) == (step, 3, 5)
    view(place, "roles")
    place.locator(".play__roles button").last.press("Enter")
    expect(reading).to_contain_text("the last token, </s>")
    pressed = place.locator(".play__roles [aria-pressed=true]")
    expect(pressed).to_have_count(1)
    head = place.locator("input[type=range]:visible").last
    head.press("Home" if state(page)["head"] else "End")
    expect(pressed).to_have_count(0)
    expect(reading).to_contain_text("L{layer}H{head}: “bank” gives".format(**state(page)))


@pytest.mark.browser
@needs_browser[1]
def test_what_was_left_out_or_is_unknown_is_named(revisit: Visit) -> None:
    place, _ = arrive(revisit, "en")
    compute(place, "I melt 🫠")
    expect(status(place)).to_contain_text("Not in the vocabulary: 🫠.")
    box = place.locator("input[type=text]").first
    box.fill("a" * 199 + "🫠")
    expect(box).to_have_value("a" * 199)
    expect(status(place)).to_contain_text("At most 200 characters")
    box.fill("café au lait")
    expect(status(place)).not_to_contain_text("At most")
    box.press("Enter")
    expect(status(place)).to_have_text("why: unknown. Below is still “I melt 🫠”.")


@pytest.mark.browser
@needs_browser[1]
def test_what_is_seen_has_its_words(revisit: Visit) -> None:
    """Above columns, beside colours, of a cut and of a map that is not drawn."""
    place, page = arrive(revisit, "en", "layer=0")
    reading, hints = place.locator(".play__read"), place.locator(".play__hint:visible")
    page.set_viewport_size({"width": 1280, "height": 900})
    long = "We sat on the bank of the river and looked at boats"
    compute(place, long)
    heads = place.locator(".play__grid:visible").first.locator("thead th")
    expect(heads.nth(5)).to_have_text("bank")
    expect(place.get_by_role("img", name="colours: from 0 to 1")).to_be_visible()
    view(place, "compare")
    box = place.locator("form:visible input[type=text]").last
    box.fill(long)
    box.press("Enter")
    expect(heads.nth(4)).to_have_text("bank")
    expect(reading).to_contain_text("With 1 layer passed (up to L0)")
    view(place, "cut")
    expect(hints.filter(has_text="the dotted one with it")).to_have_count(1)
    rows = [one for one in read("pretrained-e5-en")["sentences"] if not one["word"]]
    ends = [[one["path"][-1] / 100 for one in rows if one["sense"] == sense] for sense in (0, 1)]
    gaps = [abs(x - y) for side in ends for x, y in combinations(side, 2)]
    yardstick = f"{np.mean(gaps):.2f} apart on average, {max(gaps):.2f} at most"
    expect(hints.filter(has_text=yardstick)).to_have_count(1)
    place.get_by_role("checkbox", name="for every word").press(" ")
    expect(reading).to_contain_text("hidden from every word of the sentence")
    view(place, "look")
    compute(place, "x " * 70)
    expect(hints.filter(has_text="A map of 72 words would be too large")).to_have_count(1)


def test_a_difference_is_that_of_the_numbers_shown() -> None:
    with engine("figures/sentence/texts.mjs") as call:
        assert call("apart(a, b)", a=0.174, b=0.2761) == "+0.11"  # 0.17 to 0.28
        assert call("apart(a, b)", a=1.0451, b=1.0449) == "−0.01"  # 1.05 to 1.04
        assert call("apart(a, b)", a=0.4, b=0.4) == "0.00"


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize(
    ("pretend", "said"),
    [
        ({"load": "network"}, "why: network"),
        ({"sentence": "too-long"}, "why: too-long"),
    ],
)
def test_what_went_wrong_is_said(revisit: Visit, pretend: dict[str, str], said: str) -> None:
    place, page = arrive(revisit, "en", **pretend)
    box = place.locator("input[type=text]").first
    box.fill("one two three")
    box.press("Enter")
    expect(status(place)).to_contain_text(said)
    page.evaluate("pretend = {}")
    box.press("Enter")  # again
    expect(place.locator(".play__read")).to_contain_text("“three”")


@pytest.mark.browser
@needs_browser[1]
def test_what_did_not_come_is_asked_for_again(revisit: Visit) -> None:
    """The list of the model's files: a press asks anew, and says what the next will fetch."""
    place, page = arrive(revisit, "en", missing="files-lost")
    expect(status(place)).to_contain_text("why: files-lost")
    button = place.locator("[data-compute=text]")
    expect(button).to_have_text("Compute")
    button.press("Enter")
    expect(status(place)).to_contain_text("why: files-lost")
    page.evaluate("pretend = {}")
    button.press("Enter")
    expect(button).to_have_text("Fetch the model (22 MB) and compute")
    assert page.evaluate("pretended.loads") == 0


@pytest.mark.browser
@needs_browser[1]
def test_fetching_is_stopped(revisit: Visit) -> None:
    place, _ = arrive(revisit, "zh", slow=True)
    box = place.locator("input[type=text]").first
    box.fill("一句话")
    box.press("Enter")
    place.get_by_role("button", name="停止").click()
    expect(status(place)).to_have_text(f"why: stopped。下面画的还是“{OURS['zh']}”。")
    expect(place.locator("[data-compute=text]")).to_be_enabled()
    box.fill(" ")
    box.press("Enter")
    expect(status(place)).to_have_text(f"先写一句话。下面画的还是“{OURS['zh']}”。")


@pytest.mark.browser
@needs_browser[1]
def test_without_a_model_there_are_the_recorded_sentences(browser: Browser, root: str) -> None:
    with opened(browser, viewport={"width": 1280, "height": 900}) as context:
        visit = Visit(context.new_page(), root)
        place, _ = arrive(visit, "en", none=True)
        expect(status(place)).to_contain_text("has no model")
        expect(place.locator("[data-compute=text]")).to_be_hidden()
        reading = place.locator(".play__read")
        recorded = read("pretrained-e5-en")["sentences"]
        place.locator("select").first.select_option(label=recorded[1]["text"])
        view(place, "path")
        expect(reading).to_contain_text(f"to {recorded[1]['path'][-1] / 100:.2f} ")
        view(place, "cut")
        expect(reading).to_contain_text(f"{recorded[1]['alone'][-1] / 100:.2f}".replace("-", "−"))
        assert not visit.trouble


@pytest.mark.browser
@needs_browser[1]
def test_a_recorded_sentence_is_taken_apart(revisit: Visit) -> None:
    """Without a press: what the tables show of one head is what is stored."""
    place, _ = arrive(revisit, "en", none=True)
    data = read("pretrained-e5-en")
    sentence = data["sentences"][3]
    size = (data["layers"], data["heads"], len(sentence["pieces"]))
    weights = packing.unpack(sentence["weights"], "uint8", deflate=True)
    row = weights.reshape(*size, size[-1])[11, 0, sentence["own"][0]] / 100

    def column(title: str) -> list[float]:
        table = place.locator(f".play__grid:visible:has(caption b:text-is('{title}'))")
        texts = table.locator("tbody td").all_inner_texts()
        return [float(text.replace("−", "-")) for text in texts]

    view(place, "qkv")
    np.testing.assert_allclose(column("attention weights a"), row, atol=0.0051)
    np.testing.assert_allclose(softmax(np.array(column("scaled scores"))), row, atol=0.03)
    view(place, "values")
    parts = packing.unpack(sentence["parts"], "int16", deflate=True).reshape(size)[11, 0] / 1000
    np.testing.assert_allclose(column("push"), parts, atol=0.0051)
    place.locator("input[type=range]").last.press("End")  # a head without its own q, K and V
    view(place, "qkv")
    reading = place.locator(".play__read")
    expect(reading).to_contain_text("have q, k and v of L2H6, L4H5, L11H0 only")


# with the real model


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_real_model_says_what_the_page_says(revisit: Visit, language: str) -> None:
    """One of the page's sentences, computed here: its path, and where it ends without its context
    and without one head."""
    page = revisit.page
    place, reading = come(revisit, f"{'/en' if language == 'en' else ''}/pretrained/", "sentence")
    if not page.locator("script[data-model]").count():
        pytest.skip("the site was built without the model")
    assert not [one for one in revisit.loaded if re.search(r"model/.*\.bin|\.wasm", one.url)]
    text, word = OURS[language], {"en": "Apple", "zh": "苹果"}[language]
    place.locator("[data-compute=text]").press("Enter")

    def pause() -> None:
        page.wait_for_timeout(100)

    until(
        lambda: page.evaluate("Boolean(document.querySelector('qkv-sentence').shown.live)"),
        lambda: status(place).inner_text() + str(len(revisit.loaded)),
        pause,
    )
    view(place, "path")
    row = next(one for one in read("pretrained")["head"]["sentences"] if one["text"] == text)
    of_word = next(one for one in read("pretrained")["words"] if one["word"] == word.lower())
    alone = next(one for one in of_word["sentences"] if one["text"] == text)

    def says(*numbers: float) -> None:
        written = [f"{x:.2f}".replace("-", "−") for x in numbers]
        until(
            lambda: all(one in reading.inner_text() for one in written),
            lambda: status(place).inner_text() + reading.inner_text(),
            pause,
        )

    says(alone["before"], row["after"])
    view(place, "cut")
    says(row["after"], alone["sees_only_itself"])
    place.locator("select:visible").last.select_option(index=0)  # this head only
    says(row["after"], row["after_without_this_head"])

    view(place, "compare")  # with the same sentence in the other language
    place.locator("[data-compute=other]").press("Enter")
    other = {"en": "苹果", "zh": "Apple"}[language]
    until(
        lambda: f"“{other}”" in reading.inner_text(),
        lambda: status(place).inner_text() + reading.inner_text(),
        pause,
    )
