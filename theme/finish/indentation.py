"""The templates indent what they write, which nobody sees: half a kilobyte of each page as sent.

In the article only where docstrings are, and not in code.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

from theme.extensions.page import Page

FRAME = "head, header, footer, .md-sidebar, .doc-object"

CODE = {"pre", "code", "span"}


def is_indentation(node: LexborNode) -> bool:
    text = node.text_content if node.is_text_node else None
    if text is None or "\n" not in text or text.strip():
        return False
    return node.parent is None or node.parent.tag not in CODE


def indentation(tree: LexborHTMLParser, page: Page) -> None:
    for part in tree.css(FRAME):
        for node in [one for one in part.traverse(include_text=True) if is_indentation(one)]:
            node.replace_with("\n")
