"""A browser on the built site, for the tests of what a reader meets (fixtures: conftest.py).

Needs a Chromium: `apt-get install chromium`, or the path of one in QKV_CHROMIUM. Its engine alone,
`apt-get install chromium-headless-shell`, opens a page for a third of the work: without a window.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import filelock
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)
from sources import ROOT

T = TypeVar("T")
CHROMIUM = os.environ.get("QKV_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM, reason="no Chromium found: apt-get install chromium, or set QKV_CHROMIUM"
    ),
]


# Seconds in which nothing at all moves before a test gives up. A busy machine is slow, not stuck:
# what can be seen moving (bytes, a sentence that changed) is waited for as long as it moves.
PATIENCE = 60


def until(
    reached: Callable[[], T],
    moving: Callable[[], object],
    pause: Callable[[], object],
    times: int = 1,
) -> T:
    """The first true value of `reached`; patience begins anew whenever `moving` says another."""
    before, since = moving(), time.monotonic()
    while not (found := reached()):
        if (now := moving()) != before:
            before, since = now, time.monotonic()
        waited = time.monotonic() - since
        assert waited < times * PATIENCE, f"nothing moves; the last that was seen: {now}"
        pause()
    return found


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


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes before it has all of a file is no error of anybody's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


SERVED = pytest.StashKey[tuple[str, str]]()


def serve(config: pytest.Config) -> tuple[str, str]:
    """A folder for what the tests of this run build, and the address where its `site` is served.

    With pytest-xdist the process that the others report to does this, once for all of them.
    """
    if SERVED not in config.stash:
        folder = Path(tempfile.mkdtemp(prefix="qkv-"))
        config.add_cleanup(functools.partial(shutil.rmtree, folder))
        handler = functools.partial(Handler, directory=str(folder / "site"))
        server = Server(("127.0.0.1", 0), handler)
        config.add_cleanup(server.server_close)
        config.add_cleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config.stash[SERVED] = (str(folder), f"http://127.0.0.1:{server.server_port}")
    return config.stash[SERVED]


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> tuple[str, str]:
    given = getattr(request.config, "workerinput", {}).get("served")
    return given or serve(request.config)


@pytest.fixture(scope="session")
def once(served: tuple[str, str]) -> Callable[[str, Callable[[Path], object]], Path]:
    """What takes long is made by the first process that asks; the others wait for it."""

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder = Path(served[0], name)
        with filelock.FileLock(f"{folder}.lock"):
            if not (done := Path(f"{folder}.done")).exists():
                make(folder)
                done.touch()
        return folder

    return made


def build(site: Path, *options: str, **env: str) -> None:
    """A strict build, which this machine's settings do not change."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    settings = ("OFFLINE", "REPO_URL", "SITE_URL")
    clean = {name: value for name, value in os.environ.items() if name not in settings}
    # Without the decoder, 98 MB: its tests have a stand-in, or bring it themselves.
    env = {**clean, "NO_MKDOCS_2_WARNING": "1", "QKV_DECODER": "0", **env}
    command += options
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def site(served: tuple[str, str], once: Any) -> Path:
    """The site, built as a release is, for the address it is served from."""
    made: Path = once("site", lambda folder: build(folder, SITE_URL=f"{served[1]}/"))
    return made


def build_anywhere(folder: Path) -> None:
    """By the program that `pip install` puts on the path, far from the sources."""
    folder.mkdir(parents=True)
    program = Path(sys.executable).with_name("mkdocs")
    command = [str(program), "build", "--strict", f"--config-file={ROOT / 'mkdocs.yml'}"]
    command += ["--site-dir", str(folder)]
    clean = ("OFFLINE", "PYTHONPATH", "REPO_URL", "SITE_URL")
    env = {name: value for name, value in os.environ.items() if name not in clean}
    env |= {"NO_MKDOCS_2_WARNING": "1", "QKV_DECODER": "0"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def anywhere(once: Any) -> Path:
    """The site as `make build` writes it, without SITE_URL, two folders below a host's root."""
    host: Path = once("host", lambda host: build_anywhere(host / "some/where"))
    return host / "some/where"


@pytest.fixture(scope="session")
def root(served: tuple[str, str], site: Path) -> str:
    """The address of the site."""
    return served[1]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=1000 * PATIENCE
        )
        yield browser
        browser.close()


# A browser without a window now and then says that the pointer moved to its corner. No reader did.
NOBODY = """addEventListener("pointermove", (event) => {
    if (!event.screenX && !event.screenY) event.stopImmediatePropagation();
}, true);"""


@contextlib.contextmanager
def opened(browser: Browser, **options: Any) -> Iterator[BrowserContext]:
    """A reader's browser in which nothing is kept from others."""
    with contextlib.closing(browser.new_context(**options)) as context:
        context.set_default_timeout(1000 * PATIENCE)
        context.add_init_script(NOBODY)
        yield context


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

    def go(self, path: str, idle: bool = False) -> Page:
        """To a page; until nothing more comes, half a second later, where that is looked at."""
        if idle:
            self.page.goto(self.root + path, wait_until="networkidle")
            self.page.wait_for_load_state()  # when the network is idle, a busy machine still parses
        else:
            self.page.goto(self.root + path)
        return self.page


PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "permissions": ["clipboard-read", "clipboard-write"],
    "color_scheme": "light",
}


@pytest.fixture
def visit(browser: Browser, root: str) -> Iterator[Visit]:
    """The first of a reader: nothing is in the browser."""
    with opened(browser, **PHONE) as context:
        visit = Visit(context.new_page(), root)
        yield visit
        assert not visit.trouble, visit.trouble


@pytest.fixture(scope="session")
def phone(browser: Browser) -> Iterator[BrowserContext]:
    with opened(browser, **PHONE) as context:
        yield context


@pytest.fixture
def revisit(phone: BrowserContext, root: str) -> Iterator[Visit]:
    """One of many: files may be in the browser's cache, nothing else is left of the others."""
    with contextlib.closing(phone.new_page()) as page:
        phone.new_cdp_session(page).send(
            "Storage.clearDataForOrigin",
            {"origin": root, "storageTypes": "local_storage,service_workers,cache_storage"},
        )
        visit = Visit(page, root)
        yield visit
        assert not visit.trouble, visit.trouble


def wake(page: Page) -> None:
    """The reader's first touch, after which the theme's script is there."""
    page.wait_for_load_state("domcontentloaded")  # or nothing listens yet
    page.mouse.move(5, 5)
    page.mouse.move(9, 9)
    # Functions, here and below: an expression is evaluated again and again, against the policy.
    page.wait_for_function("() => typeof document$ !== 'undefined'")


# With limits of their own: a page that draws nothing more may never be told that it is idle, and
# nothing ends the wait for a promise.
FRAME = """() => new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, 500);
})"""
IDLE = """() => new Promise((done) => {
    const next = (then) => requestIdleCallback(then, { timeout: 500 });
    next(() => next(done));
})"""


def wait_for_instant_navigation(page: Page) -> None:
    """Until it has read the sitemap, the theme leaves a click on a link to the browser."""
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some("
        "(one) => one.name.endsWith('sitemap.xml'))"
    )
    page.evaluate(IDLE)  # it is read in the task after


@contextlib.contextmanager
def turning(page: Page) -> Iterator[None]:
    """What happens inside leads to another page by instant navigation; until the theme is done."""
    turns = "document$.subscribe(() => { window.turns = (window.turns ?? 0) + 1 }), window.turns"
    before = page.evaluate(turns)  # what the site itself does at a new page, it does before this
    yield
    page.wait_for_function("before => window.turns > before", arg=before)
    page.evaluate(IDLE)


def faded(page: Page) -> None:
    """What changes its colours slowly has changed them."""
    page.evaluate(
        """() => {
            const fading = () => document.getAnimations().filter((one) =>
                one instanceof CSSTransition && one.playState !== "finished");
            // What fades with its parent begins to when the parent has.
            for (let all; (all = fading()).length;) for (const one of all) one.finish();
        }"""
    )


def dress(page: Page, scheme: str) -> None:
    """In the colours of light (default) or dark (slate), which need not fade in."""
    page.evaluate(
        "scheme => document.body.setAttribute('data-md-color-scheme', scheme)",
        scheme,
    )
    faded(page)


def come(visit: Visit, path: str, figure: str) -> tuple[Locator, Locator]:
    """To a figure that can be played with, and not before the reader's first sign of life."""
    page = visit.page
    page.goto(visit.root + path)
    assert not [r.url for r in visit.loaded if "/figures/" in r.url or "/data/" in r.url]
    wake(page)
    return awake(page, figure)


def awake(page: Page, figure: str) -> tuple[Locator, Locator]:
    """A figure that was scrolled to, and its sentence."""
    place = page.locator(f"#figure-{figure}")
    place.evaluate("place => qkv.reveal(place)")  # out of its fold
    place.scroll_into_view_if_needed()
    expect(place.locator("[data-ready]")).to_be_attached()
    expect(place.locator("[aria-busy]")).to_have_count(0)
    reading = place.locator(".play__read")
    expect(reading).not_to_be_empty()
    return place, reading


def until_it_ran(status: Locator) -> None:
    """Well. The sentence changes as long as Python starts and the snippets before it run."""
    until(
        lambda: status.get_attribute("data-state"),
        status.inner_text,
        lambda: status.page.wait_for_timeout(50),
    )
    expect(status).to_have_attribute("data-state", "good")


def until_it_says(status: Locator, text: str) -> None:
    until(
        lambda: text in status.inner_text(),
        status.inner_text,
        lambda: status.page.wait_for_timeout(50),
    )


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
# Contrast is most of what is left. It is the same for all that looks the same and stands in boxes
# of the same kinds: of those axe measures one, which is marked.
MARK = """() => {
    const numbers = new Map(), looks = new Map(), seen = new Set();
    const properties = ["color", "fill", "backgroundColor", "backgroundImage", "opacity", "filter",
        "fontSize", "fontWeight", "textDecorationLine", "textShadow", "visibility"];
    for (const one of document.querySelectorAll("body, body *")) {
        const style = getComputedStyle(one);
        const parts = properties.map((name) => style[name]);
        const name = [one.localName, one.getAttribute("class"), ...parts].join("|");
        const look = `${looks.get(one.parentElement)} ${name}`;
        if (!numbers.has(look)) numbers.set(look, numbers.size);
        looks.set(one, numbers.get(look));
        one.removeAttribute("data-look");
        const written = one.matches("input, select, textarea, a[href]") ||
            [...one.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim());
        if (!written || seen.has(looks.get(one)) || !one.checkVisibility()) continue;
        seen.add(looks.get(one));
        one.dataset.look = "";
    }
    axe.configure({ rules: [
        { id: "color-contrast", selector: "[data-look]" },
        { id: "link-in-text-block", selector: "a[href][data-look]" },
    ] });
}"""
UNMARK = """() => {
    for (const one of document.querySelectorAll("[data-look]")) one.removeAttribute("data-look");
}"""
AXE = Axe()


def accessibility_faults(page: Page, within: str | None = None) -> list[str]:
    faded(page)  # what a fold held begins to when it is opened
    page.evaluate(PUT_AWAY)
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE.axe_script)
    page.evaluate(MARK)
    # Asked for all results, axe takes three times as long to write down what is well.
    response = page.evaluate(
        """within => axe.run(within ? { include: [[within]] } : document,
            { resultTypes: ["violations", "incomplete"] })""",
        within,
    )
    page.evaluate(UNMARK)
    page.evaluate(PUT_BACK)
    faults = [(rule["id"], node) for rule in response["violations"] for node in rule["nodes"]]
    # Text in the very colour of its ground: axe is not sure that it is meant to be read.
    unread = [
        (rule["id"], node)
        for rule in response["incomplete"]
        for node in rule["nodes"]
        if any("equalRatio" in str(check["data"]) for check in node["any"])
    ]
    return [f"{rule}: {node['html'][:160]}" for rule, node in faults + unread]
