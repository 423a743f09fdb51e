"""A notebook becomes a page like the others: the site's own look, formulas, anchors, checked links.

mkdocs-jupyter renders a notebook with its outputs, wrapped in Jupyter's own page and 600 KB of
style sheets and scripts. Taken from it here: text, code, and what the code printed.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink
from place import complain

PART = re.compile(
    r'id="cell-id=(?P<cell>[\w-]+)"'
    r'|<div class="[^"]*jp-RenderedMarkdown[^>]*>(?P<text>.*?)</div>'
    r'|<div class="highlight-ipynb hl-(?P<language>\w+)[^>]*><pre>(?P<code>.*?)</pre>'
    r'|data-mime-type="text/plain"[^>]*>\s*<pre>(?P<output>.*?)</pre>',
    re.S,
)
HEADING = re.compile(r'<h([1-6]) id="[^"]*">(.*?)<a class="anchor-link"[^>]*>[^<]*</a></h\1>', re.S)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+)\$", re.S)
LINK = re.compile(r'(?<=href=")(?!https?:|#|mailto:)([^"#]+)((?:#[^"]*)?)(?=")')


def on_page_content(
    html: str, page: Page, config: MkDocsConfig, files: Files, **_: Any
) -> str | None:
    if 'class="jupyter-wrapper"' not in html:
        return None
    notebook = json.loads(page.file.content_string)
    page.title = notebook["metadata"]["title"]  # the short one, for the navigation
    page.meta["description"] = notebook["metadata"]["description"]
    permalink = config.mdx_configs["toc"]["permalink_title"]
    parts: list[str] = []
    anchors: list[str] = []
    cell = ""

    def heading(match: re.Match[str]) -> str:
        anchors.append(cell)
        level, words = match.groups()
        link = f'<a class="headerlink" href="#{cell}" title="{permalink}">&para;</a>'
        return f'<h{level} id="{cell}">{words}{link}</h{level}>'

    def formula(match: re.Match[str]) -> str:
        if match[1] is not None:
            return f'<span class="arithmatex">\\[{match[1]}\\]</span>'
        return f'<span class="arithmatex">\\({match[2]}\\)</span>'

    def link(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page.file.src_uri), match[1]))
        target = files.get_file_from_path(path)
        if target is None:
            complain(page, match[1], f"the link '{match[1]}' leads to no page")
        elif target.src_uri != page.file.src_uri:  # a link to the notebook itself is its download
            return target.url_relative_to(page.file) + match[2]
        return match[0]

    for part in PART.finditer(html):
        if part["cell"]:
            cell = part["cell"]
        elif part["text"]:
            parts.append(LINK.sub(link, FORMULA.sub(formula, HEADING.sub(heading, part["text"]))))
        elif part["code"]:
            parts.append(block(part["code"], f"language-{part['language']} highlight"))
        else:
            printed = f'<span class="go">{part["output"]}</span>'
            parts.append(block(printed, "highlight no-copy notebook-output"))

    for item, anchor in zip(in_order(page.toc), anchors, strict=True):
        item.id = anchor
    outputs = [output for one in notebook["cells"] for output in one.get("outputs", ())]
    if len(parts) != len(notebook["cells"]) + len(outputs):
        complain(page, "", "an output is an error, or something else than text")
    return "\n".join(parts)


def block(code: str, kind: str) -> str:
    code = code.removeprefix("<span></span>").strip("\n")
    return f'<div class="{kind}"><pre><span></span><code>{code}</code></pre></div>'


def in_order(links: Iterable[AnchorLink]) -> Iterator[AnchorLink]:
    """The table of contents, flat."""
    for item in links:
        yield item
        yield from in_order(item.children)
