"""`## Evidence over twelve seeds { #evidence .fold }` folds what is under that heading.

Up to the next heading of the same or a higher level it goes into `<details class="fold">`, and
the heading into its summary, where the table of contents finds it as before. A fold may hold
another. What a reader needs is never in one: theme/reading.py counts the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from theme.extensions.page import Page, PageExtension

FOLD = re.compile(r"^ *#+ .*\{[^}\n]*\.fold\b[^}\n]*\}\s*$")
FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.M | re.S)
LEVELS = {f"h{level}": level for level in range(1, 7)}


def folds(heading: Element) -> bool:
    return heading.tag in LEVELS and "fold" in heading.get("class", "").split()


class Folds(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        step = Fold(md)
        step.page = self.page
        md.treeprocessors.register(step, "folds", 6)  # attributes are there, contents are not
        md.treeprocessors.register(Permalinks(md), "permalinks", 4.8)  # now they are


class Fold(Treeprocessor):
    page: Page

    def run(self, root: Element) -> None:
        headings = [one for one in root.iter() if folds(one)]
        if not headings:
            return
        lines = dict(zip(map(id, headings), self.lines(), strict=False))
        for heading in headings:
            said = lines.get(id(heading), "")
            if "id" not in heading.attrib:
                self.page.complain(said, "a heading that folds has an id: { #like-this .fold }")
            if heading not in list(root):
                self.page.complain(said, "a heading in a box or a list folds nothing")
            elif heading.tag == "h1":
                self.page.complain(said, "the title of a page does not fold it")
            elif not under(root, heading):
                self.page.complain(said, "there is nothing to fold under this heading")
        # From the last one: what a fold holds has then been folded.
        for heading in reversed(headings):
            if heading in list(root) and heading.tag != "h1":
                fold(root, heading)

    def lines(self) -> Iterator[str]:
        """The headings of the page's Markdown that fold, in order."""
        text = FENCE.sub("", self.page.path.read_text(encoding="utf-8"))
        return (line for line in text.splitlines() if FOLD.match(line))


class Permalinks(Treeprocessor):
    """A summary is a button, and no link belongs into one: it comes right after."""

    def run(self, root: Element) -> None:
        for box in root.iter("details"):
            heading = box[0][0] if box.get("class") == "fold" else box
            for link in heading.findall("a[@class='headerlink']"):
                heading.remove(link)
                box.insert(1, link)


def under(root: Element, heading: Element) -> list[Element]:
    """What stands under a heading: to the next of its level or a higher one, or to the notes."""
    level, found = LEVELS[heading.tag], []
    for one in list(root)[list(root).index(heading) + 1 :]:
        # What was folded has its heading in it.
        folded = one.tag == "details" and one.get("class") == "fold"
        top = one[0][0].tag if folded else one.tag
        if LEVELS.get(top, 7) <= level or one.get("class") == "footnote":
            break
        found.append(one)
    return found


def fold(root: Element, heading: Element) -> None:
    inside = under(root, heading)
    box = Element("details", {"class": "fold"})
    root.insert(list(root).index(heading), box)
    for one in [heading, *inside]:
        root.remove(one)
    classes = [one for one in heading.get("class", "").split() if one != "fold"]
    heading.attrib.pop("class")
    if classes:
        heading.set("class", " ".join(classes))
    SubElement(box, "summary").append(heading)
    box.extend(inside)
    box.tail = "\n"
