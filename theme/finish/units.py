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


def units(tree: LexborHTMLParser, page: Page) -> None:
    article = tree.css_first("article")
    if article is None:
        return
    texts = [node for node in article.traverse(include_text=True) if node.is_text_node]
    for node in filter(is_prose, texts):
        text = node.text_content or ""
        whole = AFTER.sub(SPACE, text)
        before = node.prev
        if FIRST.match(whole) and before is not None and before.text()[-1:].isdigit():
            whole = SPACE + whole[1:]
        glued = NAME.sub(r'<span class="glue">\g<0></span>', html.escape(whole, quote=False))
        if "<" in glued and "glue" not in (
            (node.parent and node.parent.attributes.get("class")) or ""
        ):
            node.replace_with(fragment(f"<span>{glued}</span>"))
        elif whole != text:
            node.replace_with(whole)
