"""Nodes for the parser."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode


def fragment(html: str) -> LexborNode:
    """The first element of some HTML, to be put into another tree."""
    root = LexborHTMLParser(html, is_fragment=True).root
    assert root is not None
    return root
