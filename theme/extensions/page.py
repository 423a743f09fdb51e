"""The page that is being made: what a Markdown extension is told, and how it complains."""

from __future__ import annotations

import functools
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown.extensions import Extension

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Written in C where PyYAML was built with it, and then ten times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The logger of a MkDocs plugin, by its name alone: a warning on it makes a strict build fail.
log = logging.getLogger("mkdocs.plugins.qkv")


@dataclass(frozen=True)
class Page:
    """A page in one language: `Page("masks", "en", Path("docs/en/masks.md"))`."""

    name: str
    language: str
    path: Path
    root: str = ""  # the way from the finished page to the root of the site: "../../"
    without_python: str = ""  # why snippets cannot run: "not fetched", or from a "folder"
    serving: bool = False  # live, for who writes

    def to(self, page: str) -> str:
        """The address of another page, for a link in the Markdown of this one."""
        return "../" * self.name.count("/") + page

    def complain(self, text: str, message: str) -> None:
        """A warning about `text`: `docs/en/masks.md:12: message`."""
        log.warning("%s: %s", place(self.path, text), message)


class PageExtension(Extension):
    """An extension that is told its page: `Citations(page=page)`."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page


def place(path: str | Path, text: str = "") -> str:
    """`docs/zh/page.md:12`: the file and the first line of it that holds `text`."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    line = next((n for n, row in enumerate(lines, 1) if text and text in row), 1)
    return f"{Path(os.path.relpath(path, ROOT)).as_posix()}:{line}"


def split(text: str) -> tuple[dict[str, Any], str]:
    """The front matter of a page, and its Markdown."""
    if not text.startswith("---\n"):
        return {}, text
    front, _, body = text.removeprefix("---\n").partition("\n---\n")
    return dict(yaml.load(front, LOADER)), body.lstrip("\n")


def title(path: Path) -> str:
    """What the navigation calls a page: the title in its front matter."""
    return _title(path.read_text(encoding="utf-8").partition("\n---\n")[0])


@functools.cache
def _title(front: str) -> str:
    return str(split(f"{front}\n---\n")[0]["title"])


@functools.cache
def _parsed(path: Path, changed: float) -> dict[str, Any]:
    return dict(yaml.load(path.read_text(encoding="utf-8"), LOADER))


def ledger(name: str) -> dict[str, Any]:
    """docs/<name>.yml, read anew when the file changed."""
    path = DOCS / f"{name}.yml"
    return _parsed(path, path.stat().st_mtime)


__all__ = ["DOCS", "ROOT", "Page", "PageExtension", "ledger", "log", "place", "split", "title"]
