"""A question before a snippet: the output waits for the guess, by pointer, by keyboard, or for
nobody at all, and it is there on paper and without scripts.

Every question of every page is slow; by default one choice and one value, in every way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from browsing import (
    Visit,
    accessibility_faults,
    dress,
    needs_browser,
    opened,
    turning,
    wait_for_instant_navigation,
    wake,
)
from playwright.sync_api import Browser, Locator, Page, expect
from sources import DOCS, PAGES

from theme.extensions.asked import Prediction, predictions

pytestmark = needs_browser
ASKED = {
    name: list(predictions((DOCS / "en" / f"{name}.md").read_text("utf-8"), name))
    for name in (page.removesuffix(".md") for page in PAGES if "/" not in page)
}
BLOCKED = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
UNFOLD = """box => {
    for (let fold = box; fold; fold = fold.parentElement.closest("details")) fold.open = true;
}"""
SHOWN = "one => getComputedStyle(one).visibility === 'visible'"


def page_with(wanted: Callable[[Prediction], bool]) -> tuple[str, int]:
    """A page with such a question, and the place of the question there."""
    return next(
        (name, at)
        for name, asked in ASKED.items()
        for at, one in enumerate(asked)
        if wanted(one) and not one.indent
    )


def path(language: str, name: str) -> str:
    return f"{'/en' if language == 'en' else ''}/{'' if name == 'index' else f'{name}/'}"


CHOICE = page_with(lambda one: not one.typed)
VALUE = page_with(lambda one: one.typed and len(one.choices) > 1)


def asked(page: Page, at: int) -> tuple[Locator, Locator]:
    """A question, and the outputs that wait for its answer."""
    box = page.locator(".predict").nth(at)
    box.evaluate(UNFOLD)
    outputs = box.locator("xpath=following-sibling::*[1]").locator(".out > span")
    return box, outputs


def hidden(outputs: Locator) -> bool:
    shown: list[bool] = outputs.evaluate_all(f"all => all.map({SHOWN})")
    assert shown
    assert len(set(shown)) == 1
    return not shown[0]


@pytest.fixture(params=["zh", pytest.param("en", marks=pytest.mark.slow)])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


RIGHT = {"zh": "猜对了", "en": "Right."}
ANSWER = {"zh": "答案是", "en": "The answer is"}


def test_a_choice(visit: Visit, language: str) -> None:
    name, at = CHOICE
    page = visit.go(path(language, name), idle=True)
    assert not [one.url for one in visit.loaded if "predictions" in one.url]
    box, outputs = asked(page, at)
    status, items = box.locator("[role=status]"), box.locator("li")
    right = items.evaluate_all("all => all.findIndex(one => 'right' in one.dataset)")
    wrong = (right + 1) % items.count()
    assert hidden(outputs)
    assert not box.locator("li > span").evaluate_all(
        "all => all.some(one => one.checkVisibility())"
    )
    height = outputs.first.bounding_box()
    items.nth(wrong).locator("button").click()
    expect(status).to_contain_text(ANSWER[language])
    assert not hidden(outputs)
    after = outputs.first.bounding_box()
    assert height is not None
    assert after is not None
    assert height["height"] == after["height"]
    for place in (right, wrong):
        expect(items.nth(place).locator("> span")).to_be_visible()
    said = items.nth(wrong).locator("> span").inner_text()
    assert said[:12] in status.inner_text() + str(status.text_content())
    marks = [
        items.nth(place).locator("button").evaluate("b => getComputedStyle(b, '::before').content")
        for place in (right, wrong)
    ]
    assert [mark[1] for mark in marks] == ["✓", "✗"]
    expect(items.nth(wrong).locator("button")).to_have_attribute("aria-pressed", "true")
    for scheme in ("default", "slate"):
        dress(page, scheme)
        assert not accessibility_faults(page, ".predict")
    items.nth(right).locator("button").click()
    expect(status).to_contain_text(RIGHT[language])
    box.locator("[value=again]").click()
    assert hidden(outputs)
    expect(items.first.locator("button")).to_be_focused()
    expect(items.nth(right).locator("button")).to_have_attribute("aria-pressed", "false")


def test_a_picture_that_would_tell_waits_too(visit: Visit) -> None:
    page = visit.go("/en/masks/", idle=True)
    question = page.locator(".predict:has(+ .snippet + #figure-flipped)")
    question.evaluate(UNFOLD)
    picture = page.locator("#figure-flipped > .drawing__box")
    blurred = "one => getComputedStyle(one).filter !== 'none'"
    assert picture.evaluate(blurred)
    question.locator("li button").first.click()
    expect(question.locator("[role=status]")).not_to_be_empty()
    assert not picture.evaluate(blurred)


def test_a_value(visit: Visit, language: str) -> None:
    name, at = VALUE
    page = visit.go(path(language, name))
    box, outputs = asked(page, at)
    status, field = box.locator("[role=status]"), box.locator("input")
    right, wrong = box.locator("li[data-right]"), box.locator("li:not([data-right])").first
    assert hidden(outputs)
    field.press("Enter")
    expect(status).not_to_be_empty()  # a number is asked for
    assert hidden(outputs)
    field.fill(language)
    field.press("Enter")
    expect(status).to_contain_text("1/2")
    expect(field).to_be_focused()
    assert hidden(outputs)
    value = str(right.get_attribute("data-value"))
    full_width = "".join(chr(ord(sign) + 0xFEE0) if sign != "-" else "−" for sign in value)
    for typed in (value, full_width, value.replace(".", ","), f" {value} "):
        field.fill(typed)
        field.press("Enter")
        expect(status).to_contain_text(RIGHT[language])
        assert not hidden(outputs)
        expect(wrong).to_be_hidden()
        box.locator("[value=again]").click()
        expect(field).to_have_value("")
        assert hidden(outputs)
    field.fill(str(wrong.get_attribute("data-value")))
    box.locator("[value=type]").click()
    expect(wrong).to_be_visible()
    expect(status).to_contain_text(ANSWER[language])
    field.fill("-12345.5")
    field.press("Enter")
    expect(wrong).to_be_hidden()
    expect(right).to_be_visible()
    expect(status).to_contain_text(ANSWER[language])
    assert not accessibility_faults(page, ".predict")


def test_numbers_as_people_type_them(visit: Visit) -> None:
    page = visit.go(path("en", VALUE[0]))
    asked(page, VALUE[1])[0].locator("[value=skip]").click()
    read = "async text => (await qkv.load('predictions.mjs')).readings(text)"
    for text, value in {
        "0.27": 0.27, "０．２７": 0.27, "0,27": 0.27, "−0.27": -0.27, "－０，２７": -0.27,
        "1,234": 1234, "1/4": 0.25, "25 %": 0.25, "２５％": 0.25, "1e-3": 0.001, "+5": 5,
    }.items():  # fmt: skip
        assert value in page.evaluate(read, text), text
    for text in ("", "x", "a lot", "1.2.3", "1/0", "0.5 or 0.6", "-", "%"):
        assert page.evaluate(read, text) == [], text


def test_by_keyboard(visit: Visit, language: str) -> None:
    name, at = CHOICE
    page = visit.go(path(language, name))
    box, outputs = asked(page, at)
    buttons = box.locator("li button")
    buttons.first.focus()
    page.keyboard.press("Tab")
    expect(buttons.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(box).to_have_attribute("data-said", "2")
    assert not hidden(outputs)
    box.locator("[value=again]").press("Space")
    expect(buttons.first).to_be_focused()
    page.keyboard.press("2")
    expect(box).to_have_attribute("data-said", "2")
    page.keyboard.press("Escape")  # no guess is lost by it
    expect(box).to_have_attribute("data-said", "2")
    box.locator("[value=again]").press("Enter")
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("data-said", "skip")
    expect(box.locator("[value=again]")).to_be_focused()
    assert not hidden(outputs)
    assert not box.locator("li > span").evaluate_all(
        "all => all.some(one => one.checkVisibility())"
    )


def test_running_opens_it(visit: Visit) -> None:
    name, at = CHOICE
    page = visit.go(path("en", name))
    box, outputs = asked(page, at)
    snippet = box.locator("xpath=following-sibling::*[1]")
    page.route("**/python/**", lambda route: route.abort())
    snippet.locator("[data-do=copy]").click()
    expect(snippet.locator("[role=status]")).not_to_be_empty()
    assert hidden(outputs)
    assert ">>>" not in page.evaluate("navigator.clipboard.readText()")
    snippet.locator("[data-do=run]").click()
    expect(box).to_have_attribute("data-said", "run")
    assert not hidden(outputs)
    expect(snippet.locator("[role=status]")).to_have_attribute("data-state", re.compile("bad"))
    visit.trouble.clear()


@pytest.mark.parametrize("blocked", [False, True])
def test_what_was_guessed_is_kept(visit: Visit, blocked: bool) -> None:
    name, at = CHOICE
    page = visit.page
    if blocked:
        page.add_init_script(BLOCKED)
    visit.go(path("zh", name))
    wake(page)
    wait_for_instant_navigation(page)
    box, outputs = asked(page, at)
    box.locator("li button").nth(1).click()
    expect(box).to_have_attribute("data-said", "2")
    with turning(page):
        page.locator("a.md-footer__link").first.evaluate("one => one.click()")
    with turning(page):
        page.go_back()
    expect(box).to_have_attribute("data-said", "2")
    expect(box.locator("li button").nth(1)).to_have_attribute("aria-pressed", "true")
    page.goto(visit.root + path("en", name), wait_until="domcontentloaded")  # the same question
    if blocked:
        assert hidden(outputs)
    else:
        expect(box).to_have_attribute("data-said", "2")
        assert not hidden(outputs)
        expect(box.locator("li button").nth(1)).to_have_attribute("aria-pressed", "true")
        expect(box.locator("[role=status]")).to_be_empty()  # nothing is announced
        box.locator("[value=again]").click()
        page.reload()
        assert hidden(outputs)
    visit.trouble = [one for one in visit.trouble if not (blocked and one == "no")]


@pytest.mark.parametrize("blocked", [False, True])
def test_always_show(visit: Visit, blocked: bool) -> None:
    name, at = CHOICE
    page = visit.page
    if blocked:
        page.add_init_script(BLOCKED)
    visit.go(path("en", name))
    wake(page)
    wait_for_instant_navigation(page)
    box, outputs = asked(page, at)
    always = box.locator("[value=always]")
    always.click()
    expect(always).to_have_attribute("aria-pressed", "true")
    expect(box.locator("[role=status]")).to_contain_text("every page")
    assert not hidden(page.locator(".predict + .snippet .out > span"))
    box.locator("li button").first.click()  # a question can be answered all the same
    expect(box.locator("li[data-right] > span")).to_be_visible()
    with turning(page):
        page.locator("a.md-footer__link").first.evaluate("one => one.click()")
    with turning(page):
        page.go_back()
    assert not hidden(outputs)
    expect(always).to_have_attribute("aria-pressed", "true")
    page.reload(wait_until="domcontentloaded")
    if blocked:
        assert hidden(outputs)
    else:
        assert not hidden(page.locator(".predict + .snippet .out > span"))
        expect(always).to_have_attribute("aria-pressed", "true")
        always.click()
        expect(always).to_have_attribute("aria-pressed", "false")
        box.locator("[value=again]").click()
        assert hidden(outputs)
    visit.trouble = [one for one in visit.trouble if not (blocked and one == "no")]


SHIFTS = """new PerformanceObserver((list) => {
    for (const one of list.getEntries()) (window.shifts ??= []).push(one.value);
}).observe({ type: 'layout-shift', buffered: true })"""


def test_nothing_moves_by_itself(visit: Visit) -> None:
    """Neither on a first visit, nor where guesses stand there from the first paint on."""
    name, at = CHOICE
    page = visit.page
    page.add_init_script(SHIFTS)
    for _ in range(2):
        page.goto(visit.root + path("zh", name))
        box, _outputs = asked(page, at)
        box.scroll_into_view_if_needed()
        page.wait_for_timeout(300)  # a shift that comes is reported by then
        inside = page.evaluate("(window.shifts ?? []).reduce((a, b) => a + b, 0)")
        assert inside < 0.01
        box.locator("li button").first.click()
        expect(box).to_have_attribute("data-said", "1")


def test_without_scripts(browser: Browser, root: str, language: str) -> None:
    name, at = CHOICE
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(root + path(language, name))
        box = page.locator(".predict").nth(at)
        expect(box.locator("legend")).to_be_visible()
        outputs = page.locator(".predict + .snippet .out > span")
        for one in outputs.all():
            expect(one).to_be_visible()
        for one in box.locator("button, li").all():
            expect(one).to_be_hidden()


def test_on_paper(visit: Visit, language: str) -> None:
    name, at = CHOICE
    page = visit.go(path(language, name))
    page.emulate_media(media="print")
    box, _ = asked(page, at)
    expect(box.locator("legend")).to_be_visible()
    assert not hidden(page.locator(".predict + .snippet .out > span"))
    expect(box.locator("li").first).to_be_visible()
    expect(box.locator("[value=skip]")).to_be_hidden()


@pytest.mark.parametrize("lost", ["predictions.mjs", "start.js"])
def test_where_a_script_does_not_come_the_output_does(visit: Visit, lost: str) -> None:
    name, at = CHOICE
    page = visit.page
    page.route(f"**/{lost}*", lambda route: route.abort())
    page.goto(visit.root + path("en", name))
    box, outputs = asked(page, at)
    if lost == "predictions.mjs":
        assert hidden(outputs)
        box.locator("li button").first.click()
        expect(box.locator("[role=status]")).to_contain_text("did not arrive")
    assert not hidden(outputs)
    visit.trouble = [one for one in visit.trouble if "ERR_FAILED" not in one]


@pytest.fixture
def all_pages(visit: Visit) -> Iterator[Page]:
    return iter(
        visit.go(path(language, name))
        for name, there in ASKED.items()
        if there
        for language in ("zh", "en")
    )


@pytest.mark.slow
def test_every_question_opens(all_pages: Iterator[Page]) -> None:
    """On every page, in both languages, the first choice or the right number of each."""
    for page in all_pages:
        wake(page)
        for box in page.locator(".predict").all():
            box.evaluate(UNFOLD)
            if box.locator("form").count():
                box.locator("input").fill(
                    str(box.locator("[data-right]").get_attribute("data-value"))
                )
                box.locator("[value=type]").click()
            else:
                box.locator("li button").first.click()
            expect(box.locator("[role=status]")).not_to_be_empty()
            expect(box.locator("[data-right] > :first-child")).to_be_visible()
        assert not hidden(page.locator(".predict + .snippet .out > span"))
