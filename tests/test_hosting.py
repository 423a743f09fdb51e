"""The site wherever it is put: a folder that does not know its address, below any path."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import hashlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

import pytest
from browsing import Visit, needs_browser, opened, until_it_ran, until_it_says, wake
from playwright.sync_api import Browser, expect
from selectolax.lexbor import LexborHTMLParser
from sources import ROOT

MARKDOWN_LINK = re.compile(r"\]\((?!https?://|data:|#)([^)\s#]+)")


@pytest.fixture(scope="module")
def folder(anywhere: Path) -> Path:
    return anywhere


def test_no_address_is_made_up(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".md", ".ipynb", ".txt", ".xml"}:
            text = path.read_text("utf-8")
            assert not re.search(r"127\.0\.0\.1|localhost|(?<!keyshortcuts)=\"/(?!/)", text), path
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
        with opened(browser) as context:
            visit = Visit(context.new_page(), address)
            page = visit.go("en/masks/")
            wake(page)
            page.locator(".md-content a[href*='self-attention']").first.click()
            expect(page).to_have_url(re.compile(re.escape(urljoin(address, "en/self-attention/"))))
            page.locator("a.language").click()
            expect(page).to_have_url(re.compile(re.escape(urljoin(address, "self-attention/"))))
            snippet = page.locator(".snippet").first
            snippet.locator("[data-do=run]").click()
            until_it_ran(snippet.locator("[role=status]"))
            assert not visit.trouble

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


# ---- A server of one's own: hosting/nginx.conf ----

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
CONF = (ROOT / "hosting/nginx.conf").read_text("utf-8")
HASH = re.compile(r"'sha256-[\w+/=]+'")


def directives(policy: str) -> dict[str, set[str]]:
    found = (one.split() for one in policy.split(";"))
    return {name: set(values) for name, *values in found}


def test_the_header_says_what_the_pages_say(folder: Path) -> None:
    """Both are enforced: a hash that only one of them had would stop the script."""
    (header,) = re.findall(r'Content-Security-Policy "(.+)" always', CONF)
    pages: dict[str, set[str]] = {}
    for path in folder.rglob("*.html"):
        tree = LexborHTMLParser(path.read_text("utf-8"))
        (meta,) = tree.css("meta[http-equiv='Content-Security-Policy']")
        policy = directives(str(meta.attributes["content"]))
        scripts = [one for one in tree.css("script") if not {"src", "type"} & set(one.attributes)]
        digests = (hashlib.sha256((one.inner_html or "").encode()).digest() for one in scripts)
        hashes = {f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests}
        assert {one for one in policy["script-src"] if HASH.fullmatch(one)} == hashes, path
        for name, values in policy.items():
            pages.setdefault(name, set()).update(values)
    assert directives(header) == pages | {"frame-ancestors": {"'none'"}}, (
        "hosting/nginx.conf: script-src needs " + " ".join(sorted(pages["script-src"]))
    )


@pytest.fixture(scope="module")
def nginx(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("nginx")
    server = CONF.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("root /srv/qkv;", f'root "{folder}";')
    temporary = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{one}_temp_path {home}/{one}; " for one in temporary)
    (home / "nginx.conf").write_text(
        f"daemon off; {'user root; ' if os.geteuid() == 0 else ''}pid {home}/pid; events {{}}\n"
        f"http {{ include /etc/nginx/mime.types; access_log off; {paths}\n{server}}}",
        "utf-8",
    )
    run = [str(NGINX), "-c", str(home / "nginx.conf"), "-e", str(home / "log")]
    checked = subprocess.run([*run, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    server_process = subprocess.Popen(run)
    try:
        while True:  # the configuration is good: it comes
            assert server_process.poll() is None, (home / "log").read_text()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
        yield f"http://127.0.0.1:{port}"
    finally:
        server_process.terminate()
        server_process.wait()


@pytest.mark.slow
@pytest.mark.skipif(not NGINX, reason="no nginx found: apt-get install nginx-light")
class TestNginx:
    pytestmark = needs_browser

    def test_types_compression_and_caching(self, folder: Path, nginx: str) -> None:
        (python,) = (folder / "assets/python").iterdir()
        bundle = next((folder / "assets/javascripts").glob("bundle.*.min.js"))
        for path, kind, caching, compressed in [
            ("/", "text/html; charset=utf-8", "no-cache", True),
            ("/en/masks/index.md", "text/markdown; charset=utf-8", "no-cache", True),
            ("/en/masks/masks.ipynb", "application/x-ipynb+json", "no-cache", True),
            ("/sw.js", "text/javascript; charset=utf-8", "no-cache", True),
            (f"/{bundle.relative_to(folder)}", "text/javascript; charset=utf-8", "immutable", True),
            (f"/assets/python/{python.name}/pyodide.mjs", "text/javascript", "immutable", True),
            (f"/assets/python/{python.name}/pyodide.asm.wasm", "application/wasm", "immut", True),
            ("/assets/katex/KaTeX_Main-Regular.woff2", "font/woff2", "max-age=604800", False),
        ]:
            request = Request(nginx + path, headers={"Accept-Encoding": "gzip"})
            with urlopen(request) as answer:
                said, data = answer.headers, answer.read()
            assert said["Content-Type"].startswith(kind), path
            assert caching in said["Cache-Control"], path
            assert (said["Content-Encoding"] == "gzip") == compressed, path
            assert said["X-Content-Type-Options"] == "nosniff", path
            assert "frame-ancestors 'none'" in said["Content-Security-Policy"], path
            target = folder / path[1:] / "index.html" if path == "/" else folder / path[1:]
            assert (gzip.decompress(data) if compressed else data) == target.read_bytes(), path

    @pytest.mark.parametrize(
        ("path", "said"),
        [("/no/where.md", "没有这个页面"), ("/en/no/where", "This page does not exist")],
    )
    def test_the_404_pages(self, nginx: str, path: str, said: str) -> None:
        with pytest.raises(HTTPError) as caught:
            urlopen(nginx + path)
        assert caught.value.code == 404
        assert said in caught.value.read().decode()
        assert caught.value.headers["Cache-Control"] == "no-cache"

    def test_the_site_under_the_policy_of_the_header(self, browser: Browser, nginx: str) -> None:
        """Python runs, the copy for offline reading is kept, and no other page can frame it."""
        with opened(browser) as context:
            visit = Visit(context.new_page(), nginx)
            page = visit.go("/en/masks")
            expect(page).to_have_url(f"{nginx}/en/masks/")
            snippet = page.locator(".snippet").first
            snippet.locator("[data-do=run]").click()
            until_it_ran(snippet.locator("[role=status]"))
            page = visit.go("/en/about/")
            page.locator("[data-do=offline]").click()
            kept = page.locator("[data-do=offline] + [role=status]")
            until_it_says(kept, "Done")
            assert not visit.trouble
            page.goto("about:blank")
            page.set_content(f'<iframe src="{nginx}/"></iframe>')  # until the frame has loaded, too
            assert page.frames[1].url.startswith("chrome-error:")
