"""One `mkdocs build` or `mkdocs serve` makes both languages: Chinese at /, English at /en/.

Why not a plugin for it: two plain configurations keep search, 404 page, sitemap and instant
navigation whole in each language. The Chinese build starts the English one beside it, in a process
of its own, and waits for it at its end.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import Abort, BuildError
from mkdocs.structure.nav import Navigation

from theme.extensions.page import ROOT, log, place

BEGIN = b"\n"


class WithLine(logging.Filter):
    """MkDocs names the file of a broken link; add the line."""

    docs_dir = Path()

    def filter(self, record: logging.LogRecord) -> bool:
        found = re.match(r"Doc file '(.+?)' contains .*? '(.+?)'", record.getMessage())
        if found and (path := self.docs_dir / found[1]).exists():
            record.msg, record.args = f"{place(path, found[2])}: {record.getMessage()}", ()
        return True


def language(config: MkDocsConfig) -> str:
    return Path(config.docs_dir).name


def on_config(config: MkDocsConfig) -> None:
    """Let warnings name lines of the language that is built."""
    pages = logging.getLogger("mkdocs.structure.pages")
    for old in [one for one in pages.filters if type(one).__name__ == WithLine.__name__]:
        pages.removeFilter(old)
    with_line = WithLine()
    with_line.docs_dir = Path(config.docs_dir)
    pages.addFilter(with_line)


def warn_of_missing_translations(config: MkDocsConfig) -> None:
    here = Path(config.docs_dir)
    other = here.with_name({"zh": "en", "en": "zh"}[language(config)])
    for path in sorted(other.rglob("*.md")):
        if not (here / path.relative_to(other)).exists():
            log.warning("%s: has no translation in docs/%s", place(path), here.name)


def titled(nav: Navigation, config: MkDocsConfig) -> Navigation:
    for item in nav.items:
        if item.children:
            item.title = config.extra["nav_titles"][item.title]
    return nav


def settings(config: MkDocsConfig) -> dict[str, Any]:
    """What the English half of this build has from the Chinese one."""
    return {
        "site_dir": str(Path(config.site_dir) / "en"),
        "site_url": f"{config.site_url}en/" if config.site_url else "",
    }


def english(given: dict[str, Any]) -> MkDocsConfig:
    """The configuration of the English half."""
    return load_config(str(ROOT / "mkdocs.en.yml"), **given)


class Kept(logging.Handler):
    """Keeps what a build warns of, for the process that shows it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append((record.levelno, record.getMessage()))


class Half:
    """The English half, in a process of its own: made ready at once, begun when it is told to.

    It ends when its input does, so when this process goes, in whatever way.
    """

    def __init__(self, config: MkDocsConfig, dirty: bool, serving: bool) -> None:
        about = [settings(config), "serve" if serving else "build", dirty]
        call = [sys.executable, "-m", "theme.site.languages", json.dumps(about)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(call, cwd=ROOT, stdin=pipe, stdout=pipe)

    def begin(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(BEGIN)
        self.process.stdin.flush()

    def finish(self) -> None:
        """Wait for its end, and pass on its warnings."""
        assert self.process.stdin
        assert self.process.stdout
        lines = self.process.stdout.read().decode("utf-8").splitlines()
        failed = self.process.wait() != 0
        self.process.stdin.close()
        self.process.stdout.close()
        for level, message in json.loads(lines[-1]) if lines else ():
            log.log(level, "%s", message)
        if failed:
            raise Abort("The English half of the site was not built")


def build_half(given: dict[str, Any], command: Any, dirty: bool) -> int:
    """In a process of its own: build, and write as JSON what it warns of."""
    from theme.site.serve import said

    kept, logger = Kept(), logging.getLogger("mkdocs")
    logger.addHandler(kept)
    failed = 0
    try:
        config = english(given)
        config.plugins.on_startup(command=command, dirty=dirty)
        if os.read(0, 1) != BEGIN:
            return 1
        threading.Thread(target=end_with_input, daemon=True).start()
        build(config, dirty=dirty)
        config.plugins.on_shutdown()
    except (BuildError, SystemExit):
        failed = 1  # it has said why
    except Exception as error:
        kept.records.append((logging.ERROR, said(error)))
        failed = 1
    print(json.dumps(kept.records), flush=True)
    return failed


def end_with_input() -> None:
    os.read(0, 1)
    os._exit(1)


__all__ = ["Half", "Kept", "english", "language", "settings", "titled"]

if __name__ == "__main__":
    sys.exit(build_half(*json.loads(sys.argv[1])))
