"""How long a page takes: under its title, and wherever `{time:queries-keys-values}` stands.

That is the core of the page of that name, in whole minutes, "8 min"; `{time:index+masks}` is the
sum of two. theme/reading.py computes them, from the Markdown of the pages.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.inlinepatterns import InlineProcessor
from markdown.treeprocessors import Treeprocessor

from theme import reading
from theme.extensions.page import Page, PageExtension

TIME = re.compile(r"\{time:([^}\s]+)\}")
MINUTES = {"zh": "{} 分钟", "en": "{}\N{NO-BREAK SPACE}min"}
CORE = {"zh": "核心约 {} 分钟，全部约 {} 分钟", "en": "Core {} min, all of it {} min"}
ALL = {"zh": "约 {} 分钟", "en": "{} min"}
OPEN = {"zh": "全部展开", "en": "Open all"}
CLOSE = {"zh": "全部收起", "en": "Close all"}


def said(match: re.Match[str], page: Page) -> str:
    """`8 min` for a marker; the marker itself, with a warning, where there is no such page."""
    paths = [page.path.parent / f"{name}.md" for name in match[1].split("+")]
    for path in paths:
        if not path.exists():
            page.complain(match[0], f"{match[0]}: there is no {path.name}")
            return match[0]
    time = sum(reading.minutes(path) for path in paths)
    return MINUTES[page.language].format(reading.rounded(time))


def expand(markdown: str, page: Page) -> str:
    """Markdown with the minutes in the place of their markers."""
    return TIME.sub(lambda match: said(match, page), markdown)


class Times(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        pattern = Inline(TIME.pattern, md)
        pattern.page = self.page
        md.inlinePatterns.register(pattern, "time", 173)  # after code
        step = Line(md)
        step.page = self.page
        md.treeprocessors.register(step, "times", 5.5)  # the folds are made


class Inline(InlineProcessor):
    page: Page

    # The base class takes the string of a match in its older form.
    def handleMatch(  # type: ignore[override]
        self, match: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        return said(match, self.page), match.start(), match.end()


class Line(Treeprocessor):
    """Under the title of a lesson its time, and the button that opens all its folds."""

    page: Page

    def run(self, root: Element) -> None:
        title = next((at for at, child in enumerate(root) if child.tag == "h1"), None)
        name = self.page.name
        outside = name in reading.NO_LESSONS or name == "index" or self.page.path.suffix != ".md"
        if title is None or outside:
            return
        text, language = self.page.path.read_text(encoding="utf-8"), self.page.language
        core, whole = (
            reading.rounded(part(text).minutes) for part in (reading.core, reading.whole)
        )
        line = Element("p", {"class": "time", "data-search-exclude": ""})
        line.text = (CORE if core < whole else ALL)[language].format(core, whole)
        if root.find(".//details[@class='fold']") is not None:
            line.text += " "
            about = {"type": "button", "data-do": "folds", "data-then": CLOSE[language]}
            SubElement(line, "button", about).text = OPEN[language]
        root.insert(title + 1, line)
