"""One `mkdocs build` or `mkdocs serve` makes both languages: Chinese at /, English at /en/.

Why not a plugin for it: two plain configurations keep search, 404 page, sitemap and instant
navigation whole in each language. The Chinese build starts the English one when it is done.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, Literal

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import Files
from mkdocs.structure.nav import Navigation
from place import ROOT, is_main, log, place

state = {"dirty": False}


class WithLine(logging.Filter):
    """MkDocs names the file of a broken link; add the line."""

    docs_dir = Path()

    def filter(self, record: logging.LogRecord) -> bool:
        found = re.match(r"Doc file '(.+?)' contains .*? '(.+?)'", record.getMessage())
        if found and (path := self.docs_dir / found[1]).exists():
            record.msg, record.args = f"{place(path, found[2])}: {record.getMessage()}", ()
        return True


with_line = WithLine()
logging.getLogger("mkdocs.structure.pages").addFilter(with_line)


def on_startup(command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
    state["dirty"] = dirty


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    with_line.docs_dir = Path(config.docs_dir)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    here = Path(config.docs_dir)
    other = here.with_name("en" if is_main(config) else "zh")
    for path in sorted(other.rglob("*.md")):
        if not (here / path.relative_to(other)).exists():
            log.warning("%s: has no translation in docs/%s", place(path), here.name)
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    for item in nav.items:
        if item.children:
            item.title = config.extra["nav_titles"][item.title]
    return nav


@event_priority(-200)  # after every plugin has written its files
def on_post_build(config: MkDocsConfig) -> None:
    if not is_main(config):
        return
    with_line.docs_dir = ROOT / "docs/en"
    changes: dict[str, Any] = {
        "site_dir": str(Path(config.site_dir) / "en"),
        "site_url": f"{config.site_url}en/" if config.site_url else "",
        "strict": config.strict,
    }
    english = load_config(str(ROOT / "mkdocs.en.yml"), **changes)
    english.plugins.on_startup(command="build", dirty=state["dirty"])
    build(english, dirty=state["dirty"])
    english.plugins.on_shutdown()
