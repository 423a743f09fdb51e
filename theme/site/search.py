"""Gathers the finished pages of a language and writes what its search needs (theme/search.py)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

from theme import search
from theme.extensions.page import ledger
from theme.site.languages import language

# The theme's own search is not used: its worker, and the stemmers of thirty languages.
THEIRS = ("assets/javascripts/lunr/", "assets/javascripts/workers/")
gathered: dict[str, list[search.Page]] = defaultdict(list)


def begin(files: Files, config: MkDocsConfig) -> None:
    gathered[language(config)].clear()
    for file in [file for file in files if file.src_uri.startswith(THEIRS)]:
        files.remove(file)


def gather(html: str, page: Page, config: MkDocsConfig) -> None:
    about = page.meta.get("search", {})
    found = search.Page(
        name=Path(page.file.src_uri).with_suffix("").as_posix(),
        address=page.url.removeprefix("./"),
        title=str(page.title),
        weight=about.get("boost", 1),
        sections=search.sections(html),
        names=about.get("names", False),
    )
    gathered[language(config)].append(found)


def write(config: MkDocsConfig) -> None:
    pages = gathered[language(config)]
    search.naming(pages, ledger("glossary"))
    search.linking(pages)
    for path, text in search.files(pages).items():
        file = Path(config.site_dir, "search", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
