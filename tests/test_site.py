"""The built site, in a real browser: what a reader meets.

Needs a Chromium: `apt-get install chromium`, or the path of one in QKV_CHROMIUM.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import gzip
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright
from sources import PAGES, ROOT

NAMES = [*(name.removesuffix(".md") for name in PAGES), "notebooks/where-weights-come-from"]
PATHS = [
    prefix + ("" if name == "index" else f"{name}/") for prefix in ("/", "/en/") for name in NAMES
]
CHROMIUM = (
    os.environ.get("QKV_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM, reason="no Chromium found: apt-get install chromium, or set QKV_CHROMIUM"
    ),
]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """As a static host does: the 404 page of the language."""
        language = "en/" if self.path.startswith("/en/") else ""
        body = Path(self.directory, language, "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="session")
def root(site: Path) -> Iterator[str]:
    """The address of the site, built as a release is, for the address it is served from."""
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
        env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "SITE_URL": f"{root}/"}
        done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, env=env, check=False)
        assert done.returncode == 0, done.stderr
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield root
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Visit:
    """A page with what went wrong on it and what it loaded."""

    def __init__(self, page: Page, root: str) -> None:
        self.page, self.root = page, root
        self.trouble: list[str] = []
        self.loaded: list[Response] = []
        page.on("console", lambda m: self.trouble.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("requestfailed", self.on_failure)
        page.on("response", self.on_response)

    def on_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the reader left before it came
            self.trouble.append(f"{request.failure}: {request.url}")

    def on_response(self, response: Response) -> None:
        self.loaded.append(response)
        if not response.url.startswith((self.root, "data:", "blob:")):
            self.trouble.append(f"left the site: {response.url}")
        if response.status >= 400:
            self.trouble.append(f"{response.status}: {response.url}")

    def go(self, path: str) -> Page:
        self.page.goto(self.root + path, wait_until="networkidle")
        return self.page


@pytest.fixture
def visit(browser: Browser, root: str) -> Iterator[Visit]:
    with contextlib.closing(
        browser.new_context(
            viewport={"width": 390, "height": 844},
            permissions=["clipboard-read", "clipboard-write"],
            color_scheme="light",
        )
    ) as context:
        visit = Visit(context.new_page(), root)
        yield visit
        assert not visit.trouble, visit.trouble


def wake(page: Page) -> None:
    """The reader's first touch, after which the theme's script is there."""
    page.mouse.move(5, 5)
    page.mouse.move(9, 9)
    for _ in range(100):
        if page.evaluate("typeof document$ !== 'undefined'"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the theme's script did not come")


def accessibility_faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {node['html'][:160]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("path", PATHS)
def test_first_view(visit: Visit, path: str) -> None:
    """In budget, nothing sideways, nothing axe objects to: light, dark, asleep, awake."""
    page = visit.go(path)
    bodies = [response.body() for response in visit.loaded]
    figures = re.compile(rb'<svg[^>]*role="img".*?</svg>', re.S)
    size = sum(len(gzip.compress(body, 6)) for body in bodies)
    bare = sum(len(gzip.compress(figures.sub(b"", body), 6)) for body in bodies)
    urls = [response.url for response in visit.loaded]
    assert bare <= 110_000, f"{bare} bytes compressed besides the figures: {urls}"
    assert size <= 150_000, f"{size} bytes compressed: {urls}"
    assert len(urls) <= 6, urls
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) <= 0
    assert not accessibility_faults(page)
    wake(page)
    for scheme in ("default", "slate"):
        page.evaluate(f"document.body.setAttribute('data-md-color-scheme', '{scheme}')")
        page.wait_for_timeout(300)  # colours fade
        assert not accessibility_faults(page), scheme
    assert page.evaluate(sideways) <= 0


def open_answers(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")


@pytest.mark.parametrize("path", PATHS)
def test_copied_code_runs(visit: Visit, path: str) -> None:
    """Every Copy of the page, through the clipboard, in order: no prompt, no output."""
    page = visit.go(path)
    open_answers(page)
    namespace: dict[str, object] = {}
    if "/api/" in path:  # the examples of docstrings import nothing
        exec("import numpy as np; from qkv_docs import *", namespace)
    for snippet in page.locator(".snippet").all():
        snippet.locator("[data-do=copy]").click()
        expect(snippet.locator("[role=status]")).to_have_attribute("data-state", "good")
        code = page.evaluate("navigator.clipboard.readText()")
        assert ">>>" not in code
        tree = ast.parse(code)
        for statement in tree.body:  # what is shown failing fails; the rest runs
            with contextlib.suppress(
                ValueError, TypeError, IndexError, KeyError, FloatingPointError
            ):
                exec(compile(ast.Module([statement], []), path, "exec"), namespace)


@pytest.mark.parametrize(
    ("start", "query", "target"),
    [
        ("/", "缩放点积", "self-attention"),
        ("/", "方差", "why-sqrt-dk"),
        ("/", "scaled dot product", "attention"),
        ("/en/", "scaled dot product", "attention"),
        ("/en/", "variance", "why-sqrt-dk"),
    ],
)
def test_search(visit: Visit, start: str, query: str, target: str) -> None:
    """From the keyboard, the first key pressed included."""
    page = visit.go(start)
    page.keyboard.press("/")
    page.keyboard.type(query)
    hits = page.locator(f".md-search-result__link[href*='{target}']")
    expect(hits.first).to_be_attached(timeout=15_000)


@pytest.mark.parametrize("awake", [False, True], ids=["asleep", "awake"])
def test_the_language_link_keeps_page_and_anchor(visit: Visit, root: str, awake: bool) -> None:
    page = visit.go("/why-sqrt-dk/#sources")
    if awake:
        wake(page)
    page.click("a.language")
    expect(page).to_have_url(f"{root}/en/why-sqrt-dk/#sources")
    page.click("a.language")
    expect(page).to_have_url(f"{root}/why-sqrt-dk/#sources")


def test_the_language_link_after_instant_navigation(visit: Visit, root: str) -> None:
    page = visit.go("/")
    wake(page)
    page.evaluate("window.stayed = true")
    page.locator(".md-content a[href*='self-attention']").first.click()
    expect(page).to_have_url(re.compile("/self-attention/"))
    assert page.evaluate("window.stayed"), "the page was loaded anew"
    page.click("a.language")
    expect(page).to_have_url(re.compile("/en/self-attention/"))


@pytest.mark.parametrize(("path", "language"), [("/nowhere/", "zh"), ("/en/no/where/", "en")])
def test_404_in_the_language_of_the_address(
    visit: Visit, root: str, path: str, language: str
) -> None:
    page = visit.go(path)
    assert page.locator("html").get_attribute("lang") == language
    page.locator("article a").first.click()
    expect(page).to_have_url(f"{root}/{'en/' if language == 'en' else ''}")
    visit.trouble.clear()  # the 404 itself


def test_dark_mode_is_there_before_any_touch(browser: Browser, root: str) -> None:
    with contextlib.closing(browser.new_context(color_scheme="dark")) as context:
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
