"""A long expression may go on in the next line of a phone after an opening bracket.

Where no space is near, the line would end with its width, in the middle of a name or a number.
The mark is a class: the style sheet of a phone makes it a place to break, and nothing that is
copied, searched or run holds more than was written.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

LONG = re.compile(r"\S{28,}")  # a line of a phone has about forty characters, less where it is in


def expressions(tree: LexborHTMLParser, page: Page) -> None:
    for code in tree.css(".snippet pre > code"):
        long = [found.span() for found in LONG.finditer(code.text())]
        if not long:
            continue
        at = 0
        for node in code.traverse(include_text=True):
            if not node.is_text_node:
                continue
            text = node.text_content or ""
            at += len(text)
            token = node.parent
            if token is None or token.tag != "span" or not text.endswith(("(", "[", "{")):
                continue
            kind = (token.attributes.get("class") or "").removesuffix(" opens")
            if any(start < at < end for start, end in long):
                token.attrs["class"] = f"{kind} opens"
