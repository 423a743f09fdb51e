"""A table that is too wide scrolls in a box of its own, and what may not break in its cells.

The box is the theme's, whose script would put it around the table while the page is read, and what
is below would move. It passes by a table with a class.

In a cell a shape, a product or a range stays on one line, and so does a single Chinese word. A
name from code or of a file may go on in the next line after a `_` or a dot, not in mid-word.
"""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page
from theme.finish.nodes import fragment

SHAPE = re.compile(r"\([\d, ]+\)")
JOINT = re.compile(r"(?<=[^\W_]{2})(_|\.)(?=[^\W\d_])")  # neither W_Q nor 0.5
RANGE = re.compile(r'(?<!glue">)[(（][−\d.,%]+(?:–|, | to | 到 )[−\d.,%]+[)）]')
BOX = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">{}</div></div>'
PRODUCT = re.compile(r"\d+ × \d+")
WORD = re.compile(r"[一-鿿]{2,4}")


def tables(tree: LexborHTMLParser, page: Page) -> None:
    for cell in tree.css("td, th"):
        inside = cell.inner_html or ""
        if cell.tag == "td" and SHAPE.fullmatch(inside):
            cell.inner_html = inside.replace(", ", ",&nbsp;")
        elif PRODUCT.fullmatch(cell.text()) or (not cell.attributes and WORD.fullmatch(inside)):
            cell.attrs["class"] = "glue"
        elif cell.tag == "td" and RANGE.search(inside):
            cell.inner_html = RANGE.sub(r'<span class="glue">\g<0></span>', inside)
    for name in tree.css("td code, td a"):
        texts = [node for node in name.traverse(include_text=True) if node.is_text_node]
        for node in texts:
            whole = html.escape(node.text_content or "", quote=False)
            if (cut := JOINT.sub(r"\1<wbr>", whole)) != whole:
                node.replace_with(fragment(f"<span>{cut}</span>"))
    for table in tree.css("table:not([class])"):
        table.attrs["class"] = "data"
        table.replace_with(fragment(BOX.format(table.html)))
