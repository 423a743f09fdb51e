"""The English name of the site is too long for a phone's header: its second half stays away."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

NAME, REST = "Q, K and V", ", understood"


def header(tree: LexborHTMLParser, page: Page) -> None:
    title = tree.css_first(".md-header__topic .md-ellipsis")
    if title is not None and title.text(strip=True) == NAME + REST:
        title.inner_html = f'{NAME}<span class="wide">{REST}</span>'
