"""A browser on the built site, for the tests of what a reader meets (fixtures: conftest.py).

Needs a Chromium: `apt-get install chromium`, or the path of one in QKV_CHROMIUM.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    Locator,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)
from sources import ROOT

CHROMIUM = (
    os.environ.get("QKV_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

needs_browser = [
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


def wait_for_instant_navigation(page: Page) -> None:
    """Until it has the sitemap, the theme leaves a click on a link to the browser."""
    page.wait_for_function(
        "performance.getEntriesByType('resource').some(one => one.name.endsWith('sitemap.xml'))"
    )
    page.wait_for_timeout(100)


def come(visit: Visit, path: str, figure: str) -> tuple[Locator, Locator]:
    """To a figure that can be played with, and not before the reader's first sign of life."""
    page = visit.page
    page.goto(visit.root + path)
    assert not [r.url for r in visit.loaded if "/figures/" in r.url or "/data/" in r.url]
    wake(page)
    place = page.locator(f"#figure-{figure}")
    place.scroll_into_view_if_needed()
    expect(place.locator("[data-ready]")).to_be_attached(timeout=15_000)
    reading = place.locator(".play__read")
    expect(reading).not_to_be_empty()
    return place, reading


def open_answers(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")


# Half of a page's nodes, put away while axe looks at it, which then takes a third of the time:
# the glyphs that KaTeX draws (hidden from assistive technology; the MathML beside them stays) and
# the colours of code (test_drawing.py looks at all colours of text).
PUT_AWAY = """() => {
    window.away = [...document.querySelectorAll(".katex-html, .highlight code")].map((one) => {
        const nodes = [...one.childNodes];
        one.replaceChildren(one.localName === "code" ? one.textContent : "");
        return () => one.replaceChildren(...nodes);
    });
}"""
PUT_BACK = "() => window.away.forEach((back) => back())"


def accessibility_faults(page: Page, within: str | None = None) -> list[str]:
    page.evaluate(PUT_AWAY)
    response = Axe().run(page, context={"include": [[within]]} if within else None).response
    page.evaluate(PUT_BACK)
    faults = [(rule["id"], node) for rule in response["violations"] for node in rule["nodes"]]
    # Text in the very colour of its ground: axe is not sure that it is meant to be read.
    unread = [
        (rule["id"], node)
        for rule in response["incomplete"]
        for node in rule["nodes"]
        if any((check["data"] or {}).get("messageKey") == "equalRatio" for check in node["any"])
    ]
    return [f"{rule}: {node['html'][:160]}" for rule, node in faults + unread]
