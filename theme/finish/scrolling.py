"""What may scroll sideways can be reached from the keyboard."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page


def scrolling(tree: LexborHTMLParser, page: Page) -> None:
    for node in tree.css("article pre > code, article table, article div.arithmatex"):
        node.attrs["tabindex"] = "0"
