"""The whole site without a network, for a reader who asked for it; and how a new release comes."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    Handler,
    Visit,
    accessibility_faults,
    dress,
    needs_browser,
    opened,
    until,
    until_it_ran,
    until_it_says,
    wake,
)
from playwright.sync_api import Browser, Page, expect
from sources import DOCS

from theme.site.service_worker import files, service_worker

pytestmark = needs_browser


class Portal(Handler):
    """A network that wants a login first: its page in answer to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><h1>Log in</h1>")


class Host:
    """A copy of the site on a host that can go away, and publish a new release."""

    def __init__(self, site: Path, root: str, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(site, folder, copy_function=os.link)
        self.server = self.listen(0)
        self.root = f"http://127.0.0.1:{self.server.server_port}"
        for name in ("sitemap.xml", "en/sitemap.xml"):  # by which instant navigation knows a page
            self.write(name, (folder / name).read_text("utf-8").replace(root, self.root))
        self.publish()

    def listen(self, port: int, kind: type[Handler] = Handler) -> http.server.ThreadingHTTPServer:
        handler = functools.partial(kind, directory=str(self.folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def write(self, name: str, text: str) -> None:
        (self.folder / name).unlink()  # a hard link: the original is another test's
        (self.folder / name).write_text(text, encoding="utf-8")

    def publish(self) -> None:
        self.write("sw.js", service_worker(self.folder))

    def leave(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def come_back(self, kind: type[Handler] = Handler) -> None:
        self.server = self.listen(self.server.server_port, kind)


@pytest.fixture
def host(site: Path, root: str, tmp_path: Path) -> Iterator[Host]:
    host = Host(site, root, tmp_path / "site")
    yield host
    host.leave()


@pytest.fixture
def page(browser: Browser, host: Host) -> Iterator[Page]:
    with opened(browser) as context:
        yield context.new_page()


def press(page: Page, ends: str) -> None:
    page.locator("[data-do=offline]").click()
    status = page.locator("[data-do=offline] + [role=status]")
    until_it_says(status, ends)


def caches(page: Page) -> list[str]:
    found: list[str] = page.evaluate("caches.keys()")
    return found


@pytest.mark.parametrize(
    "run", [["zh"], pytest.param(["zh", "en"], marks=pytest.mark.slow)], ids=["once", "in both"]
)
def test_the_site_without_a_network(page: Page, host: Host, run: list[str]) -> None:
    visit = Visit(page, host.root)
    visit.go("/about/")
    wake(page)
    assert not caches(page)  # nothing is kept unasked
    press(page, "好了：没有网络也能读，也能运行代码")
    expect(page.locator("[data-do=offline]")).to_have_text("删除离线副本")
    assert len(caches(page)) == 1
    for scheme in ("default", "slate"):
        dress(page, scheme)
        assert not accessibility_faults(page), scheme
    assert not visit.trouble
    host.leave()
    for path, language in (("/masks/", "zh"), ("/en/masks/", "en")):
        page.goto(host.root + path)
        page.reload()
        assert page.locator("html").get_attribute("lang") == language
        page.locator("h1").wait_for()
        snippet = page.locator(".snippet").first
        if language in run:
            snippet.locator("[data-do=run]").click()
            until_it_ran(snippet.locator("[role=status]"))
    for spelled, kept in (
        ("/en/masks", "/en/masks/"),
        ("/en/masks/index.html#code", "/en/masks/#code"),
        ("/masks?from=mail", "/masks/?from=mail"),
        ("/en", "/en/"),
        ("/index.html", "/"),
    ):
        page.goto(host.root + spelled)
        expect(page).to_have_url(host.root + kept)
        expect(page.locator("h1")).not_to_have_text(re.compile("does not exist|没有这个页面"))
    page.goto(f"{host.root}/en/masks/")
    page.keyboard.press("/")
    page.keyboard.type("variance")
    expect(page.locator("#search li a[href*='/why-sqrt-dk/']").first).to_be_visible()
    expect(page.locator("#search li mark").first).to_be_visible()
    page.goto(f"{host.root}/en/nowhere/")
    expect(page.locator("h1")).to_have_text("This page does not exist")
    assert not visit.trouble
    host.come_back()
    page.goto(f"{host.root}/en/about/")
    expect(page.locator("[data-do=offline]")).to_have_text("Remove the offline copy")
    press(page, "Removed: the site comes from the network again")
    assert not caches(page)
    if run == ["zh"]:
        return
    # And again, on a page that the old one still answers.
    press(page, "Done: it can be read, and its code run, without a network")
    host.leave()
    page.goto(f"{host.root}/en/")
    page.locator("h1").wait_for()
    host.come_back()


@pytest.mark.slow
def test_a_new_release_replaces_the_old_as_a_whole(page: Page, host: Host) -> None:
    page.goto(f"{host.root}/about/")
    press(page, "好了")
    (before,) = caches(page)
    for name in ("index.html", "masks/index.html"):
        text = (host.folder / name).read_text("utf-8")
        host.write(name, re.sub(r"<h1[^>]*>", r"\g<0>NEW ", text))
    (host.folder / "new").mkdir()
    (host.folder / "new/index.html").write_text("<h1>NEW</h1><a href='/masks/'>")
    host.publish()
    # A second page of the old release stays with it while it is open.
    old = page.context.new_page()
    old.goto(f"{host.root}/")
    expect(old.locator("h1")).not_to_contain_text("NEW")
    until(
        lambda: page.evaluate(
            "navigator.serviceWorker.getRegistration().then(found => Boolean(found.waiting))"
        ),
        lambda: page.evaluate(
            """async () => {
                const all = (await caches.keys()).map(async (name) =>
                    (await (await caches.open(name)).keys()).length);
                return (await Promise.all(all)).join();
            }"""
        ),
        lambda: page.wait_for_timeout(50),
    )
    assert len(caches(page)) == 2
    expect(page.locator(".release")).to_contain_text("本站有新版本了")
    page.goto(f"{host.root}/masks/")
    expect(page.locator("h1")).not_to_contain_text("NEW")
    expect(page.locator(".release")).to_contain_text("本站有新版本了")  # after a reload, too
    page.locator(".release button").click()
    expect(page.locator(".release")).to_have_count(0)
    page.goto(f"{host.root}/new/")  # no page of the old release, and none of its files
    expect(page.locator("h1")).to_have_text("NEW")
    old.close()
    page.goto(f"{host.root}/masks/")
    expect(page.locator("h1")).to_contain_text("NEW")
    (after,) = caches(page)
    assert after != before


def test_what_fails_keeps_nothing_and_says_why(page: Page, host: Host) -> None:
    page.goto(f"{host.root}/en/about/")
    host.write("en/masks/index.html", "half a release")
    press(page, "The site is being updated: nothing was kept. Press again in a few minutes")
    assert not caches(page)
    expect(page.locator("[data-do=offline]")).to_have_text("Make this site available offline")
    host.publish()
    tools = page.context.new_cdp_session(page)
    tools.send("Storage.overrideQuotaForOrigin", {"origin": host.root, "quotaSize": 5_000_000})
    press(page, "This device has too little room for the site: nothing was kept")
    assert not caches(page)
    tools.send("Storage.overrideQuotaForOrigin", {"origin": host.root})
    host.leave()
    press(page, "The connection was lost: nothing was kept. Press again once it is back")
    host.come_back(Portal)
    press(page, "The connection was lost: nothing was kept. Press again once it is back")
    host.leave()
    host.come_back()
    press(page, "Done: it can be read")


def test_the_page_says_how_much_is_kept(site: Path, root: str) -> None:
    size = sum(size for size, _ in files(site).values()) / 1e6
    for language in ("zh", "en"):
        (said,) = re.findall(r"(\d+) MB", (DOCS / language / "about.md").read_text("utf-8"))
        assert abs(int(said) - size) < size / 10, f"docs/{language}/about.md: it is {size:.0f} MB"
