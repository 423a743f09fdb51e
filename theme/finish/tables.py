"""In a table a shape stays on one line, and so does a single Chinese word."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

SHAPE = re.compile(r"\([\d, ]+\)")
WORD = re.compile(r"[一-鿿]{2,4}")


def tables(tree: LexborHTMLParser, page: Page) -> None:
    for cell in tree.css("td, th"):
        inside = cell.inner_html or ""
        if cell.tag == "td" and SHAPE.fullmatch(inside):
            cell.inner_html = inside.replace(", ", ",&nbsp;")
        elif not cell.attributes and WORD.fullmatch(inside):
            cell.attrs["class"] = "glue"
