"""What may be published: the site as it is built, and not as it can be broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sources import ROOT

from theme.release import faults


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def do(site: Path) -> None:
        (path,) = site.glob(name)
        text = path.read_text("utf-8")
        assert re.search(old, text), f"{name} no longer holds {old}"
        path.unlink()  # a hard link: the original is another test's
        path.write_text(re.sub(old, new, text, count=1), "utf-8")

    return do


def remove(name: str) -> Callable[[Path], None]:
    return lambda site: next(site.glob(name)).unlink()


def damage(name: str) -> Callable[[Path], None]:
    def do(site: Path) -> None:
        (path,) = site.glob(name)
        data = path.read_bytes()
        path.unlink()  # a hard link: the original is another test's
        path.write_bytes(data[:-1])

    return do


def add(name: str, text: str) -> Callable[[Path], None]:
    def do(site: Path) -> None:
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text, "utf-8")

    return do


# What is done to the folder, and what must be said of it. All at once, each to files of its own.
CUT = [
    (remove(".nojekyll"), ".nojekyll: is missing"),
    (remove("en/404.html"), "en/404.html: is missing"),
    (remove("en/position/index.html"), "position/index.html: en/position/index.html is missing"),
    (remove("masks/index.md"), "masks/index.html: its Markdown, masks/index.md, is missing"),
    (change("api/index.html", r"(?s)</article>.*", ""), "api/index.html: ends in the middle"),
    (change("en/masks/masks.ipynb", r"(?s)\]\s*}\s*$", ""), "en/masks/masks.ipynb: Expecting"),
]
BROKEN = [
    (remove("assets/python/*/numpy-*.whl"), r"assets/python/.*/numpy-.*\.whl: is missing"),
    (remove("assets/qkv_docs-*.whl"), r"index\.ipynb: .*\.whl leads to no file"),
    (change("assets/data/why-sqrt-dk.json", "{", "{ "), "sw.js: .*why-sqrt-dk.json has changed"),
    (add("new/index.html", "<p></html>"), "sw.js: does not list new/index.html"),
    (add("en/new/index.html", "<p></html>"), "en/new/index.html: no Content-Security-Policy"),
    (add("new/index.md", "[here](/nowhere/)"), r"new/index\.md: /nowhere/ leads to no file"),
    (add("en/new/index.md", ""), "en/new/index.html: its canonical address is None"),
    (
        change("assets/python/*/session.py", "def ", "def  "),
        r"assets/python/.*/session\.py: has another hash than it should",
    ),
    (
        change("masks/index.html", ' id="sources"', ' id="source"'),
        r"masks/.*#sources: there is no such place on that page",
    ),
    (
        change("en/masks/index.html", "<article", '<img src="https://example.net/a.png"><article'),
        r"en/masks/index\.html: loads https://example\.net/a\.png",
    ),
    (
        change("about/index.html", "<style>", "<style>@import '//fonts.example.net/a.css';"),
        r"about/index\.html: loads //fonts\.example\.net/a\.css",
    ),
    (
        change("en/about/index.html", "connect-src 'self'", "connect-src https:"),
        r"en/about/index\.html: the policy allows connect-src https:",
    ),
    (
        change("index.html", "'wasm-unsafe-eval'", "'unsafe-inline'"),
        r"index\.html: the policy allows script-src 'unsafe-inline'",
    ),
    (
        change("en/index.html", "var palette=", "var  palette="),
        r"en/index\.html: the policy stops the script",
    ),
    (
        change("glossary/index.html", "<article", '<article onclick="go()"'),
        r"glossary/index\.html: the policy stops onclick='go\(\)'",
    ),
    (
        change("en/glossary/index.html", "<article", f"<i>{os.urandom(90_000).hex()}</i><article"),
        r"en/glossary/index\.html: \d+ bytes compressed without its figures, at most 110000",
    ),
    (
        change("similarity/index.html", 'rel="?canonical"? href="?[^" >]*', "rel=canonical href=/"),
        r"similarity/index\.html: its canonical address is /",
    ),
    (
        change("en/similarity/index.md", r"\n\n", "\n\nhttp://localhost:8000/en/\n\n"),
        r"en/similarity/index\.md: names http://localhost:8000/en/",
    ),
    (
        change("en/sitemap.xml", r"(?s)<url>\s*<loc>[^<]*/masks/.*?</url>", ""),
        r"en/sitemap\.xml: en/masks/index\.html, en/new/index\.html: a page and its entry",
    ),
    (
        change("embedding/index.html", " data-python=", " data-no="),
        r"embedding/index\.html: knows no Python \(pages: 3\)",
    ),
    (
        change("similarity/index.html", " data-model=", " data-no="),
        r"similarity/index\.html: knows no model",
    ),
    (remove("assets/model/layer-03-*.bin"), r"assets/model/layer-03-.*: is missing"),
    (
        damage("assets/model/rows-100-*.bin"),
        r"assets/model/rows-100-.*: has another hash than it should",
    ),
]


@pytest.fixture
def copy(site: Path, root: str, tmp_path: Path) -> Path:
    shutil.copytree(site, tmp_path / "copy", copy_function=os.link)
    return tmp_path / "copy"


def test_the_site_as_it_is_built(site: Path, root: str) -> None:
    assert faults(site, f"{root}/") == []


@pytest.mark.parametrize("broken", [CUT, BROKEN], ids=["cut off", "broken"])
def test_every_way_of_breaking_it_is_told(
    copy: Path, root: str, broken: list[tuple[Callable[[Path], None], str]]
) -> None:
    for do, _ in broken:
        do(copy)
    found = faults(copy, f"{root}/")
    untold = [said for _, said in broken if not any(re.match(said, one) for one in found)]
    assert not untold, "\n".join(found)


def release(site: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "theme.release", str(site)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **settings}
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, env=env, check=False)


@pytest.mark.parametrize("address", ["", "example.org", "/"])
def test_a_release_knows_its_address(tmp_path: Path, address: str) -> None:
    done = release(tmp_path, SITE_URL=address)
    assert done.returncode == 1
    assert "make release SITE_URL=https://" in done.stderr


@pytest.mark.slow
def test_the_whole_command(tmp_path: Path) -> None:
    """Below a path, told without its slash, where the offline copy was built last."""
    done = release(tmp_path / "site", SITE_URL="https://example.org/qkv", OFFLINE="true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("site may be published at https://example.org/qkv/\n")


@pytest.mark.slow
def test_without_python_it_is_refused(tmp_path: Path) -> None:
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    address = {"SITE_URL": "https://example.org/", "QKV_CACHE": str(tmp_path / "cache")}
    done = release(tmp_path / "site", **nowhere, **offline, **address)
    assert done.returncode == 1
    assert "404.html: knows no Python" in done.stderr
    assert "is not to be published. Faults: 1" in done.stderr
