"""Faults that a reader met while only reading: keys, focus, copying, storage, paper, HTML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import FRAME, IDLE, PHONE, Visit, needs_browser, open_answers, opened, wake
from playwright.sync_api import Browser, Page, expect
from selectolax.lexbor import LexborHTMLParser

pytestmark = needs_browser
WIDE = {"viewport": {"width": 1280, "height": 900}}


# ---- Tab stops

STOPS = """() => {
    const visible = (one) => one.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
    const all = "a[href], button, input, select, textarea, summary, [tabindex]";
    return [...document.querySelectorAll(all)]
        .filter((one) => one.tabIndex >= 0 && !one.disabled)
        .filter((one) => getComputedStyle(one).visibility !== "hidden" && one.checkVisibility())
        .map((one) => ({
            html: one.cloneNode().outerHTML.slice(0, 120), seen: visible(one),
            box: [one.getBoundingClientRect().left, one.getBoundingClientRect().right],
            scrolls: one.scrollWidth > one.clientWidth, name: one.localName,
        }));
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_every_tab_stop_is_there_to_be_seen(revisit: Visit, width: int) -> None:
    """Neither the results of a closed search nor the links of a closed drawer; the skip link and
    the switches that labels stand for come into sight or have their label in sight."""
    page = revisit.page
    page.set_viewport_size({"width": width, "height": 900})
    revisit.go("/en/multi-head/")
    wake(page)
    for stop in page.evaluate(STOPS):
        if re.search(r"md-skip|md-toggle|md-option|headerlink", stop["html"]):
            continue
        left, right = stop["box"]
        assert stop["seen"], stop
        assert right > 0, stop
        assert left < width, stop


def test_only_what_scrolls_sideways_is_a_tab_stop(revisit: Visit) -> None:
    page = revisit.page
    for width, most in ((390, 99), (1280, 12)):
        page.set_viewport_size({"width": width, "height": 900})
        revisit.go("/en/multi-head/")
        page.evaluate(FRAME)
        stops = [one for one in page.evaluate(STOPS) if one["name"] in ("code", "table", "div")]
        boxes = [one for one in stops if "md-search" not in one["html"]]
        assert all(one["scrolls"] for one in boxes), boxes
        assert len(boxes) <= most
        hidden = page.evaluate(
            """() => [...document.querySelectorAll(".md-typeset pre > code, .arithmatex")].filter(
                (one) => one.scrollWidth > one.clientWidth && one.tabIndex < 0
                    && one.checkVisibility()
                    && getComputedStyle(one).overflowX !== "visible").length"""
        )
        assert not hidden


def test_a_phone_shows_all_of_a_statement(revisit: Visit) -> None:
    """What is too wide for the window goes on below, further in; output stays at the edge."""
    page = revisit.go("/en/where-weights-come-from/")
    edges, lines = page.evaluate(
        """() => {
            const of = (names) => [...document.querySelectorAll(".snippet pre > code")]
                .filter((one) => one.checkVisibility())
                .flatMap((one) => [...one.querySelectorAll(names)])
                .flatMap((one) => [...one.getClientRects()]);
            const box = document.querySelector(".snippet pre > code").getBoundingClientRect();
            return [
                [...new Set(of(".gp, .go").map((one) => Math.round(one.left - box.left)))],
                of("span:not(.go, .out, .out span)").map((one) => one.right - box.right),
            ];
        }"""
    )
    assert len(edges) == 1, edges
    assert max(lines) <= 0


def test_the_skip_link_keeps_its_place(revisit: Visit) -> None:
    """Pressed before the theme's script is there, and still there when it has come."""
    page = revisit.go("/en/masks/")
    page.keyboard.press("Tab")
    expect(page.locator(".md-skip")).to_be_focused()
    page.keyboard.press("Enter")
    heading = page.locator("h1")
    expect(heading).to_be_focused()
    page.wait_for_function("() => typeof document$ !== 'undefined'")
    page.evaluate(IDLE)
    expect(heading).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('article') !== null")


# ---- What is wider than the page


def test_the_first_column_of_a_wide_table_stays(revisit: Visit) -> None:
    page = revisit.go("/en/models/")
    page.set_viewport_size({"width": 390, "height": 844})
    found = page.evaluate("""() => {
        const boxes = [...document.querySelectorAll(".md-typeset__scrollwrap")];
        return boxes.filter((box) => box.scrollWidth > box.clientWidth + 40).map((box) => {
            box.scrollLeft = box.scrollWidth;
            const { left } = box.getBoundingClientRect();
            const cells = [...box.querySelectorAll("tr > :first-child")];
            return [
                box.scrollLeft,
                Math.max(...cells.map((one) => one.getBoundingClientRect().left - left)),
                cells.filter((one) => /, 0\\)/.test(getComputedStyle(one).backgroundColor)).length,
            ];
        });
    }""")
    assert found
    for scrolled, off, transparent in found:
        assert scrolled > 0
        assert abs(off) <= 1
        assert not transparent


@pytest.mark.parametrize("path", ["/transformer/", "/pretrained/", "/birth-of-qkv/"])
def test_a_column_of_short_cells_keeps_to_one_line(revisit: Visit, path: str) -> None:
    """A number's column had taken the room from words, which broke after every letter."""
    page = revisit.go(path)
    open_answers(page)
    columns = page.evaluate("""() => {
        const lines = (cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return new Set([...range.getClientRects()].map((one) => Math.round(one.top))).size;
        };
        return [...document.querySelectorAll("table.data")].flatMap((table) =>
            [...table.querySelectorAll("thead th")].map((_, at) =>
                [...table.querySelectorAll(`tbody td:nth-child(${at + 1})`)]
                    .map((cell) => [cell.textContent.trim(), lines(cell)])));
    }""")
    short = [one for one in columns if max(len(text) for text, _ in one) <= 7]
    assert short
    assert not [cell for one in short for cell in one if cell[1] > 1]


# ---- The colours


def scheme(page: Page) -> str:
    return str(page.evaluate("document.body.getAttribute('data-md-color-scheme')"))


def test_the_reader_s_colours_are_kept_across_languages(revisit: Visit, root: str) -> None:
    page = revisit.go("/masks/")
    wake(page)
    page.locator("form[data-md-component=palette] label:visible").click()
    assert scheme(page) == "slate"
    page.click("a.language")
    expect(page).to_have_url(f"{root}/en/masks/")
    assert scheme(page) == "slate"
    wake(page)
    page.locator("form[data-md-component=palette] label:visible").click()
    page.goto(f"{root}/")
    assert scheme(page) == "default"


def test_the_system_s_colours_until_the_reader_chooses_others(browser: Browser, root: str) -> None:
    with opened(browser, color_scheme="light") as context:
        page = context.new_page()
        page.goto(f"{root}/en/masks/")

        def shown(scheme: str) -> None:
            expect(page.locator("body")).to_have_attribute("data-md-color-scheme", scheme)

        page.emulate_media(color_scheme="dark")  # before a sign of life
        shown("slate")
        wake(page)
        label = page.locator("form[data-md-component=palette] label:visible")
        expect(label).to_have_count(1)
        page.emulate_media(color_scheme="light")
        shown("default")
        page.emulate_media(color_scheme="dark")
        page.goto(f"{root}/self-attention/")  # nobody chose what the theme kept
        shown("slate")
        page.emulate_media(color_scheme="light")
        page.reload()
        shown("default")
        wake(page)
        label.click()
        for system in ("dark", "light"):
            page.emulate_media(color_scheme=system)
            page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
            shown("slate")
        page.reload()
        shown("slate")
        wake(page)
        label.click()  # back to the system's
        page.emulate_media(color_scheme="dark")
        shown("slate")


def test_the_switch_of_the_colours_by_keyboard(revisit: Visit) -> None:
    page = revisit.go("/en/")
    wake(page)
    expect(page.locator("form[data-md-component=palette] label:visible")).to_have_count(1)
    for at, key, wanted in ((0, " ", "slate"), (1, "Enter", "default"), (0, " ", "slate")):
        page.locator("[name=__palette]").nth(at).focus()
        page.keyboard.press(key)
        assert scheme(page) == wanted, key


def test_where_site_data_is_blocked_all_else_works(browser: Browser, root: str) -> None:
    refuse = """for (const name of ["localStorage", "sessionStorage", "caches", "indexedDB"]) {
        Object.defineProperty(window, name, {
            get() { throw new DOMException("denied", "SecurityError"); },
        });
    }"""
    with opened(browser, **WIDE, color_scheme="dark") as context:
        visit = Visit(context.new_page(), root)
        visit.page.add_init_script(refuse)
        page = visit.go("/en/masks/")
        assert scheme(page) == "slate"
        wake(page)
        page.locator("form[data-md-component=palette] label:visible").click()
        assert scheme(page) == "default"
        page.keyboard.press("/")
        page.keyboard.type("variance")
        expect(page.locator("#search a[href]").first).to_be_attached()
        assert not visit.trouble


# ---- Copying, and what needs scripts

SELECT = "(css) => getSelection().selectAllChildren(document.querySelector(css))"


def test_a_formula_is_copied_as_its_source_once(revisit: Visit) -> None:
    page = revisit.go("/en/why-sqrt-dk/")
    wake(page)
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((one) => /awake/.test(one.name))"
    )
    sentence = "article p:has(.katex)"
    page.evaluate(SELECT, sentence)
    page.keyboard.press("Control+C")
    text = page.evaluate("navigator.clipboard.readText()")
    sources = page.locator(sentence).first.locator("annotation").all_text_contents()
    assert sources
    for tex in sources:
        assert f"${tex}$" in text
    assert "\n" not in text.strip()
    words = page.locator(sentence).first.evaluate(
        """(paragraph) => {
            const copy = paragraph.cloneNode(true);
            copy.querySelectorAll(".katex").forEach((one) => one.replaceWith(" "));
            return copy.textContent.trim().split(/\\s+/);
        }"""
    )
    assert [word for word in words if word not in text] == []
    # Half a formula is the whole; what has none is left to the browser.
    page.evaluate(
        """(css) => {
            const [html] = document.querySelector(css).querySelectorAll(".katex-html .mord");
            getSelection().selectAllChildren(html);
        }""",
        sentence,
    )
    page.keyboard.press("Control+C")
    assert page.evaluate("navigator.clipboard.readText()").strip() == f"${sources[0]}$"
    page.evaluate(SELECT, "article h1")
    page.keyboard.press("Control+C")
    assert "$" not in page.evaluate("navigator.clipboard.readText()")


def test_without_scripts_no_button_stands_there_dead(browser: Browser, root: str) -> None:
    with opened(browser, **PHONE, java_script_enabled=False) as context:
        page = context.new_page()
        for path in ("/about/", "/en/masks/"):
            page.goto(root + path)
            for knob in page.locator("button, label.md-header__button").all():
                assert not knob.is_visible(), knob.evaluate("knob => knob.outerHTML")


@pytest.mark.parametrize("path", ["/en/", "/en/masks/", "/"])
def test_the_title_on_the_smallest_phone(revisit: Visit, path: str) -> None:
    page = revisit.page
    page.set_viewport_size({"width": 320, "height": 640})
    revisit.go(path)
    cut = page.locator(".md-header__topic").first.evaluate(
        "topic => topic.querySelector('.md-ellipsis').scrollWidth"
        " - topic.querySelector('.md-ellipsis').clientWidth"
    )
    assert cut <= 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_contents_mark_what_is_being_read(revisit: Visit) -> None:
    """From the first page on, not only after a step to another."""
    page = revisit.page
    page.set_viewport_size({"width": 1280, "height": 800})
    revisit.go("/masks/")
    wake(page)
    marked = page.locator(".md-sidebar--secondary .md-nav__link--active")
    for anchor in ("minus-infinity", "padding", "causal"):
        page.evaluate("id => document.getElementById(id).scrollIntoView()", anchor)
        expect(marked).to_have_attribute("href", re.compile(f"#{anchor}$"))


def test_paper_has_the_addresses_of_links(revisit: Visit) -> None:
    for path in ("/en/multi-head/", "/references/"):
        page = revisit.go(path)
        page.emulate_media(media="print")
        leave = "article a:not(.headerlink, .term, .citation, [href^='#'])"
        shown = page.locator(leave).evaluate_all(
            "all => all.map((one) =>"
            " [one.getAttribute('href'), getComputedStyle(one, '::after').content])"
        )
        assert shown
        for address, content in shown:
            assert address in content, (address, content)


# ---- What a conformance checker complains of


def test_the_html_of_every_page(site: Path) -> None:
    for path in site.rglob("*.html"):
        tree = LexborHTMLParser(path.read_text("utf-8"))
        for node in tree.css("[tabindex]"):
            assert re.fullmatch(r"-?\d+", node.attributes["tabindex"] or ""), (path, node.html)
        for node in tree.css("input[type=checkbox], input[type=radio]"):
            assert "autocomplete" not in node.attributes, (path, node.html)
        for node in tree.css("[href], [src]"):
            address = node.attributes.get("href") or node.attributes.get("src") or ""
            assert not re.search(r"\s", address), (path, address)
        ids = [node.attributes["id"] for node in tree.css("[id]")]
        assert len(ids) == len(set(ids)), (path, {one for one in ids if ids.count(one) > 1})
