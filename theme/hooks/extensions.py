"""Hands the Markdown extensions of this site to MkDocs, for each page anew.

MkDocs checks the names of extensions before it loads hooks, and nothing under theme/ can be
imported then; instances it takes as they are.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page as MkDocsPage
from mkdocs.utils import get_relative_url

sys.path.insert(0, str(Path(__file__).parents[2]))

from theme.extensions import extensions
from theme.extensions.page import Page


def about(page: MkDocsPage, config: MkDocsConfig) -> Page:
    """The page as the extensions know it."""
    language = Path(config.docs_dir).name
    root = get_relative_url(".", page.url) + "/"
    path = Path(str(page.file.abs_src_path))
    name = Path(page.file.src_uri).with_suffix("").as_posix()
    return Page(name, language, path, root + ("../" if language == "en" else ""))


def on_page_markdown(markdown: str, page: MkDocsPage, config: MkDocsConfig, files: Files) -> None:
    given: list[Any] = config.markdown_extensions
    others = [one for one in given if not type(one).__module__.startswith("theme.")]
    # In place: mkdocstrings holds the same list, for docstrings.
    given[:] = [*others, *extensions(about(page, config))]


def on_page_content(html: str, page: MkDocsPage, files: Files, **_: object) -> str:
    """Links that docstrings bring: MkDocs resolves only those of the page's own Markdown."""
    target = files.get_file_from_path("references.md")
    if target is None:
        return html
    return html.replace('href="references.md#', f'href="{target.url_relative_to(page.file)}#')
