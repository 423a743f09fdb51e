"""Nodes for the parser."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser, LexborNode

OTHERWISE = {"code", "pre", "script", "style", "svg", "math", "textarea", "option", "kbd", "samp"}
ELSEWHERE = {"katex", "doc-contents"}  # a docstring is read as it stands in the code


def fragment(html: str) -> LexborNode:
    """The first element of some HTML, to be put into another tree."""
    root = LexborHTMLParser(html, is_fragment=True).root
    assert root is not None
    return root


def is_prose(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        classes = (parent.attributes.get("class") or "").split()
        if parent.tag in OTHERWISE or not ELSEWHERE.isdisjoint(classes):
            return False
        parent = parent.parent
    return True
