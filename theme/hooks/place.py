"""Say where in the sources something stands, as `docs/zh/page.md:12`."""

from __future__ import annotations

import os
from pathlib import Path

from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
log = get_plugin_logger("qkv")


def place(path: str | Path, text: str = "") -> str:
    """The file, relative to the project, and the first line that holds `text`."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    line = next((n for n, row in enumerate(lines, 1) if text and text in row), 1)
    return f"{os.path.relpath(path, ROOT)}:{line}"


def complain(page: Page, text: str, message: str) -> None:
    """A warning about `text` on `page`; with --strict it ends the build."""
    assert page.file.abs_src_path is not None
    log.warning("%s: %s", place(page.file.abs_src_path, text), message)
