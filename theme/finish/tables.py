"""A table that is too wide scrolls in a box of its own, and what may not break in its cells.

The box is the theme's, whose script would put it around the table while the page is read, and what
is below would move. It passes by a table with a class.

A column of numbers ends where they do. In a cell a shape, a product or a range stays on one line,
and so does a single Chinese word. A name from code or of a file may go on in the next line after a
`_` or a dot, not in mid-word.
On a phone a column is as wide as its longest cell, or a few words where that is a sentence: the
browser by itself would break "encoder" to give a column of numbers room that it does not need.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from theme.extensions.page import Page
from theme.finish.nodes import fragment

SHAPE = re.compile(r"\([\d, ]+\)")
JOINT = re.compile(r"(?<=[^\W_]{2})(_|\.)(?=[^\W\d_])")  # neither W_Q nor 0.5
NUMBER = r"(?:<[^<>]+>)?[−\d.,%]+(?:<[^<>]+>)?"  # may tell where it comes from
RANGE = re.compile(rf'(?<!glue">)[(（]{NUMBER}(?:–|, | to | 到 | 至 ){NUMBER}[)）]')
NAMES = "td code, td a, .reference strong a, .md-nav--secondary .md-ellipsis"
BOX = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">{}</div></div>'
FIGURE = re.compile(r"(?:[−+]?[\d,]*\.?\d+ ?%?)?")
PRODUCT = re.compile(r"\d+ × \d+")
WORD = re.compile(r"[一-鿿]{2,4}")
SENTENCE = 7.5  # em; what is longer may break, in a table of few columns, which may fit, sooner
FEW, CLAUSE = 3, 5.0
NAME, LINES = 3.0, 4  # of a column; it may be a sentence, too


def width(cell: LexborNode) -> float:
    """About how wide its text is, in em."""
    formulas, text = "", cell.text()
    if cell.css_first(".katex"):
        words = LexborHTMLParser(cell.inner_html or "", is_fragment=True)
        formulas = "".join(node.text() for node in words.css(".katex-html"))
        for node in words.css(".katex"):
            node.decompose()
        text = words.root.text() if words.root else ""
    letters = sum(1.0 if "⺀" < letter < "￦" else 0.65 for letter in text.strip())
    return letters + 0.45 * len(re.sub(r"[\s\u200b]", "", formulas))


def least(table: LexborNode) -> Iterator[tuple[LexborNode, float]]:
    """The heads of a table, and the least width of their columns on a phone."""
    heads = table.css("thead th")
    rows = [row.css("td") for row in table.css("tbody tr")]
    for head, column in zip(heads, zip(*rows, strict=False), strict=False):
        longest = max(map(width, column))
        if longest > SENTENCE:
            longest = SENTENCE if len(heads) > FEW else CLAUSE
        name = width(head)
        yield head, max(longest, min(name, NAME), min(name / LINES, CLAUSE))


def numeric(table: LexborNode) -> Iterator[LexborNode]:
    """The cells, and the heads, of the columns that hold numbers alone, but for the first."""
    rows = [row.css("td, th") for row in table.css("tr")]
    for head, *column in list(zip(*rows, strict=False))[1:]:
        texts = [cell.text().strip() for cell in column]
        if any(texts) and all(FIGURE.fullmatch(text) for text in texts):
            yield from (head, *column)


def tables(tree: LexborHTMLParser, page: Page) -> None:
    for cell in tree.css("td, th"):
        inside = cell.inner_html or ""
        if cell.tag == "td" and SHAPE.fullmatch(inside):
            cell.inner_html = inside.replace(", ", ",&nbsp;")
        elif PRODUCT.fullmatch(cell.text()) or WORD.fullmatch(inside):
            cell.attrs["class"] = "glue"
        elif cell.tag == "td" and RANGE.search(inside):
            cell.inner_html = RANGE.sub(r'<span class="glue">\g<0></span>', inside)
    for name in tree.css(NAMES):
        texts = [node for node in name.traverse(include_text=True) if node.is_text_node]
        for node in texts:
            whole = html.escape(node.text_content or "", quote=False)
            if (cut := JOINT.sub(r"\1<wbr>", whole)) != whole:
                node.replace_with(fragment(f"<span>{cut}</span>"))
    for table in tree.css("table:not([class])"):
        for cell in numeric(table):
            cell.attrs["style"] = "text-align: right"
        for head, em in least(table):
            style = head.attributes.get("style") or ""
            head.attrs["style"] = f"{style};--least:{em:.1f}em".lstrip(";")
        table.attrs["class"] = "data"
        table.replace_with(fragment(BOX.format(table.html)))
