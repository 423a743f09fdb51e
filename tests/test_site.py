"""The built site, in a real browser: what a reader meets."""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import pytest
from browsing import (
    PATIENCE,
    Visit,
    accessibility_faults,
    awake,
    dress,
    needs_browser,
    open_answers,
    opened,
    wait_for_instant_navigation,
    wake,
)
from heights import misfits
from playwright.sync_api import Browser, Page, expect
from sources import DOCS, PAGES
from test_figures import FIGURES, share, use

NOTEBOOKS = sorted(path.stem for path in (DOCS / "en/notebooks").glob("*.ipynb"))
NAMES = [
    *(name.removesuffix(".md") for name in PAGES),
    *(f"notebooks/{name}" for name in NOTEBOOKS),
]
PATHS = [
    prefix + ("" if name == "index" else f"{name}/") for prefix in ("/", "/en/") for name in NAMES
]
pytestmark = needs_browser


SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
COPY_ALL = """async (patience) => {
    const copied = [];
    for (const snippet of document.querySelectorAll(".snippet")) {
        const status = snippet.querySelector("[role=status]");
        await new Promise((done, fail) => {
            setTimeout(fail, patience, new Error(`not copied: ${snippet.dataset.name}`));
            new MutationObserver(() => status.dataset.state === "good" && done())
                .observe(status, { attributes: true });
            snippet.querySelector("[data-do=copy]").click();
        });
        const shown = snippet.querySelector("code").textContent;
        copied.push([await navigator.clipboard.readText(), shown.includes("Traceback")]);
    }
    return copied;
}"""


def check_copies(page: Page, path: str) -> None:
    """Every Copy, through the clipboard, in order: no prompt, no output, and it runs."""
    open_answers(page)
    namespace: dict[str, object] = {}
    if "/api" in path:  # the examples of docstrings import nothing
        exec("import numpy as np; from qkv_docs import *", namespace)
    copied = page.evaluate(COPY_ALL, 1000 * PATIENCE)
    assert len(copied) == page.locator(".snippet").count()
    for code, fails in copied:
        assert ">>>" not in code
        failed = []
        for statement in ast.parse(code).body:
            try:
                exec(compile(ast.Module([statement], []), path, "exec"), namespace)
            except Exception as error:
                failed.append(error)
        assert bool(failed) == fails, (code, failed)


def check_first_view(visit: Visit) -> None:
    bodies = [response.body() for response in visit.loaded]
    figures = re.compile(rb'<svg[^>]*role="img".*?</svg>', re.S)
    size = sum(len(gzip.compress(body, 6)) for body in bodies)
    bare = sum(len(gzip.compress(figures.sub(b"", body), 6)) for body in bodies)
    urls = [response.url for response in visit.loaded]
    assert bare <= 110_000, f"{bare} bytes compressed besides the figures: {urls}"
    assert size <= 150_000, f"{size} bytes compressed: {urls}"
    assert len(urls) <= 6, urls
    assert visit.page.evaluate(SIDEWAYS) <= 0


# Every page in one of its languages; make test-all has the other.
OTHERS = {path for at, path in enumerate(PATHS) if (at + at // len(NAMES)) % 2}
EACH = [pytest.param(path, marks=pytest.mark.slow if path in OTHERS else []) for path in PATHS]


@pytest.mark.parametrize("path", EACH)
def test_page(visit: Visit, path: str) -> None:
    """Loaded once and looked at from all sides, for it is loading that takes long.

    The first view is in budget, and nothing of a figure comes before the reader's first sign of
    life; then every figure answers, fits its place and has its state in the address; nothing is
    sideways, axe objects to nothing in the light (English) or the dark (Chinese), and every Copy
    gives what runs.
    """
    language, name = ("en", path[4:]) if path.startswith("/en/") else ("zh", path[1:])
    figures = [one for page, one, _ in FIGURES if page == (name.rstrip("/") or "index")]
    page = visit.go(path, idle=True)
    check_first_view(visit)
    wake(page)
    for figure in figures:
        awake(page, figure)
    assert not misfits(page)
    used = {figure: use(page, figure, language) for figure in figures}
    dress(page, "default" if language == "en" else "slate")
    assert not accessibility_faults(page)
    assert page.evaluate(SIDEWAYS) <= 0
    check_copies(page, path)
    for figure in reversed(figures):
        share(page, figure, used[figure], anew=figure == figures[0] or path in OTHERS)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_in_the_other_colours_and_asleep(visit: Visit, path: str) -> None:
    """The colours are those of the other language's page, and so are nearly all of its parts."""
    visit.go(path)
    assert not accessibility_faults(visit.page)
    wake(visit.page)
    dress(visit.page, "slate" if path.startswith("/en/") else "default")
    assert not accessibility_faults(visit.page)


@pytest.mark.parametrize("awake", [False, True], ids=["asleep", "awake"])
def test_the_language_link_keeps_page_and_anchor(visit: Visit, root: str, awake: bool) -> None:
    page = visit.go("/why-sqrt-dk/#sources")
    if awake:
        wake(page)
    page.click("a.language")
    expect(page).to_have_url(f"{root}/en/why-sqrt-dk/#sources")
    page.wait_for_load_state("domcontentloaded")  # its script, which knows the anchor, has run
    page.click("a.language")
    expect(page).to_have_url(f"{root}/why-sqrt-dk/#sources")


def test_the_language_link_after_instant_navigation(visit: Visit, root: str) -> None:
    page = visit.go("/")
    wake(page)
    wait_for_instant_navigation(page)
    page.evaluate("window.stayed = true")
    page.locator(".md-content a[href*='queries-keys-values']").first.click()
    expect(page).to_have_url(re.compile("/queries-keys-values/"))
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    page.click("a.language")
    expect(page).to_have_url(re.compile("/en/queries-keys-values/"))


@pytest.mark.parametrize(("path", "language"), [("/nowhere/", "zh"), ("/en/no/where/", "en")])
def test_404_in_the_language_of_the_address(
    visit: Visit, root: str, path: str, language: str
) -> None:
    page = visit.go(path)
    assert page.locator("html").get_attribute("lang") == language
    page.locator("article a").first.click()
    expect(page).to_have_url(f"{root}/{'en/' if language == 'en' else ''}")
    visit.trouble.clear()  # the 404 itself


def test_404_of_a_host_that_has_one_for_all_addresses(visit: Visit, root: str) -> None:
    """As on GitHub Pages: the Chinese one, which speaks to English readers as well."""
    page = visit.go("/404.html")
    page.locator("article [lang=en] a").click()
    expect(page).to_have_url(f"{root}/en/")


def test_dark_mode_is_there_before_any_touch(browser: Browser, root: str) -> None:
    with opened(browser, color_scheme="dark") as context:
        page = context.new_page()
        page.goto(root + "/")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 27)"


def test_the_sitemaps_name_both_languages(site: Path, root: str) -> None:
    for folder in ("", "en/"):
        entries = (site / folder / "sitemap.xml").read_text("utf-8").split("<url>")[1:]
        assert len(entries) == len(NAMES)
        for entry in entries:
            (own,) = re.findall(r"<loc>(.*?)</loc>", entry)
            links = dict(re.findall(r'hreflang="([\w-]+)" href="([^"]+)"', entry))
            assert own == links["en" if folder else "zh"]
            assert links["en"] == links["zh"].replace(root, f"{root}/en")


@pytest.mark.parametrize("path", ["/api/", pytest.param("/en/api/", marks=pytest.mark.slow)])
def test_the_api_page_is_closed_to_what_is_looked_for(revisit: Visit, path: str) -> None:
    """Name, signature and a sentence of every entry, in twenty screens of a phone."""
    page = revisit.page
    page.goto(f"{revisit.root}{path}")
    tall = page.evaluate("document.documentElement.scrollHeight / innerHeight")
    assert tall < 20
    assert not page.locator("summary :is(a, .doc-contents)").count()  # a summary is a button
    entry = page.locator("details:has(> summary > #qkv_docs\\.softmax)")
    expect(entry.locator("> summary")).to_contain_text("softmax(x")
    expect(entry.locator(".snippet")).to_be_hidden()
    page.goto(f"{revisit.root}{path}#qkv_docs.softmax")
    expect(entry.locator(".snippet").first).to_be_visible()
