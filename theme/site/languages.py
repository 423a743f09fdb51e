"""One `mkdocs build` or `mkdocs serve` makes both languages: Chinese at /, English at /en/.

Why not a plugin for it: two plain configurations keep search, 404 page, sitemap and instant
navigation whole in each language. The Chinese build starts the English one when it is done.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.nav import Navigation

from theme.extensions.page import ROOT, log, place


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


def english(config: MkDocsConfig) -> MkDocsConfig:
    """The configuration of the English half of this build."""
    changes: dict[str, Any] = {
        "site_dir": str(Path(config.site_dir) / "en"),
        "site_url": f"{config.site_url}en/" if config.site_url else "",
        "strict": config.strict,
    }
    return load_config(str(ROOT / "mkdocs.en.yml"), **changes)


def build_english(config: MkDocsConfig, dirty: bool) -> None:
    half = english(config)
    half.plugins.on_startup(command="serve" if config.extra["serving"] else "build", dirty=dirty)
    build(half, dirty=dirty)
    half.plugins.on_shutdown()
