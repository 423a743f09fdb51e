"""`![text alternative](figure:name "caption")` becomes a drawing made by docs/figures."""

from __future__ import annotations

import importlib
import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from place import ROOT, complain, is_main

PACKAGES = ("docs", "qkv_docs")
built: dict[str, int] = {}  # "from": when the newest of their files was written
FIGURE = re.compile(
    r'(?:<p>)?<img alt="([^"]*)" src="figure:([\w-]+)"(?: title="([^"]*)")? ?/?>(?:</p>)?'
)


def on_pre_build(config: MkDocsConfig) -> None:
    """`mkdocs serve` builds again in one process: code that changed is to be read anew.

    `mkdocs` itself does not have the root of the repository on its path, `python -m mkdocs` has.
    """
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    newest = max(path.stat().st_mtime_ns for path in sources)
    if built.setdefault("from", newest) != newest:
        built["from"] = newest
        for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
            del sys.modules[name]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path in sorted((ROOT / "docs/data").glob("*.json")) if is_main(config) else ():
        files.append(File.generated(config, f"assets/data/{path.name}", abs_src_path=str(path)))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    figures = importlib.import_module("docs.figures")
    name, language = Path(page.file.src_uri).stem, "zh" if is_main(config) else "en"
    data = ("" if is_main(config) else "../") + get_relative_url("assets/data/", page.url)

    def put(match: re.Match[str]) -> str:
        label, figure, caption = unescape(match[1]), match[2], match[3] or ""
        try:
            drawn = figures.html(name, figure, language, label=label, data_url=data)
        except figures.NoFigure as error:
            complain(page, f"figure:{figure}", str(error))
            return match[0]
        note = f"<figcaption>{caption}</figcaption>" if caption else ""
        box = f'<div class="drawing__box">{drawn}</div>'
        return f'<figure class="drawing" id="figure-{figure}">{box}{note}</figure>'

    for image in re.findall(r"<img[^>]*>", html):
        if not re.search(r'alt="[^"]+"', image):
            source = re.findall(r'src="([^"]*)"', image)[0]
            complain(page, source, f"no text alternative for {source}")
    return FIGURE.sub(put, html)
