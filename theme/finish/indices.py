"""√d_k and W_Q in titles, captions and questions stand as they are written by hand, the index low.

A heading is plain text in the navigation, in search and in a twin: it cannot hold a formula. The
underscore stays in the text, for who copies it or looks for it on the page, and is not seen.
"""

from __future__ import annotations

import html

from selectolax.lexbor import LexborHTMLParser

from qkv_docs.drawing import INDEX
from theme.extensions.page import Page
from theme.finish.nodes import fragment, is_prose

LOW = r'\1<sub class="index"><span>_</span>\2</sub>'


def indices(tree: LexborHTMLParser, page: Page) -> None:
    if tree.body is None:
        return
    found = [
        node
        for node in tree.body.traverse(include_text=True)
        if node.is_text_node and "_" in (text := node.text_content or "") and INDEX.search(text)
    ]
    for node in filter(is_prose, found):
        lowered = INDEX.sub(LOW, html.escape(node.text_content or "", quote=False))
        node.replace_with(fragment(f"<span>{lowered}</span>"))
