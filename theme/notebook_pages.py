"""A notebook as the Markdown of a page: the site's own look, formulas, anchors and checked links.

mkdocs-jupyter puts a notebook among the pages and its file beside the page. Its own rendering comes
wrapped in Jupyter's page and 600 KB of style sheets and scripts; the text, the code and what the
code printed need none of them.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from theme.extensions.page import Page


def markdown(source: str, page: Page) -> tuple[dict[str, str], str]:
    """The title and description of a notebook, and its cells as Markdown."""
    notebook = json.loads(source)
    parts = [part for cell in notebook["cells"] for part in cell_parts(cell, page)]
    return notebook["metadata"], "\n\n".join(parts)


def cell_parts(cell: dict[str, Any], page: Page) -> list[str]:
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        return [anchored(text, cell["id"], page.path.name)]
    return [f"````python\n{text}\n````", *(printed(one, page) for one in cell["outputs"])]


def anchored(text: str, name: str, file: str) -> str:
    """The heading has the id of its cell; a link to the notebook itself is its download."""
    first, gap, rest = text.partition("\n")
    first += f" {{ #{name} }}" if first.startswith("#") else ""
    link = rf"\[([^\]]+)\]\({re.escape(file)}\)"
    return re.sub(link, rf'<a href="{file}">\1</a>', first + gap + rest)


def printed(output: dict[str, Any], page: Page) -> str:
    shown = output.get("text") or output.get("data", {}).get("text/plain")
    if shown is None:
        page.complain("", "an output is an error, or something else than text")
        return ""
    text = escape("".join(shown).strip("\n"), quote=False)
    code = f'<code><span class="go">{text}</span></code>'
    return f'<div class="highlight no-copy notebook-output"><pre><span></span>{code}</pre></div>'
