"""Links land, and nothing moves under the reader: where the browser anchors no scrolling, too.

Every heading of every page is slow; by default the heading below one tall figure, in every way
that leads to it. That every figure fits its place on a phone: test_site.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import heights
import pytest
from browsing import (
    FRAME,
    PATIENCE,
    PHONE,
    Browser,
    Page,
    Visit,
    expect,
    needs_browser,
    opened,
    turning,
    wait_for_instant_navigation,
    wake,
)
from sources import PAGES
from test_figures import FIGURES, path_of

from theme.finish.heights import steps

pytestmark = needs_browser

PATHS = [
    f"{language}/{name.removesuffix('.md').removesuffix('index')}".rstrip("/") + "/"
    for language in ("", "/en")
    for name in PAGES
]
WIDTHS = [390, 1280]

# Safari before 2026. Adopted: instant navigation would take a style sheet away.
NO_ANCHORING = """
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { overflow-anchor: none !important }");
    document.adoptedStyleSheets.push(sheet);
"""
# Until the figures around the screen are awake, and what they changed is drawn.
SETTLED = (
    f"""async (patience) => {{
    const frame = {FRAME};
"""
    + """
    const until = performance.now() + patience;
    const figures = [...document.querySelectorAll(".drawing__box > :not(svg, img)")];
    const near = ({ top, bottom }) => bottom > -1200 && top < innerHeight + 1200;
    const asleep = () => figures.some((one) => one.checkVisibility() &&
        near(one.getBoundingClientRect()) && !one.querySelector(".play__read")?.textContent);
    for (let i = 0; i < 3; i++) await frame();
    while (asleep() && performance.now() < until) await frame();
    for (let i = 0; i < 2; i++) await frame();
    return asleep();
}"""
)
# How far a heading is from where it belongs, or from as near to it as the page can scroll.
OFF = """id => {
    const heading = document.getElementById(id);
    const { scrollMarginTop } = getComputedStyle(heading);
    const off = heading.getBoundingClientRect().top - parseFloat(scrollMarginTop);
    return Math.min(off, document.documentElement.scrollHeight - innerHeight - scrollY);
}"""
IDS = """() =>
    [...document.querySelectorAll("article :is(h1, h2, h3, h4, h5, h6)[id]")].map((one) => one.id)
"""
BELOW = """figure => {
    const after = (one) => one.compareDocumentPosition(document.getElementById(figure)) & 2;
    return [...document.querySelectorAll("article :is(h2, h3)[id]")].find(after).id;
}"""
FOLLOW = """href => {
    const link = document.createElement("a");
    link.href = href;
    document.querySelector("article").append(link);
    link.click();
    link.remove();
}"""
SHIFT = """() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value;
    }).observe({ type: "layout-shift", buffered: true });
}"""
SCROLL = (
    f"""async (times) => {{
    const frame = {FRAME};
"""
    + """
    const end = () => scrollY + innerHeight > document.documentElement.scrollHeight - 2;
    for (let i = 0; i < (times ?? Infinity) && !end(); i++) {
        scrollBy({ top: 600, behavior: "instant" });
        await frame();
        await new Promise((done) => setTimeout(done, 16));
    }
}"""
)


@contextlib.contextmanager
def reading(browser: Browser, root: str, width: int) -> Iterator[Visit]:
    options: dict[str, Any] = {**PHONE, "viewport": {"width": width, "height": 844}}
    with opened(browser, **options) as context:
        context.add_init_script(NO_ANCHORING)
        visit = Visit(context.new_page(), root)
        yield visit
        assert not visit.trouble, visit.trouble


def settle(page: Page) -> None:
    wake(page)  # a page that came with its heading in place may not have been touched yet
    asleep = page.evaluate(SETTLED, 1000 * PATIENCE)
    assert not asleep, f"{page.url}: a figure does not wake"


def off(page: Page, heading: str) -> float:
    """Pixels between a heading and where it belongs, once all is awake around it."""
    settle(page)
    found: float = page.evaluate(OFF, heading)
    return found


def by_address(page: Page, root: str, path: str, heading: str) -> None:
    page.goto("about:blank")
    page.goto(f"{root}{path}#{heading}")


def within_the_page(page: Page, root: str, path: str, heading: str) -> None:
    page.goto(root + path)
    wake(page)
    page.locator(f"nav a[href='#{heading}'], nav a[href$='/#{heading}']").last.evaluate(
        "link => link.click()"
    )


def from_another_page(page: Page, root: str, path: str, heading: str) -> None:
    page.goto(root + ("/en/about/" if path.startswith("/en/") else "/about/"))
    wake(page)
    wait_for_instant_navigation(page)
    with turning(page):
        page.evaluate(FOLLOW, f"{root}{path}#{heading}")


def from_the_other_language(page: Page, root: str, path: str, heading: str) -> None:
    other = path.removeprefix("/en") if path.startswith("/en/") else f"/en{path}"
    page.goto(f"{root}{other}#{heading}")
    settle(page)
    page.locator("a.language").click()
    page.wait_for_url(f"{root}{path}#{heading}")


def after_waking(page: Page, root: str, path: str, heading: str) -> None:
    page.goto(root + path)
    heights.wake_figures(page)
    page.evaluate(FOLLOW, f"#{heading}")


def while_scrolling(page: Page, root: str, path: str, heading: str) -> None:
    page.goto(root + path)
    wake(page)
    page.wait_for_load_state("networkidle")  # the theme's script has put the page where it was
    page.evaluate(SCROLL, 5)  # figures begin to come
    page.evaluate(FOLLOW, f"#{heading}")


WAYS: list[Callable[[Page, str, str, str], None]] = [
    by_address,
    within_the_page,
    from_another_page,
    from_the_other_language,
    after_waking,
    while_scrolling,
]


@pytest.mark.parametrize(
    ("width", "path", "figure"),
    [
        pytest.param(
            width,
            f"{language}{path_of(page)}",
            figure,
            marks=[] if (width, page) == (390, "birth-of-qkv") else pytest.mark.slow,
        )
        for width, language in zip(WIDTHS, ("", "/en"), strict=True)
        for page, figure, _ in FIGURES
    ],
)
def test_every_way_to_the_heading_below_a_figure(
    browser: Browser, root: str, width: int, path: str, figure: str
) -> None:
    with reading(browser, root, width) as visit:
        visit.page.goto(root + path)
        heading = visit.page.evaluate(BELOW, f"figure-{figure}")
        missed = {}
        for way in WAYS:
            way(visit.page, root, path, heading)
            if abs(found := off(visit.page, heading)) > 2:
                missed[way.__name__] = found
        assert not missed, f"{path}#{heading}"


SCROLL_ON = "() => scrollBy({ top: 400, behavior: 'instant' })"


def test_a_link_followed_while_the_page_still_scrolls(browser: Browser, root: str) -> None:
    """The theme writes down where the reader is a moment later: with the next page's address."""
    with reading(browser, root, 390) as visit:
        page = visit.page
        page.goto(f"{root}/about/")
        wake(page)
        wait_for_instant_navigation(page)
        slow = {"offline": False, "latency": 800, "downloadThroughput": -1, "uploadThroughput": -1}
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)

        def follow(address: str) -> None:
            with turning(page):
                for scroll in (SCROLL_ON, f"() => setTimeout({SCROLL_ON}, 300)"):  # and meanwhile
                    page.evaluate(scroll)
                page.evaluate(FOLLOW, root + address)

        follow("/masks/#causal")
        assert abs(off(page, "causal")) <= 2
        follow("/similarity/")
        assert page.evaluate("scrollY") == 0
        at = page.evaluate("scrollBy({ top: 700, behavior: 'instant' }), scrollY")
        page.wait_for_timeout(600)  # that is written down, for whoever comes back
        follow("/embedding/")
        with turning(page):
            page.go_back()
        assert page.url == f"{root}/similarity/"
        assert page.evaluate("scrollY") > at / 2
        # Whoever follows a link before the page of the history has come is on no way back.
        follow("/embedding/")
        with turning(page):
            page.go_back(wait_until="commit")
            expect(page).to_have_url(f"{root}/similarity/")
            page.evaluate(FOLLOW, f"{root}/masks/")
        expect(page).to_have_url(f"{root}/masks/")
        assert page.evaluate("scrollY") == 0


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PATHS)
def test_every_heading(browser: Browser, root: str, path: str, width: int) -> None:
    """From the last one up: each figure wakes when the heading below it has just been landed on."""
    with reading(browser, root, width) as visit:
        visit.page.goto(root + path)
        missed = {}
        for heading in reversed(visit.page.evaluate(IDS)):
            visit.page.evaluate(FOLLOW, f"#{heading}")
            if abs(found := off(visit.page, heading)) > 2:
                missed[heading] = found
        assert not missed


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if path == "/en/self-attention/" else pytest.mark.slow)
        for path in PATHS
    ],
)
def test_nothing_moves_while_scrolled_fast(
    browser: Browser, root: str, path: str, width: int
) -> None:
    with reading(browser, root, width) as visit:
        visit.page.goto(root + path)
        visit.page.evaluate(SHIFT)
        wake(visit.page)
        visit.page.evaluate(SCROLL)
        settle(visit.page)
        assert visit.page.evaluate("() => window.shift") < 0.01


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [f"{x}{path_of(y)}" for x in ("", "/en") for y in {f[0]: 0 for f in FIGURES}]
)
def test_figures_fit_their_places(browser: Browser, root: str, path: str) -> None:
    with reading(browser, root, 390) as visit:
        visit.page.goto(root + path)
        heights.wake_figures(visit.page)
        for width in (320, 360, 390, 414, 500, 640, 719, 720, 820, 960, 1280, 1600):
            visit.page.set_viewport_size({"width": width, "height": 844})
            assert not heights.misfits(visit.page), width


@pytest.mark.parametrize(
    ("samples", "found"),
    [
        ([(0, 9), (1, 8), (2, 4), (3, 4)], [(0, 9), (2, 4)]),
        ([(0, 4), (8, 9), (16, 9)], [(0, 9)]),  # somewhere before 8 it grew
        ([(0, 4), (5, 4), (6, 9), (8, 9)], [(0, 4), (6, 9)]),  # at 6 it grew
        ([(0, 9), (6, 4), (8, 4)], [(0, 9), (6, 4)]),
        ([(0, 9), (8, 4), (7, 9), (16, 4)], [(0, 9), (8, 4)]),
        ([(5, 7)], [(5, 7)]),
    ],
)
def test_steps(samples: list[tuple[float, float]], found: list[tuple[float, float]]) -> None:
    assert steps(samples, slack=1) == found
