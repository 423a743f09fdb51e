"""A Chinese full stop has its own space: the one that Markdown wants after bold is taken away.

In `**试一试。** 改` the space ends the bold for every reader of Markdown (a twin of a page is read
by many), and on the page it would be a second one, as wide as half a character.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

STOPS = tuple("，。！？：；、）”」")


def stops(tree: LexborHTMLParser, page: Page) -> None:
    if page.language != "zh":
        return
    for bold in tree.css("article :is(strong, b)"):
        after = bold.next
        if bold.text().endswith(STOPS) and after is not None and after.is_text_node:
            text = after.text_content or ""
            if text.startswith(" ") and text.strip():
                after.replace_with(text.lstrip())
