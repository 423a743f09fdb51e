"""`mkdocs serve`: an edit is seen at once on the pages that show it, and the whole site follows.

After an edit the pages that show the file (`shown_on`) are made again in this process, and where
the package was edited the page that somebody looks at, for what it computes there. Behind them a
process of its own builds the whole site from nothing, and what differs is put in place. So what is
served becomes what a clean build makes, whatever was edited; the table below decides only what is
seen sooner. The last build is kept, and served until the first one is done.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import queue
import re
import shutil
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from mkdocs.commands.build import _build_page, _populate_page, build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.livereload import LiveReloadServer
from mkdocs.structure.files import Files, get_files, set_exclusions
from mkdocs.structure.nav import Navigation, get_navigation
from mkdocs.structure.pages import Page

from theme.extensions.page import DOCS, ROOT, log
from theme.site.languages import Kept

SOURCES = ("docs", "qkv_docs", "theme")
# Of what is put in place, what nobody looks at: no browser loads its page again for these.
UNSEEN = {"sw.js", "search", "sitemap.xml", "sitemap.xml.gz", "objects.inv", "llms.txt", "numbers"}
State = dict[str, tuple[int, int]]


def shown_on(path: str) -> Iterator[tuple[str, str]]:
    """Which pages show a file: (language, name). Of all other files only the whole build knows."""
    folder, stem, kind = Path(path).parent.as_posix(), Path(path).stem, Path(path).suffix
    mine = stem.replace("_", "-")
    times = [f"{before}{stem}{after}" for before in ("{time:", "+") for after in "+}"]
    # What a page's Markdown, or the module of its figures, writes to take something of the file.
    names: dict[tuple[str, str], list[str]] = {
        ("docs/zh", ".md"): times,
        ("docs/en", ".md"): times,
        ("docs", ".yml"): [],  # references.yml, glossary.yml: the page of that name
        ("docs/figures", ".py"): [f"docs.figures import {stem}{after}" for after in " \n"],
        ("docs/examples", ".pycon"): [f'"{stem}.pycon:', f"(={stem}/", f'"{stem}"'],
        ("docs/data", ".json"): [f"(={stem}.json:", f'"{stem}"'],
        # Where its source and its docstrings stand; what it computes the whole build knows.
        ("qkv_docs", ".py"): [f'"qkv_docs/{stem}.py:', *documented(ROOT / path)],
    }
    if (folder, kind) not in names:
        return
    for page in sorted([*(DOCS / "zh").glob("*.md"), *(DOCS / "en").glob("*.md")]):
        text = page.read_text(encoding="utf-8") + drawing(page.stem.replace("-", "_"))
        if kind == ".md" and page.parent != ROOT / folder:
            continue  # the other language
        if page.stem == mine or any(name in text for name in names[folder, kind]):
            yield page.parent.name, page.stem


def documented(path: Path) -> list[str]:
    """What a page writes to show the docstrings of a module's functions and classes."""
    text = path.read_text(encoding="utf-8") if path.suffix == ".py" and path.exists() else ""
    return [f"\n::: qkv_docs.{name}\n" for name in re.findall(r"^(?:def|class) (\w+)", text, re.M)]


def drawing(module: str) -> str:
    """The source of a page's figures, and of what they take from another page's."""
    path = DOCS / "figures" / f"{module}.py"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    others = re.findall(r"^from docs\.figures import (\w+)", text, re.M)
    return text + "".join(map(drawing, others))


def state() -> State:
    """Of every file that a build reads: when it was written, and its size."""
    paths = [path for folder in SOURCES for path in (ROOT / folder).rglob("*.*[!~]")]
    found = {}
    for path in [*paths, *ROOT.glob("mkdocs*.yml"), ROOT / "pyproject.toml"]:
        if path.name.startswith(".") or "__pycache__" in path.parts:
            continue  # an editor's, or Python's
        with contextlib.suppress(FileNotFoundError):  # gone since
            about = path.stat()
            if stat.S_ISREG(about.st_mode):
                found[path.relative_to(ROOT).as_posix()] = about.st_mtime_ns, about.st_size
    return found


def said(error: BaseException) -> str:
    """`docs/figures/masks.py:12: SyntaxError: …`: an error, and where in this tree it arose."""
    frames = [(one.filename, one.lineno) for one in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((error.filename, error.lineno))
    ours = [(ROOT / file, line) for file, line in frames]
    tree = [one for one in ours if any((ROOT / name) in one[0].parents for name in SOURCES)]
    where = f"{tree[-1][0].relative_to(ROOT).as_posix()}:{tree[-1][1]}: " if tree else ""
    return f"{where}{type(error).__name__}: {error}"


def put(new: Path, served: Path) -> set[Path]:
    """Make one folder what the other is; returns the files that differed."""

    def files(folder: Path) -> set[Path]:
        return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}

    fresh, old = files(new), files(served)
    changed = old - fresh
    for path in changed:
        (served / path).unlink()
    for path in fresh:
        data = (new / path).read_bytes()
        if path not in old or data != (served / path).read_bytes():
            (served / path).parent.mkdir(parents=True, exist_ok=True)
            (served / path).write_bytes(data)
            changed.add(path)
    return changed


class Once(logging.Filter):
    """A warning is said once an edit: the page that is made at once and the whole build find it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        new = record.levelno < logging.WARNING or message not in self.seen
        self.seen.add(message)
        return new


@dataclass
class Language:
    """What MkDocs knows of a language before it makes a page."""

    config: MkDocsConfig
    env: jinja2.Environment
    files: Files
    nav: Navigation

    @property
    def name(self) -> str:
        return Path(self.config.docs_dir).name


def prepared(config: MkDocsConfig) -> Language:
    """As mkdocs.commands.build.build begins: every page has its place and title, none is made."""
    config.extra["in_parts"] = True
    config = config.plugins.on_config(config)
    env, files = config.theme.get_env(), get_files(config)
    files.add_files_from_theme(env, config)
    files = config.plugins.on_files(files, config=config)
    set_exclusions(files, config)
    nav = config.plugins.on_nav(get_navigation(files, config), config=config, files=files)
    for file in files.documentation_pages():
        page = file.page or Page(None, file, config)
        if file.src_uri.endswith(".md"):
            page.read_source(config)
        else:
            _populate_page(page, config, files)  # a notebook has its title from its contents
    importlib.import_module("theme.site.pages").offer(env, config)
    return Language(config, env, files, nav)


def make(name: str, language: Language) -> None:
    """Make one page, and what lies beside it."""
    config, files = language.config, language.files
    file = files.get_file_from_path(f"{name}.md")
    if file is None or file.page is None:
        return  # new: the whole build finds it a place
    importlib.import_module("theme.site.languages").on_config(config)  # for the lines of warnings
    _populate_page(file.page, config, files)
    config.plugins["autorefs"].on_env(language.env, config=config, files=Files([file]))
    importlib.import_module("theme.site.exports").export(file.page, config, files)
    _build_page(file.page, config, files.documentation_pages(), language.nav, language.env)


class Live:
    """Takes the place of what builds where `mkdocs serve` builds."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self.forget = forget  # code that changed
        self.once = Once()
        self.pool = ThreadPoolExecutor(1)
        self.languages: Future[list[Language]] | None = None
        self.old_package = False  # what they know is where the one before lies, for Run
        self.looked_at: tuple[str, str] | None = None  # the page that was asked for last
        self.behind: subprocess.Popen[bytes] | None = None
        self.started: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()

    def first(self, config: MkDocsConfig, *, serve_url: str, dirty: bool = False) -> None:
        """The build before the server is up."""
        self.config, self.url, self.state = config, serve_url, state()
        self.folder = ROOT / ".cache/serve" / "{}-{}".format(*config.dev_addr)
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.iterdir():
            if old.is_dir() and old.name != "site":  # of a server that did not end by itself
                shutil.rmtree(old, ignore_errors=True)
        self.next = self.folder / str(os.getpid())
        for handler in logging.getLogger("mkdocs").handlers:
            handler.addFilter(self.once)
        last = self.folder / "site"
        if kept := last.exists():  # first of all: what follows takes the processor from the server
            put(last, Path(config.site_dir))
            log.info("This is the last build; the new one takes its place in a moment")
        self.start()
        if kept:
            self.languages = self.pool.submit(self.prepare)
        else:
            self.finish()

    def on_serve(self, server: LiveReloadServer) -> None:
        server.builder = self.renew
        self.server = server
        mount = server.mount_path

        def noting(environ: Any, start_response: Any) -> Any:
            path = environ["PATH_INFO"]
            if path.startswith(mount) and path.endswith("/"):
                *up, name = path[len(mount) :].strip("/").split("/")
                language = "en" if up == ["en"] or name == "en" else "zh"
                self.looked_at = language, "index" if name in ("", "en") else name
            return server.serve_request(environ, start_response)

        server.set_app(noting)
        threading.Thread(target=self.await_builds, daemon=True).start()

    def await_builds(self) -> None:
        """Have the server ask for what was built behind as soon as it is there."""
        while True:
            behind = self.started.get()
            behind.wait()
            if behind is not self.behind:
                continue  # an edit has stopped it
            with self.server._rebuild_cond:
                self.server._want_rebuild = True
                self.server._rebuild_cond.notify_all()

    def renew(self) -> None:
        """A source was written, or what was built behind is there."""
        before, self.state = self.state, state()
        changed = {path for path, _ in before.items() ^ self.state.items()}
        seen = False
        if changed:
            self.stop()  # what it builds is old
            self.once.seen.clear()
            try:
                seen = self.show(changed, before.keys() ^ self.state.keys())
            except (Exception, SystemExit) as error:
                log.error("%s", said(error))
            self.start()
        elif self.behind and self.behind.poll() is not None:
            seen = self.finish()
        if not seen:  # MkDocs would load the pages in all browsers again
            self.server._wanted_epoch = self.server._visible_epoch

    def prepare(self) -> list[Language]:
        languages = importlib.import_module("theme.site.languages")
        config = load_config(self.config.config_file_path, site_dir=self.config.site_dir)
        config.plugins.on_startup(command="serve", dirty=False)
        config.site_url = self.url
        return [prepared(config), prepared(languages.english(languages.settings(config)))]

    def show(self, changed: set[str], came_or_went: set[str]) -> bool:
        """Make the pages again that show what changed; whether there are any."""
        failed = self.languages is None or self.languages.exception() is not None
        if any(path.endswith(".py") for path in changed):
            self.forget()
        frame = any(path.startswith(("theme/", "mkdocs")) for path in changed)
        package = any(path.startswith("qkv_docs/") for path in changed)
        self.old_package |= package
        pages_differ = any(one.startswith(("docs/zh/", "docs/en/")) for one in came_or_went)
        if frame or pages_differ or failed:
            self.languages = None
        pages = dict.fromkeys(page for path in sorted(changed) for page in shown_on(path))
        if package and self.looked_at:  # what is computed on it may have changed
            pages = dict.fromkeys([self.looked_at, *pages])
        if not pages or frame:
            return False  # what the whole build makes is made ready after it: it is waited for
        self.languages = self.languages or self.pool.submit(self.prepare)
        languages = {one.name: one for one in self.languages.result()}
        for one in languages.values() if package else ():  # mkdocstrings has read it
            reader: Any = one.config.plugins["mkdocstrings"]
            reader.handlers.teardown()
        for language, name in pages:
            try:
                make(name, languages[language])
            except Exception as error:  # the next page may be whole
                log.error("%s", said(error))
        importlib.import_module("theme.site.search").gathered.clear()  # the whole build's business
        return True

    def start(self) -> None:
        """Build the whole site behind."""
        about = [self.config.config_file_path, str(self.next), self.url, self.config.strict]
        call = [sys.executable, "-m", "theme.site.serve", json.dumps(about)]
        self.next.mkdir(exist_ok=True)
        (self.next / "said").unlink(missing_ok=True)
        # A session of its own: Ctrl-C is for the server, which then ends it.
        self.behind = subprocess.Popen(call, cwd=ROOT, start_new_session=True)
        self.started.put(self.behind)

    def stop(self) -> None:
        if self.behind:
            self.behind.kill()
            self.behind.wait()
            self.behind = None

    def finish(self) -> bool:
        """Put in place what was built behind; whether something of it can be seen."""
        assert self.behind is not None
        failed, self.behind = self.behind.wait() != 0, None
        said = self.next / "said"
        for level, message in json.loads(said.read_text("utf-8")) if said.exists() else ():
            log.log(level, "%s", message)
        if failed:
            return False
        changed = put(self.next / "site", Path(self.config.site_dir))
        shutil.rmtree(self.folder / "site", ignore_errors=True)
        (self.next / "site").rename(self.folder / "site")
        # Only now: it would take the processor from what is to be seen.
        if self.old_package or self.languages is None:
            self.old_package, self.languages = False, self.pool.submit(self.prepare)
        return any(UNSEEN.isdisjoint(path.parts) for path in changed)


def whole(config_file: str, folder: Path, url: str, strict: bool) -> int:
    """The whole site, as it is served, into `folder`/site; in a process of its own."""
    kept, logger = Kept(), logging.getLogger("mkdocs")
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)
    try:
        config = load_config(config_file, site_dir=str(folder / "site"), strict=strict)
        config.plugins.on_startup(command="serve", dirty=False)
        config.site_url = url
        build(config, serve_url=url)
        failed = 0
    except (Exception, SystemExit) as error:
        kept.records.append((logging.ERROR, said(error)))
        failed = 1
    (folder / "said").write_text(json.dumps(kept.records), encoding="utf-8")
    return failed


def main() -> int:
    config_file, folder, url, strict = json.loads(sys.argv[1])
    return whole(config_file, Path(folder), url, strict)


__all__ = ["Live", "put", "said", "shown_on", "state", "whole"]

if __name__ == "__main__":
    sys.exit(main())
