"""A Chinese heading of two lines breaks between its clauses, not in the middle of a word."""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

BETWEEN = re.compile("(?<=[，：；？])(?=[^，：；？”）])")


def clauses(tree: LexborHTMLParser, page: Page) -> None:
    if page.language != "zh":
        return
    for heading in tree.css("article :is(h1, h2, h3)"):
        parts, link = [""], ""
        for node in heading.iter(include_text=True):
            if node.is_text_node:
                text = html.escape(node.text_content or "", quote=False)
                first, *more = BETWEEN.split(text)
                parts[-1] += first
                parts += more
            elif node.attributes.get("class") == "headerlink":
                link += node.html or ""
            else:
                parts[-1] += node.html or ""
        if len(parts) > 1:
            whole = (f'<span class="clause">{part}</span>' for part in parts)
            heading.inner_html = "".join(whole) + link
