"""`mkdocs serve`: which pages an edit makes again; what is served becomes a clean build."""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sources import ROOT

from docs import data, examples, figures
from theme.extensions.includes import INCLUDE
from theme.extensions.page import DOCS
from theme.site import serve

PAGES = sorted(path.stem for path in (DOCS / "en").glob("*.md"))


@pytest.mark.parametrize("begun", [False, True])
def test_the_english_half_ends_with_the_build_it_belongs_to(tmp_path: Path, begun: bool) -> None:
    about = [{"site_dir": str(tmp_path / "en"), "site_url": ""}, "build", False]
    call = [sys.executable, "-m", "theme.site.languages", json.dumps(about)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    half = subprocess.Popen(call, cwd=ROOT, stdin=subprocess.PIPE, **quiet)
    assert half.stdin
    if begun:
        half.stdin.write(b"\n")
    half.stdin.close()  # as it is when the other process is killed
    assert half.wait() == 1
    assert not (tmp_path / "en/sitemap.xml").exists()
    assert not (tmp_path / "en/search").exists()


def test_a_page_shows_on_itself_and_in_its_language(monkeypatch: Any) -> None:
    for home, more in (("", []), ("{time:masks}", ["index"]), ("{time:api+masks}", ["index"])):
        text = {"index": home}
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_text", lambda one, text=text, **_: text.get(one.stem, ""))
            for language in ("zh", "en"):
                shown = [(language, name) for name in (*more, "masks")]
                assert list(serve.shown_on(f"docs/{language}/masks.md")) == shown
    assert list(serve.shown_on("docs/references.yml")) == [
        ("en", "references"),
        ("zh", "references"),
    ]
    both = [("en", "where-weights-come-from"), ("zh", "where-weights-come-from")]
    assert list(serve.shown_on("docs/figures/where_weights_come_from.py")) == both
    # The package: its docstrings, and where its source stands; what it computes comes later.
    documented = [(language, page) for language in ("en", "zh") for page in ("api", "masks")]
    assert list(serve.shown_on("qkv_docs/masks.py")) == documented
    assert ("en", "api-models") in serve.shown_on("qkv_docs/lookup.py")
    assert not list(serve.shown_on("qkv_docs/gone.py"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_file_shows_on_every_page_that_includes_it(language: str) -> None:
    for page in PAGES:
        text = (DOCS / language / f"{page}.md").read_text("utf-8")
        for file in {match[2] for match in INCLUDE.finditer(text) if match[2].endswith(".pycon")}:
            assert (language, page) in serve.shown_on(f"docs/examples/{file}"), (page, file)


def test_a_file_shows_on_every_page_whose_figures_read_it(monkeypatch: Any) -> None:
    read: list[str] = []

    def noting(folder: str, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(name: str, *more: Any) -> Any:
            read.append(f"docs/{folder}/{name}{kind}")
            return function(name, *more)

        return call

    monkeypatch.setattr(examples, "values", noting("examples", ".pycon", examples.values))
    monkeypatch.setattr(data, "read", noting("data", ".json", data.read))
    some = 0
    for page in PAGES:
        name = f"docs.figures.{page.replace('-', '_')}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        read.clear()
        text = (DOCS / "en" / f"{page}.md").read_text("utf-8")
        for figure in re.findall(r"\(figure:([\w-]+)", text):
            figures.draw(page, figure, "en")
        for file in read:
            assert ("en", page) in serve.shown_on(file), (page, file)
        some += len(read)
    assert some


def test_an_edit_makes_its_pages_and_no_others(monkeypatch: Any) -> None:
    made: list[tuple[str, str]] = []
    forgotten: list[bool] = []

    def make(name: str, language: Any) -> None:
        made.append((language.name, name))
        if language.name == "en":
            raise ValueError("what is broken here does not keep the other language back")

    monkeypatch.setattr(serve, "make", make)
    live = serve.Live(lambda: forgotten.append(True))
    live.prepare = lambda: [SimpleNamespace(name="zh"), SimpleNamespace(name="en")]  # type: ignore
    assert live.show({"docs/en/masks.md"}, set())
    assert made == [("en", "masks")]
    assert not forgotten
    assert live.show({"docs/figures/embedding.py"}, set())
    assert made[1:] == [("en", "embedding"), ("zh", "embedding")]
    assert forgotten == [True]
    assert not live.show({"qkv_docs/masks.py", "theme/templates/main.html"}, set())
    assert len(made) == 3


def test_a_docstring_is_read_anew_at_once_and_the_package_after_the_whole_build(
    monkeypatch: Any, tmp_path: Path
) -> None:
    done: list[str] = []

    def prepare() -> list[Any]:
        done.append("prepared")
        read = SimpleNamespace(teardown=lambda: done.append("read anew"))
        plugins = {"mkdocstrings": SimpleNamespace(handlers=read)}
        config = SimpleNamespace(plugins=plugins)
        return [SimpleNamespace(name=name, config=config) for name in ("zh", "en")]

    monkeypatch.setattr(serve, "make", lambda name, one: done.append(f"{one.name}/{name}"))
    live = serve.Live(lambda: done.append("forgotten"))
    live.prepare = prepare  # type: ignore
    server = SimpleNamespace(mount_path="/docs/", serve_request=lambda *_: None)
    server.set_app = lambda app: setattr(server, "app", app)
    live.await_builds = lambda: None  # type: ignore
    live.on_serve(server)  # type: ignore
    shown = ["en/api", "en/masks", "zh/api", "zh/masks"]
    for path, first in (
        ("/docs/", ["zh/index", *shown]),
        ("/docs/en/", ["en/index", *shown]),
        ("/docs/position/", ["zh/position", *shown]),
        ("/docs/en/masks/", ["en/masks", "en/api", "zh/api", "zh/masks"]),
        ("/docs/en/assets/site.css", ["en/masks", "en/api", "zh/api", "zh/masks"]),
    ):  # the next edit comes before the whole build of the one before is done
        server.app({"PATH_INFO": path}, None)
        done.clear()
        assert live.show({"qkv_docs/masks.py"}, set())
        assert [one for one in done if "/" in one] == first
        assert done.count("read anew") == 2
        assert ("prepared" in done) == (path == "/docs/")

    live.behind, live.config = SimpleNamespace(wait=lambda: 0), SimpleNamespace(site_dir=tmp_path)  # type: ignore
    live.folder, live.next = tmp_path / "kept", tmp_path / "kept/new"
    (live.next / "site").mkdir(parents=True)
    done.clear()
    live.finish()
    assert live.languages is not None
    live.languages.result()
    assert done == ["prepared"]  # the pages that are made at once now run the new package


def test_an_error_is_said_with_its_place() -> None:
    with pytest.raises(SyntaxError) as broken:
        compile("a = 1\ndef b(:\n", str(ROOT / "docs/figures/masks.py"), "exec")
    assert serve.said(broken.value).startswith("docs/figures/masks.py:2: SyntaxError: ")
    with pytest.raises(FileNotFoundError) as missing:
        data.read("nothing")
    assert serve.said(missing.value).startswith("docs/data/__init__.py:")


def test_one_folder_becomes_the_other(tmp_path: Path) -> None:
    new, served = tmp_path / "new", tmp_path / "served"
    for file, text in {"new/a/same": "1", "new/b": "2", "new/c/d": "3"}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    (served / "a").mkdir(parents=True)
    (served / "a/same").write_text("1")
    (served / "b").write_text("1")
    (served / "gone").write_text("4")
    assert serve.put(new, served) == {Path("b"), Path("c/d"), Path("gone")}
    assert not serve.put(new, served)
    assert (served / "b").read_text() == "2"


class Server:
    """`mkdocs serve` of a tree of its own, and what it says."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.kept = tree / f".cache/serve/127.0.0.1-{self.port}"
        (tree / "tmp").mkdir(exist_ok=True)

    def start(self) -> None:
        command = [Path(sys.executable).with_name("mkdocs"), "serve"]
        clean = ("PYTHONPATH", "OFFLINE", "REPO_URL", "SITE_URL")
        env = {name: value for name, value in os.environ.items() if name not in clean}
        env |= {"NO_MKDOCS_2_WARNING": "1", "TMPDIR": str(self.tree / "tmp")}
        with (self.tree / "log").open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--dev-addr", f"127.0.0.1:{self.port}"],
                cwd=self.tree, env=env, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def log(self) -> str:
        return (self.tree / "log").read_text("utf-8")

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(self.url + path) as response:
                return str(response.read().decode())
        except OSError:  # not up yet, or no such page
            return ""

    def progress(self) -> object:
        """Changes as long as something is made."""
        kept = os.walk(self.kept)  # unlike rglob it does not mind what goes meanwhile
        return len(self.log()), sum(len(folders) + len(files) for _, folders, files in kept)

    def until(self, state: Callable[[], bool]) -> None:
        last, since = self.progress(), time.monotonic()
        while not state():
            assert self.process.poll() is None, self.log()
            if (now := self.progress()) != last:
                last, since = now, time.monotonic()
            assert time.monotonic() - since < 300, f"nothing moves\n{self.log()}"
            time.sleep(0.1)

    def sees(self, path: str, text: str) -> None:
        self.until(lambda: text in self.page(path))

    @property
    def folder(self) -> Path:
        (folder,) = (self.tree / "tmp").glob("mkdocs_*")
        return folder

    def settled(self) -> bool:
        """What was built behind is in its place."""
        new = self.kept / str(self.process.pid)
        return (new / "said").exists() and not (new / "site").exists()


def differing(one: Path, other: Path) -> list[str]:
    files = {
        path.relative_to(folder).as_posix()
        for folder in (one, other)
        for path in folder.rglob("*")
        if path.is_file()
    }
    return filecmp.cmpfiles(one, other, sorted(files), shallow=False)[1] + [
        file for file in files if not ((one / file).is_file() and (other / file).is_file())
    ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for name in ("benchmarks", "docs", "theme", "qkv_docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "mkdocs.en.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


# file, what stands in it, what is put there, the pages that show it, what is seen there
EDITS = [
    ("docs/en/masks.md", "\n## ", "\nEDITED-PAGE\n\n## ", ["en/masks/"], "EDITED-PAGE"),
    ("docs/examples/masks.pycon", "[input]\n", "[input]\n>>> edited_example = 1\n",
     ["masks/", "en/masks/"], "edited_example"),
    ("docs/figures/masks.py", '("吃", "eat")', '("吃吃", "eateat")', ["masks/"], "吃吃"),
    ("docs/glossary.yml", "The smallest unit a", "EDITED-TERM a", ["en/glossary/"], "EDITED-TERM"),
    ("docs/references.yml", "labels:\n  paper: {zh: 论文", "labels:\n  paper: {zh: 论文改",
     ["references/"], "论文改"),
    ("qkv_docs/attention.py", '    """', '    """EDITED-PACKAGE. ', ["api/", "en/api/"],
     "EDITED-PACKAGE"),
    ("theme/templates/main.html", "{% block scripts %}", "{% block scripts %}<!-- EDITED-FRAME -->",
     ["masks/", "en/"], "EDITED-FRAME"),
    ("theme/templates/assets/stylesheets/site.css", "", ".edited-style { color: red }\n",
     ["masks/", "en/"], "edited-style"),
    ("theme/extensions/snippets.py", '"en": "Share"', '"en": "EDITED-THEME"', ["en/masks/"],
     "EDITED-THEME"),
    ("mkdocs.yml", "      - embedding.md\n      - similarity.md\n",
     "      - similarity.md\n      - embedding.md\n", [], ""),
    ("docs/data/why-sqrt-dk.json", "\n", " \n", [], ""),
]  # fmt: skip


@pytest.mark.slow
def test_after_any_edits_what_is_served_is_a_clean_build(server: Server) -> None:
    server.sees("en/masks/", "</html>")

    def edit(file: str, old: str, new: str) -> None:
        path = server.tree / file
        text = path.read_text("utf-8")
        assert old in text, f"{file} no longer holds {old!r}"
        path.write_text(text.replace(old, new, 1), "utf-8")

    for file, old, new, pages, text in EDITS:
        edit(file, old, new)
        for page in pages:
            server.sees(page, text)
    # A page that was made at once is what the whole build makes of it.
    edit("docs/zh/masks.md", "\n## ", "\n先看到的\n\n## ")
    server.sees("masks/", "先看到的")
    at_once = (server.folder / "masks/index.html").read_bytes()
    server.until(server.settled)
    assert (server.folder / "masks/index.html").read_bytes() == at_once
    # What is broken is said with file and line; with the next edit all is well again.
    edit("docs/figures/masks.py", "\ndef ", "\ndef broken(:\n\ndef ")
    server.until(lambda: "SyntaxError" in server.log())
    assert "docs/figures/masks.py:" in server.log()
    edit("docs/en/masks.md", '"masks.pycon:', '"masks.pycon:no-')
    server.until(lambda: "nothing to include" in server.log())
    edit("docs/figures/masks.py", "\ndef broken(:\n", "\n")
    edit("docs/en/masks.md", '"masks.pycon:no-', '"masks.pycon:')
    # A page of each language comes, and one goes.
    for language in ("zh", "en"):
        (server.tree / f"docs/{language}/new.md").write_text(
            "---\ntitle: NEW\n---\n# NEW { #new }\n"
        )
    server.sees("en/new/", "NEW")
    (server.tree / "docs/en/new.md").unlink()
    server.until(lambda: not (server.folder / "en/new/index.html").exists())

    clean = server.tree / "clean/build"
    clean.mkdir(parents=True)
    about = json.dumps([str(server.tree / "mkdocs.yml"), str(clean), server.url, False])
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "theme.site.serve", about]
    subprocess.run(command, cwd=server.tree, env=env, check=True, capture_output=True)
    server.until(server.settled)
    assert not differing(server.folder, clean / "site")

    server.stop()
    shutil.rmtree(server.folder)
    server.start()  # with the last build, before there is a new one
    server.until(lambda: "EDITED-PAGE" in server.page("en/masks/"))
    assert not (server.kept / str(server.process.pid) / "said").exists()
