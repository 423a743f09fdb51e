"""Folds: every way to what is in one opens it, and nothing in one is lost to who never does.

One page with all its sections folded stands in for those whose sections are.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import (
    IDLE,
    PHONE,
    Browser,
    Page,
    Visit,
    accessibility_faults,
    dress,
    needs_browser,
    opened,
    turning,
    until_it_ran,
    wait_for_instant_navigation,
    wake,
)
from converting import convert, pages
from firefox import FIREFOX, Firefox
from playwright.sync_api import expect
from selectolax.lexbor import LexborHTMLParser
from sources import PAGES, Source
from test_landing import OFF, WAYS, off
from test_offline import Host

HEADING = re.compile(r"(?m)^(##+ .*\{ #[\w-]+)[^}\n]*\}$")
PATH = "/en/masks/"
FIGURE = ("/en/position/", "alibi")  # a page with a figure in a fold
# Every box around an element is open, and it is drawn.
OPEN = """id => {
    const target = document.getElementById(id);
    if (!target) return false; // the other page is still to come
    const boxes = [];
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) {
        boxes.push(box.open);
    }
    return boxes.length > 0 && boxes.every(Boolean) && target.checkVisibility();
}"""
INNER = """() => {
    const inner = document.querySelector("details.fold details.fold > summary > [id]");
    const outer = inner.closest("details").parentElement.closest("details");
    return [inner.id, outer.querySelector("[id]").id];
}"""


def all_folded(page: LexborHTMLParser, body: str) -> str:
    (article,) = page.css("article.md-content__inner")
    article.inner_html = body
    return str(page.html)


@pytest.fixture(scope="module")
def host(site: Path, root: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The site, with every section of one page folded."""
    folder = tmp_path_factory.mktemp("folded")
    host = Host(site, root, folder / "site")
    for page in pages():
        if page.name == "masks":
            changed = folder / page.language / page.path.name
            changed.parent.mkdir()
            changed.write_text(HEADING.sub(r"\1 .fold }", page.path.read_text("utf-8")), "utf-8")
            name = f"{'en/' if page.language == 'en' else ''}masks/index.html"
            whole = LexborHTMLParser((host.folder / name).read_text("utf-8"))
            host.write(name, all_folded(whole, convert(replace(page, path=changed))))
    yield host
    host.leave()


@contextlib.contextmanager
def reading(browser: Browser, host: Host, **options: object) -> Iterator[Visit]:
    with opened(browser, **{**PHONE, **options}) as context:
        visit = Visit(context.new_page(), host.root)
        yield visit
        assert not visit.trouble, visit.trouble


def closed(page: Page) -> None:
    page.locator("details[open]").evaluate_all("all => all.forEach(one => { one.open = false })")


FEW = ("by_address", "within_the_page", "from_another_page")


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, id=way.__name__, marks=[] if way.__name__ in FEW else pytest.mark.slow)
        for way in WAYS
    ],
)
class TestEveryWay:
    pytestmark = needs_browser

    def test_leads_into_a_fold(
        self, browser: Browser, host: Host, way: Callable[[Page, str, str, str], None]
    ) -> None:
        with reading(browser, host) as visit:
            page = visit.page
            page.goto(host.root + PATH)
            for heading in page.evaluate(INNER):
                way(page, host.root, PATH, heading)
                page.wait_for_function(OPEN, arg=heading)
                assert abs(off(page, heading)) <= 2, heading


class TestInChromium:
    pytestmark = needs_browser

    def test_the_same_link_again_and_the_way_back(self, browser: Browser, host: Host) -> None:
        with reading(browser, host, viewport={"width": 1280, "height": 844}) as visit:
            page = visit.go(PATH)
            first, second = page.evaluate(INNER)
            for heading in (first, first, second):
                page.locator(f"nav a[href$='#{heading}']").last.click()
                page.wait_for_function(OPEN, arg=heading)
                assert abs(off(page, heading)) <= 2
                closed(page)
            page.go_back()
            page.wait_for_function(OPEN, arg=first)
            assert abs(off(page, first)) <= 2

    def test_what_the_reader_closes_stays_closed(self, browser: Browser, host: Host) -> None:
        """Touched first on the heading where the address led: the theme's script comes then."""
        with reading(browser, host, has_touch=True) as visit:
            page = visit.page
            page.goto(host.root + PATH)
            inner, outer = page.evaluate(INNER)
            page.goto("about:blank")
            page.goto(f"{host.root}{PATH}#{outer}")
            page.wait_for_function(OPEN, arg=outer)
            page.locator(f"summary:has(#{outer})").tap(position={"x": 40, "y": 20})
            page.wait_for_function("() => typeof document$ !== 'undefined'")
            page.wait_for_load_state("networkidle")
            assert not page.evaluate(OPEN, outer)
            assert page.evaluate("id => document.getElementById(id).checkVisibility()", outer)
            assert not page.evaluate("id => document.getElementById(id).checkVisibility()", inner)

    def test_a_step_within_the_page_keeps_what_is_open(self, browser: Browser, host: Host) -> None:
        """Nor is it another page that looks the same; and the way on to others stays open."""
        with reading(browser, host, viewport={"width": 1280, "height": 844}) as visit:
            page = visit.go(PATH)
            wake(page)
            wait_for_instant_navigation(page)
            page.evaluate("document.querySelector('article').dataset.mine = ''")
            page.locator("details.fold > summary").last.press("Enter")
            sections = page.locator(".md-sidebar--secondary nav a:visible")
            kept = page.locator("article[data-mine] details.fold[open]").last
            wanted = kept.locator("[id]").first.get_attribute("id")
            for at in (0, 1):
                sections.nth(at).click()
            for step in (page.go_back, page.go_back, page.go_forward):
                step()
                page.evaluate(IDLE)
                expect(kept.locator("[id]").first).to_have_attribute("id", wanted or "")
            with turning(page):
                page.locator(".md-footer__link--next").click()
            with turning(page):
                page.go_back()
            assert page.url.startswith(host.root + PATH)
            expect(page.locator("h1#masks")).to_be_visible()
            page.locator(".md-footer__link--next").evaluate("link => link.click()")
            page.go_back()  # before it came
            expect(page.locator("h1#masks")).to_be_visible()
            assert page.url.startswith(host.root + PATH)

    def test_search_finds_it(self, browser: Browser, host: Host) -> None:
        with reading(browser, host) as visit:
            page = visit.go("/en/about/")
            wake(page)
            wait_for_instant_navigation(page)
            page.keyboard.press("/")
            page.locator("#search input").fill("True means masked")
            page.locator("#search li a[href*='/en/masks/#']").first.click()
            page.wait_for_url(f"{host.root}{PATH}#*")
            heading = page.url.partition("#")[2]
            page.wait_for_function(OPEN, arg=heading)
            assert abs(off(page, heading)) <= 2

    def test_a_figure_wakes_when_it_is_seen_and_has_its_place(
        self, browser: Browser, host: Host
    ) -> None:
        with reading(browser, host) as visit:
            page = visit.go(FIGURE[0], idle=True)
            wake(page)
            figure = page.locator(f".fold .drawing__box > qkv-{FIGURE[1]}").first
            fold = "one => one.closest('details').firstElementChild.scrollIntoView()"
            figure.evaluate(fold)
            page.wait_for_load_state("networkidle")
            assert not [one.url for one in visit.loaded if f"/figures/{FIGURE[1]}.mjs" in one.url]
            figure.evaluate("one => qkv.reveal(one)")
            height = figure.evaluate("one => one.getBoundingClientRect().height")
            figure.scroll_into_view_if_needed()
            expect(figure.and_(page.locator("[data-ready]"))).to_be_attached()
            expect(figure.locator(".play__read")).not_to_be_empty()
            grown = figure.evaluate("one => one.getBoundingClientRect().height") - height
            assert abs(grown) <= 2

    def test_the_state_of_a_figure_in_the_address(self, browser: Browser, host: Host) -> None:
        with reading(browser, host) as visit:
            page = visit.go(FIGURE[0], idle=True)
            figure = page.locator(f".fold figure:has(> .drawing__box > qkv-{FIGURE[1]})").first
            name = (figure.get_attribute("id") or "").removeprefix("figure-")
            page.goto("about:blank")
            page.goto(f"{host.root}{FIGURE[0]}#figure={name}")
            expect(figure).to_be_in_viewport()
            assert figure.evaluate("one => one.checkVisibility()")

    @pytest.mark.slow
    def test_run_and_numbers(self, browser: Browser, host: Host) -> None:
        """What stands above runs first, in closed folds too."""
        with reading(browser, host) as visit:
            page = visit.go(PATH)
            third = page.locator(".fold .snippet").nth(2)
            above = page.locator(".snippet").evaluate_all(
                "(all, third) => all.indexOf(third)", third.element_handle()
            )
            third.evaluate("one => qkv.reveal(one)")
            third.locator("[data-do=run]").click()
            until_it_ran(third.locator("[role=status]"))
            says = re.compile(rf"Ran {above} earlier snippets? first\.")
            expect(third.locator("[role=status]")).to_have_text(says)
            page.locator("[data-do=numbers]").click()
            number = page.locator(".fold span.number").last
            number.evaluate("one => qkv.reveal(one)")
            number.click()
            expect(page.locator("[popover]:popover-open, dialog[open]")).to_be_visible()

    def test_one_button_opens_all(self, browser: Browser, host: Host) -> None:
        with reading(browser, host) as visit:
            page = visit.go(PATH)
            button = page.locator("[data-do=folds]")
            shut = page.locator("details.fold:not([open])")
            answers = page.locator("details:not(.fold)[open]")
            for says, left in (("Open all", 0), ("Close all", shut.count())):
                expect(button).to_have_text(says)
                button.click()
                expect(shut).to_have_count(left)
                expect(answers).to_have_count(0)
            expect(button).to_have_text("Open all")

    @pytest.mark.parametrize("scheme", ["default", pytest.param("slate", marks=pytest.mark.slow)])
    def test_by_keyboard_and_for_who_does_not_see(
        self, browser: Browser, host: Host, scheme: str
    ) -> None:
        with reading(browser, host) as visit:
            page = visit.go(PATH)
            dress(page, scheme)
            assert not accessibility_faults(page, "article")
            summary = page.locator("details.fold > summary").first
            assert (summary.bounding_box() or {})["height"] >= 44
            summary.focus()
            for attribute in ("", None):
                page.keyboard.press("Enter")
                assert summary.evaluate("one => one.parentNode.getAttribute('open')") == attribute
            expect(summary).to_be_focused()
            page.keyboard.press("Shift")  # the ring of who uses the keyboard
            assert summary.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
            page.locator("[data-do=folds]").click()
            assert not accessibility_faults(page, "article")

    def test_without_scripts_and_on_paper(self, browser: Browser, host: Host) -> None:
        with opened(browser, java_script_enabled=False) as context:
            page = context.new_page()
            page.goto(host.root + PATH)
            summary = page.locator("details.fold > summary").first
            text = page.locator("details.fold > p").first
            expect(text).to_be_hidden()
            summary.click(position={"x": 10, "y": 10})
            expect(text).to_be_visible()
            expect(page.locator(".time")).to_be_visible()
            expect(page.locator("[data-do=folds]")).to_be_hidden()
            page.reload()
            expect(text).to_be_hidden()
            page.emulate_media(media="print")
            for shown in page.locator("details p:not(.predict p)").all():  # buttons, and no answers
                expect(shown).to_be_visible()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(not FIREFOX, reason="no Firefox found: apt-get install firefox-esr")
def test_in_firefox(host: Host, tmp_path: Path) -> None:
    with contextlib.closing(Firefox(tmp_path)) as fox:
        fox.go(host.root + PATH)
        inner, outer = fox.js(f"return ({INNER})()")

        def landed(heading: str) -> None:
            fox.wait(f"({OPEN})('{heading}')")
            fox.wait(f"Math.abs(({OFF})('{heading}')) <= 2")

        for heading in (inner, outer):
            fox.go("about:blank")
            fox.go(f"{host.root}{PATH}#{heading}")
            landed(heading)
        # From another page, by instant navigation; and the same link once more.
        fox.go(f"{host.root}/en/about/")
        fox.js("dispatchEvent(new Event('pointermove'))")
        fox.wait("typeof document$ !== 'undefined'")
        link = "Object.assign(document.createElement('a'), {{ href: '{}' }})"
        follow = (
            f"const link = {link}; document.querySelector('article').append(link); link.click();"
        )
        fox.js(follow.format(f"{host.root}{PATH}#{inner}"))
        fox.wait("document.querySelector('details.fold')")
        landed(inner)
        fox.js("for (const one of document.querySelectorAll('details')) one.open = false")
        fox.js(follow.format(f"#{inner}"))
        landed(inner)
        # Paper.
        shut = "document.querySelectorAll('article details:not([open])').length"
        before = fox.js(f"return {shut}")
        assert before
        fox.js("dispatchEvent(new Event('beforeprint'))")
        assert fox.js(f"return {shut}") == 0
        fox.js("dispatchEvent(new Event('afterprint'))")
        assert fox.js(f"return {shut}") == before


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_folded_is_taken_along_and_found(site: Path, language: str) -> None:
    folder = site / ("en" if language == "en" else "")
    index = (folder / "search/search.js").read_text("utf-8")
    some = 0
    for name in PAGES:
        page = Source(language, name)
        folds = re.findall(r"(?m)^#+ (.*?) \{ #([\w-]+) [^}\n]*\.fold\b", page.text)
        stem = name.removesuffix(".md")
        home = folder if stem == "index" else folder / stem
        twin = (home / "index.md").read_text("utf-8") if folds else ""
        for _, anchor in folds:
            assert f'id="{anchor}"' in (home / "index.html").read_text("utf-8")
            assert json.dumps(anchor) in index, (name, anchor)
            assert ".fold" not in twin
            some += 1
        notebook = home / f"{stem}.ipynb"
        if folds and notebook.exists():
            cells = {cell["id"] for cell in json.loads(notebook.read_text("utf-8"))["cells"]}
            assert {f"text-{anchor}" for _, anchor in folds} <= cells, name
    assert some
