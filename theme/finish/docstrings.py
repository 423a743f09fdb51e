"""The API page, from docstrings: what mkdocstrings has no setting for.

Each of these looks for what mkdocstrings writes today, and says so when it no longer does.
"""

from __future__ import annotations

from collections import Counter

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page
from theme.extensions.snippets import framed
from theme.finish.nodes import fragment

SOURCE = {"zh": "出处", "en": "Source"}


def docstrings(tree: LexborHTMLParser, page: Page) -> None:
    if not tree.css(".doc-object"):
        return
    found = {
        "<summary>Source</summary>": headings(tree, page),
        "a space after a default": defaults(tree),
        "an example as .language-pycon under a .doc-heading": examples(tree, page),
    }
    for what, count in found.items():
        if not count:
            page.complain("", f"mkdocstrings no longer writes {what} (theme/finish/docstrings.py)")


def headings(tree: LexborHTMLParser, page: Page) -> int:
    """A section that mkdocstrings has no Chinese name for."""
    found = [one for one in tree.css(".doc-object summary") if one.text() == "Source"]
    for one in found:
        one.inner_html = SOURCE[page.language]
    return len(found)


def defaults(tree: LexborHTMLParser) -> int:
    """`(int, default: -1 )` without the last space."""
    after = [code.next for code in tree.css(".doc-object li > code")]
    found = [(one, one.text_content or "") for one in after if one and one.is_text_node]
    spaced = [(one, text) for one, text in found if text[:1].isspace() and text.lstrip()[:1] == ")"]
    for one, text in spaced:
        one.replace_with(text.lstrip())
    return len(spaced)


def examples(tree: LexborHTMLParser, page: Page) -> int:
    """An example is a snippet that stands alone; it has the name of its object."""
    name, seen = "", Counter[str]()
    for node in tree.css(".doc-object .doc-heading, .doc-object div.language-pycon"):
        if node.css_matches(".doc-heading"):
            name = node.id or ""
            continue
        seen[name] += 1
        unique = f"{name}-{seen[name]}" if seen[name] > 1 else name
        node.attrs["class"] = f"{node.attrs['class']} no-copy"
        node.replace_with(fragment(framed(unique, str(node.html), page, alone=True)))
    return seen.total()
