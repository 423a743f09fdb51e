"""`[1.192](=trap:1.2)`: a number and its address become `<span class="number" data-from="…">`.

In a figure's caption too; its text alternative is plain text. What is wrong with a number is said
once, with its line, when the page is read; theme/numbers explains addresses and finds the faults.
"""

from __future__ import annotations

import os
import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import markdown
from markdown.inlinepatterns import LinkInlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import ETX

from theme.extensions.page import Page, PageExtension, log, place
from theme.numbers import source

OFFLINE = os.environ.get("OFFLINE") == "true"  # no browser fetches a table from a folder
WORDS = {"zh": "这些数字从哪里来？", "en": "Where do these numbers come from?"}
PUNCTUATION = re.compile(r"[，。；：？！）、”》,.;:?!)]+")


class Numbers(PageExtension):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        complain(page)  # here and not in extendMarkdown: docstrings are converted with it as well

    def extendMarkdown(self, md: markdown.Markdown) -> None:
        # before pymdownx.superfences (25) takes the fences away
        md.preprocessors.register(Source(md), "numbers", 27)
        # after code, formulas and escapes (180); before footnotes (175) and links (160)
        md.inlinePatterns.register(Span(r"\[(?![@^])", md), "number", 177)
        md.treeprocessors.register(Captions(md), "captions", 6)  # after figures (7)
        if not OFFLINE:
            md.treeprocessors.register(Switch(md, self.page), "numbers", 15)  # after inline (20)


class Source(Preprocessor):
    """Leaves each cell and each figure's words with what belongs to them."""

    def run(self, lines: list[str]) -> list[str]:
        text = source.without_attributes("\n".join(lines))
        return source.by_cell(text).split("\n")


def complain(page: Page) -> None:
    if page.path.suffix != ".md":
        return  # a notebook: its tests run it
    text = page.path.read_text(encoding="utf-8")
    where = place(page.path).rpartition(":")[0]
    for fault in source.faults(text, page.name, page.language):
        log.warning("%s:%d: %s", where, source.line(text, fault.start), fault.message)


class Span(LinkInlineProcessor):
    # The library types the method of its older base class, which takes no data.
    def handleMatch(self, m: re.Match[str], data: str) -> Any:  # type: ignore[override]
        text, index, handled = self.getText(data, m.end(0))
        if not handled or not data.startswith("(=", index):
            return None, None, None
        end = source.closing(data, index)
        if end < 0:
            return None, None, None
        span = Element("span", {"class": "number", "data-from": data[index + 2 : end].strip()})
        # Punctuation stays beside a formula, which is what keeps it from starting a line.
        after = PUNCTUATION.match(data, end + 1) if text.endswith(ETX) else None
        span.text = text + (after[0] if after else "")
        return span, m.start(0), after.end() if after else end + 1


class Captions(Treeprocessor):
    def run(self, root: Element) -> None:
        for caption in root.iter("figcaption"):
            caption.text, *rest = source.captioned(caption.text or "")
            for text, address, tail in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
                span = SubElement(caption, "span", {"class": "number", "data-from": address})
                span.text, span.tail = text, tail


class Switch(Treeprocessor):
    """Under the title of a page with numbers, the button that lets a reader ask them."""

    def __init__(self, md: markdown.Markdown, page: Page) -> None:
        super().__init__(md)
        self.page = page

    def run(self, root: Element) -> None:
        title = next((at for at, child in enumerate(root) if child.tag == "h1"), None)
        if title is None or root.find(".//span[@class='number']") is None:
            return
        table = f"{self.page.root}assets/numbers/{self.page.language}/{self.page.name}.json"
        line = Element("p", {"class": "ask", "data-search-exclude": ""})
        about = {"type": "button", "aria-pressed": "false", "data-do": "numbers"}
        SubElement(line, "button", {**about, "data-table": table}).text = WORDS[self.page.language]
        SubElement(line, "span", {"role": "status"})
        root.insert(title + 1, line)
