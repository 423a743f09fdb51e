"""The first use of a term in running text links to its entry, which shows on hover and focus."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from theme.extensions.glossary import terms
from theme.extensions.page import Page, PageExtension

# Not running text.
ELSEWHERE = {"a", "code", "pre", "summary", "button", "legend", "figure", "article"}
ELSEWHERE |= {f"h{level}" for level in range(1, 7)}
CLASSES = {"arithmatex", "admonition-title"}
WITHOUT = {"glossary", "references", "api", "api-models", "index"}


def spelling(term: dict[str, Any], language: str) -> str:
    """A pattern for the term in running text."""
    if language == "en":
        return rf"\b{re.escape(term['en'])}s?\b"
    # A single character stands in many other words: only where its English name follows.
    return re.escape(str(term["zh"])) + ("(?=（)" if len(term["zh"]) == 1 else "")


def key(term: dict[str, Any]) -> str:
    return str(term["key"]).replace("-", "_")


class Terms(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        if self.page.name not in WITHOUT:
            step = Links(md)
            step.page = self.page
            md.treeprocessors.register(step, "terms", 4)


class Links(Treeprocessor):
    page: Page

    def run(self, root: Element) -> None:
        language = self.page.language
        # 预填充 before 填充, also on its own page, where it is no link.
        every = sorted(terms(), key=lambda term: -len(term[language]))
        named = (f"(?P<{key(term)}>{spelling(term, language)})" for term in every)
        self.left = {key(term): term for term in every if term["page"] != f"{self.page.name}.md"}
        self.any = re.compile("|".join(named), re.I)
        self.closed: list[Element] = []
        self.walk(root)
        for box in self.closed:  # grows: a box may hold another
            self.walk(box)

    def walk(self, parent: Element) -> None:
        """Text and children in the order in which they are read; what is closed comes last."""
        at = self.put(parent, 0, parent.text)
        for child in list(parent)[at:]:
            if child.tag == "details":
                self.closed.append(child)
            elif child.tag not in ELSEWHERE and child.get("class") not in CLASSES:
                self.walk(child)
            self.put(parent, list(parent).index(child) + 1, child.tail)

    def put(self, parent: Element, at: int, text: str | None) -> int:
        """Link the terms in a text that stands before child `at`; returns how many."""
        before, end = "", 0
        made: list[Element] = []
        glossary = self.page.to("glossary.md")
        for match in self.any.finditer(text or ""):
            term = self.left.pop(str(match.lastgroup), None)
            if term is None:
                continue
            tip = str(term["about"][self.page.language])
            link = Element("a", {"class": "term", "href": f"{glossary}#{term['key']}"})
            link.set("data-tip", tip)
            link.text = match[0]
            gap = match.string[end : match.start()]
            if made:
                made[-1].tail = gap
            else:
                before = gap
            made.append(link)
            end = match.end()
        if made and text:
            made[-1].tail = text[end:]
            if at:
                parent[at - 1].tail = before
            else:
                parent.text = before
            for shift, link in enumerate(made):
                parent.insert(at + shift, link)
        return len(made)
