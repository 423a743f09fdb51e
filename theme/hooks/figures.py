"""`![text alternative](figure:name "caption")` becomes a drawing made by code.

docs/figures/<page>.py holds one function a figure; it is given `t(zh, en)`, which picks the
label of the page's language, and returns SVG. The numbers come from qkv_docs, at build time.

Around the SVG may stand `<qkv-name data-…>`: a figure that can be played with, made by
assets/scripts/figures/<name>.mjs; the SVG is for who has no scripts, and for paper. Its
`data-src="x.json"` is docs/data/x.json.
"""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url
from place import ROOT, complain, is_main

FIGURE = re.compile(
    r'(?:<p>)?<img alt="([^"]*)" src="figure:([\w-]+)"(?: title="([^"]*)")? ?/?>(?:</p>)?'
)


def on_pre_build(**_: Any) -> None:
    """`mkdocs serve` builds again in one process: a changed package is to be read anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "qkv_docs"]:
        del sys.modules[name]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path in sorted((ROOT / "docs/data").glob("*.json")) if is_main(config) else ():
        files.append(File.generated(config, f"assets/data/{path.name}", abs_src_path=str(path)))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    chinese = is_main(config)

    def put(match: re.Match[str]) -> str:
        alt, name, caption = match[1], match[2], match[3] or ""
        source = ROOT / "docs/figures" / f"{Path(page.file.src_uri).stem.replace('-', '_')}.py"
        try:
            draw = runpy.run_path(str(source))[name.replace("-", "_")]
        except (OSError, KeyError):
            complain(page, f"figure:{name}", f"no function {name} in docs/figures/{source.name}")
            return match[0]
        svg = draw(lambda zh, en: zh if chinese else en)
        svg = re.sub(r'(<svg[^>]*?) aria-label="[^"]*"', r"\1", svg, count=1)
        svg = svg.replace("<svg", f'<svg aria-label="{alt}"', 1)
        data = ("" if chinese else "../") + get_relative_url("assets/data/", page.url)
        svg = re.sub(r'^(<qkv-[^>]* data-src=")', rf"\1{data}", svg)
        note = f"<figcaption>{caption}</figcaption>" if caption else ""
        box = f'<div class="drawing__box">{svg}</div>'
        return f'<figure class="drawing" id="figure-{name}">{box}{note}</figure>'

    for image in re.findall(r"<img[^>]*>", html):
        if not re.search(r'alt="[^"]+"', image):
            source = re.findall(r'src="([^"]*)"', image)[0]
            complain(page, source, f"no text alternative for {source}")
    return FIGURE.sub(put, html)
