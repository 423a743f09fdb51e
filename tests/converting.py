"""Pages as Python-Markdown makes them by itself, without MkDocs.

As a program it writes the body of every page, as JSON, in a process where MkDocs cannot be
imported.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from markdown import Markdown
from sources import DOCS, ROOT

from theme import notebook_pages
from theme.extensions import extensions
from theme.extensions.page import Page, split


class Loader(yaml.SafeLoader):
    """The configuration has tags of MkDocs, which no extension needs."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def settings(language: str) -> dict[str, dict[str, Any]]:
    """The extensions of other people that the site uses, with their settings."""
    main, english = (
        yaml.load((ROOT / name).read_text("utf-8"), Loader)["markdown_extensions"]
        for name in ("mkdocs.yml", "mkdocs.en.yml")
    )
    return {
        name: {**own, **english.get(name, {})} if language == "en" else own
        for name, own in main.items()
    }


def convert(page: Page) -> str:
    """The body of a page: of a Markdown file, or of a notebook."""
    text = page.path.read_text("utf-8")
    if page.path.suffix == ".ipynb":
        _, text = notebook_pages.markdown(text, page)
    else:
        _, text = split(text)
    given = settings(page.language)
    return Markdown(extensions=[*given, *extensions(page)], extension_configs=given).convert(text)


def pages() -> list[Page]:
    """Every page, with the way to the root of the site that it has there."""
    found = []
    for language in ("zh", "en"):
        folder = DOCS / language
        for path in sorted([*folder.rglob("*.md"), *folder.rglob("*.ipynb")]):
            name = path.relative_to(folder).with_suffix("").as_posix()
            depth = name.count("/") + (name != "index") + (language == "en")
            found.append(Page(name, language, path, "../" * depth or "./"))
    return found


class Blocked:
    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in ("mkdocs", "mkdocstrings", "material"):
            raise ImportError(f"{name} is not there")


if __name__ == "__main__":
    sys.meta_path.insert(0, Blocked())  # type: ignore[arg-type]
    made = {f"{page.language}/{page.name}": convert(page) for page in pages()}
    Path(sys.argv[1]).write_text(json.dumps(made), "utf-8")
