"""The API page, from docstrings: what mkdocstrings has no setting for.

Each of these looks for what mkdocstrings writes today, and says so when it no longer does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from theme.extensions.page import Page
from theme.extensions.snippets import framed
from theme.finish.nodes import fragment

# Of an entry: its heading, its signature (a class may have none), all else.
PARTS = ("doc-heading", "doc-signature", "doc-contents")
LINK = re.compile(r"</?a\b[^>]*>")
# A signature of many lines, in one that the browser breaks where it must.
AFTER_BRACKET = re.compile(r"(?<=\(</span>)\s+")
BEFORE_BRACKET = re.compile(r'(?:<span class="p">,</span>)?\s+(?=<span class="p">\))')
SOURCE = {"zh": "出处", "en": "Source"}


def docstrings(tree: LexborHTMLParser, page: Page) -> None:
    if not tree.css(".doc-object"):
        return
    found = {
        "<summary>Source</summary>": headings(tree, page),
        "a space after a default": defaults(tree),
        "an example as .language-pycon under a .doc-heading": examples(tree, page),
        "a .doc-contents that begins with a sentence": entries(tree),
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


def entries(tree: LexborHTMLParser) -> int:
    """An entry is closed to name, signature and first sentence, as a fold is to its heading."""
    count = 0
    for box in reversed(tree.css("div.doc-object")):  # what an entry holds is closed by then
        names = {one.mem_id: (one.attributes.get("class") or "").split() for one in elements(box)}
        parts = {part: one for one in elements(box) for part in PARTS if part in names[one.mem_id]}
        heading, signature, contents = (parts.get(part) for part in PARTS)
        first = next(elements(contents), None) if contents is not None else None
        if heading is None or contents is None or first is None or first.tag != "p":
            continue
        # A summary is a button, and no link belongs into one (theme/extensions/folds.py).
        links = "".join(str(one.html) for one in heading.css("a.headerlink"))
        for link in heading.css("a.headerlink"):
            link.decompose()
        said = f'<span class="doc-first">{LINK.sub("", first.inner_html or "")}</span>'
        if signature is not None and (code := signature.css_first("code")) is not None:
            text = LINK.sub("", (code.inner_html or "").strip())
            text = BEFORE_BRACKET.sub("", AFTER_BRACKET.sub("", text))
            said = f'<code class="doc-signature highlight">{text}</code>{said}'
        first.decompose()
        inside = contents.html if (contents.text() or "").strip() else ""
        summary = f"<summary>{heading.html}{said}</summary>"
        box.inner_html = f'<details class="fold">{summary}{links}{inside}</details>'
        count += 1
    return count


def elements(node: LexborNode) -> Iterator[LexborNode]:
    """The children of a node that are no text."""
    child = node.child
    while child is not None:
        if child.is_element_node:
            yield child
        child = child.next
