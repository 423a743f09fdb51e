"""Search: finished pages become sections of plain text, and those an index.

A section begins at a heading, at a term of the glossary or at a source of the references page:
wherever something with an `id` of its own can be linked to. The index is made by the script that
asks it (theme/runtime/search), run here in V8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

from py_mini_racer import MiniRacer
from selectolax.lexbor import LexborHTMLParser, LexborNode

from theme import cache, engine
from theme.extensions.page import ROOT

ENGINE = ROOT / "theme/vendor/minisearch/minisearch.js"
TRADITIONAL = ROOT / "theme/vendor/opencc/TSCharacters.js"
SCRIPTS = ROOT / "theme/runtime/search"

HEADING = re.compile(r"h[1-6]")
# Not what a reader looks for: marks, buttons, the copy of a formula for the eye, drawings, prompts
# and outputs.
LEFT_OUT_TAGS = {"annotation", "button", "script", "style", "svg"}
LEFT_OUT_CLASSES = {"doc-labels", "headerlink", "katex-html", "snippet__bar", "gp", "go"}
APART = {
    "br",
    "dd",
    "div",
    "dt",
    "figcaption",
    "legend",
    "li",
    "p",
    "pre",
    "summary",
    "td",
    "th",
    "tr",
}
UNSEEN = dict.fromkeys(range(0x2061, 0x2065))  # signs of MathML: f applied to x, a times b


@dataclass
class Section:
    """One target of a link: `anchor` within its page ("" is the top), the heading and the text."""

    anchor: str
    level: int
    heading: str = ""
    text: str = ""
    above: list[str] = field(default_factory=list)  # headings it stands under, without the title's
    links: list[tuple[str, str]] = field(default_factory=list)  # where to, and what is said of it
    said: str = ""  # what links to it say
    called: str = ""  # what else it is called: titles, terms, words that readers use


@dataclass
class Page:
    """`address` is relative to the language's root; `weight` below 1 puts it behind the others.

    `names`: its headings are questions, and what a section links to answers them; of such a page
    the headings alone are searched.
    """

    name: str  # of its file: masks
    address: str
    title: str  # the navigation's
    weight: float
    sections: list[Section]
    names: bool = False


def mathematics(node: LexborNode) -> str:
    if node.tag == "-text":
        return (node.text_content or "").strip().translate(UNSEEN)
    inner = [one for one in node.iter(include_text=True) if one.tag not in LEFT_OUT_TAGS]
    return formula(node.tag or "", [mathematics(one) for one in inner])


def formula(tag: str, parts: list[str]) -> str:
    """An element of MathML as one would type it: W_Q, QKᵀ/√d_k."""

    def bracketed(part: str) -> str:
        return part if re.fullmatch(r"√?\w+", part) else f"({part})"

    match tag, parts:
        case "msub", [base, below]:
            return f"{base}_{below}"
        case "msup", [base, above]:
            return f"{base}ᵀ" if above == "⊤" else f"{base}^{above}"
        case "msubsup", [base, below, above]:
            return formula("msup", [formula("msub", [base, below]), above])
        case "mfrac", [top, bottom]:
            return f"{top}/{bracketed(bottom)}"
        case "msqrt", _:
            return "√" + bracketed("".join(parts))
        case (("mtable" | "mtr" | "mtd"), _):
            return " ".join(parts)
        case _:
            # X W_Q, not XW_Q: a factor with an index is a word of its own.
            joined = "".join(f" {part}" if re.match(r"\w+_", part) else part for part in parts)
            return re.sub(r"(?<=[^\w)]) | (?=[^\w(√])", "", joined.strip())


class Reader:
    """Walks an article and puts its text into sections."""

    def __init__(self) -> None:
        self.sections: list[Section] = []

    def read(self, node: LexborNode, heading: bool = False) -> None:
        """`heading`: the text goes into the heading of the section."""
        if node.tag == "-text":
            return self.write(node.text_content or "", heading)
        classes = set((node.attributes.get("class") or "").split())
        excluded = "data-search-exclude" in node.attributes and "arithmatex" not in classes
        if excluded or node.tag in LEFT_OUT_TAGS or classes & LEFT_OUT_CLASSES:
            return None
        if node.tag == "math":
            return self.write(f" {mathematics(node)} ", heading)
        if node.tag == "a" and self.sections and "term" not in classes:
            self.sections[-1].links.append((node.attributes.get("href") or "", around(node)))
        first = None
        if anchor := node.attributes.get("id"):
            if HEADING.fullmatch(node.tag or ""):
                level = int((node.tag or "")[1])
                heading = self.begin("" if level == 1 else anchor, level)
            elif node.tag == "strong":  # a term of the glossary
                heading = self.begin(anchor, 6)
            elif "reference" in classes:
                self.begin(anchor, 6)
                first = node.css_first("p")
        apart = " " if node.tag in APART else ""
        self.write(apart, heading)
        for child in node.iter(include_text=True):
            self.read(child, heading or child == first)
        return self.write(apart, heading)

    def begin(self, anchor: str, level: int) -> bool:
        above: list[Section] = []
        for section in self.sections:
            above = [one for one in above if one.level < section.level] + [section]
        names = [one.heading for one in above if 1 < one.level < level]
        self.sections.append(Section(anchor, level, above=names))
        return True

    def write(self, text: str, heading: bool) -> None:
        if self.sections and heading:
            self.sections[-1].heading += text
        elif self.sections:
            self.sections[-1].text += text


def around(link: LexborNode) -> str:
    """What is said of a link's target: in a table the row, elsewhere the link."""
    cell = link.parent
    row = cell.parent if cell and cell.tag == "td" else link
    return row.text(separator=" ") if row else ""


HAN = "[\u3000-\u303f\u3400-\u9fff\uff00-\uff60]"


def tidy(text: str) -> str:
    text = " ".join(text.split())
    # No space between Chinese characters and punctuation where an element ended.
    return re.sub(rf"(?<={HAN}) (?=[，。；：？！、）”》])|(?<=[（“《]) ", "", text).strip()


def sections(html: str) -> list[Section]:
    """The sections of a page, from its finished HTML (the article, or all of the page)."""
    article = LexborHTMLParser(html).css_first("article")
    if article is None:
        return []

    def make(article: LexborNode = article) -> str:
        return json.dumps([asdict(one) for one in read(article)], ensure_ascii=False)

    made = cache.kept(make, cache.fingerprint([Path(__file__)]), str(article.html))
    return [Section(**one) for one in json.loads(made)]


def read(article: LexborNode) -> list[Section]:
    reader = Reader()
    reader.read(article)
    for section in reader.sections:
        section.heading, section.text = tidy(section.heading), tidy(section.text)
        section.above = [tidy(one) for one in section.above]
    return reader.sections


def naming(pages: Iterable[Page], glossary: dict[str, Any]) -> None:
    """Give the sections the names that docs/glossary.yml has for them, in both languages."""
    places = {}
    for page in pages:
        page.sections[0].called = page.title
        for section in page.sections:
            places[page.name, section.anchor] = section
    for term in glossary["terms"]:
        words = [term["zh"], term["en"], *both(term.get("also")), *both(term["avoid"])]
        add(places, term["page"], words)
    for asked in glossary["asked"]:
        add(places, asked["at"], both(asked))


def linking(pages: Iterable[Page]) -> None:
    """Give the sections what is said of them where they are linked to."""
    places = {(page.address, one.anchor): one for page in pages for one in page.sections}
    for page in pages:
        for section in page.sections:
            for to, words in section.links:
                address, anchor = urldefrag(urljoin(page.address, to))
                target = places.get((address, anchor))
                if target and address != page.address:
                    words = section.heading if page.names else words
                    target.said = tidy(f"{target.said} {words}")


def both(words: dict[str, list[str]] | None) -> list[str]:
    return [*words["zh"], *words["en"]] if words else []


def add(places: dict[tuple[str, str], Section], at: str, words: list[str]) -> None:
    file, _, anchor = at.partition("#")
    section = places.get((file.rpartition(".")[0], anchor))
    if section is None:
        raise LookupError(f"docs/glossary.yml: no section {at}")
    section.called = " / ".join(filter(None, [section.called, *words]))


CODE = (ENGINE, SCRIPTS / "words.js", SCRIPTS / "index.js")


def javascript() -> MiniRacer:
    """V8 with the code that a page searches with."""
    return engine.javascript(*(path.read_text(encoding="utf-8") for path in CODE))


def traditional() -> str:
    """Traditional characters and what is written for them here, in pairs: 機机權权."""
    table = TRADITIONAL.read_text(encoding="utf-8").partition('"')[2]
    pairs = (entry.split(" ")[:2] for entry in table.partition('"')[0].split("|"))
    return "".join(old + new for old, new in pairs if len(old) == len(new) == 1 and old != new)


COMMENT = re.compile(r"^ *(?:/\*\*.*?\*/|//[^\n]*)\n", re.M | re.S)
INDEX = "var searchIndex = "


def files(pages: list[Page]) -> dict[str, str]:
    """The scripts a page loads to search, by their path in the language's folder `search`."""
    racer = javascript()
    given = ", ".join(map(text, ([asdict(page) for page in pages], traditional())))
    index = racer.eval(f"JSON.stringify(Search.build({given}))")
    # One script, so that it comes whole or not at all; half of the engine's file are comments.
    code = [path.read_text(encoding="utf-8") for path in (*CODE, SCRIPTS / "box.js")]
    code[0] = COMMENT.sub("", code[0])
    made = {"search.js": "\n".join([*code[:-1], f"{INDEX}{index};", code[-1]])}
    for page in pages:
        texts = [section.text for section in page.sections]
        made[f"text/{page.name}.js"] = f"Search.tell({text(page.name)}, {text(texts)});\n"
    return made


def index_of(script: str) -> str:
    """The index alone, out of search.js."""
    (line,) = (line for line in script.splitlines() if line.startswith(INDEX))
    return line.removeprefix(INDEX).removesuffix(";")


def text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
