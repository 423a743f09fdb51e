"""What every hook needs: where something stands in the sources, which language is built."""

from __future__ import annotations

import os
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import get_plugin_logger
from mkdocs.structure.pages import Page
from mkdocs.utils import meta

ROOT = Path(__file__).parents[2]
log = get_plugin_logger("qkv")
OFFLINE = os.environ.get("OFFLINE") == "true"  # a site to be opened from a folder: file://


def is_main(config: MkDocsConfig) -> bool:
    """Whether this is the Chinese build, which starts the English one."""
    return Path(config.docs_dir).name == "zh"


def title(path: Path) -> str:
    """The title in a page's front matter: what the navigation calls the page."""
    return str(meta.get_data(path.read_text(encoding="utf-8"))[1]["title"])


def place(path: str | Path, text: str = "") -> str:
    """`docs/zh/page.md:12`: the file and the first line of it that holds `text`."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    line = next((n for n, row in enumerate(lines, 1) if text and text in row), 1)
    return f"{Path(os.path.relpath(path, ROOT)).as_posix()}:{line}"


def complain(page: Page, text: str, message: str) -> None:
    """A warning about `text` on `page`; with --strict it ends the build."""
    assert page.file.abs_src_path is not None
    log.warning("%s: %s", place(page.file.abs_src_path, text), message)
