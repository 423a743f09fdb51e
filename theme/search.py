"""Search: finished pages become sections of plain text, and those an index.

A section begins at a heading, at a term of the glossary or at a source of the references page:
wherever something with an `id` of its own can be linked to. The index is made by the script that
asks it (theme/runtime/search), run here in V8.
"""

from __future__ import annotations

import atexit
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from py_mini_racer import MiniRacer
from selectolax.lexbor import LexborHTMLParser

from theme import cache
from theme.extensions.page import ROOT

ENGINE = ROOT / "theme/vendor/minisearch/minisearch.js"
TRADITIONAL = ROOT / "theme/vendor/opencc/TSCharacters.js"
SCRIPTS = ROOT / "theme/runtime/search"

HEADING = re.compile(r"h[1-6]")
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
# Not what a reader looks for: marks, buttons, the copy of a formula for the eye, drawings, prompts
# and outputs.
LEFT_OUT_TAGS = {"annotation", "button", "script", "style", "svg"}
LEFT_OUT_CLASSES = {"doc-labels", "headerlink", "katex-html", "snippet__bar", "gp", "go"}
APART = {"br", "dd", "div", "dt", "figcaption", "li", "p", "pre", "summary", "td", "th", "tr"}
MATHEMATICS = {"math", "mrow", "msub", "msup", "msubsup", "mfrac", "msqrt", "mtable", "mtr", "mtd"}
MATHEMATICS |= {"mi", "mn", "mo", "mtext", "mstyle", "mover", "munder", "munderover", "mpadded"}
UNSEEN = dict.fromkeys(range(0x2061, 0x2065))  # signs of MathML: f applied to x, a times b


@dataclass
class Section:
    """One target of a link: `anchor` within its page ("" is the top), the heading and the text."""

    anchor: str
    level: int
    heading: str = ""
    text: str = ""
    above: list[str] = field(default_factory=list)  # headings it stands under, without the title's
    called: str = ""  # what else it is called: titles, terms, words that readers use


@dataclass
class Page:
    """`address` is relative to the language's root; `weight` below 1 puts it behind the others."""

    name: str  # of its file: masks
    address: str
    title: str  # the navigation's
    weight: float
    sections: list[Section]


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


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.silent: int | None = None  # depth of the element that is left out
        self.heading: tuple[int, str] | None = None  # depth and tag that ends the heading
        self.mathematics: list[list[str]] = []
        self.sections: list[Section] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            if tag == "br":
                self.handle_data(" ")
            return
        self.open.append(tag)
        if self.silent is not None:
            return
        about = {name: value or "" for name, value in attrs}
        classes = set(about.get("class", "").split())
        excluded = "data-search-exclude" in about and "arithmatex" not in classes
        if excluded or tag in LEFT_OUT_TAGS or classes & LEFT_OUT_CLASSES:
            self.silent = len(self.open)
        elif tag in MATHEMATICS:
            self.mathematics.append([])
        elif anchor := about.get("id"):
            self.begin(tag, anchor, classes)
        if tag in APART:
            self.handle_data(" ")

    def begin(self, tag: str, anchor: str, classes: set[str]) -> None:
        if HEADING.fullmatch(tag):
            level, self.heading = int(tag[1]), (len(self.open), tag)
            anchor = "" if level == 1 else anchor
        elif tag == "strong":  # a term of the glossary
            level, self.heading = 6, (len(self.open), tag)
        elif "reference" in classes:
            level, self.heading = 6, (len(self.open) + 1, "p")
        else:
            return
        above: list[Section] = []
        for section in self.sections:
            above = [one for one in above if one.level < section.level] + [section]
        names = [one.heading for one in above if 1 < one.level < level]
        self.sections.append(Section(anchor, level, above=names))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.open:
            return
        while self.open:
            depth, closed = len(self.open), self.open.pop()
            if self.silent is not None:
                if self.silent == depth:
                    self.silent = None
            elif closed in MATHEMATICS:
                done = formula(closed, self.mathematics.pop())
                self.handle_data(f" {done} " if closed == "math" else done)
            if self.heading == (depth, closed):
                self.heading = None
            if self.silent is None and closed in APART:
                self.handle_data(" ")
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.silent is not None:
            return
        if self.mathematics:
            self.mathematics[-1].append(data.strip().translate(UNSEEN))
        elif self.sections and self.heading:
            self.sections[-1].heading += data
        elif self.sections:
            self.sections[-1].text += data


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
    for unread in article.css("svg, .katex-html"):  # most of a page, and Reader is slow
        unread.decompose()
    text = str(article.html)

    def make() -> str:
        return json.dumps([asdict(one) for one in read(text)], ensure_ascii=False)

    made = cache.kept(make, cache.fingerprint([Path(__file__)]), text)
    return [Section(**one) for one in json.loads(made)]


def read(article: str) -> list[Section]:
    reader = Reader()
    reader.feed(article)
    reader.close()
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
    racer = MiniRacer()
    atexit.register(racer.close)  # or its thread may keep a finished build from ending
    for path in CODE:
        racer.eval(path.read_text(encoding="utf-8"))
    return racer


def traditional() -> str:
    """Traditional characters and what is written for them here, in pairs: 機机權权."""
    table = TRADITIONAL.read_text(encoding="utf-8").partition('"')[2]
    pairs = (entry.split(" ")[:2] for entry in table.partition('"')[0].split("|"))
    return "".join(old + new for old, new in pairs if len(old) == len(new) == 1 and old != new)


INDEX = "var searchIndex = "


def files(pages: list[Page]) -> dict[str, str]:
    """The scripts a page loads to search, by their path in the language's folder `search`."""
    racer = javascript()
    given = ", ".join(map(text, ([asdict(page) for page in pages], traditional())))
    index = racer.eval(f"JSON.stringify(Search.build({given}))")
    # One script, so that it comes whole or not at all.
    code = [path.read_text(encoding="utf-8") for path in (*CODE, SCRIPTS / "box.js")]
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
