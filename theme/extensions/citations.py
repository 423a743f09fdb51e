"""`[@vaswani2017]` or `[@vaswani2017, 3.2.1]` links to the entry of that key.

The keys are those of docs/references.yml; the entries stand on the references page.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.util import AtomicString

from theme.extensions.page import Page, PageExtension, ledger

SPOTS = {"appendix": "附录", "argument": "论据", "definition": "定义", "eq.": "式"}
# Before a source that is named, not noted: a sentence, a clause or a bracket begins with it, or
# with a list of sources (\x02…\x03 stands for what is converted already).
NAMED = re.compile(r"(?:^|[.!?;:(。！？；：（])(?:\s|[,，、]|and|和|\x02[^\x02]*\x03)*$")
CITATION = re.compile(r"\[@([\w-]+)(?:, ([^\]]+))?\]")


class Citation(NamedTuple):
    key: str
    text: str  # what stands on the page: Vaswani et al. 2017, §3.2.1
    tip: str  # authors and title


def citation(match: re.Match[str], page: Page) -> Citation | None:
    """None, with a warning, where there is no such source."""
    key, where = match.groups()
    source = next((one for one in ledger("references")["references"] if one["key"] == key), None)
    if source is None:
        page.complain(f"[@{key}", f"no source '{key}' in docs/references.yml")
        return None
    spot = f", {'§' if where[0].isdigit() else ''}{where}" if where else ""
    for english, chinese in SPOTS.items() if page.language == "zh" else ():
        spot = spot.replace(f", {english} ", f", {chinese} ")
    tip = f"{source['authors']}: {source['title']}".replace('"', "”")
    return Citation(key, f"{source['short']}{spot}", tip)


def linked(markdown: str, page: Page) -> str:
    """Markdown with the citations as plain links, for who has not this extension."""

    def put(match: re.Match[str]) -> str:
        found = citation(match, page)
        return f"[{found.text}](references.md#{found.key})" if found else match[0]

    return CITATION.sub(put, markdown)


def plain(text: str, page: Page) -> str:
    """Text with the citations as words, where no link can be."""

    def put(match: re.Match[str]) -> str:
        found = citation(match, page)
        return found.text if found else match[0]

    return CITATION.sub(put, text)


class Citations(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        pattern = Link(CITATION.pattern, md)
        pattern.page = self.page
        md.inlinePatterns.register(pattern, "citation", 172)  # before links in brackets, after code


class Link(InlineProcessor):
    page: Page

    # The base class takes the string of a match in its older form.
    def handleMatch(  # type: ignore[override]
        self, match: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        found = citation(match, self.page)
        if found is None:
            return None, None, None
        link = Element("a", {"class": "citation", "data-tip": found.tip})
        link.set("href", f"{self.page.to('references.md')}#{found.key}")
        link.text = found.text
        if NAMED.search(data[: match.start()]):
            return link, match.start(), match.end()
        note = Element("span")  # in brackets, or it would run on as part of the sentence
        note.text, link.tail = AtomicString("["), AtomicString("]")
        note.append(link)
        return note, match.start(), match.end()
