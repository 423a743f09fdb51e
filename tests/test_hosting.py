"""The site wherever it is put: a folder that does not know its address, below any path."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from browsing import Visit, needs_browser, wake
from playwright.sync_api import Browser, expect
from sources import ROOT

MARKDOWN_LINK = re.compile(r"\]\((?!https?://|data:|#)([^)\s#]+)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make build` writes it, without SITE_URL, two folders below a host's root."""
    site = tmp_path_factory.mktemp("host") / "some/where"
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    env = {k: v for k, v in os.environ.items() if k not in ("SITE_URL", "OFFLINE")}
    env["NO_MKDOCS_2_WARNING"] = "1"
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return site


def test_no_address_is_made_up(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".md", ".ipynb", ".txt", ".xml"}:
            text = path.read_text("utf-8")
            assert not re.search(r"127\.0\.0\.1|localhost|=\"/(?!/)", text), path
    assert not list(folder.rglob("sitemap.xml*"))  # it cannot be written without an address


def test_what_is_taken_along_leads_there_from_its_place(folder: Path) -> None:
    seen = 0
    for path in [*folder.rglob("*.md"), *folder.rglob("*.ipynb"), *folder.rglob("llms.txt")]:
        texts = [path.read_text("utf-8")]
        if path.suffix == ".ipynb":
            cells = json.loads(texts[0])["cells"]
            texts = ["".join(one["source"]) for one in cells if one["cell_type"] == "markdown"]
            if wheel := re.findall(r"numpy (\S+\.whl)", "".join(cells[1]["source"])):
                assert (path.parent / wheel[0]).is_file(), f"{path}: {wheel[0]}"
                assert "SITE_URL" in texts[0]
        for text in texts:
            for link in MARKDOWN_LINK.findall(re.sub(r"(`+).*?\1", "", text, flags=re.S)):
                target = path.parent / link
                assert (target / "index.html" if link.endswith("/") else target).is_file(), (
                    f"{path}: {link}"
                )
                seen += 1
    assert seen > 500


class Host(http.server.SimpleHTTPRequestHandler):
    """As GitHub Pages does it: one 404 page for everything, in the place of any address."""

    page = "some/where/404.html"

    def log_message(self, *args: object) -> None:
        pass

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(Path(self.directory, self.page).read_bytes())


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    handler = functools.partial(Host, directory=str(folder.parents[1]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/some/where/"
        server.shutdown()


class TestBelowAPath:
    pytestmark = needs_browser

    def test_a_reader_gets_around(self, browser: Browser, address: str) -> None:
        context = browser.new_context()
        visit = Visit(context.new_page(), address)
        page = visit.go("en/masks/")
        wake(page)
        page.locator(".md-content a[href*='self-attention']").first.click()
        expect(page).to_have_url(re.compile(re.escape(urljoin(address, "en/self-attention/"))))
        page.locator("a.language").click()
        expect(page).to_have_url(re.compile(re.escape(urljoin(address, "self-attention/"))))
        snippet = page.locator(".snippet").first
        snippet.locator("[data-do=run]").click()
        status = snippet.locator("[role=status]")
        expect(status).to_have_attribute("data-state", "good", timeout=120_000)
        assert not visit.trouble
        context.close()

    @pytest.mark.parametrize(
        ("missing", "shown", "said"),
        [
            ("nowhere", "nowhere", "没有这个页面"),
            ("no/where/at/all/", "404.html", "没有这个页面"),
            ("en/no/where/", "en/404.html", "This page does not exist"),
        ],
    )
    def test_a_page_that_is_missing(
        self, browser: Browser, address: str, missing: str, shown: str, said: str
    ) -> None:
        """However deep, it leads home."""
        page = browser.new_page()
        page.goto(address + missing)
        expect(page).to_have_url(address + shown)
        expect(page.locator("h1")).to_have_text(said)
        page.locator("article p > a").first.click()
        expect(page).to_have_url(urljoin(address + shown, "."))
        page.close()
