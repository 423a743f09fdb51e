"""What the theme writes and a checker of HTML complains of."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page


def conformance(tree: LexborHTMLParser, page: Page) -> None:
    for node in tree.css("[tabindex='']"):
        del node.attrs["tabindex"]
    for node in tree.css("input[type=checkbox][autocomplete]"):
        del node.attrs["autocomplete"]
