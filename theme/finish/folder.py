"""In the copy that is opened from a folder nothing needs to be kept for offline reading."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

KEPT = {"zh": "这一份就是离线的。", "en": "This copy is offline already."}


def folder(tree: LexborHTMLParser, page: Page) -> None:
    button = tree.css_first("[data-do=offline]")
    if page.without_python == "folder" and button is not None and button.parent is not None:
        button.parent.inner_html = KEPT[page.language]
