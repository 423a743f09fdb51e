"""Asking a number where it comes from: by pointer, by keyboard, by touch, and not at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

import pytest
from browsing import (
    Visit,
    accessibility_faults,
    needs_browser,
    opened,
    wait_for_instant_navigation,
    wake,
)
from playwright.sync_api import Browser, Locator, Page, expect
from sources import DOCS, ROOT

from docs import data
from theme.numbers import addresses, answers, source

pytestmark = needs_browser
PATHS = {"zh": "/self-attention/", "en": "/en/self-attention/"}
# One in the sight of who opens nothing, one in a closed fold.
WEIGHTS = "figcaption [data-from='weights:3.2']"
FOLDED = "[data-from='scores-are-not-weights:2.2']"


def switch(page: Page) -> Locator:
    return page.locator("[data-do=numbers]")


def asking(visit: Visit, language: str) -> Page:
    page = visit.page
    page.goto(visit.root + PATHS[language])
    switch(page).click()
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".ask [role=status]")).not_to_be_empty()
    return page


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_who_does_not_ask_meets_nothing_of_it(visit: Visit, language: str) -> None:
    page = visit.go(PATHS[language], idle=True)
    wake(page)
    bare = "all => all.every(one => one.getAttributeNames().sort().join() === 'class,data-from')"
    assert page.locator("span.number").count() > 15
    assert page.locator("span.number").evaluate_all(bare)
    assert not [r.url for r in visit.loaded if "/numbers" in r.url]
    # What it costs: the spans, their addresses, the switch and its line of style.
    with_it = page.evaluate("document.documentElement.outerHTML")
    page.locator("span.number").evaluate_all(
        "all => all.forEach(n => n.replaceWith(...n.childNodes))"
    )
    page.locator(".ask").evaluate("one => one.remove()")
    without = page.evaluate("document.documentElement.outerHTML").replace(".ask", "")
    sizes = [len(gzip.compress(html.encode(), 6)) for html in (with_it, without)]
    assert 0 < sizes[0] - sizes[1] <= 2000


def leads_to(page: Page, name: str) -> None:
    snippet = page.locator(f".snippet[data-name={name}]")
    expect(snippet).to_be_in_viewport()
    assert snippet.evaluate("one => one.contains(document.activeElement)")


@pytest.mark.parametrize("language", [pytest.param("zh", marks=pytest.mark.slow), "en"])
def test_by_pointer(visit: Visit, language: str) -> None:
    visit.page.set_viewport_size({"width": 1280, "height": 800})
    page = asking(visit, language)
    panel, number = page.locator("#answer"), page.locator(WEIGHTS)
    number.hover()
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("weights.round(3)")
    expect(panel).to_contain_text("[0.045, 0.768, 0.187]")
    expect(panel).to_contain_text("python -m pytest docs/examples/self-attention.pycon")
    expect(panel).to_contain_text("tests/test_pages.py")
    file, line = panel.locator("code").last.inner_text().split(":")
    assert "0.768" in (ROOT / file).read_text("utf-8").splitlines()[int(line) - 1]
    assert panel.locator("a").count() == 1  # without REPO_URL only the way to the snippet
    page.mouse.move(5, 400)
    expect(panel).to_have_count(0)
    number.click()
    page.mouse.move(5, 400)
    page.wait_for_timeout(400)  # longer than a panel stays that nothing holds
    expect(panel).to_be_visible()
    assert not accessibility_faults(page)
    panel.locator("a").click()
    expect(panel).to_have_count(0)
    leads_to(page, "weights")
    page.locator("summary:has(#scores-are-not-weights)").click()
    page.locator(FOLDED).click()
    expect(panel).to_contain_text("weights[1:, 1].round(3)")
    expect(panel).to_contain_text("array([0.306, 0.768])")
    panel.locator("a").click()
    leads_to(page, "scores-are-not-weights")


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_by_keyboard(visit: Visit, language: str) -> None:
    page = visit.page
    page.goto(visit.root + PATHS[language])
    switch(page).focus()
    page.keyboard.press("Enter")
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    everywhere = page.locator("span.number[role=button]")
    numbers = everywhere.locator("visible=true")  # those of closed folds are passed over
    assert 3 < numbers.count() < everywhere.count()
    expect(numbers.first).to_have_attribute("tabindex", "0")
    assert page.locator("span.number[tabindex='0']").count() == 1
    numbers.first.focus()
    panel = page.locator("#answer")
    for key, at in (("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("Home", 0)):
        page.keyboard.press(key)
        expect(numbers.nth(at)).to_be_focused()
        expect(numbers.nth(at)).to_have_attribute("aria-describedby", "answer")
        expect(panel).to_be_visible()
        assert page.locator("span.number[tabindex='0']").count() == 1
    for at in range(1, numbers.count()):
        page.keyboard.press("ArrowRight")
        expect(numbers.nth(at)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("End")
    expect(numbers.last).to_be_focused()
    page.locator("summary:has(#scores-are-not-weights)").press("Enter")
    expect(page.locator(FOLDED)).to_be_visible()  # and one of the walk from now on
    page.locator("details:has(#scores-are-not-weights) .number").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(FOLDED)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    expect(panel.locator("a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(numbers.first).to_be_focused()
    expect(panel).to_have_count(0)
    page.keyboard.press("Enter")
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(switch(page)).to_be_focused()
    page.keyboard.press("Space")
    expect(switch(page)).to_have_attribute("aria-pressed", "false")
    assert page.locator("span.number").evaluate_all(
        "all => all.every(one => !one.hasAttribute('tabindex') && !one.hasAttribute('role'))"
    )


@pytest.fixture
def phone(browser: Browser, root: str) -> Iterator[Visit]:
    size = {"width": 390, "height": 844}
    with opened(browser, viewport=size, has_touch=True, is_mobile=True) as context:
        visit = Visit(context.new_page(), root)
        yield visit
        assert not visit.trouble, visit.trouble


@pytest.mark.parametrize("language", [pytest.param("zh", marks=pytest.mark.slow), "en"])
def test_by_touch(phone: Visit, language: str) -> None:
    page = phone.page
    page.goto(phone.root + PATHS[language])
    summary = page.locator("details.question > summary").first
    summary.evaluate("one => one.append(document.querySelector('.number').cloneNode(true))")
    switch(page).tap()
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    panel, number = page.locator("#answer"), page.locator(WEIGHTS)
    number.tap()
    expect(panel).to_be_visible()
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["y"] + box["height"] <= 844
    page.locator("h3#not-parameters").tap()
    expect(panel).to_have_count(0)
    summary.locator(".number").tap()  # is asked, and does not fold
    expect(panel).to_be_visible()
    folded = page.locator("details [data-from='weights:1']").first
    expect(folded).to_be_hidden()
    summary.tap(position={"x": 60, "y": 12})
    folded.tap()
    expect(panel).to_contain_text("weights.round(3)")
    page.locator("summary:has(#scores-are-not-weights)").tap()
    page.locator(FOLDED).tap()
    expect(panel).to_contain_text("weights[1:, 1].round(3)")


@pytest.mark.parametrize("blocked", [False, True])
def test_the_choice_is_kept(visit: Visit, blocked: bool) -> None:
    page = visit.page
    if blocked:
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } })"
        )
    asking(visit, "en")
    wake(page)
    wait_for_instant_navigation(page)
    page.evaluate("window.stayed = true")
    page.locator(".md-nav--primary a[href$='similarity/']").first.evaluate("one => one.click()")
    page.wait_for_url("**/similarity/")
    page.go_back()
    page.wait_for_url("**/self-attention/")
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    if not blocked:
        page.reload()
        expect(switch(page)).to_have_attribute("aria-pressed", "true")
        switch(page).click()
        expect(switch(page)).to_have_attribute("aria-pressed", "false")
        page.reload()
        wake(page)
    else:
        assert page.evaluate("window.stayed")
        page.reload()
        wake(page)
    expect(switch(page)).to_have_attribute("aria-pressed", "false")
    visit.trouble = [one for one in visit.trouble if not (blocked and one == "no")]


def test_where_the_table_does_not_come(visit: Visit) -> None:
    page = visit.page
    page.route("**/assets/numbers/**", lambda route: route.abort())
    page.goto(visit.root + PATHS["en"])
    switch(page).click()
    expect(page.locator(".ask [role=status]")).to_contain_text("Check the connection")
    expect(switch(page)).to_have_attribute("aria-pressed", "false")
    page.unroute("**/assets/numbers/**")
    switch(page).click()
    expect(switch(page)).to_have_attribute("aria-pressed", "true")
    assert visit.trouble
    assert all("ERR_FAILED" in one for one in visit.trouble)
    visit.trouble.clear()


def test_on_paper_there_is_nothing_of_it(visit: Visit) -> None:
    page = asking(visit, "en")
    page.emulate_media(media="print")
    page.locator(WEIGHTS).evaluate("one => { one.scrollIntoView(); one.click(); }")
    expect(page.locator("#answer")).to_have_count(1)
    expect(page.locator("#answer")).to_be_hidden()
    expect(page.locator(".ask")).to_be_hidden()
    look = "one => getComputedStyle(one).textDecorationLine"
    assert page.locator(WEIGHTS).evaluate(look) == "none"


# The tables, without a browser.


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_address_has_an_answer(language: str) -> None:
    for path in sorted((DOCS / language).glob("*.md")):
        used = {one.address for one in source.addressed(path.read_text("utf-8"))}
        found = json.loads(answers.text(path.stem, language, "https://example.org/x/"))
        assert found["source"] == "https://example.org/x/blob/HEAD/"
        assert set(found["numbers"]) == used
        for address, parts in found["numbers"].items():
            for part in parts:
                for file in (part.get(name) for name in ("path", "test", "script")):
                    assert file is None or (ROOT / file).exists(), (path.name, address, file)


@pytest.mark.parametrize(
    ("address", "path", "words"),
    [
        ("trap:2.2", "docs/examples/why-sqrt-dk.pycon", "undivided: all 134, median 0.002"),
        ("trap:gradient_norms(1)[0].max()", "docs/examples/why-sqrt-dk.pycon", "def gradient"),
        ("data:random_attention[d_k=64,divisor=1].entropy", "docs/data/why-sqrt-dk.json",
         '{"d_k": 64, "divisor": "1"'),
        ("data:first_gradient[d_k=512,divisor=sqrt(d_k),start=unit].w_q_of_the_mean",
         "docs/data/why-sqrt-dk.json", '{"d_k": 512, "divisor": "sqrt(d_k)", "start": "unit"'),
    ],
)  # fmt: skip
def test_an_answer_names_the_line(address: str, path: str, words: str) -> None:
    (one,) = addresses.parse(address, "why-sqrt-dk")
    answer = answers.answer(one, "why-sqrt-dk", "en")
    assert answer["path"] == path
    assert words in (ROOT / path).read_text("utf-8").splitlines()[answer["line"] - 1]
    assert answer["command"]
    assert answer["output"]


@pytest.mark.parametrize(
    ("file", "command", "script"),
    [
        ("why-sqrt-dk", "python -m docs.data.why_sqrt_dk", "docs/data/why_sqrt_dk.py"),
        ("kv-cache-decoder", "python -m docs.data.decoder", "docs/data/decoder.py"),
        ("induction-heads-decoder", "python -m docs.data.decoder_induction",
         "docs/data/decoder_induction.py"),
        ("where-weights-come-from", "python -m docs.data.where_weights_come_from",
         "docs/data/where_weights_come_from.py"),
        ("flash-attention", "make benchmark", "benchmarks/attention.py"),
    ],
)  # fmt: skip
def test_an_answer_names_the_script_that_its_command_runs(
    file: str, command: str, script: str
) -> None:
    (one,) = addresses.parse(f"{file}.json:{next(iter(data.read(file)))}", file)
    answer = answers.answer(one, file, "en")
    assert answer["command"].startswith(command)
    assert answer["script"] == script


def test_an_answer_in_words_is_said_to_be_true() -> None:
    (one,) = addresses.parse("weights:weights.shape == (3, 3)", "self-attention")
    assert answers.answer(one, "self-attention", "en")["output"] == "True"
