"""A number stays with its unit, and what has a number in its name is not torn at the hyphen.

The number may be an element of its own, which tells where it comes from, and the unit follows it.
"""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page
from theme.finish.nodes import fragment, is_prose

UNIT = r"(?:[kKMG]i?B|ms|min|seeds|位|列|维|层|倍|步|次|行|个|字节|亿|万)(?![A-Za-z])"
AFTER = re.compile(rf"(?<=[\d%]) (?={UNIT})")
FIRST = re.compile(rf" (?={UNIT})")
NAME = re.compile(r"(?<![\w-])(?:[A-Za-z]{1,8}\d*-[vV]?\d\w{0,3}|\d{4}-\d\d-\d\d)(?![\w-])")
SPACE = "\N{NO-BREAK SPACE}"
GLUED = r'<span class="glue">\g<0></span>'


def units(tree: LexborHTMLParser, page: Page) -> None:
    article = tree.css_first("article")
    if article is None:
        return
    texts = [node for node in article.traverse(include_text=True) if node.is_text_node]
    for node in texts:
        text = node.text_content or ""
        whole = AFTER.sub(SPACE, text)
        if FIRST.match(whole) and node.prev is not None and node.prev.text()[-1:].isdigit():
            whole = SPACE + whole[1:]
        named = NAME.search(whole)
        if (whole == text and not named) or not is_prose(node):
            continue
        parent = node.parent
        if named and parent is not None and parent.attributes.get("class") != "glue":
            safe = html.escape(whole, quote=False)
            node.replace_with(fragment(f"<span>{NAME.sub(GLUED, safe)}</span>"))
        else:
            node.replace_with(whole)
