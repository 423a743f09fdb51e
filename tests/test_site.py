"""The built site, in a real browser: what a reader meets.

Needs a Chromium: `apt-get install chromium`, or the path of one in QKV_CHROMIUM.
"""

from __future__ import annotations

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
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright
from sources import PAGES, ROOT

NAMES = [name.removesuffix(".md") for name in PAGES]
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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as a release is."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return folder


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
def root(site: Path) -> Iterator[str]:
    handler = functools.partial(Handler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
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
        page.on("requestfailed", lambda r: self.trouble.append(f"failed: {r.url}"))
        page.on("response", self.on_response)

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
    page.wait_for_function("typeof document$ !== 'undefined'")


def accessibility_faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{v['id']}: {node['html'][:160]}" for v in found for node in v["nodes"]]


@pytest.mark.parametrize("path", PATHS)
def test_first_view(visit: Visit, path: str) -> None:
    """In budget, nothing sideways, nothing axe objects to: light, dark, asleep, awake."""
    page = visit.go(path)
    size = sum(len(gzip.compress(response.body(), 6)) for response in visit.loaded)
    urls = [response.url for response in visit.loaded]
    assert size <= 110_000, f"{size} bytes compressed: {urls}"
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


@pytest.mark.parametrize("path", PATHS)
def test_copied_code_runs(visit: Visit, path: str) -> None:
    """Every copy button of the page, through the clipboard, in order: no prompt, no output."""
    page = visit.go(path)
    wake(page)
    namespace: dict[str, object] = {}
    for block in page.locator(".language-pycon").all():
        if not block.is_visible():  # an answer: open it
            block.locator("xpath=ancestor::details").first.evaluate("node => node.open = true")
        block.hover()
        block.locator(".md-code__button[data-md-type=copy], .md-clipboard").first.click()
        expect(page.locator(".md-dialog--active")).to_be_visible()
        code = page.evaluate("navigator.clipboard.readText()")
        assert ">>>" not in code
        with contextlib.suppress(ValueError, TypeError, IndexError, KeyError):  # shown failing
            exec(compile(code, path, "exec"), namespace)


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


def test_alternates_point_at_each_other(site: Path) -> None:
    for name in ("why-sqrt-dk", "references"):
        for folder in ("", "en/"):
            html = (site / folder / name / "index.html").read_text("utf-8")
            links = dict(re.findall(r'rel="alternate" hreflang="([\w-]+)" href="([^"]+)"', html))
            assert links["zh"].endswith(f":8000/{name}/")
            assert links["en"].endswith(f":8000/en/{name}/")
