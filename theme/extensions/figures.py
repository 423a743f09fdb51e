"""`![text alternative](figure:name "caption")` becomes a drawing made by docs/figures."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor, UnescapeTreeprocessor

from theme import cache
from theme.extensions.page import ROOT, Page, PageExtension

SCHEME = "figure:"


def sources() -> str:
    """All that a drawing may depend on; theme/hooks/build.py imports them anew."""
    folders = ("qkv_docs", "docs/figures", "docs/examples", "docs/data")
    kinds = {".py", ".npz", ".json", ".pycon"}
    return cache.fingerprint(
        path for folder in folders for path in (ROOT / folder).iterdir() if path.suffix in kinds
    )


def draw(name: str, page: Page, label: str, made_from: str) -> str | None:
    """A figure with its text alternative, kept by its `sources()`; None, with a warning, if nobody
    draws it."""
    from docs import figures  # here: the examples that it runs cost every start of the theme

    def make() -> str:
        data_url = f"{page.root}assets/data/"
        return figures.html(page.name, name, page.language, label=label, data_url=data_url)

    try:
        return cache.kept(make, made_from, page.name, name, page.language, label, page.root)
    except figures.NoFigure as error:
        page.complain(f"{SCHEME}{name}", str(error))
        return None


class Figures(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        step = Drawings(md)
        step.page = self.page
        md.treeprocessors.register(step, "figures", 7)  # after attributes, before terms


class Drawings(Treeprocessor):
    page: Page

    def run(self, root: Element) -> None:
        made_from = sources() if next(root.iter("img"), None) is not None else ""
        for parent in list(root.iter()):
            for at, child in enumerate(parent):
                image = (
                    child[0] if child.tag == "p" and len(child) == 1 and not child.text else child
                )
                if image.tag != "img":
                    continue
                source = image.get("src", "")
                alt = UnescapeTreeprocessor().unescape(image.get("alt", ""))
                if not alt:
                    self.page.complain(source, f"no text alternative for {source}")
                name = source.removeprefix(SCHEME)
                if name != source and (drawn := draw(name, self.page, alt, made_from)):
                    figure = self.figure(name, drawn, image.get("title"))
                    figure.tail = child.tail
                    parent[at] = figure

    def figure(self, name: str, drawing: str, caption: str | None) -> Element:
        figure = Element("figure", {"class": "drawing", "id": f"figure-{name}"})
        box = SubElement(figure, "div", {"class": "drawing__box"})
        box.text = self.md.htmlStash.store(drawing)
        if caption:
            SubElement(figure, "figcaption").text = caption
        return figure
